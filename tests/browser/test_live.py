"""The simulator in the page: break something, and see what a cluster does; over http and from disk."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


@pytest.mark.pyodide
def test_two_of_three_members_crash_and_one_comes_back(open_page, root, widget):
    cluster = widget(open_page(f"{root}/map.html"))
    cluster.seek(12)
    cluster.do("etcd-2", "crash")
    cluster.seek(14)
    assert "2 of 3 members up, quorum is 2, 2 of 3 API servers ready: some writes wait" in cluster.sentence
    cluster.do("etcd-3", "crash")
    assert "you crashed etcd-3" in cluster.happened
    cluster.seek(24)
    assert "1 of 3 members up, quorum is 2: no write succeeds, all wait" in cluster.sentence
    assert "3 pods run; web answers every visitor" in cluster.second
    cluster.do("etcd-3", "restart")
    cluster.seek(29)
    assert "2 of 3 members up, quorum is 2, 1 of 3 API servers ready: some writes wait" in cluster.sentence


def test_without_quorum_writes_are_not_answered_and_serializable_reads_are(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(3)
    desk.do("etcd-2", "crash")
    desk.do("etcd-3", "crash")
    desk.seek(9)
    assert "no write succeeds" in desk.sentence
    assert desk.second == "Writes: no answer. Serializable reads: all answered"
    desk.do("etcd-3", "restart")
    desk.seek(12)
    assert "writes accepted" in desk.sentence


def test_a_spare_becomes_a_member_and_then_the_leader(open_page, http, widget):
    desk = widget(open_page(f"{http}/members.html"))
    desk.seek(7)
    desk.do("etcd-4", "member_add")
    desk.seek(8.2)
    assert "4 of 4 members up, quorum is 3" in desk.sentence
    desk.do("etcd-4", "move_leader")
    desk.seek(8.6)
    assert "etcd-4, leader" in desk.seen("etcd-4")
    desk.do("etcd-4", "stop")
    desk.seek(9.9)  # a second after it has handed over
    assert "etcd-4 ends: it was told to stop" in desk.happened and "3 of 4 members up" in desk.sentence
    assert violations(desk.page, ".km") == []
    desk.do("etcd-4", "restart")
    desk.seek(12)
    assert "etcd-4, follower" in desk.seen("etcd-4")


def test_acting_in_the_past_branches_and_undo_brings_the_later_back(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(8)
    desk.do("etcd-1", "pause")
    desk.seek(4)
    desk.do("etcd-2", "crash")
    assert "You acted in the past: 1 later action was dropped" in desk.status
    desk.seek(9)
    assert "crashed etcd-2" in desk.happened and "paused etcd-1" not in desk.happened
    desk.root.get_by_role("button", name="Undo").click()
    desk.seek(9)
    assert "paused etcd-1" in desk.happened
    desk.root.get_by_role("button", name="Reset").click()
    desk.seek(9)
    assert "you" not in desk.happened


def test_a_link_shows_the_same_moment_of_the_same_run(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(5)
    desk.do("etcd-3", "crash")
    desk.seek(8)
    desk.root.get_by_role("button", name="Link").click()
    link = desk.page.evaluate("location.href")
    assert link.endswith("#etcd-3;t=8.00;seed=4;until=60;c=5,crash,etcd-3")
    other = widget(open_page(link))
    other.settle()
    other.page.wait_for_function("document.querySelector('.km-log').textContent.includes('crashed etcd-3')")
    assert (other.time, other.sentence, other.happened) == (desk.time, desk.sentence, desk.happened)


def test_keys_alone_are_enough_to_break_something(open_page, http, widget):
    page = open_page(f"{http}/desk.html")
    desk = widget(page)
    desk.seek(5)
    desk.root.locator('[data-name="etcd-2"]').focus()
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    desk.settle()
    assert "2 of 3 members up" in desk.sentence
    assert page.evaluate("document.activeElement.dataset.name") == "etcd-2"  # the focus stays where it was
    page.keyboard.press("c")
    desk.settle()
    assert "3 of 3 members up" in desk.sentence


def test_another_seed_is_another_run(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.root.locator(".km-seed").fill("5")
    desk.root.locator(".km-seed").press("Enter")
    desk.settle()
    assert "Seed 5" in desk.status and "seed 5" in desk.root.locator(".km-when").inner_text()


def test_a_scenario_of_ones_own_is_simulated_where_its_file_is_not(open_page, http, widget):
    desk = widget(open_page(f"{http}/mine.html"))
    desk.seek(5)
    desk.do("etcd-1", "crash")
    assert "you crashed etcd-1" in desk.happened and desk.root.locator(".km-trouble").is_hidden()


def test_a_key_is_put_and_read_at_the_desk(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(5)
    desk.select("etcd-1")
    desk.root.get_by_role("button", name="Put").click()
    desk.settle()
    desk.seek(6)
    assert "color\ngreen" in desk.root.locator(".km-kv").inner_text()


@pytest.mark.pyodide
def test_a_simulation_that_runs_away_is_stopped_and_can_be_started_again(open_page, http, widget):
    page = open_page(f"{http}/desk.html")
    desk = widget(page)
    desk.seek(5)
    desk.do("etcd-2", "crash")
    page.evaluate("window.kubeminiHang = 1")
    desk.select("etcd-3")
    desk.press("crash")
    trouble = desk.root.locator(".km-trouble")
    trouble.wait_for()
    assert "it may be running away" in trouble.inner_text() and desk.kernel == "recording"
    page.evaluate("window.kubeminiHang = 60000")
    trouble.get_by_role("button", name="Start again").click()
    desk.settle()
    assert "1 of 3 members up" in desk.sentence and trouble.is_hidden()


@pytest.mark.pyodide
def test_a_simulation_that_fails_says_why(open_page, http, widget):
    page = open_page(f"{http}/desk.html")
    desk = widget(page)
    desk.do("etcd-2", "crash")
    page.evaluate("kubemini.models[0].send({op: 'simulate', id: 9, spec: {scenario: 'nowhere'}})")
    trouble = desk.root.locator(".km-trouble")
    trouble.wait_for()
    assert "there is no scenario 'nowhere'" in trouble.inner_text()
    trouble.get_by_role("button", name="Back to the recording").click()
    assert trouble.is_hidden()


@pytest.mark.pyodide
def test_two_widgets_of_a_page_share_one_simulator(open_page, http, site, widget):
    text = site.page("desk")
    one = text[text.index('<div class="km-host"') : text.index("</main>")]
    (site.folder / "twice.html").write_text(text.replace("</main>", one + "</main>"), encoding="utf-8")
    page = open_page(f"{http}/twice.html")
    first, second = widget(page, 0), widget(page, 1)
    first.do("etcd-1", "crash")
    second.seek(5)
    second.do("etcd-1", "crash")
    assert len(page.workers) == 1
    assert page.evaluate("[...document.querySelectorAll('.km-host')].map(e => e.id)") == ["etcd-3", "etcd-3-2"]
