"""The failure stopwatch in a browser: recorded failures, one clock, timers that are run anew."""

import re

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


def head(drawn):
    return drawn.locator(".km-head").inner_text()


def second(drawn):
    return drawn.locator(".km-second").inner_text()


def press(drawn, name):
    drawn.get_by_role("button", name=name).click()


def reads(drawn, mark):
    """The row of the table of that mark."""
    return drawn.locator(".km-sw-table tr", has_text=mark).locator("td").all_inner_texts()


def test_what_is_recorded_tells_the_three_owners_apart(open_page, root, widget):
    drawn = widget(open_page(f"{root}/stopwatch.html")).root
    assert re.match(r"A replacement is Ready: Deployment after 5 min \d+ s, StatefulSet after 7 min", head(drawn))
    assert head(drawn).endswith("DaemonSet never.")
    web, db, agent = reads(drawn, "given up")
    assert web == db and agent == "–"
    assert "dead: nothing runs" in drawn.locator(".km-svg").text_content()


def test_the_clock_goes_by_keys_and_from_mark_to_mark(open_page, http, widget):
    drawn = widget(open_page(f"{http}/stopwatch.html")).root
    clock = drawn.get_by_role("slider", name=re.compile("the clock"))
    clock.press("Home")
    assert "The node is well" in head(drawn) and drawn.locator(".km-sw-past").count() == 0
    press(drawn, "to the next mark")
    assert drawn.locator(".km-sw-past").count() == 1
    assert "renewal" in drawn.locator("tr:has(.km-sw-past)").inner_text()
    for _ in range(2):
        press(drawn, "to the next mark")
    assert "tolerated for 5 min more" in head(drawn)
    clock.press("ArrowRight")
    assert re.search(r"(49|50).0 s: The node is NotReady; its pods are tolerated for 4 min 59 s more", head(drawn))
    press(drawn, "to the mark before")
    clock.press("End")
    assert head(drawn).startswith("A replacement is Ready")


def test_behind_a_cut_the_old_copy_serves_and_there_are_two(open_page, http, widget):
    page = open_page(f"{http}/stopwatch.html")
    drawn = widget(page).root
    press(drawn, "its network is cut")
    page.evaluate(
        "x => {const c = document.querySelector('.km-sw-range'); c.value = x; c.dispatchEvent(new Event('input'))}", 360
    )
    assert second(drawn).startswith("The old web still serves, on its side of the cut")
    assert second(drawn).endswith("Two copies at once: web.")
    press(drawn, "its power fails")
    assert "Two copies" not in second(drawn) and "web: a new pod on worker-" in second(drawn).lower()


def test_a_drain_is_over_at_once_and_a_short_failure_replaces_nothing(open_page, http, widget):
    drawn = widget(open_page(f"{http}/stopwatch.html")).root
    press(drawn, "it is drained, then rebooted")
    assert re.match(r"A replacement is Ready: Deployment after \d\.\d s, StatefulSet after \d\.\d s", head(drawn))
    press(drawn, "its power fails")
    press(drawn, "30 s")
    assert head(drawn) == "A replacement is Ready: Deployment never, StatefulSet never, DaemonSet never."
    assert reads(drawn, "NotReady") == ["–"]


@pytest.mark.pyodide
def test_a_timer_of_ones_own_is_run_in_the_page(open_page, http, widget):
    page = open_page(f"{http}/stopwatch.html")
    drawn = widget(page).root
    for _ in range(20):
        drawn.get_by_role("slider", name="--default-unreachable-toleration-seconds").press("ArrowLeft")
    press(drawn, re.compile("Run with these timers"))
    page.wait_for_function("/Deployment after 2 min/.test(document.querySelector('.km-head').textContent)")


def test_timers_are_run_anew_and_the_defaults_come_back(open_page, http, widget):
    page = open_page(f"{http}/stopwatch.html")
    drawn = widget(page).root
    toleration = drawn.get_by_role("slider", name="--default-unreachable-toleration-seconds")
    for _ in range(20):
        toleration.press("ArrowLeft")
    assert toleration.get_attribute("aria-valuetext") == "100 seconds; by default 300"
    assert "Run loads the simulator" in drawn.locator(".km-status").inner_text()
    assert "5 min" in head(drawn), "nothing has changed yet"
    press(drawn, re.compile("Run with these timers"))
    page.wait_for_function("/Deployment after 2 min/.test(document.querySelector('.km-head').textContent)")
    grace = drawn.get_by_role("slider", name="--node-monitor-grace-period")
    grace.press("Home")
    page.wait_for_function("/Deployment after 1\\d\\d\\.\\d s/.test(document.querySelector('.km-head').textContent)")
    press(drawn, "Defaults")
    assert "Deployment after 5 min" in head(drawn)
    press(drawn, "Other luck")
    page.wait_for_function("kubemini.models[0] && document.querySelector('.km-status').textContent === ''")
    assert "Deployment after 5 min" in head(drawn)


def test_it_runs_by_itself_and_without_motion_it_jumps(open_page, http, widget):
    for motion in ("no-preference", "reduce"):
        page = open_page(f"{http}/stopwatch.html", reduced_motion=motion)
        drawn = widget(page).root
        press(drawn, "▶ Run the clock")
        page.wait_for_function("document.querySelectorAll('.km-sw-past').length === 1")
        press(drawn, "‖ Stop")
        assert drawn.get_by_role("button", name="▶ Run the clock").count() == 1


def test_it_is_accessible_and_fits_a_phone(open_page, http, widget):
    page = open_page(f"{http}/stopwatch.html", viewport={"width": 390, "height": 800})
    for name in ("its network is cut", "it is drained, then rebooted"):
        press(widget(page).root, name)
        assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(".km-sw-table").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert box[0] <= box[1], "the table needs no scrolling"
