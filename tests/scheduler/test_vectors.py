"""Who asks many nodes at once, or reads off what was said before, decides as one who asks each node anew."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.api.objects import evolve, freeze
from kubemini.scheduler import vectors
from kubemini.scheduler.decide.framework import decide
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.machine import Machine
from kubemini.sim.units import MINUTE, SECOND
from tests.scheduler.parts import PROFILE, a_node, a_pod, a_service

SERVICE = {("default", "s"): freeze(a_service(app="a"))}
LOOKED_UP = Listers(lambda kind: SERVICE if kind == "Service" else {})
CPU, MEMORY = st.sampled_from(["0", "100m", "1", "2500m", "9"]), st.sampled_from(["0", "1", "333Mi", "3Gi", "70Gi"])
EFFECTS = st.sampled_from(["NoSchedule", "PreferNoSchedule", "NoExecute"])
VALUES = st.sampled_from("abc")


@st.composite
def nodes(draw, name):
    labels = {"disk": draw(VALUES), "size": draw(st.sampled_from(["1", "12", "x"]))}
    if draw(st.booleans()):
        labels["topology.kubernetes.io/zone"] = draw(VALUES)
    taints = draw(st.lists(st.fixed_dictionaries({"key": VALUES, "effect": EFFECTS}), max_size=2))
    room = {"cpu": draw(CPU), "memory": draw(MEMORY), "pods": draw(st.sampled_from(["1", "2", "110"]))}
    return a_node(name, **room, labels=labels, taints=taints, unschedulable=draw(st.booleans()))


@st.composite
def terms(draw):
    how = draw(st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Nonsense"]))
    values = {"In": ["a", "b"], "NotIn": ["a"], "Gt": ["5"]}.get(how, [])
    return {
        "matchExpressions": [
            {"key": draw(st.sampled_from(["disk", "size", "gone"])), "operator": how, "values": values}
        ]
    }


@st.composite
def pods(draw, name):
    spec = {
        "tolerations": draw(st.lists(st.fixed_dictionaries({"key": VALUES, "operator": st.just("Exists")}), max_size=2))
    }
    if draw(st.booleans()):
        spec["nodeSelector"] = {"disk": draw(VALUES)}
    if draw(st.booleans()):
        required = {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [draw(terms()), draw(terms())]}
        }
        spec["affinity"] = {"nodeAffinity": required}
    elif draw(st.booleans()):
        wish = {"weight": draw(st.integers(1, 100)), "preference": draw(terms().filter(_said_well))}
        spec["affinity"] = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    app = draw(st.sampled_from("ab"))
    return a_pod(name, cpu=draw(CPU), memory=draw(MEMORY), labels={"app": app}, **spec)


def _said_well(term):
    return term["matchExpressions"][0]["operator"] != "Nonsense"


@st.composite
def stories(draw):
    """Nodes and pods that come in turn; a node changes now and then."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 12)))]
    came = [draw(nodes(name)) for name in names]
    return came + [
        draw(nodes(draw(st.sampled_from(names))) if draw(st.integers(0, 4)) == 0 else pods(f"p{number}"))
        for number in range(12)
    ]


@pytest.mark.needs("numpy")
@pytest.mark.parametrize("few", [0, 10**9], ids=["many at once", "read off"])
@settings(deadline=None, max_examples=60)
@given(stories())
def test_every_way_to_ask_the_nodes_gives_the_same_decision(few, story):
    machine = Machine(PROFILE, (SECOND, 10 * SECOND), 5 * MINUTE, LOOKED_UP)
    machine.vectors.few = few
    there = {}
    for obj in story:
        name = obj["metadata"]["name"]
        if "containers" not in obj["spec"]:
            machine.node_changed(there.get(name), obj, 0)
            there[name] = obj
            continue
        cycle = machine.cycle(obj)
        found = decide(cycle, PROFILE, machine.start)
        assert found == decide(replace(cycle, columns=None, crowds=None, state={}), PROFILE, machine.start)
        machine.start = (machine.start + found.searched) % len(cycle.nodes)
        if found.node:
            machine.pod_changed(None, evolve(obj, ("spec", "nodeName"), found.node), 0)


@pytest.mark.needs("numpy")
def test_numpy_has_the_answers_where_it_can_and_leaves_the_others():
    asked, machine = [], Machine(PROFILE, (SECOND, 10 * SECOND), 5 * MINUTE)
    machine.vectors.few = 10
    for number in range(150):
        machine.node_changed(None, a_node(f"n{number:03}", cpu="4" if number % 2 else "1"), 0)
    plain, ports = a_pod("p", cpu="2"), a_pod("q", cpu="2")
    ports = evolve(ports, ("spec", "containers", 0, "ports"), [{"containerPort": 80, "hostPort": 80}])
    for pod in (plain, ports):
        profile = [replace(one, filter=_counted(one, asked)) if one.name == vectors.FIT else one for one in PROFILE]
        assert decide(machine.cycle(pod), profile).node
        asked.append("|")
    first, second, _ = "".join(asked).split("|")
    assert (len(first), len(second)) == (2, 150)  # for words, one of those in a stretch that it does not fit on


def _counted(plugin, asked):
    def filter(cycle, info):
        asked.append(".")
        return plugin.filter(cycle, info)

    return filter


def test_without_numpy_the_plugins_are_asked(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "numpy", None)
    machine = Machine(PROFILE, (SECOND, 10 * SECOND), 5 * MINUTE)
    machine.vectors.few = 0
    machine.node_changed(None, a_node("n"), 0)
    assert decide(machine.cycle(a_pod("p", cpu="1")), PROFILE).node == "n"
    assert not machine.vectors.there


def test_a_pod_that_is_spread_does_not_answer_for_one_that_is_not():
    machine = Machine(PROFILE, (SECOND, 10 * SECOND), 5 * MINUTE)
    machine.node_changed(None, a_node("n"), 0)
    needs = {"hostNetwork": True, "hostUsers": False}  # what the node's kubelet does not declare
    rule = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    spread = a_pod("p", **needs, topologySpreadConstraints=[rule])
    for pod in (spread, a_pod("q", **needs)):
        assert decide(machine.cycle(pod), PROFILE).plugins == ["NodeDeclaredFeatures"]
