"""The same fault on a real cluster, beneath ours: on the time of the strips, for the eye, the ear and the hand."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
EDGES = """(e, what) => [...e.querySelectorAll(what)].map((x) => {
    const box = x.getBoundingClientRect();
    return [Math.round(box.left), Math.round(box.right)];
})"""


def titles(page):
    return page.locator(".km-beneath-titles span").all_inner_texts()


def test_each_thing_done_has_its_recording_on_the_time_of_the_strips(open_page, http, widget):
    page = open_page(f"{http}/map.html")
    drawn = widget(page)
    assert titles(page) == ["etcd-2 killed", "etcd-2, etcd-3 killed", "etcd-2 returns"]
    names = page.locator(".km-beneath .km-strip-name").all_inner_texts()
    assert [name.split()[-1] for name in names] == ["here", "there"] * 3
    (left, right), *_ = drawn.root.evaluate(EDGES, ".km-strips .km-strip-lane")
    begins = drawn.root.evaluate(EDGES, ".km-beneath-titles span")
    panes = drawn.root.evaluate(EDGES, ".km-beneath .km-there:nth-child(3) .km-pane")
    for (begin, _), (pane, _), second in zip(begins, panes, (18, 30, 50), strict=True):
        assert abs(begin - (left + (right - left) * second / 75)) <= 2
        assert abs(pane - begin) <= 2


def test_the_real_cluster_does_not_tell_how_it_ends_before_a_prediction(open_page, http, widget):
    drawn = widget(open_page(f"{http}/asked.html"))
    assert not drawn.root.locator(".km-beneath").is_visible()
    drawn.predict()
    assert drawn.root.locator(".km-beneath").is_visible()


def test_the_sentence_of_what_happens_now_stands_out(open_page, http, widget):
    page = open_page(f"{http}/map.html")
    drawn = widget(page)
    for second, told in (
        (22, "20 s, etcd-2 killed."),
        (31, "30 s, etcd-2, etcd-3 killed."),
        (51, "50 s, etcd-2 returns."),
    ):
        drawn.seek(second)
        (said,) = page.locator(".km-beneath-said .km-here b").all_inner_texts()
        assert said.strip() == told
    drawn.seek(3)
    assert page.locator(".km-beneath-said .km-here").count() == 0


def test_who_does_not_see_the_lanes_hears_them(open_page, http, widget):
    page = open_page(f"{http}/map.html")
    widget(page)
    heard = page.locator(".km-beneath-said li").nth(1).text_content()
    assert "API writes, there, ✕✕✕" in heard and "apiserver-1 in the balancer, there, UP, from +" in heard
    assert page.locator(".km-beneath").get_attribute("aria-label") == "The same on a real cluster"
    source = page.locator(".km-beneath-source").inner_text()
    assert "Kubernetes 1.37.2, etcd 3.7.3, HAProxy" in source and "make record" in source


def test_without_a_script_the_page_says_the_same(open_page, http):
    page = open_page(f"{http}/map.html", java_script_enabled=False)
    told = page.locator(".km-fallback").inner_text()
    assert "The same on a real cluster (Kubernetes 1.37.2" in told and "etcd-2, etcd-3 killed" in told


def test_where_nothing_like_it_was_recorded_nothing_is_shown(open_page, http, widget):
    page = open_page(f"{http}/desk.html")
    widget(page)
    assert page.locator(".km-beneath").is_hidden()


def test_what_a_reader_breaks_is_held_beside_the_recording_of_that(open_page, http, widget):
    page = open_page(f"{http}/map.html")
    drawn = widget(page)
    drawn.seek(12)
    drawn.do("apiserver-1", "crash")
    assert titles(page)[0] == "apiserver-1 killed"
    assert "etcd-2" not in titles(page)[0]
    drawn.deed("Undo")
    assert titles(page)[0] == "etcd-2 killed"


@pytest.mark.parametrize("width", [390, 1100])
def test_the_lanes_are_for_everybody(open_page, http, widget, width):
    page = open_page(f"{http}/map.html", viewport={"width": width, "height": 900})
    drawn = widget(page)
    for second in (0, 31, 60):
        drawn.seek(second)
        assert violations(page, ".km-beneath") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_waiting_requests_are_drawn_as_waiting_until_they_are_answered(open_page, http, widget):
    page = open_page(f"{http}/map.html")
    drawn = widget(page)
    asked = [[at, d["started"] + at, d] for at, _, d in drawn.records("request") if d["kind"] == "api"]
    at, started, _ = max(asked, key=lambda ask: ask[0] - ask[1])
    assert at - started > 3e6, "a story in which nobody waits"
    writes = page.locator(".km-strips .km-strip").first
    drawn.seek((started + at) / 2e6)
    hollow = writes.locator(".km-s-waiting").count()
    assert hollow >= 1 and "wait" in writes.inner_text()
    drawn.seek(15)  # all is well
    assert writes.locator(".km-s-waiting").count() < hollow and "wait" not in writes.inner_text()
