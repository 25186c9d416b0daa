"""Scheduler table in a browser: what it says without a click, by hand and by key, on a phone, and after one's deeds."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


def head(drawn):
    return drawn.locator(".km-head").inner_text()


def would(drawn):
    return drawn.locator(".km-sched-would").inner_text()


def story(drawn, name):
    drawn.locator(f'[data-case="{name}"]').click()


def node(drawn, name):
    return drawn.locator(f'[data-node="{name}"]')


def row(drawn, plugin):
    named = drawn.get_by_role("rowheader", name=plugin).first.locator("xpath=..")
    return named.locator("td").all_inner_texts()


def answered(page):
    page.wait_for_function("document.querySelector('.km').dataset.busy === undefined")


def test_every_score_is_raw_normalised_and_weighted_and_the_rows_add_up(open_page, root, widget):
    drawn = widget(open_page(f"{root}/table.html")).root
    assert head(drawn) == "api-1 goes to worker-3"
    assert [cell.split() for cell in row(drawn, "TaintToleration")][:2] == [
        ["0", "1", "→", "0", "×", "3"],
        ["300", "0", "→", "100", "×", "3"],
    ]
    drawn.get_by_role("button", name="All plugins").click()
    cells = drawn.locator(".km-sched-s").evaluate_all(
        "rows => rows.map(r => [...r.querySelectorAll('td b')].map(b => +b.textContent))"
    )
    totals = [int(text.split()[0]) for text in drawn.locator(".km-sched-t td").all_inner_texts()]
    assert [sum(column) for column in zip(*cells)] == totals and max(totals) == totals[2]


def test_a_node_is_looked_at_and_one_sentence_says_what_would_have_to_change(open_page, http, widget):
    drawn = widget(open_page(f"{http}/table.html")).root
    assert would(drawn) == "Nothing has to change: it goes to worker-3."
    node(drawn, "worker-4").click()
    assert would(drawn).startswith("worker-4 fits; it would have to gain ")
    story(drawn, "idle")
    assert would(drawn) == "For worker-2: it needs 1000m more cpu."
    assert node(drawn, "worker-2").get_attribute("aria-pressed") == "true"


def test_nodes_are_walked_by_the_arrow_keys(open_page, http, widget):
    page = open_page(f"{http}/table.html")
    drawn = widget(page).root
    node(drawn, "worker-3").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.node") == "worker-5"
    assert "worker-5" in would(drawn)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.node") == "worker-5"


def test_each_refusal_stands_with_its_plugin_and_who_would_speak_later_too(open_page, http, widget):
    drawn = widget(open_page(f"{http}/table.html")).root
    story(drawn, "reasons")
    assert row(drawn, "NodeUnschedulable")[0] == "✕ were unschedulable"
    assert row(drawn, "TaintToleration")[:2] == ["(✕) had untolerated taint(s)", "✕ had untolerated taint(s)"]
    assert row(drawn, "NodeResourcesFit")[2] == "✕ Insufficient cpu"


def test_who_waits_is_told_with_what_wakes_it(open_page, http, widget):
    drawn = widget(open_page(f"{http}/table.html")).root
    story(drawn, "idle")
    queue = drawn.locator(".km-sched-queues").inner_text()
    assert "report-1, tried once" in queue and "a pod that has a node goes" in queue
    story(drawn, "vip")
    assert node(drawn, "worker-5").inner_text().splitlines()[1] == "⚑ makes room"
    drawn.get_by_role("button", name="Try 2: worker-5").click()
    assert head(drawn) == "vip-1 goes to worker-5"


def test_of_many_nodes_the_order_of_the_search_is_drawn(open_page, http, widget):
    drawn = widget(open_page(f"{http}/table.html")).root
    story(drawn, "many")
    strip = drawn.locator(".km-sched-strip")
    assert strip.locator("i").count() == 120 and strip.locator(".km-sched-n-not-asked").count() == 20
    begins = "els => els.findIndex(e => e.classList.contains('km-sched-first'))"
    first = strip.locator("i").evaluate_all(begins)
    drawn.get_by_role("button", name="Asked now").click()
    again = drawn.locator(".km-sched-strip i").evaluate_all(begins)
    assert (again - first) % 120 == 100, "the next search begins where this one ended"


def test_a_decision_is_made_once_though_another_node_is_better_now(open_page, http, widget):
    drawn = widget(open_page(f"{http}/table.html")).root
    story(drawn, "stays")
    assert head(drawn) == "api-1 is on worker-1 and stays there; asked now it would go to worker-3"
    drawn.get_by_role("button", name="When it was tried").click()
    assert head(drawn) == "api-1 goes to worker-1"


def test_the_text_is_what_kubemini_explain_prints(open_page, http, widget):
    from kubemini.explaining import cases, explain
    from kubemini.explaining.stage import Stage

    drawn = widget(open_page(f"{http}/table.html")).root
    story(drawn, "stays")
    drawn.get_by_role("button", name="kubemini explain").click()
    stage, case = Stage(), cases.named("stays")
    for deed in case.deeds:
        stage.do(*deed)
    assert drawn.locator(".km-manifests").inner_text() == str(explain(stage.cluster, "pod/api-1"))


def cordoned(page, drawn):
    """The node of the pod is closed by a click, and the pod asked for again."""
    story(drawn, "ties")
    drawn.get_by_role("button", name="cordon", exact=True).click()
    page.wait_for_function("document.querySelector('.km-head').textContent.includes('stays there')")
    assert head(drawn) == "api-1 is on worker-1 and stays there; asked now it would go to worker-2"


@pytest.mark.pyodide
def test_the_pages_own_python_knows_where_a_pod_would_go(open_page, http, widget):
    page = open_page(f"{http}/table.html")
    cordoned(page, widget(page).root)


def test_the_table_follows_what_a_reader_does(open_page, http, widget):
    page = open_page(f"{http}/table.html")
    drawn = widget(page).root
    cordoned(page, drawn)
    node(drawn, "worker-2").click()
    drawn.get_by_role("button", name="cut its power").click()
    answered(page)
    assert row(drawn, "TaintToleration")[1] == "✕ had untolerated taint(s)"
    drawn.get_by_label("CPU", exact=True).fill("5")
    drawn.get_by_role("button", name="Add a pod").click()
    page.wait_for_function("document.querySelector('.km-head').textContent.includes('mine-1 goes nowhere')")
    drawn.get_by_label("its CPU").fill("1")
    drawn.get_by_role("button", name="Change its requests").click()
    page.wait_for_function("document.querySelector('.km-head').textContent.includes('mine-1 goes to worker-3')")
    assert "it asks for less itself → active" in drawn.locator(".km-sched-moves").inner_text()
    drawn.get_by_label("its CPU").fill("much")
    drawn.get_by_role("button", name="Change its requests").click()
    trouble = drawn.locator(".km-req-trouble")
    trouble.wait_for(state="visible")
    assert "quantities" in trouble.inner_text()
    drawn.get_by_role("button", name="Undo").click()
    answered(page)
    assert head(drawn) == "mine-1 goes nowhere" and not trouble.is_visible()
    drawn.get_by_role("button", name="Begin again").click()
    assert head(drawn) == "api-1 goes to worker-1"


def test_on_a_phone_a_node_is_a_card(open_page, http, widget):
    page = open_page(f"{http}/table.html", viewport={"width": 390, "height": 800})
    drawn = widget(page).root
    assert drawn.locator("table").count() == 0 and drawn.locator(".km-sched-cards > li").count() == 5
    node(drawn, "worker-4").click()
    card = drawn.locator(".km-sched-open")
    assert "fits; it would have to gain" in card.inner_text() and "NodeResourcesFit" in card.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1100])
def test_it_is_accessible(open_page, http, widget, width):
    page = open_page(f"{http}/table.html", viewport={"width": width, "height": 800})
    drawn = widget(page).root
    for name in ("scores", "reasons", "vip", "many"):
        story(drawn, name)
        assert violations(page, "html") == []
    drawn.get_by_role("button", name="kubemini explain").click()
    drawn.get_by_role("button", name="All plugins").click()
    assert violations(page, "html") == []


def test_without_scripts_the_text_tells_it(open_page, http):
    page = open_page(f"{http}/table.html", java_script_enabled=False)
    text = page.locator(".km-fallback").inner_text()
    assert "default/report-1 → nowhere: 0 of 5 nodes fit" in text and "The search began at n081" in text
