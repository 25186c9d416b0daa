"""Packet walk in a browser: a reader chooses, hop after hop is looked at, and the rule that decided lights up."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
DEAD = "kube-proxy of n1 died, then d replaced c"
LOST = "n1 has no route to n2's pods"


def choose(root, **choices):
    names = {"sender": "from", "to": "to", "mode": "kube-proxy", "trouble": "what broke"}
    for name, value in choices.items():
        root.get_by_label(names[name], exact=True).select_option(value)


def head(root):
    return root.locator(".km-head").inner_text()


def test_the_rule_that_decided_is_lit_and_in_view(open_page, root, widget):
    drawn = widget(open_page(f"{root}/walk.html")).root
    lit = drawn.locator(".km-walk-decided")
    assert head(drawn).startswith("connected: b answered") and lit.count() == 1
    assert "-j DNAT --to-destination 10.244.1.3:8080" in lit.inner_text()
    around = drawn.locator(".km-walk-rules").bounding_box()
    assert around["y"] <= lit.bounding_box()["y"] <= around["y"] + around["height"]


def test_the_same_question_in_the_other_mode_has_another_answer(open_page, http, widget):
    drawn = widget(open_page(f"{http}/walk.html")).root
    choose(drawn, to="svc/web:81, a port it does not have")
    assert head(drawn).startswith("lost") and "blackhole" in drawn.locator(".km-second").inner_text()
    choose(drawn, mode="nftables")
    assert head(drawn).startswith("refused")
    assert "Reject traffic to invalid ports" in drawn.locator(".km-walk-decided").inner_text()
    assert "no entry" in drawn.locator(".km-walk-flows").inner_text()


def test_a_dead_kube_proxy_leads_one_pick_of_two_to_a_pod_that_is_gone(open_page, http, widget):
    drawn = widget(open_page(f"{http}/walk.html")).root
    choose(drawn, trouble=DEAD)
    told = []
    for _ in range(2):
        told.append(head(drawn).split(":")[0])
        drawn.get_by_role("button", name="Another pick").click()
    assert sorted(told) == ["connected", "unreachable"]


def test_hops_are_looked_at_one_by_one_with_their_header(open_page, http, widget):
    drawn = widget(open_page(f"{http}/walk.html")).root
    choose(drawn, sender="outside", to="n1:30080, its node port", trouble=LOST)
    header = drawn.locator(".km-walk-header")
    while drawn.locator("[aria-pressed=true]").inner_text().split("\n")[0] != "sent":
        drawn.get_by_role("button", name="previous hop").press("Enter")
    assert "203.0.113.2:32768 → 192.168.0.11:30080" in header.inner_text() and "64" in header.inner_text()
    drawn.get_by_role("button", name="next hop").press("Enter")
    assert "63" in header.inner_text()


def test_it_is_accessible_and_fits_a_phone(open_page, http, widget):
    page = open_page(f"{http}/walk.html", viewport={"width": 390, "height": 800})
    drawn = widget(page).root
    choose(drawn, trouble=LOST, sender="node n1", to="pod c:8080")
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
