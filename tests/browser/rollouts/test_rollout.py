"""The rollout strip on the screen: bars, bounds, budgets and lost visits; what a reader does is a line of kubectl."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


def pods(drawn):
    """What a screen reader hears of each pod that has been made."""
    bars = drawn.root.locator(".km-roll-pod:not([visibility=hidden]) .km-hit").all()
    return [bar.get_attribute("aria-label") for bar in bars]


def standing(drawn, words):
    return sum(label.endswith(words) for label in pods(drawn))


def wish(drawn, button, **chosen):
    """Choose in the form, press *button*; the line that was typed."""
    for label, value in chosen.items():
        drawn.root.get_by_label(label, exact=True).select_option(value)
    drawn.deed(button)
    return drawn.commands()[-1]


def test_a_rollout_stays_between_its_bounds_and_visits_are_lost_all_the_same(open_page, http, widget):
    drawn = widget(open_page(f"{http}/rolls.html"))
    drawn.seek(14)
    assert drawn.sentence == "● web: 4 of 4 ready" and standing(drawn, ", ready") == 4
    assert drawn.second.startswith("at least 3 must be ready, at most 5 may exist beside those on the way out")
    drawn.seek(18)
    assert "lost in the last second" in drawn.sentence and drawn.sentence.startswith("✕")
    assert standing(drawn, ", is gone") == 4 and standing(drawn, ", ready") == 4


def test_a_version_that_cannot_be_pulled_stands_and_the_budget_lets_nobody_go(open_page, http, widget):
    drawn = widget(open_page(f"{http}/rolls.html"))
    drawn.seek(40)
    assert "3 of 4 ready: 2 pods of registry.invalid/shop/web:3.0 do not become ready" in drawn.sentence
    assert drawn.second.endswith("budget web lets nobody go")
    assert standing(drawn, "made, no container yet") == 2


def test_a_drained_node_says_so_and_its_pods_leave_one_after_the_other(open_page, http, widget):
    drawn = widget(open_page(f"{http}/rolls.html"))
    drawn.seek(62)
    assert drawn.seen("worker-1") == "worker-1, cordoned, 1 pod of web"
    drawn.seek(70)
    assert drawn.seen("worker-1") == "worker-1, cordoned, 0 pods of web"
    drawn.select("worker-1")
    assert drawn.root.get_by_role("button", name="Uncordon all").is_visible()


def test_what_comes_later_is_not_drawn(open_page, http, widget):
    drawn = widget(open_page(f"{http}/rolls.html"))
    drawn.seek(14)
    assert len(pods(drawn)) == 4
    box = "e => e.getBoundingClientRect().right"
    now = drawn.root.locator(".km-roll-now").evaluate(box)
    clip = drawn.root.locator(".km-roll clipPath rect")
    seen = float(clip.get_attribute("width"))
    drawn.seek(60)
    assert float(clip.get_attribute("width")) > seen
    assert drawn.root.locator(".km-roll-now").evaluate(box) > now


def test_a_reader_sets_an_image_pauses_and_undoes_by_lines_of_kubectl(open_page, http, widget):
    drawn = widget(open_page(f"{http}/rolls.html"))
    drawn.seek(25)
    assert wish(drawn, "Set the image", image="shop/web:4.0")[1:] == [
        "kubectl",
        "set image deployment/web web=shop/web:4.0",
    ]
    drawn.seek(25.5)
    assert wish(drawn, "Pause")[1:] == ["kubectl", "rollout pause deployment/web"]
    drawn.seek(30)
    assert "the rollout is paused" in drawn.sentence + drawn.second
    assert wish(drawn, "Resume")[1:] == ["kubectl", "rollout resume deployment/web"]
    drawn.seek(31)
    assert wish(drawn, "Undo the rollout")[1:] == ["kubectl", "rollout undo deployment/web"]


@pytest.mark.pyodide
def test_a_reader_changes_bounds(open_page, http, widget):
    drawn = widget(open_page(f"{http}/rolls.html"))
    drawn.seek(22)
    wish(drawn, "Set the bounds", maxSurge="100%", maxUnavailable="0")
    drawn.seek(23)
    assert "at least 4 must be ready, at most 8 may exist" in drawn.second


def test_a_reader_changes_the_hook_of_pods_to_come_and_drains_a_node(open_page, http, widget):
    drawn = widget(open_page(f"{http}/rolls.html"))
    drawn.seek(22)
    wish(drawn, "Set the bounds", maxSurge="100%", maxUnavailable="0")
    drawn.seek(23)
    wish(drawn, "Set the hook", preStop="3")
    drawn.seek(26)
    assert "on the way out" not in drawn.sentence  # the pods of before have no hook
    wish(drawn, "Set the image", image="shop/web:4.0")
    drawn.seek(29)
    assert "4 on the way out" in drawn.sentence
    assert wish(drawn, "Drain", node="worker-3")[1:] == ["kubectl", "drain worker-3 --ignore-daemonsets"]


def test_the_key_z_shows_the_seconds_about_now(open_page, http, widget):
    page = open_page(f"{http}/rolls.html")
    drawn = widget(page)
    drawn.seek(18)
    ticks = lambda: drawn.root.locator(".km-roll-ticks text").all_text_contents()  # noqa: E731
    whole = ticks()
    drawn.root.locator('[data-name="web"], .km-roll .km-hit').first.focus()
    page.keyboard.press("z")
    assert ticks()[0] == "4 s" and ticks() != whole
    page.keyboard.press("z")
    assert ticks() == whole


@pytest.mark.parametrize("size", SIZES)
def test_it_fits_and_can_be_read_by_everybody(open_page, http, widget, size):
    page = open_page(f"{http}/rolls.html", viewport=SIZES[size])
    drawn = widget(page)
    for second in (14, 40, 62):
        drawn.seek(second)
        assert violations(page, ".km") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    inside = "e => [...e.querySelectorAll('.km-wish')].every((x) => x.scrollWidth <= x.clientWidth + 1)"
    assert drawn.root.evaluate(inside)


def test_without_javascript_the_page_tells_every_pod(open_page, http):
    text = open_page(f"{http}/rolls.html", java_script_enabled=False).locator(".km-fallback").inner_text()
    told = text[text.index("Deployment web\n") :].splitlines()
    assert len([line for line in told if line.startswith("  web-")]) == 13
