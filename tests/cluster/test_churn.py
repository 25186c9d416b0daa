"""Whatever users change and whatever dies meanwhile: in the end there is what they want, and nothing else."""

from hypothesis import example, given
from hypothesis import strategies as some

from tests.cluster import churn
from tests.cluster.churn import FEW, Busy, crashes, forgetting, silences, wishes

seeds = some.integers(0, 1000)


@FEW
@given(seeds, some.lists(some.one_of(wishes, crashes), min_size=4, max_size=10))
@example(1, [("crash", 1, name, 30) for name in churn.PROGRAMS] + [("scale", 1, "Deployment", 4)])
def test_users_change_their_minds_while_programs_crash(seed, deeds):
    assert left(seed, deeds) == []


@FEW
@given(seeds, some.lists(some.one_of(wishes, silences, forgetting), min_size=4, max_size=10))
@example(2, [("forget", 1, "apiserver-1", 20), ("image", 5, "Deployment", 31), ("remove", 5, "StatefulSet", 0)])
def test_users_change_their_minds_while_watches_are_cut_and_their_past_is_forgotten(seed, deeds):
    assert left(seed, deeds) == []


def left(seed, deeds):
    """What is wrong in the end."""
    busy = Busy(seed)
    for deed in deeds:
        busy.do(*deed)
    busy.settle()
    assert not busy.sim.trace.of("panic")
    return busy.faults_found()


def test_what_is_not_there_and_what_is_left_over_would_be_seen():
    busy = Busy(3)
    busy.run(30)
    assert busy.faults_found() == []
    busy.wanted["Deployment"] = {
        **busy.wanted["Deployment"],
        "spec": {**busy.wanted["Deployment"]["spec"], "replicas": 3},
    }
    busy.cluster.components["controller-manager-1"].crash()
    busy.order("DELETE", churn.KINDS["StatefulSet"].path("default", "db"))
    busy.run(5)
    found = " ".join(busy.faults_found())
    assert "the Deployment is not" in found and "no StatefulSet" in found and "Pod db-0 has lost its owner" in found
