"""The rules that the real kube-proxy wrote for every Service of its world are ours, chain by chain."""

import json
from functools import cache
from pathlib import Path

import pytest

from tests.oracles.network import compare as judge
from tests.oracles.network.rules import rules_answers

HERE = Path(judge.__file__).parent / "kube-proxy"
FILES = ("rules_iptables", "rules_nftables")


@cache
def recorded(name):
    path = HERE / f"{name}.json"
    return judge.read(str(path)), rules_answers(path, json.loads(path.read_text()))


@pytest.mark.parametrize("name,case", [(name, case) for name in FILES for case in recorded(name)[0]])
def test_the_rules_of_a_service_are_those_that_kube_proxy_wrote(name, case):
    cases, answers = recorded(name)
    assert judge.compare(cases[case], answers[case]()) == []


def test_a_rule_that_is_missing_is_seen():
    cases, answers = recorded("rules_iptables")
    assert judge.compare(cases["web"], answers["web"]()[:-1]) != []
