"""Who hangs on whom, on the screen: piles below servers, what moved, who waits in vain; by mouse, keys and ear."""

import re

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
SERVERS = [f"apiserver-{n}" for n in (1, 2, 3)]


def numbers(drawn):
    """How many hang on each server, as a screen reader hears it."""
    return [int(re.search(r"(\d+) connections?$", drawn.seen(name))[1]) for name in SERVERS]


def tags(drawn, words):
    """The clients of whom a screen reader hears *words*."""
    found = drawn.root.locator(".km-hangs .km-hit").all()
    labels = [tag.get_attribute("aria-label") for tag in found]
    return [label.split(",")[0] for label in labels if words in label]


def test_clients_of_a_killed_server_move_and_say_from_where_and_nobody_moves_back(open_page, http, widget):
    drawn = widget(open_page(f"{http}/hangs.html"))
    drawn.seek(9)
    before = numbers(drawn)
    mine = tags(drawn, "hangs on apiserver-3, through haproxy-1")
    assert sum(before) == 22 and len(mine) == before[2] - 2 > 10  # without its own two managers
    drawn.seek(17)
    assert numbers(drawn)[2] == 0 and "crashed" in drawn.seen("apiserver-3")
    assert set(mine) <= set(tags(drawn, "before on apiserver-3"))
    drawn.seek(29)
    assert tags(drawn, "hangs on apiserver-3, through") == []
    assert drawn.root.locator(".km-shift-words").inner_text().startswith("Since 18.00 s:")


def test_after_a_rolling_restart_the_last_server_has_none_of_those_who_come_through_the_balancer(
    open_page, http, widget
):
    drawn = widget(open_page(f"{http}/hangs.html"))
    drawn.seek(89)
    assert tags(drawn, "hangs on apiserver-2, through") == []
    assert "ready" in drawn.seen("apiserver-2") and "apiserver-2 up" in drawn.seen("haproxy-1")
    rows = drawn.root.locator(".km-shift-table tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == [*SERVERS, "nobody"]


def test_the_key_b_shows_the_moment_before_the_last_deed_and_comes_back(open_page, http, widget):
    page = open_page(f"{http}/hangs.html")
    drawn = widget(page)
    drawn.seek(14)
    drawn.root.locator('[data-name="apiserver-1"]').focus()
    page.keyboard.press("b")
    assert 9.9 < drawn.time < 10 and numbers(drawn)[2] > 0
    page.keyboard.press("b")
    assert drawn.time == 14 and numbers(drawn)[2] == 0


@pytest.mark.pyodide
def test_a_paused_server_keeps_its_clients_who_wait_in_vain(open_page, http, widget):
    drawn = widget(open_page(f"{http}/hangs.html"))
    drawn.seek(9)
    mine = tags(drawn, "hangs on apiserver-3")
    drawn.do("apiserver-3", "pause")
    assert drawn.commands() == [[9, "pause", "apiserver-3"]]
    drawn.seek(9.5)
    assert sorted(tags(drawn, "which does not answer")) == sorted(mine)
    assert f"{len(mine)} hang on one that does not answer." in drawn.root.locator(".km-shift-words").inner_text()
    drawn.select(mine[0])
    assert "● hangs on apiserver-3" in drawn.root.locator(".km-what").inner_text()


def test_two_balancers_say_who_has_the_address_and_the_keepers_can_be_chosen(open_page, http, widget):
    drawn = widget(open_page(f"{http}/pair.html"))
    drawn.seek(19)
    assert "has the address" in drawn.seen("haproxy-1") and "has the address" not in drawn.seen("haproxy-2")
    assert drawn.seen("keepalived-1") == "keepalived-1, MASTER"
    drawn.select("keepalived-2")
    assert "BACKUP with priority 100" in drawn.root.locator(".km-what").inner_text()
    drawn.seek(59)
    assert "has the address" in drawn.seen("haproxy-2") and "crashed" in drawn.seen("haproxy-1")
    assert drawn.seen("keepalived-2") == "keepalived-2, MASTER"


@pytest.mark.parametrize("size", SIZES)
def test_it_fits_and_can_be_read_by_everybody(open_page, http, widget, size):
    page = open_page(f"{http}/hangs.html", viewport=SIZES[size])
    drawn = widget(page)
    for second in (9, 17, 89):
        drawn.seek(second)
        assert violations(page, ".km") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


def test_who_wants_no_motion_sees_tags_in_their_new_place_at_once(open_page, http, widget):
    for motion, takes in (("reduce", "0s"), ("no-preference", "0.45s")):
        drawn = widget(open_page(f"{http}/hangs.html", reduced_motion=motion))
        style = drawn.root.locator(".km-hangs").first.evaluate("e => getComputedStyle(e).transitionDuration")
        assert style == takes


def test_without_javascript_the_page_says_the_same_as_a_table(open_page, http):
    text = open_page(f"{http}/hangs.html", java_script_enabled=False).locator(".km-fallback").inner_text()
    told = text[text.index("who hangs on whom") :].splitlines()
    assert told[1].split() == ["9.999s", "17.999s", "29.999s", "37.999s", "49.999s", "57.999s", "90.000s"]
    assert [line.split()[0] for line in told[2:5]] == SERVERS
    assert sum(int(line.split()[-1]) for line in told[2:5]) == 22
