"""Every recorded flow walks through the text of our own rules to its recorded fate, in both modes."""

import pytest

from kubemini.network.decide.services.node import ProxyConfig
from tests.network.walks.recorded import FOLDER, flows, told, walked
from tests.oracles import judges
from tests.oracles.network import proxy
from tests.oracles.network.parts import OWN_JUDGE

JUDGE = judges.beside(FOLDER.parent, OWN_JUDGE)


def name(flow):
    return f"{flow['from']} {flow['proto']} {flow['to']}:{flow['port']}"


def answer(mode, config, flow):
    """As the judge reads it: what affinity keeps together has one endpoint only."""
    got = told(walked(FOLDER, config, flow))
    if flow[mode].get("sticky"):
        got.pop("backends", None)
    return got


@pytest.mark.parametrize("mode", proxy.MODES)
def test_a_flow_walks_to_its_recorded_fate_and_the_recorded_rule_decides(mode):
    cases = JUDGE.read(str(FOLDER / "flows.json"))
    wrong = {}
    for flow in flows("flows.json"):
        case = cases[name(flow)]
        one = {"want": {mode: case["want"][mode]}, "flow": case["flow"], "kind": case["kind"]}
        if found := JUDGE.compare(one, {mode: answer(mode, ProxyConfig(mode=mode), flow)}):
            wrong[name(flow)] = found
    assert wrong == {}


def test_other_options_change_the_walk_as_recorded():
    """Node ports on localhost in nftables mode are a process of kube-proxy's, no rule."""
    cases = JUDGE.read(str(FOLDER / "options.json"))
    wrong = {}
    for flow in flows("options.json"):
        if flow["run"] == "nftables-localhost":
            continue
        label = f"{flow['run']} | {name(flow)}"
        config = proxy._config(flow["mode"], flow["config"])
        got = told(walked(FOLDER, config, flow))
        got.pop("decided", None)
        if flow["here"].get("sticky"):
            got.pop("backends", None)
        if found := JUDGE.compare(cases[label], got):
            wrong[label] = found
    assert wrong == {}
