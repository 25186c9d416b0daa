"""The audit log: a policy is judged as the real one judges it, and what becomes of a request is told."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from kubemini import Cluster
from kubemini.api.kinds import POD
from kubemini.apiserver import pipeline
from kubemini.apiserver.decide.access.attributes import Attributes
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.audit.policy import NONE, Config, evaluate, read
from kubemini.apiserver.http import Exchange
from kubemini.serve import auditlog
from tests.oracles.sessions.world import Inside

HEAD = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy"}
ALL = {**HEAD, "rules": [{"level": "RequestResponse"}]}
DEV = UserInfo("dev", ("developers", "system:authenticated"))


@pytest.mark.parametrize(
    "rule, said",
    [
        ({}, "rules[0].level: Required value"),
        (
            {"level": "All"},
            'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request",'
            ' "RequestResponse"',
        ),
        (
            {"level": "None", "nonResourceURLs": ["a"]},
            "rules[0].nonResourceURLs[0]: Invalid value: \"a\": non-resource URL rules must begin with a '/' character",
        ),
        (
            {"level": "None", "nonResourceURLs": ["/*/b"]},
            "rules[0].nonResourceURLs[0]: Invalid value: \"/*/b\": non-resource URL wildcards '*' must be the final"
            " character of the rule",
        ),
        (
            {"level": "None", "omitStages": ["Begin"]},
            'rules[0].omitStages[0]: Invalid value: "Begin": allowed stages are'
            " RequestReceived,ResponseStarted,ResponseComplete,Panic",
        ),
    ],
)
def test_a_policy_that_is_none_is_refused_in_the_real_ones_words(rule, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        read({**HEAD, "rules": [rule]})


def test_several_faults_are_told_at_once_and_no_rule_is_no_policy():
    with pytest.raises(
        ValueError, match=r"^\[rules\[0\].nonResourceURLs: Invalid value: .* both .*, rules\[1\].level: .*\]$"
    ):
        read({**HEAD, "rules": [{"level": "None", "nonResourceURLs": ["/a"], "namespaces": ["n"]}, {}]})
    for none in ({**HEAD, "rules": []}, {"rules": [{"level": "None"}]}, "text"):
        with pytest.raises(ValueError, match="rules"):
            read(none)


@pytest.mark.parametrize(
    "rule, asked, fits",
    [
        ({"users": ["dev"]}, {}, True),
        ({"users": ["ops"]}, {}, False),
        ({"userGroups": ["developers"]}, {}, True),
        ({"verbs": ["get"]}, {"verb": "list"}, False),
        ({"namespaces": [""]}, {"namespace": ""}, True),
        ({"namespaces": ["n"]}, {"namespace": "m"}, False),
        ({"resources": [{"group": "apps"}]}, {}, False),
        ({"resources": [{"resources": ["pods"]}]}, {"subresource": "log"}, False),
        ({"resources": [{"resources": ["pods/log"]}]}, {"subresource": "log"}, True),
        ({"resources": [{"resources": ["pods/*"]}]}, {"subresource": "log"}, True),
        ({"resources": [{"resources": ["*/log"]}]}, {"subresource": "log"}, True),
        ({"resources": [{"group": "*", "resources": ["*"]}]}, {"subresource": "log"}, True),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["p"]}]}, {"name": "q"}, False),
        ({"resources": [{"resources": ["pods"]}]}, {"is_resource": False, "path": "/api"}, False),
        ({"nonResourceURLs": ["/api*"]}, {"is_resource": False, "path": "/api/v1"}, True),
        ({"nonResourceURLs": ["/api"]}, {"is_resource": False, "path": "/api/v1"}, False),
        ({"nonResourceURLs": ["*"]}, {}, False),
    ],
)
def test_a_rule_fits_by_user_verb_and_place(rule, asked, fits):
    question = Attributes(**{"user": DEV, "verb": "get", "resource": "pods", "namespace": "n", "name": "p", **asked})
    found = evaluate(read({**HEAD, "rules": [{"level": "Metadata", **rule}]}), question)
    assert found == (Config("Metadata") if fits else Config(NONE))


def audited(policy=ALL):
    world = Inside()
    world.server.core.flags = replace(world.server.core.flags, audit=read(policy))
    return world


def events(world):
    return [record.detail["event"] for record in world.sim.trace.of("audit")]


@pytest.mark.panics
@pytest.mark.parametrize("where", ["in the chain", "while the answer is written"])
def test_a_request_that_the_server_fails_on_ends_with_the_stage_panic(where, monkeypatch):
    world = audited()

    def fails(*_):
        raise KeyError("oops")

    if where == "in the chain":
        monkeypatch.setitem(pipeline.ACTS, ("list", ""), fails)
    else:
        monkeypatch.setattr(Exchange, "_response", _first_fails(Exchange._response, fails))
    answer = world.send({"path": POD.path("default")}, "test/1.0")
    assert answer.status == 500
    assert json.loads(answer.body)["message"].endswith(
        "This request caused apiserver to panic. Look in the logs for details."
    )
    last = events(world)[-1]
    assert (last["stage"], last["responseStatus"]["code"]) == ("Panic", 500)
    assert last["responseStatus"]["message"] == "APIServer panic'd: KeyError: 'oops'"
    assert [event["stage"] for event in events(world)] == ["RequestReceived", "Panic"]
    monkeypatch.undo()
    assert world.send({"path": POD.path("default")}, "test/1.0").status == 200, "no other request is hurt"


def _first_fails(real, fails):
    calls = []

    def response(self, asked, answer):
        calls.append(answer)
        return fails() if len(calls) == 1 else real(self, asked, answer)

    return response


def test_programs_of_the_simulation_are_told_of_too():
    cluster = Cluster.single(workers=1)
    server = cluster.components["apiserver-1"]
    server.flags = replace(server.flags, audit=read(ALL))
    cluster.run("10s")
    told = events(cluster)
    names = {event["user"]["username"] for event in told}
    assert {"system:kube-scheduler", "system:node:worker-1"} <= names
    (lease,) = [
        e for e in told if e["requestURI"].endswith("/leases/kube-scheduler") and e["stage"] == "ResponseComplete"
    ][:1]
    assert lease["annotations"]["authorization.k8s.io/decision"] == "allow"


def test_without_a_policy_nothing_is_told_and_with_one_nothing_else_changes():
    def run(policy):
        cluster = Cluster.single(workers=1)
        server = cluster.components["apiserver-1"]
        server.flags = replace(server.flags, audit=policy)
        cluster.run("30s")
        return [record.row() for record in cluster.trace.records if record.what != "audit"], len(
            cluster.trace.of("audit")
        )

    without, none = run(None)
    assert none == 0
    told = run(read(ALL))
    assert told[0] == without and told[1] > 0


def test_the_log_is_a_file_with_an_event_a_line(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n")
    assert auditlog.read_policy(file)["rules"][0]["level"] == "Metadata"
    log = auditlog.Log(str(tmp_path / "audit.log"))
    for number in (1, 2):
        log.write({"kind": "Event", "auditID": str(number)})
    lines = Path(tmp_path / "audit.log").read_text().splitlines()
    assert [json.loads(line)["auditID"] for line in lines] == ["1", "2"]
