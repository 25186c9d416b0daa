"""A controller's loop on the screen: rows beside rows, the watch, the queue, decisions; by mouse, keys and ear."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
WEB = "web-79f7d66677"
# A row never overflows: what is said in it shrinks, and ends in dots. So each piece of it is asked, too.
CLIPPED = """rows => rows.flatMap((row) => [row, ...row.querySelectorAll(":scope > :not(.km-sr)")])
    .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"""


def rows(drawn, side):
    return [row.inner_text().split("\n") for row in drawn.root.locator(f".km-loop-{side} .km-loop-rows > li").all()]


def lane(drawn, name):
    return drawn.root.locator(f".km-loop-lane-{name}").inner_text()


def test_in_peace_both_sides_say_the_same(open_page, http, widget):
    drawn = widget(open_page(f"{http}/loop.html"))
    drawn.seek(20)
    assert drawn.sentence == "● Its cache is as the store, and its queue is empty"
    assert drawn.seen("controller-manager-1") == "Its cache: as the store"
    assert drawn.seen("apiserver-1") == "The store: 4 objects"
    store, cache = rows(drawn, "store"), rows(drawn, "cache")
    assert len(store) == len(cache) == 4 and all(row[0] == "=" for row in cache)
    assert "nothing" in lane(drawn, "waiting") and "nothing" in lane(drawn, "later")


def test_behind_a_cut_watch_rows_differ_by_mark_and_word_and_the_key_comes_back_later(open_page, http, widget):
    drawn = widget(open_page(f"{http}/loop.html"))
    drawn.seek(30)
    assert drawn.sentence == "✕ Its watch of Pods is cut: its cache stands still"
    assert drawn.seen("controller-manager-1") == "Its cache: 3 objects not as in the store"
    marks = [row[0] for row in rows(drawn, "cache")]
    assert sorted(marks) == sorted("=??=≠=")
    assert "cut at revision" in drawn.root.locator(".km-loop-cut").inner_text()
    assert "11 failures" in lane(drawn, "later") and "in 4.25 s" in lane(drawn, "later")
    drawn.seek(31)
    assert "in 3.25 s" in lane(drawn, "later")


def test_the_key_n_goes_from_decision_to_decision_and_a_decision_leads_back(open_page, http, widget):
    page = open_page(f"{http}/loop.html")
    drawn = widget(page)
    drawn.seek(11)
    drawn.root.locator('[data-name="controller-manager-1"]').focus()
    page.keyboard.press("n")
    assert drawn.time == pytest.approx(12.002, abs=0.01)
    says = drawn.root.locator(".km-loop-plan-says")
    assert "wanted 3, in its cache 2" in says.inner_text()
    drawn.seek(30)
    past = drawn.root.locator(".km-loop-past li")
    assert "11 times" in past.last.inner_text()
    past.last.get_by_role("button").click()
    assert drawn.time == pytest.approx(24.011, abs=0.01)


def test_steps_stop_at_every_change_of_the_loop(open_page, http, widget):
    page = open_page(f"{http}/loop.html")
    drawn = widget(page)
    drawn.seek(12)
    seen = []
    for _ in range(12):
        drawn.root.get_by_role("button", name="next step").click()
        seen.append(drawn.root.locator(".km-loop-plan-says").inner_text() + lane(drawn, "working"))
    assert drawn.time < 12.1 and len(set(seen)) >= 3


@pytest.mark.pyodide
def test_a_reader_cuts_a_watch(open_page, http, widget):
    drawn = widget(open_page(f"{http}/loop.html"))
    drawn.seek(15)
    drawn.deed("Cut its watch of ReplicaSets")
    drawn.seek(18)
    assert "Its watch of" in drawn.sentence


def test_a_reader_cuts_a_watch_mends_it_scales_and_deletes(open_page, http, widget):
    drawn = widget(open_page(f"{http}/loop.html"))
    drawn.seek(15)
    drawn.deed("Cut its watch of ReplicaSets")
    assert drawn.commands() == [[15, "cut_watch", "controller-manager-1", "ReplicaSet"]]
    drawn.seek(16)
    drawn.root.get_by_label("replicas").fill("4")
    drawn.deed("Scale to")
    drawn.seek(18)
    assert drawn.commands()[-1] == [16, "scale", "web", "4"]
    assert "Its watch of" in drawn.sentence
    drawn.deed("Mend its watch of ReplicaSets")
    drawn.seek(18.5)
    assert any("wants 4" in " ".join(row) for row in rows(drawn, "cache"))
    drawn.root.get_by_role("combobox", name="pod").select_option(index=0)
    drawn.deed("Delete")
    assert drawn.commands()[-1][1:3] == ["delete", "pod"]
    drawn.do("controller-manager-1", "crash")
    assert "is down" in drawn.sentence
    assert "begins empty" in drawn.root.locator(".km-loop-cache").inner_text()


@pytest.mark.parametrize("size", SIZES)
def test_it_fits_and_can_be_read_by_everybody(open_page, http, widget, size):
    page = open_page(f"{http}/loop.html", viewport=SIZES[size])
    drawn = widget(page)
    for second in (12.003, 30, 48, 89):
        drawn.seek(second)
        assert violations(page, ".km") == []
        assert drawn.root.locator(".km-loop-rows > li").evaluate_all(CLIPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


def test_without_javascript_the_page_tells_the_loop(open_page, http):
    text = open_page(f"{http}/loop.html", java_script_enabled=False).locator(".km-fallback").inner_text()
    assert "the loop of the replicaset-controller, in controller-manager-1" in text
    assert "wanted 5, in its cache 4: creates 1 Pod, writes its status" in text
