"""Swim-lane in a browser: step by step, by hand and by key; why a step is; and lines of a reader's own."""

from itertools import pairwise

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
STILL = {"reduced_motion": "reduce"}
FIRST = "kubectl asks which kinds of objects there are."
CHANGE = "kubectl changes one thing in Deployment web: spec.replicas = 3."


def head(drawn):
    return drawn.locator(".km-head").inner_text()


def here(drawn):
    """The number of the step that is looked at."""
    return drawn.locator('.km-lane-step[aria-current="step"] .km-lane-no').inner_text()


def press(drawn, name):
    drawn.get_by_role("button", name=name).click()


def choose(drawn, number):
    drawn.locator(f'.km-lane-step[data-step="{number}"]').click()


def test_it_opens_at_the_first_step_and_each_next_one_is_said(open_page, root, widget):
    drawn = widget(open_page(f"{root}/lanes.html", **STILL)).root
    assert head(drawn) == FIRST and here(drawn) == "1"
    for _ in range(8):
        press(drawn, "next step")
    assert head(drawn) == CHANGE
    second = "That is all it does. It tells no scheduler and no kubelet, only the API server."
    assert drawn.locator(".km-second").inner_text() == second
    assert drawn.locator("[aria-live]").inner_text() == f"Step 9. {CHANGE} {second}"
    press(drawn, "previous step")
    assert here(drawn) == "8"


def test_an_arrow_leads_from_lane_to_lane(open_page, http, widget):
    drawn = widget(open_page(f"{http}/lanes.html", **STILL)).root
    names = drawn.locator(".km-lane-names b").all_inner_texts()
    assert names == ["etcd", "API server", "kubectl", "controllers", "scheduler", "kubelet", "kube-proxy"]
    choose(drawn, 9)
    ends = """(e) => {
        const arrow = e.querySelector('[aria-current] .km-lane-arrow').getBoundingClientRect();
        const middle = [...e.querySelectorAll('.km-lane-names span')].map((x) => {
            const box = x.getBoundingClientRect();
            return (box.left + box.right) / 2;
        });
        return [arrow.left - middle[1], arrow.right - middle[2]].map(Math.abs);
    }"""
    assert max(drawn.evaluate(ends)) <= 2  # from kubectl to the API server
    assert drawn.locator("[aria-current] .km-lane-left").count() == 1


def test_a_step_leads_to_the_one_that_it_follows_from(open_page, http, widget):
    drawn = widget(open_page(f"{http}/lanes.html", **STILL)).root
    choose(drawn, 16)
    assert head(drawn).startswith("The Deployment controller writes ReplicaSet web-")
    assert drawn.locator("[data-cause] .km-lane-no").inner_text().endswith("14")
    press(drawn, "to the step that it follows from")
    assert here(drawn) == "14" and head(drawn).startswith("The API server tells the controller-manager")


def test_all_that_follows_and_all_that_was_sent_are_shown_at_the_same_step(open_page, http, widget):
    drawn = widget(open_page(f"{http}/lanes.html", **STILL)).root
    choose(drawn, 16)
    rows = drawn.locator(".km-lane-step")
    few = rows.count()
    press(drawn, "All that follows")
    more = rows.count()
    press(drawn, "All that was sent")
    assert few < more < rows.count() and here(drawn) == "16"
    drawn.locator('.km-lane-step:has-text("Lease kube-scheduler")').first.click()
    assert drawn.locator(".km-second").inner_text() == "Its own clock says so: nobody has asked for it."
    assert drawn.get_by_role("button", name="to the step that it follows from").is_disabled()


def test_keys_and_the_slider_do_it_too(open_page, http, widget):
    page = open_page(f"{http}/lanes.html", **STILL)
    drawn = widget(page).root
    drawn.locator(".km-lane-step").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press(".")
    assert here(drawn) == "3" and page.evaluate("document.activeElement.getAttribute('aria-current')") == "step"
    page.keyboard.press("End")
    assert head(drawn).startswith("kube-proxy of worker-1 writes its kernel's rules")
    page.keyboard.press("Home")
    assert here(drawn) == "1"
    slider = drawn.get_by_role("slider", name="step")
    slider.fill("8")
    assert head(drawn) == CHANGE and slider.get_attribute("aria-valuetext").endswith(CHANGE)


def test_it_plays_and_stands_still_when_told(open_page, http, widget):
    page = open_page(f"{http}/lanes.html")
    drawn = widget(page).root
    press(drawn, "Play")
    page.wait_for_function("document.querySelector('.km-lane-step[aria-current] .km-lane-no').textContent !== '1'")
    press(drawn, "Pause")
    assert drawn.get_by_role("button", name="Play").is_visible()


def test_the_page_stays_where_it_is_while_the_list_moves(open_page, http, widget):
    page = open_page(f"{http}/lanes.html", **STILL)
    drawn = widget(page).root
    top = "document.querySelector('.km-ctl').getBoundingClientRect().top"
    was = page.evaluate(top)
    for _ in range(30):
        press(drawn, "next step")
    assert page.evaluate(top) == was and page.evaluate("scrollY") == 0
    box = drawn.locator(".km-lane-box").bounding_box()
    row = drawn.locator("[aria-current]").bounding_box()
    assert box["y"] < row["y"] < box["y"] + box["height"] - row["height"]


@pytest.mark.pyodide
def test_a_line_of_ones_own_runs_in_the_page(open_page, http, widget):
    page = open_page(f"{http}/lanes.html", **STILL)
    drawn = widget(page).root
    drawn.get_by_label("kubectl", exact=True).fill("get pods")
    press(drawn, "Type it")
    page.wait_for_function("document.querySelector('.km-lane-printed').textContent.startsWith('NAME')")
    assert drawn.locator(".km-lane-step").count() == 8


def test_a_line_of_ones_own_runs_without_whom_one_likes_and_what_is_no_line_is_told(open_page, http, widget):
    page = open_page(f"{http}/lanes.html", **STILL)
    drawn = widget(page).root
    drawn.get_by_label("kubectl", exact=True).fill("scale deployment web --replicas 3")
    drawn.get_by_label("who is missing").select_option("scheduler-1")
    press(drawn, "Type it")
    page.wait_for_function("document.querySelector('.km-lane-shell').textContent.endsWith('# without scheduler-1')")
    press(drawn, "All that was sent")
    assert "Binding" not in drawn.locator(".km-lane-list").inner_text()
    drawn.get_by_label("kubectl", exact=True).fill("frobnicate")
    press(drawn, "Type it")
    trouble = drawn.locator(".km-req-trouble")
    trouble.wait_for(state="visible")
    assert "unknown command" in trouble.inner_text()


@pytest.mark.parametrize("width", [390, 1100])
def test_it_is_accessible_and_fits(open_page, http, widget, width):
    options = {"viewport": {"width": width, "height": 800}, **STILL}
    page = open_page(f"{http}/lanes.html", **options)
    drawn = widget(page).root
    choose(drawn, 16)
    assert violations(page, "html") == []
    press(drawn, "All that was sent")
    press(drawn, "Table")
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_of_lanes_do_not_touch_on_a_phone(open_page, http, widget):
    page = open_page(f"{http}/lanes.html", viewport={"width": 390, "height": 800}, **STILL)
    drawn = widget(page).root
    boxes = [name.bounding_box() for name in drawn.locator(".km-lane-names b").all()]
    assert all(a["x"] + a["width"] <= b["x"] for a, b in pairwise(boxes))
    top = drawn.locator(".km-lane-top").bounding_box()
    assert all(top["y"] <= b["y"] and b["y"] + b["height"] <= top["y"] + top["height"] for b in boxes)


def test_without_scripts_and_on_paper_the_text_tells_it(open_page, http, widget):
    page = open_page(f"{http}/lanes.html", java_script_enabled=False)
    text = page.locator(".km-fallback").inner_text()
    assert "142 steps, of which 46 lead to its end" in text and CHANGE in text
    page = open_page(f"{http}/lanes.html", **STILL)
    drawn = widget(page).root
    page.emulate_media(media="print")
    assert page.locator(".km-fallback").is_visible() and not drawn.locator(".km-ctl").is_visible()
    box = drawn.locator(".km-lane-box")
    assert box.evaluate("(e) => e.scrollHeight <= e.clientHeight + 1")
