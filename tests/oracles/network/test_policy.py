"""What real evaluators said of policies, and what ours says: every packet and cell, with the rule that decided."""

import copy
import json
from pathlib import Path

import pytest

from kubemini.network.decide.policy import judge
from tests.oracles import __main__ as oracles
from tests.oracles.network import parts, policy

HERE = Path(__file__).parent
FILES = {
    "policy/cases.json": 132,
    "netpol_cyclonus.json": 256,
    "cluster_network_policy.json": 92,
    "admin_network_policy.json": 21,
}
CASES = json.loads((HERE / "policy/cases.json").read_text())


@pytest.mark.parametrize("file", FILES)
def test_every_recorded_decision_is_ours(file):
    data = json.loads((HERE / file).read_text())
    told = {name: oracles.told(run) for name, run in parts.cases(HERE / file, data)}
    assert len(told) == FILES[file]
    assert {name: found[0] for name, found in told.items() if found} == {}


def test_a_wrong_rule_is_noticed_in_every_file(monkeypatch):
    monkeypatch.setattr(judge, "_ask", lambda *asked: judge.NOT_ISOLATED)
    for file in FILES:
        data = json.loads((HERE / file).read_text())
        assert any(oracles.told(run) for _, run in parts.cases(HERE / file, data)), file


def test_whoever_looks_at_the_direction_lets_the_baseline_decide_where_the_recording_says_so():
    other = {
        (case["id"], number): packet[9]
        for case in CASES["cases"]
        for number, packet in enumerate(case["packets"])
        if len(packet) > 9
    }
    assert other
    for case in CASES["cases"]:
        here, there = (policy.world(case, CASES, by_direction) for by_direction in (False, True))
        for number, (source, destination, port, protocol, *_) in enumerate(case["packets"]):
            ours = here.both_sides(source, destination, port, protocol).allowed
            theirs = there.both_sides(source, destination, port, protocol).allowed
            assert theirs == other.get((case["id"], number), ours), (case["id"], number)


def test_policies_decide_the_same_in_whatever_order_they_come():
    for case in CASES["cases"]:
        turned = copy.deepcopy(case)
        for kind in ("networkPolicies", "clusterNetworkPolicies"):
            turned[kind] = list(reversed(turned.get(kind) or []))
        assert policy.answers(HERE, {**CASES, "cases": [turned]})[case["id"]]() == [
            *policy.answers(HERE, CASES)[case["id"]]()
        ]
