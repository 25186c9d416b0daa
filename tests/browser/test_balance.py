"""Connection balance in a browser: hands that were recorded, by keys and by pointer, wherever the page comes from."""

import re

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


def head(root):
    return root.locator(".km-head").inner_text()


def test_ten_pods_and_two_connections_leave_eight_idle_or_nine(open_page, root, widget):
    drawn = widget(open_page(f"{root}/balance.html")).root
    assert head(drawn).startswith("2 connections reach ")
    busy, idle = int(re.search(r"reach (\d)", head(drawn))[1]), drawn.locator(".km-idle").count()
    assert busy + idle == 10 and busy <= 2
    assert "8.1 on average" in drawn.locator(".km-second").inner_text()


def test_sliders_go_by_keys_and_every_stop_is_recorded(open_page, http, widget):
    drawn = widget(open_page(f"{http}/balance.html")).root
    drawn.get_by_role("slider", name="connections").press("End")
    assert head(drawn).startswith("1000 connections reach 10 pods of 10")
    drawn.get_by_role("slider", name="pods").press("Home")
    assert head(drawn).startswith("1000 connections reach 3 pods of 3")
    drawn.get_by_role("slider", name="connections").press("Home")
    assert head(drawn) == "1 connection reach 1 pod of 3; the busiest gets 1000 of 1,000 requests a second"


def test_another_hand_may_be_another_and_a_client_that_takes_turns_needs_no_luck(open_page, http, widget):
    drawn = widget(open_page(f"{http}/balance.html")).root
    drawn.get_by_role("button", name="Table").click()
    seen = set()
    for _ in range(8):
        drawn.get_by_role("button", name=re.compile("Deal again")).click()
        seen.add(drawn.locator(".km-table").inner_text())
    assert len(seen) > 4
    drawn.get_by_role("button", name="in turn, by the client").click()
    assert "100 each" in head(drawn) and drawn.locator(".km-idle").count() == 0
    assert drawn.get_by_role("button", name=re.compile("Deal again")).is_disabled()


def test_it_is_accessible_and_fits_a_phone(open_page, http, widget):
    page = open_page(f"{http}/balance.html", viewport={"width": 390, "height": 800})
    widget(page).root.get_by_role("button", name="Table").click()
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
