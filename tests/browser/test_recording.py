"""What a page does without a simulator: the recording carries the lesson."""

import pytest

from tests.browser.conftest import violations

WRITE_DOWN_THE_TIME = """() => {
    const widget = document.querySelector(".km"), shown = (window.shown = []);
    const note = () => shown.push(widget.dataset.t);
    new MutationObserver(note).observe(widget, {attributeFilter: ["data-t"]});
}"""
pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


@pytest.mark.pyodide
def test_a_recording_plays_steps_and_scrubs_and_loads_no_simulator(open_page, root, widget):
    page = open_page(f"{root}/desk.html")
    desk = widget(page)
    desk.seek(30)
    assert "1 of 3 members up, quorum is 2: no write succeeds" in desk.sentence
    assert "Serializable reads: all answered" in desk.second
    desk.seek(0)
    desk.root.get_by_role("button", name="next step").click()
    assert "etcd-3" in desk.happened and 0 < desk.time < 1
    desk.root.get_by_role("button", name="previous step").click()
    assert desk.time == 0
    desk.root.locator(".km-play").click()
    page.wait_for_function("document.querySelector('.km').dataset.t > 0.3")
    desk.root.locator(".km-play").click()
    assert desk.time > 0.3
    loaded = page.evaluate("performance.getEntriesByType('resource').map(r => r.name)")
    assert [name for name in loaded if "pyodide" in name or "worker" in name or ".zip" in name] == []


@pytest.mark.parametrize("script", ["host", "etcd-desk"])
def test_a_page_whose_script_did_not_arrive_says_so_and_keeps_its_text(open_page, http, script):
    page = open_page(f"{http}/desk.html", lost=f"/{script}.js")
    said = page.locator(".km-missing")
    said.wait_for()
    assert said.inner_text().startswith("A script of this page did not arrive: load the page again")
    assert said.inner_text().count(".") == 1 and said.count() == 1
    assert "1 of 3 members up, quorum is 2: no write succeeds" in page.locator(".km-fallback").inner_text()
    assert violations(page, "html") == []


def test_a_recording_opens_when_all_is_well_shortly_before_something_breaks(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    assert desk.time == 8
    assert "3 of 3 members up, quorum is 2: writes accepted" in desk.sentence


def test_the_desk_shows_who_is_a_member_now(open_page, http, widget):
    desk = widget(open_page(f"{http}/members.html"))
    desk.seek(12)
    assert "spare" in desk.seen("etcd-4") and "2 of 3 members up" in desk.sentence
    desk.seek(16)
    assert "removed" in desk.seen("etcd-3") and "2 of 2 members up" in desk.sentence
    desk.seek(24)
    assert "learner" in desk.seen("etcd-4") and "2 of 2 members up" in desk.sentence
    desk.seek(30)
    assert "follower" in desk.seen("etcd-4") and "3 of 3 members up, quorum is 2" in desk.sentence


def test_what_happened_follows_the_time_in_both_directions(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(12)
    assert "crashed etcd-2" in desk.happened and "crashed etcd-3" not in desk.happened
    desk.seek(22)
    assert "crashed etcd-3" in desk.happened
    desk.seek(12)
    assert "crashed etcd-3" not in desk.happened
    assert "2 of 3 members up" in desk.sentence


def test_the_table_tells_the_run_to_those_who_do_not_see_the_picture(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.root.get_by_role("button", name="Table").click()
    rows = desk.root.locator(".km-table tbody tr")
    told = [rows.nth(i).inner_text() for i in range(rows.count())]
    assert any("10.000" in row and "crashed etcd-2" in row for row in told)
    assert any("is leader of term 2" in row for row in told)


def test_a_prediction_is_asked_before_anything_moves_and_comes_back_at_the_end(open_page, http, widget):
    page = open_page(f"{http}/predict.html")
    desk = widget(page)
    assert desk.root.locator(".km-play").is_disabled()
    assert desk.root.locator("[data-action]:visible").count() == 0
    desk.root.get_by_role("button", name="Lock in").click()
    assert "Choose an answer first" in desk.root.inner_text()
    desk.root.get_by_label("they go on").check()
    desk.root.get_by_role("button", name="Lock in").click()
    assert desk.root.locator(".km-play").is_enabled()
    page.reload()
    desk = widget(page)
    assert "You said “they go on”" in desk.root.inner_text()  # it stays on this device
    assert "A write needs two" not in desk.root.inner_text()
    desk.root.locator(".km-range").focus()
    page.keyboard.press("End")
    assert "✕ You said “they go on” at 70 %" in desk.root.inner_text()
    assert "A write needs two of three members." in desk.root.inner_text()


def test_keys_alone_reach_every_moment_and_every_component(open_page, http, widget):
    page = open_page(f"{http}/desk.html")
    desk = widget(page)
    desk.root.locator(".km-range").focus()
    page.keyboard.press("End")
    assert desk.time == 60
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert 0 < desk.time < 1
    assert "etcd-3" in desk.root.locator("[aria-live=polite]").inner_text()  # a step is spoken
    page.keyboard.press(" ")
    assert "Pause" in desk.root.locator(".km-play").inner_text()
    page.keyboard.press("k")
    assert "Play" in desk.root.locator(".km-play").inner_text()
    page.keyboard.press("?")
    assert desk.root.locator(".km-help").is_visible()
    page.keyboard.press("Escape")
    assert desk.root.locator(".km-help").is_hidden()
    names = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        names.add(page.evaluate("document.activeElement.dataset?.name"))
    assert {"etcd-1", "etcd-2", "etcd-3"} <= names
    desk.root.locator('[data-name="etcd-3"]').focus()
    page.keyboard.press("Enter")
    assert desk.root.locator(".km-insp .km-h4").inner_text() == "etcd-3"


def test_without_javascript_the_page_tells_the_run(open_page, http):
    page = open_page(f"{http}/desk.html", java_script_enabled=False)
    text = page.locator(".km-fallback").inner_text()
    assert "1 of 3 members up, quorum is 2: no write succeeds" in text and "writes: 239 asked" in text


def test_printed_a_widget_is_its_picture_and_its_text(open_page, http, widget):
    page = open_page(f"{http}/desk.html")
    desk = widget(page)
    page.emulate_media(media="print")
    assert page.locator(".km-fallback").is_visible() and desk.root.locator("svg").first.is_visible()
    assert desk.root.locator(".km-ctl").is_hidden()


def test_with_reduced_motion_time_jumps_from_moment_to_moment(open_page, http, widget):
    page = open_page(f"{http}/desk.html", reduced_motion="reduce")
    desk = widget(page)
    desk.seek(0)
    desk.root.get_by_role("button", name="next step").click()
    first = desk.time
    desk.seek(0)
    page.evaluate(WRITE_DOWN_THE_TIME)
    desk.root.locator(".km-play").click()
    page.wait_for_function("window.shown.length > 0")
    assert float(page.evaluate("window.shown[0]")) == first  # nothing glides
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("name", ["desk", "full", "members", "predict", "five", "map", "stepper"])
def test_a_widget_is_accessible_in_light_and_dark(open_page, http, widget, name):
    page = open_page(f"{http}/{name}.html")
    drawn = widget(page)
    assert violations(page, "html") == []
    drawn.predict()
    for moment in (0, 22, 45):
        drawn.seek(moment)
        assert violations(page, "html") == []
    for label in ("Table", "keys"):
        drawn.root.get_by_role("button", name=label).click()
    assert violations(page, "html") == []


@pytest.mark.parametrize(
    "name", ["desk", "full", "members", "ring", "predict", "five", "map", "external", "stepper", "hangs"]
)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(open_page, http, widget, name):
    page = open_page(f"{http}/{name}.html", viewport={"width": 390, "height": 800})
    drawn = widget(page)
    drawn.predict()
    drawn.seek(22)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    low = "([e, what, least]) => [...e.querySelectorAll(what)].filter(x => x.getBoundingClientRect().height < least"
    low += " && x.getBoundingClientRect().height > 0).map(x => x.outerHTML)"
    for what, least in (("svg text", 9), ("button, select, input", 18)):
        assert page.evaluate(low, [drawn.root.element_handle(), what, least]) == []


@pytest.mark.parametrize(
    ("name", "width"),
    [("map", 1100), ("ring", 1100), ("ring", 360), ("full", 360), ("members", 360), ("hangs", 1100), ("pair", 360)],
)
def test_labels_stay_inside_their_boxes(open_page, http, widget, name, width):
    page = open_page(f"{http}/{name}.html", viewport={"width": width, "height": 900})
    drawn = widget(page)
    for moment in (0, 5, 17, 25, 40, 60):
        drawn.seek(moment)
        outside = page.evaluate(
            """e => [...e.querySelectorAll('.km-in')].flatMap(g => {
                const box = g.querySelector('rect:not(.km-pulse)')?.getBoundingClientRect();
                return !box ? [] : [...g.querySelectorAll('text')].filter(t => t.textContent &&
                  (t.getBoundingClientRect().right > box.right + 1 || t.getBoundingClientRect().left < box.left - 1))
                  .map(t => t.textContent);
            })""",
            drawn.root.element_handle(),
        )
        assert outside == []
