"""What the real kube-proxy did with packets, told by the closed form, flow by flow, in both modes."""

import json
from pathlib import Path

import pytest

from kubemini.network.decide.services import hooks, verdict
from tests.oracles import __main__ as oracles
from tests.oracles.network import parts

HERE = Path(__file__).parent
FILES = {
    "kube-proxy/flows.json": 689,
    "kube-proxy/options.json": 110,
    "kube-proxy/healthchecks.json": 27,
    "kubeproxy_flows.json": 227,
    "service_topology.json": 41,
}


def wrong(file):
    data = json.loads((HERE / file).read_text(encoding="utf-8"))
    told = {name: oracles.told(run) for name, run in parts.cases(HERE / file, data)}
    return len(told), {name: found for name, found in told.items() if found}


@pytest.mark.parametrize("file", FILES)
def test_every_recorded_flow_has_the_fate_that_the_real_one_had(file):
    assert wrong(file) == (FILES[file], {})


BREAKS = {
    "nobody is masqueraded": (hooks.Meeting, "masquerades_cluster_ip", False),
    "no pod is known as one": (hooks.Meeting, "from_pod", False),
    "all source ranges let in": (hooks.Meeting, "allowed", lambda *_: True),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_rule_that_is_wrong_shows_in_the_recorded_flows(what, monkeypatch):
    monkeypatch.setattr(*BREAKS[what])
    assert wrong("kube-proxy/flows.json")[1]


def test_a_way_back_that_is_always_found_shows_in_the_recorded_flows(monkeypatch):
    right = verdict.way
    found = lambda *asked: verdict.Way(right(*asked).endpoint, right(*asked).source, False, True)  # noqa: E731
    monkeypatch.setattr(verdict, "way", found)
    assert {"lost return" in str(found) for found in wrong("kube-proxy/flows.json")[1].values()} == {True}
