"""DNS walk in a browser: names one after the other, by keys and by pointer, wherever the page comes from."""

import re

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


def head(root):
    return root.locator(".km-head").inner_text()


def test_an_outside_name_costs_eight_questions_one_name_after_the_other(open_page, root, widget):
    drawn = widget(open_page(f"{root}/lookups.html")).root
    assert head(drawn) == "A program asks for api.example.com: how many questions will it cost?"
    step = drawn.get_by_role("button", name="Next question")
    counts = []
    for _ in range(4):
        step.click()
        counts.append(int(re.match(r"(\d) questions so far", head(drawn))[1]))
    assert counts == [2, 4, 6, 8] and "203.0.113.80" in head(drawn)
    assert drawn.locator(".km-nxdomain").count() == 3 and step.is_disabled()
    assert "api.example.com.cluster.local." in drawn.locator(".km-ask").nth(2).inner_text()


def test_what_is_looked_up_and_how_goes_by_keys(open_page, http, widget):
    drawn = widget(open_page(f"{http}/lookups.html")).root
    drawn.get_by_label("ndots").select_option("1")
    drawn.get_by_label("name", exact=True).select_option("web.prod")
    drawn.get_by_role("button", name="All").press("Enter")
    assert head(drawn) == "6 questions so far, and the program is told: 10.96.7.2"
    drawn.get_by_role("button", name="musl").press("Enter")
    drawn.get_by_role("button", name="All").press("Enter")
    assert head(drawn) == "2 questions so far, and the program is told: Name does not resolve"


def test_ten_seconds_later_coredns_still_has_what_it_forwarded(open_page, http, widget):
    drawn = widget(open_page(f"{http}/lookups.html")).root
    drawn.get_by_role("button", name="All").click()
    assert drawn.locator(".km-second").inner_text().startswith("2 questions left the cluster")
    drawn.get_by_role("button", name="10 s later").click()
    drawn.get_by_role("button", name="All").click()
    assert head(drawn).startswith("8 questions so far")
    assert drawn.locator(".km-second").inner_text().startswith("0 questions left the cluster")
    drawn.get_by_role("button", name="Table").click()
    assert "cache: 20 s left" in drawn.locator(".km-table").inner_text()


def test_it_is_accessible_and_fits_a_phone(open_page, http, widget):
    page = open_page(f"{http}/lookups.html", viewport={"width": 390, "height": 800})
    drawn = widget(page).root
    drawn.get_by_role("button", name="All").click()
    drawn.get_by_role("button", name="Table").click()
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
