"""One request through the chain, looked at: the server is the real one, and who looks on changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubemini import trace_request
from kubemini.apiserver import pipeline
from kubemini.apiserver.http import Exchange, HttpRequest
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster
from kubemini.requests import broken, shop
from kubemini.requests.broken import PODS, SETTINGS
from kubemini.requests.stages import TABLE, rows
from kubemini.session import handle
from kubemini.sim.units import SECOND

ROOT = Path(__file__).resolve().parents[2]
POD = next(case.asked.body for case in broken.cases() if case.name == "good")
RECOVERED = pipeline.recovered  # before tests make a panic a failure
FOREIGN = {"metadata": {"name": "s"}, "spec": {"clusterIP": "1.2.3.4", "ports": [{"port": 80}]}}
HEADERS = (("Content-Type", "application/json"), ("Authorization", "Bearer dev-token"))


def asked(name: str) -> dict:
    """One of the recorded requests, traced."""
    case = next(case for case in broken.cases() if case.name == name)
    return broken.ask({field: getattr(case.asked, field) for field in broken.FIELDS})


def server_of(cluster: Cluster) -> ApiServer:
    """The one of the shop."""
    return next(one for one in cluster.components.values() if isinstance(one, ApiServer))


def verdicts(traced) -> dict[str, str]:
    return {stage.stage: stage.verdict for stage in traced.stages}


def test_every_handler_of_the_chain_belongs_to_one_stage_in_the_order_of_the_chain():
    names = [handler.__name__ for handler in pipeline.HANDLERS]
    found = [[row.id for row in rows() if name in row.steps] for name in names]
    assert all(len(one) == 1 for one in found)
    places = [[row.id for row in rows()].index(one[0]) for one in found if one[0] != "recover"]
    assert places == sorted(places)


def test_a_handler_that_the_table_does_not_know_is_a_stage_at_its_place(monkeypatch):
    def count_beans(core, asked):
        """How many beans are there?

        Many.
        """
        return None
        yield

    after = pipeline.HANDLERS.index(pipeline.authorize) + 1
    chain = (*pipeline.HANDLERS[:after], count_beans, *pipeline.HANDLERS[after:])
    for module in ("kubemini.apiserver.pipeline", "kubemini.requests.stages"):
        monkeypatch.setattr(sys.modules[module], "HANDLERS", chain)
    traced = trace_request(method="GET", path=PODS, user="viewer")
    ids = [stage.stage for stage in traced.stages]
    assert ids[ids.index("authorize") + 1] == "count_beans"
    assert traced.stage("count_beans").asks == "How many beans are there?"
    assert len(ids) == len(TABLE) + 1 and traced.status == 200


def test_a_good_pod_passes_all_stages_and_each_plugin_that_changes_it_is_named():
    traced = asked("good")
    assert traced.ended == "answer" and traced.answer.said == "201 Created"
    assert (
        "allowed by RoleBinding" in traced.stage("authorize").why
        and "dev-deploys/shop" in traced.stage("authorize").why
    )
    parts = {part["name"]: part for part in traced.stage("mutate").parts}
    assert [*parts] == ["LimitRanger", "ServiceAccount", "Priority", "DefaultTolerationSeconds", "team.shop.example"]
    assert "+     team: shop" in parts["team.shop.example"]["diff"]
    assert "+   dnsPolicy: ClusterFirst" in traced.stage("decode").diff
    assert any(line.startswith("+   uid:") for line in traced.stage("reset").diff)
    assert "PodSecurity" in traced.stage("judge").also


def test_storage_tells_the_transaction_and_its_revision_is_the_resource_version():
    traced = asked("good")
    facts = traced.stage("store").facts
    key = "/registry/pods/shop/web"
    assert facts[:2] == (("if", f"mod_revision({key}) = 0 (there is none)"), ("put", key))
    revision = dict(facts)["then"].rpartition(" ")[2]
    assert f'  resourceVersion: "{revision}"' in traced.answer.body
    assert traced.stage("store").took > 0


@pytest.mark.parametrize(
    ("name", "stage", "said", "words"),
    [
        ("token", "authenticate", "401 Unauthorized", "Unauthorized"),
        ("right", "authorize", "403 Forbidden", 'User "dev" cannot list resource "secrets" in API group ""'),
        ("invalid", "validate", "422 Invalid", "containerPort: Invalid value: 70000: must be between 1 and 65535"),
        ("conflict", "store", "409 Conflict", "please apply your changes to the latest version and try again"),
        ("webhook", "mutate", "500 InternalError", 'failed calling webhook "team.shop.example"'),
    ],
)
def test_a_broken_request_ends_at_its_stage_in_the_words_of_the_server(name, stage, said, words):
    traced = asked(name)
    assert (traced.ended, traced.answer.said) == (stage, said)
    assert words in traced.stage(stage).why and words in traced.answer.message
    ids = [one.stage for one in traced.stages]
    later = {verdicts(traced)[one] for one in ids[ids.index(stage) + 1 : -1]}
    assert later <= {"unreached"} and verdicts(traced)["answer"] == "refused"
    assert [one for one in ids if verdicts(traced)[one] == "refused"] == [stage, "answer"]


def test_a_webhook_that_is_too_slow_costs_its_time_and_one_that_is_down_none():
    slow = asked("webhook").stage("mutate")
    assert slow.took == 5000 and "context deadline exceeded" in slow.why
    down = broken.ask({"user": "dev", "method": "POST", "path": PODS, "hook": shop.DOWN, "body": POD})
    assert down.stage("mutate").took < 1 and "connect: connection refused" in down.stage("mutate").why


def test_a_write_on_an_old_state_is_refused_before_its_rules_are_looked_at():
    traced = asked("conflict")
    assert {name: verdicts(traced)[name] for name in ("mutate", "reset", "validate", "judge")} == {
        "mutate": "passed",
        "reset": "unreached",
        "validate": "unreached",
        "judge": "unreached",
    }


def test_a_patch_shows_what_it_changed_in_what_is_stored():
    traced = trace_request(method="PATCH", path=SETTINGS, user="dev", body={"data": {"colour": "red"}})
    changed = [line for line in traced.stage("store").diff if line[0] in "+-"]
    assert changed == ["-   colour: green", "+   colour: red"]


@pytest.mark.parametrize(
    ("method", "path", "body", "ended", "status"),
    [
        ("GET", "/healthz", None, "find", 200),
        ("GET", "/nosuch", None, "find", 404),
        ("POST", SETTINGS, {}, "find", 405),
        ("POST", PODS, "{", "decode", 400),
        ("POST", "/apis/apps/v1/namespaces/shop/deployments", {"spec": {"replicas": "three"}}, "decode", 400),
        ("POST", "/api/v1/namespaces/nosuch/configmaps", {"metadata": {"name": "a"}}, "mutate", 404),
        ("GET", f"{PODS}?timeout=soon", None, "time", 400),
        ("GET", f"{PODS}/web/log", None, "store", 404),
        ("GET", f"{PODS}?watch=true", None, "store", 200),
        ("DELETE", SETTINGS, None, "answer", 200),
        ("POST", "/api/v1/namespaces/shop/services", FOREIGN, "reset", 422),
    ],
)  # fmt: skip
def test_other_requests_end_where_the_chain_ends_them(method, path, body, ended, status):
    traced = trace_request(method=method, path=path, user="admin", body=body)
    assert (traced.ended, traced.status) == (ended, status)
    assert [*verdicts(traced)] == [row.id for row in rows()]


@pytest.mark.parametrize(("method", "verdict"), [("DELETE", "unreached"), ("PUT", "unreached"), ("GET", "idle")])
def test_nothing_is_asked_about_an_object_that_is_not_there(method, verdict):
    path = "/api/v1/namespaces/shop/configmaps/none"
    body = {"metadata": {"name": "none"}} if method == "PUT" else None
    seen = verdicts(trace_request(method=method, path=path, user="admin", body=body))
    assert (seen["store"], {seen[stage] for stage in ("mutate", "reset", "validate", "judge")}) == (
        "refused",
        {verdict},
    )


def test_a_request_whose_own_time_is_over_ends_there():
    cluster = shop.opened(shop.SLOW)
    traced = trace_request(cluster, "POST", f"{PODS}?timeout=1s", token="dev-token", body=POD)
    assert (traced.ended, traced.status) == ("time", 504)
    assert verdicts(traced)["mutate"] == "unreached"


def test_a_panic_costs_one_request_and_is_caught_by_the_first_stage(monkeypatch):
    def stumble(core, asked):
        raise ZeroDivisionError("beans")
        yield

    monkeypatch.setattr(pipeline, "recovered", RECOVERED)
    monkeypatch.setitem(pipeline.ACTS, ("list", ""), stumble)
    cluster = shop.opened()
    traced = trace_request(cluster, "GET", PODS, token="viewer-token")
    assert (traced.ended, traced.status) == ("recover", 500)
    assert "panic" in traced.stage("recover").why and verdicts(traced)["authorize"] == "passed"
    assert trace_request(cluster, "GET", SETTINGS, token="dev-token").status == 200


def test_of_a_server_that_is_down_nobody_answers():
    cluster = shop.opened()
    server_of(cluster).crash()
    traced = trace_request(cluster, "GET", PODS, token="viewer-token")
    assert traced.status == 0 and traced.stage("answer").why == "Nobody answers: connection refused."
    assert {one.verdict for one in traced.stages[:-1]} == {"unreached"}


def test_an_audit_log_hears_of_a_request_and_how_much_its_policy_says():
    audit = asked("good").stage("audit")
    assert dict(audit.facts)["level"] == "Metadata" and "not what is in it" in audit.why
    assert dict(audit.facts)["Audit-Id"] == dict(asked("good").answer.headers)["Audit-Id"]


def test_in_a_story_without_rights_everybody_may():
    cluster = Cluster.single(workers=1)
    cluster.run("20s")
    traced = trace_request(cluster, "GET", "/api/v1/nodes", user="ann")
    assert traced.status == 200 and "keeps no rights" in traced.stage("authorize").why
    assert "no policy" in traced.stage("audit").why


def untraced(cluster: Cluster) -> tuple:
    """The good pod's answer when nobody looks."""
    answers: list = []
    Exchange(server_of(cluster), HttpRequest("POST", PODS, HEADERS, POD.encode()), answers.append)
    cluster.run_until(cluster.sim.now + SECOND)
    return answers[0].status, answers[0].headers, json.loads(answers[0].body)


def test_who_looks_on_changes_neither_the_answer_nor_the_trace():
    watched, alone = shop.opened(), shop.opened()
    end = watched.sim.now + SECOND
    traced = trace_request(watched, "POST", PODS, token="dev-token", body=POD)
    watched.run_until(end)
    status, headers, _ = untraced(alone)
    assert (traced.status, traced.answer.headers) == (status, headers)
    assert watched.trace.digest() == alone.trace.digest()


CODE = "import json; from kubemini.requests import broken; print(json.dumps(broken.recorded()))"


def test_the_recording_is_the_same_in_any_process():
    found = set()
    for seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, check=True)
        found.add(done.stdout.strip())
    assert found == {json.dumps(broken.recorded())}


def test_the_text_has_a_line_for_every_stage_and_says_a_refusal_once():
    text = str(asked("invalid"))
    assert all(f" {row.title}" in text for row in rows())
    assert text.count("must be between 1 and 65535") == 1 and "✕ Validation" in text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"method": "BREW"}, "method 'BREW': give one of GET, POST"),
        ({"method": None}, "method None: give one of"),
        ({"path": "pods"}, "path 'pods': a path begins with /"),
        ({"path": None}, "path None: a path begins with /"),
        ({"where": "first"}, "where: expected a Cluster, such as Cluster.single(), got 'first'"),
        ({"where": Cluster.single()}, None),
        ({"method": "POST", "body": "a" * 100_001}, "a body of 100,001 letters: 100,000 are the most"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(wrong, sentence):
    if sentence is None:
        assert trace_request(**wrong).status == 0  # a cluster that begins now: its server does not listen yet
        return
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        trace_request(**wrong)


GOOD = {"user": "dev", "method": "GET", "path": PODS, "hook": shop.ANSWERS, "body": ""}


def test_a_widget_asks_by_message_and_gets_the_walk_as_plain_values():
    answer = handle({"op": "request", "id": 7, "asked": GOOD})
    assert (answer["id"], answer["op"], answer["walk"]["answer"]["said"]) == (7, "request", "200 OK")
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (None, "asked: expected a map with user, method, path, hook, body; got None"),
        ({}, "user: expected a text, got None"),
        ({**GOOD, "body": 1}, "body: expected a text, got 1"),
        ({**GOOD, "user": "root"}, "user 'root': give one of dev, viewer, admin, nobody, a wrong token"),
        ({**GOOD, "hook": "sleeps"}, "the webhook 'sleeps': give one of answers, is down, is too slow"),
        ({**GOOD, "path": "\\pods"}, "path '\\\\pods': a path begins with /, such as /api/v1/namespaces/shop/pods"),
        ({**GOOD, "method": "BREW"}, "method 'BREW': give one of GET, POST, PUT, PATCH, DELETE"),
    ],
)
def test_what_a_widget_cannot_ask_is_one_sentence(asked, sentence):
    assert handle({"op": "request", "id": 1, "asked": asked}) == {"op": "error", "id": 1, "error": sentence}


ODD = (
    "/",
    "//",
    "/api/v1/namespaces/shop/pods?limit=x&continue=%00",
    "/%zz",
    "/api/\n/v1",
    "/é?watch=1",
    "/apis/" + "a/" * 500,
)


@pytest.mark.parametrize("path", ODD)
def test_an_odd_path_is_answered_by_the_server(path):
    answer = handle({"op": "request", "id": 1, "asked": {**GOOD, "path": path}})
    assert answer["op"] == "request" and 200 <= answer["walk"]["answer"]["status"] < 500
