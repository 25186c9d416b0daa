"""URL rules in a browser: a reader types, and every rule says at once what became of it; by keys alone, on a phone."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


@pytest.fixture
def rules(open_page, http, widget):
    return widget(open_page(f"{http}/urls.html")).root


def decides(root):
    return root.locator(".km-url-decides").inner_text()


def test_the_first_example_is_there_and_its_rule_decides(open_page, root, widget):
    drawn = widget(open_page(f"{root}/urls.html"))
    assert drawn.sentence == "GET shop.example/cart/pay goes to pay"
    assert drawn.second == "ingress default/shop rules[0].paths[3] decides"
    assert drawn.root.locator(".km-url-decides").count() == 1
    assert "lost: its path is shorter" in drawn.root.locator(".km-url-rule").first.inner_text()


def test_a_url_that_is_typed_is_judged_at_once(rules):
    rules.get_by_label("URL", exact=True).fill("https://SHOP.example:443/version?x=1")
    assert "/version → version" in " ".join(decides(rules).split())
    rules.get_by_label("URL", exact=True).fill("elsewhere.example")
    assert "whatever no rule takes" in decides(rules)


def test_method_and_headers_count_for_an_httproute(rules):
    rules.get_by_role("button", name="HTTPRoute").click()
    rules.get_by_label("URL", exact=True).fill("shop.example/cart")
    assert "→ cart" in decides(rules)
    rules.get_by_label("method").select_option("POST")
    assert "→ summary" in decides(rules)
    rules.get_by_label("method").select_option("GET")
    rules.get_by_label("headers").fill("x-tester: yes")
    assert "stable 9, canary 1" in decides(rules)
    rules.get_by_label("URL", exact=True).fill("nobody.example/")
    assert rules.locator(".km-head").inner_text() == "GET nobody.example/ is answered 404"
    assert rules.locator(".km-url-decides").count() == 0


def test_it_can_be_used_by_keys_alone(rules):
    page = rules.page
    rules.get_by_label("URL", exact=True).focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("shop.example/carts")
    assert "→ web" in decides(rules)
    page.keyboard.press("Tab")
    page.keyboard.type("X-Tester: yes")
    rules.get_by_role("button", name="HTTPRoute").press("Enter")
    assert "→ canary" in decides(rules)
    rules.get_by_role("button", name="Table").press("Enter")
    assert rules.locator(".km-table td").filter(has_text="the other names more headers").count()


def test_it_is_accessible_and_fits_a_phone(open_page, http, widget):
    page = open_page(f"{http}/urls.html", viewport={"width": 390, "height": 800})
    widget(page).root.get_by_role("button", name="Table").click()
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_the_examples_are_text(open_page, http):
    page = open_page(f"{http}/urls.html", java_script_enabled=False)
    text = page.locator(".km-fallback").inner_text()
    assert "GET shop.example/cart/pay: pay, ingress default/shop rules[0].paths[3]" in text
    assert "POST shop.example/cart: summary, httproute default/shop rules[2].matches[0]" in text
