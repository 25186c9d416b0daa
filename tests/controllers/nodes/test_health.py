"""When a node is said to be unknown, and by whose clock."""

from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.nodes import health
from kubemini.params import Params
from kubemini.sim.units import SECOND
from tests.controllers.parts import a_node, a_pod

GRACE = Params().node_monitor_grace_period


def observe(before, node, lease, now, ahead=0):
    """A look on a clock whose date is so far *ahead* of its time."""
    return health.observe(before, node, lease, now, now + ahead)


def lease(renewed, version="1"):
    return freeze({"metadata": {"resourceVersion": version}, "spec": {"renewTime": timestamp(renewed)}})


def test_a_node_is_unknown_after_the_grace_period_of_silence():
    node = evolve(a_node(), ("metadata", "creationTimestamp"), timestamp(0))
    seen = observe(None, node, lease(0), 100 * SECOND)
    assert not health.expired(seen, 100 * SECOND + GRACE, GRACE)
    assert health.expired(seen, 100 * SECOND + GRACE + 1, GRACE)
    judged = health.unknown(node, 151 * SECOND)
    ready, memory, *_ = judged["status"]["conditions"]
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert ready["message"] == "Kubelet stopped posting node status."
    assert (memory["reason"], memory["message"]) == ("NodeStatusNeverUpdated", "Kubelet never posted node status.")
    assert [found["type"] for found in judged["status"]["conditions"]] == list(health.WATCHED)
    assert health.unknown(judged, 200 * SECOND) is judged


def test_silence_counts_from_when_this_controller_last_saw_a_change():
    """The kubelet's own clock, in renewTime, may be hours off."""
    node = a_node()
    seen = observe(None, node, lease(99_999 * SECOND), 0)
    assert observe(seen, node, lease(99_999 * SECOND), 30 * SECOND) is seen
    assert observe(seen, node, lease(100_000 * SECOND), 30 * SECOND).probed == 30 * SECOND


def test_a_lease_that_goes_back_in_time_is_no_sign_of_life():
    node = a_node()
    seen = observe(None, node, lease(50 * SECOND), 0)
    assert observe(seen, node, lease(5 * SECOND), 30 * SECOND) is seen


def test_a_ready_condition_that_is_posted_anew_is_a_sign_of_life():
    node = a_node()
    seen = observe(None, node, None, 0)
    posted = evolve(node, ("status", "conditions", 0, "lastHeartbeatTime"), timestamp(30 * SECOND))
    assert observe(seen, posted, None, 31 * SECOND).probed == 31 * SECOND


def test_a_node_that_has_said_nothing_is_counted_from_its_creation():
    node = evolve(a_node(), ("metadata", "creationTimestamp"), timestamp(2 * SECOND))
    node = evolve(node, ("status", "conditions"), [])
    seen = observe(None, node, None, 9 * SECOND)
    assert (seen.ready, seen.probed) == (None, 2 * SECOND)
    assert observe(seen, node, None, 30 * SECOND) == seen


def test_a_pod_of_a_silent_node_is_not_ready():
    changed = health.not_ready(a_pod("a"), SECOND)
    assert changed["status"]["conditions"][0]["status"] == "False"
    assert health.not_ready(changed, SECOND) is None


def test_an_age_is_the_difference_of_two_dates_whatever_the_time_of_the_controller():
    node = {"metadata": {"name": "n", "creationTimestamp": timestamp(3600 * SECOND)}, "status": {}}
    assert observe(None, node, None, 9 * SECOND, ahead=3600 * SECOND).probed == 0
