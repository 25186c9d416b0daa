"""The scheduler without a wire: what it remembers is what it would find out anew, whatever has happened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.api.objects import evolve, freeze
from kubemini.bench.scheduling import Crowd
from kubemini.scheduler.decide.framework import decide, enough
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.plugin import Cycle
from kubemini.scheduler.machine import Machine
from kubemini.sim.units import MINUTE, SECOND
from tests.scheduler.parts import PROFILE, a_node, a_pod, a_service

ZONE = "topology.kubernetes.io/zone"


def a_machine(*objects):
    pods, found = {}, {"Pod": {}}
    for obj in objects:
        found.setdefault(obj["kind"], {})["default", obj["metadata"]["name"]] = freeze(obj)
    found["Pod"] = pods
    machine = Machine(PROFILE, (SECOND, 10 * SECOND), 5 * MINUTE, Listers(lambda kind: found.get(kind, {})))
    return machine, pods


@pytest.mark.parametrize(("nodes", "found"), [(1, 1), (99, 99), (100, 100), (200, 100), (300, 144), (1000, 420)])
def test_so_many_fitting_nodes_end_a_search(nodes, found):
    assert enough(nodes) == found
    assert enough(5000) == 500


def test_nodes_are_asked_zone_by_zone_in_turn():
    machine, _ = a_machine()
    for name, zone in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("none", None)):
        machine.node_changed(None, a_node(name, labels={ZONE: zone} if zone else {}), 0)
    assert [info.name for info in machine.cache.ordered()] == ["a1", "b1", "none", "a2", "a3"]
    machine.node_changed(a_node("b1"), None, 0)
    assert [info.name for info in machine.cache.ordered()] == ["a1", "none", "a2", "a3"]


def test_the_next_search_begins_where_the_last_one_ended():
    crowd = Crowd(nodes=300)
    crowd.place(3)
    assert crowd.machine.start == 3 * 144 % 300


STEPS = st.lists(
    st.tuples(st.sampled_from(["pod", "gone", "taint", "zone", "node", "lost"]), st.integers(0, 5), st.integers(0, 2)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, owned=st.booleans())
def test_what_is_remembered_changes_no_choice(steps, owned):
    """The same decision as by a machine that remembers nothing, node by node and score by score."""
    machine, pods = a_machine(*([{**a_service(app="web"), "kind": "Service"}] if owned else []))
    nodes = {}
    for number in range(4):
        change(machine, nodes, f"n{number}", labels={ZONE: "ab"[number % 2]})
    for number, (what, which, how) in enumerate(steps):
        name = f"n{which}"
        if what == "pod":
            pod = a_pod(f"p{number}", cpu=("100m", "500m", "1")[how], labels={"app": "web"})
            cycle = machine.cycle(pod)
            anew = decide(Cycle(pod, cycle.nodes, machine.known, images=machine.cache.images), PROFILE, machine.start)
            known = decide(cycle, PROFILE, machine.start)
            assert (known.node, known.refusals, known.scores) == (anew.node, anew.refusals, anew.scores)
            pods["default", f"p{number}"] = pod
            machine.pod_changed(None, pod, number)
            machine.attempt(machine.pop(number), number)
        elif what == "gone" and machine.assumed:
            machine.forget(sorted(machine.assumed)[which % len(machine.assumed)], number)
        elif what == "taint":
            effect = ("NoSchedule", "PreferNoSchedule", "NoExecute")[how]
            change(machine, nodes, name, taints=[{"key": "k", "effect": effect}])
        elif what in ("zone", "node"):
            change(machine, nodes, name, labels={ZONE: "abc"[how]})
        elif what == "lost" and name in nodes and len(nodes) > 1:
            machine.node_changed(nodes.pop(name), None, number)


def change(machine, nodes, name, **parts):
    old, new = nodes.get(name), a_node(name, **parts)
    nodes[name] = new
    machine.node_changed(old, new, 0)


def test_a_nominated_pods_room_is_kept_for_those_below_it_and_not_for_those_above():
    machine, _ = a_machine()
    machine.node_changed(None, a_node("n", cpu="1"), 0)
    waits = evolve(a_pod("waits", cpu="1", priority=5), ("status",), {"nominatedNodeName": "n"})
    machine.queue.nominator.add(waits)
    assert not decide(machine.cycle(a_pod("low", cpu="1", priority=5)), PROFILE).node
    assert decide(machine.cycle(a_pod("high", cpu="1", priority=6)), PROFILE).node == "n"
    assert decide(machine.cycle(waits), PROFILE).node == "n"
