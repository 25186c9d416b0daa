"""What a server in a pod can do, and how it is told."""

from kubemini.sim.units import MS, SECOND
from kubemini.users.decide.servers import Desk, Skill, skill, unreadable


def pod(**said):
    return {"metadata": {"annotations": {f"kubemini.io/{name.replace('_', '-')}": text for name, text in said.items()}}}


def test_so_many_are_served_at_once_others_wait_in_their_order_and_one_too_many_is_refused():
    desk = Desk(Skill(at_once=2, queue=2))
    assert [desk.arrive(who) for who in "abcde"] == [True, True, None, None, False]
    assert [desk.done() for _ in range(4)] == ["c", "d", None, None]
    assert desk.arrive("f") is True


def test_a_pod_says_by_annotations_what_its_server_can_do():
    told = skill(
        pod(request_time="50ms", requests_at_once="4", queue="0", on_sigterm="drain", max_connection_age="30s")
    )
    assert told == Skill(50 * MS, 4, 0, True, 30 * SECOND)
    assert skill({"metadata": {}}) == Skill()


def test_what_cannot_be_read_does_nothing_and_is_said():
    strange = pod(request_time="soon", requests_at_once="0", on_sigterm="later")
    assert skill(strange) == Skill()
    assert [text.split(" is not ")[0].removeprefix("the annotation kubemini.io/") for text in unreadable(strange)] == [
        "request-time: soon",
        "requests-at-once: 0",
        "on-sigterm: later",
    ]
    assert not unreadable(pod(queue="0", on_sigterm="drain"))
