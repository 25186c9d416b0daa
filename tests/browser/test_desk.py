"""The etcd desk: cut the network by hand, change the members, empty a full store; by mouse, touch and keyboard."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
LEFT, RIGHT = (0.02, 0.5), (0.98, 0.5)  # across the picture, between the upper and the lower members
HOSTS = [f"etcd-host-{n}" for n in range(1, 6)]
TWO = [[5, "cut", "etcd-3,etcd-4", "etcd-1,etcd-2,etcd-5"]]


def test_a_line_across_the_cables_cuts_them_and_quorum_is_kept_on_the_larger_side(open_page, http, widget):
    desk = widget(open_page(f"{http}/ring.html"))
    desk.seek(5)
    desk.line(LEFT, RIGHT)
    assert desk.way == "Let go: etcd-3, etcd-4 ✕ etcd-1, etcd-2, etcd-5."
    assert desk.commands() == []  # a line is nothing before it is let go
    desk.page.mouse.up()
    desk.settle()
    assert desk.commands() == TWO
    [at, who, cut], *_ = desk.records("cut")
    assert (at, who) == (5_000_000, "network")
    assert (cut["a"], cut["b"]) == ([HOSTS[2], HOSTS[3]], [HOSTS[0], HOSTS[1], HOSTS[4]])
    desk.seek(8)
    assert "5 of 5 members up, 3 can talk to each other, quorum is 3: writes accepted" in desk.sentence
    assert "you cut the cable between etcd-3, etcd-4 and etcd-1, etcd-2, etcd-5" in desk.happened
    assert "cut from etcd-host-1, etcd-host-2, etcd-host-5" in desk.seen("etcd-3")
    assert "cut from" not in desk.seen("etcd-1")  # the larger side goes on


def test_another_line_across_what_is_left_loses_the_quorum_and_one_across_the_cut_heals(open_page, http, widget):
    desk = widget(open_page(f"{http}/ring.html"))
    desk.seek(5)
    desk.line(LEFT, RIGHT)
    desk.page.mouse.up()
    desk.settle()
    desk.seek(6)
    desk.line((0.47, 0.02), (0.47, 0.98))
    desk.page.mouse.up()
    desk.settle()
    assert len(desk.commands()) > 1  # only the cables that were whole
    desk.seek(8)
    assert "no write succeeds" in desk.sentence
    desk.seek(9)
    desk.line((0.35, 0.55), (0.45, 0.55))
    assert desk.way == "Let go: the network heals."
    desk.page.mouse.up()
    desk.settle()
    assert desk.commands()[-1] == [9, "heal"]
    desk.seek(9.9)  # the scenario cuts again at 10 s
    assert "5 of 5 members up, quorum is 3" in desk.sentence


def test_a_line_that_crosses_no_cable_or_is_given_up_does_nothing_and_a_click_still_selects(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(5)
    desk.line((0.02, 0.02), (0.1, 0.1))
    assert desk.way == "Go on, across a cable."
    desk.page.mouse.up()
    desk.line(LEFT, RIGHT)
    desk.page.keyboard.press("Escape")
    desk.page.mouse.up()
    assert desk.root.get_attribute("data-busy") is None and desk.way.startswith("Draw a line across the cables")
    desk.select("etcd-2")
    assert desk.root.locator(".km-insp .km-h4").inner_text() == "etcd-2"


def test_keys_alone_cut_the_same_cables_and_heal_them(open_page, http, widget):
    page = open_page(f"{http}/ring.html")
    desk = widget(page)
    desk.seek(5)
    desk.root.locator('[data-name="etcd-3"]').focus()
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    assert page.evaluate("document.activeElement.value") == "etcd-1"
    assert desk.root.get_by_role("checkbox", name="etcd-3").is_checked()  # what is selected stands on one side
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press(" ")
    page.keyboard.press("Enter")
    desk.settle()
    assert desk.commands() == TWO
    spoken = desk.root.locator(".km-sr[aria-live=polite]").inner_text()
    assert "cut the cable between etcd-3, etcd-4 and" in spoken and "3 can talk to each other" in spoken
    assert page.evaluate("document.activeElement.textContent") == "Choose sides"
    desk.seek(7)
    desk.root.get_by_role("button", name="Choose sides").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    desk.settle()
    assert desk.commands()[1:] == [[7, "heal"]] and desk.records("heal")[0][0] == 7_000_000
    assert "5 of 5 members up, quorum is 3" in desk.sentence


def test_sides_that_are_none_or_cut_already_are_said_to_be_so(open_page, http, widget):
    desk = widget(open_page(f"{http}/ring.html"))
    desk.seek(12)
    desk.root.get_by_role("button", name="Choose sides").click()
    for box in desk.root.locator(".km-cutbar input").all():
        box.uncheck()
    desk.root.get_by_role("button", name="Cut", exact=True).click()
    assert desk.status == "Choose some members for one side, and leave some for the other."
    for name in ("etcd-1", "etcd-2"):
        desk.root.get_by_role("checkbox", name=name).check()
    assert violations(desk.page, ".km") == []
    desk.root.get_by_role("button", name="Cut", exact=True).click()
    assert desk.status == "These sides are cut from each other already." and desk.kernel == "recording"


def test_a_finger_cuts_too_and_still_scrolls_the_page(open_page, http, widget):
    page = open_page(f"{http}/ring.html", viewport={"width": 360, "height": 700}, has_touch=True, is_mobile=True)
    desk = widget(page)
    desk.seek(5)
    finger = page.context.new_cdp_session(page)

    def swipe(*points):
        box = desk.root.locator(".km-svg").bounding_box()
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
        for kind, (x, y) in zip(["touchStart", *["touchMove"] * (len(places) - 1)], places, strict=True):
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe((0.02, 0.35), (0.2, 0.35), (0.6, 0.35), (0.98, 0.35))
    desk.settle()
    assert desk.commands() == [[5, "cut", "etcd-1", "etcd-2,etcd-3,etcd-4,etcd-5"]]
    swipe((0.5, 0.9), (0.5, 0.7), (0.5, 0.4), (0.5, 0.1))
    page.wait_for_function("scrollY > 20")
    assert len(desk.commands()) == 1


def test_before_a_prediction_no_line_cuts(open_page, http, widget):
    desk = widget(open_page(f"{http}/predict.html"))
    assert desk.root.locator(".km-cutbar").is_hidden()
    desk.line(LEFT, RIGHT)
    desk.page.mouse.up()
    assert desk.root.get_attribute("data-busy") is None
    desk.predict()
    assert desk.root.locator(".km-cutbar").is_visible()


def test_a_member_is_added_as_a_learner_promoted_and_removed_again(open_page, http, widget):
    desk = widget(open_page(f"{http}/members.html"))
    desk.seek(5)
    assert desk.seen("etcd-4").startswith("etcd-4, spare")
    desk.select("etcd-4")
    desk.deed("Add as learner")
    desk.seek(6)
    assert desk.seen("etcd-4").startswith("etcd-4, learner") and "3 of 3 members up" in desk.sentence
    desk.deed("Promote to voter")
    desk.seek(7)
    assert desk.seen("etcd-4").startswith("etcd-4, follower") and "4 of 4 members up, quorum is 3" in desk.sentence
    desk.deed("Remove")
    desk.seek(9)
    assert desk.seen("etcd-4").startswith("etcd-4, removed") and "3 of 3 members up, quorum is 2" in desk.sentence
    told = [(d["voters"], d["learners"]) for at, _, d in desk.records("membership") if at < 9_000_000]
    three = ["etcd-1", "etcd-2", "etcd-3"]
    assert told == [(three, ["etcd-4"]), ([*three, "etcd-4"], []), (three, [])]
    desk.deed("Add as voter")  # with an empty disk, as somebody new
    desk.seek(9.5)
    assert desk.seen("etcd-4").startswith("etcd-4, follower") and "4 of 4 members up" in desk.sentence


def test_what_etcd_refuses_stands_under_what_clients_were_told(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(12)  # one of three is down
    desk.select("etcd-3")
    desk.deed("Remove")
    desk.seek(12.5)
    told = desk.root.locator(".km-out").inner_text()
    assert "member remove" in told and "etcdserver: unhealthy cluster" in told


def test_a_full_store_is_emptied_in_three_steps(open_page, http, widget):
    desk = widget(open_page(f"{http}/full.html"))
    desk.seek(9)
    assert "the alarm NOSPACE is raised: no write that needs room succeeds" in desk.sentence
    assert "database 15.9 MiB of 16 MiB, alarm NOSPACE" in desk.seen("etcd-1")
    assert desk.second == "Writes: all refused. Reads: all answered"
    assert violations(desk.page, ".km") == []
    desk.deed("Compact")
    desk.seek(9.5)
    assert "database 15.9 MiB of 16 MiB" in desk.seen("etcd-1")  # room inside the file is no room
    for member in ("etcd-1", "etcd-2", "etcd-3"):
        desk.select(member)
        desk.deed("Defragment")
    desk.seek(10)
    assert "database 0.5 MiB of 16 MiB" in desk.seen("etcd-1").replace("512 KiB", "0.5 MiB")
    assert "no write that needs room succeeds" in desk.sentence
    desk.deed("Disarm")
    desk.seek(12.5)
    assert "NOSPACE" not in desk.sentence + desk.seen("etcd-1") and "writes accepted" in desk.sentence
    assert desk.second.startswith("Writes: all answered")
    assert [c[1] for c in desk.commands()] == ["compact", "defrag", "defrag", "defrag", "alarm_disarm"]


def test_when_no_member_is_left_a_new_cluster_begins_with_the_backup(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(5)
    desk.select("etcd-2")
    desk.deed("Back up")
    desk.seek(6)
    assert "BACKUP OF 5.0" in desk.root.locator(".km-under").inner_text().upper()
    for member in ("etcd-1", "etcd-2", "etcd-3"):
        desk.do(member, "crash")
    desk.seek(7)
    desk.deed("Restore from the backup")
    desk.seek(9.5)
    assert "3 of 3 members up, quorum is 2" in desk.sentence
    assert [sorted(d["members"]) for _, _, d in desk.records("restore")] == [["etcd-1", "etcd-2", "etcd-3"]] * 3


def test_a_slow_disk_is_seen_at_the_member(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html"))
    desk.seek(3)
    desk.do("etcd-2", "slow_disk")
    desk.seek(4)
    assert "slow disk" in desk.seen("etcd-2") and "fsync takes 0.50 s longer" in desk.root.inner_text()
    assert desk.root.get_by_role("button", name="Normal disk").is_visible()


def test_what_the_simulator_cannot_do_it_says_in_one_sentence(open_page, http, widget):
    desk = widget(open_page(f"{http}/desk.html#etcd-3;t=5;seed=4;until=60;c=5,member_remove,etcd-9"))
    trouble = desk.root.locator(".km-trouble p")
    trouble.wait_for()
    assert "'etcd-9' is not an etcd member, or a spare, of this cluster; there are: etcd-1" in trouble.inner_text()
