"""A request from outside: what every answer carries, how streams end, what happens when a server dies."""

import json

import pytest

from kubemini.wire import Unreachable
from tests.apiserver.outside.asking import Outside, header

RBAC = "/apis/rbac.authorization.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def outside():
    return Outside()


def test_every_answer_can_be_found_again_and_is_for_its_client_alone(outside):
    for path in ("/api/v1/namespaces/default", "/healthz", "/nothing", "/api/v1/pods/x/y/z"):
        found = outside.ask("GET", path)
        assert header(found, "Cache-Control") == "no-cache, private" and len(header(found, "Audit-Id")) == 36
        assert len(header(found, "X-Kubernetes-Pf-Flowschema-Uid")) == 36
        assert len(header(found, "X-Kubernetes-Pf-Prioritylevel-Uid")) == 36


def test_a_client_may_give_the_audit_id_itself(outside):
    assert header(outside.ask("GET", "/healthz", Audit_Id="mine"), "Audit-Id") == "mine"


def test_a_watch_says_one_event_after_the_other_until_its_time_is_over(outside):
    stream = outside.ask("GET", f"{MAPS}?watch=1&timeoutSeconds=5&resourceVersion=0").body
    outside.ask("POST", MAPS, b'{"metadata":{"name":"seen"}}')
    outside.inside.sleep(0.2)
    events = [json.loads(one) for one in iter(stream.read, None)]
    assert events[-1]["type"] == "ADDED" and events[-1]["object"]["metadata"]["name"] == "seen"
    assert not stream.ended
    outside.inside.sleep(5)
    assert stream.ended and stream.read() is None


def test_a_client_that_leaves_a_watch_is_forgotten(outside):
    stream = outside.ask("GET", f"{MAPS}?watch=1").body
    watchers = lambda: sum(len(cache.audience) for cache in outside.server.core.caches.values())  # noqa: E731
    before, accepted = watchers(), len(outside.server.rpc.accepted)
    stream.close()
    outside.inside.sleep(0.1)
    assert watchers() == before - 1 and len(outside.server.rpc.accepted) == accepted - 1


def test_news_is_told_to_whoever_asked_to_be_told(outside):
    told = []
    stream = outside.ask("GET", f"{MAPS}?watch=1").body
    assert [*iter(stream.read, None)]
    stream.on_news = lambda: told.append(stream.read())
    outside.ask("POST", MAPS, b'{"metadata":{"name":"news"}}')
    outside.inside.sleep(0.2)
    assert [json.loads(one)["object"]["metadata"]["name"] for one in told if one][-1] == "news"
    stream.close()


def test_a_server_that_dies_breaks_what_is_open_and_refuses_what_comes():
    outside = Outside()
    stream = outside.ask("GET", f"{MAPS}?watch=1").body
    waiting = outside.begin("GET", MAPS)
    outside.server.crash()
    assert stream.ended
    assert [type(one) for one in waiting] == [Unreachable] and not waiting[0].definite
    refused = outside.begin("GET", MAPS)
    assert refused[0].definite
    outside.server.start()
    outside.inside.until(lambda: outside.server.core.health.ready)
    assert outside.ask("GET", MAPS).status == 200


def test_a_server_that_ends_tells_its_clients_to_dial_anew():
    outside = Outside()
    waiting = outside.begin("GET", "/api/v1/nodes?resourceVersion=99999999")
    outside.inside.sleep(0.1)
    outside.server.terminate()
    outside.inside.until(lambda: waiting)
    assert header(waiting[0], "Connection") == "close"


def test_a_check_of_health_may_be_asked_alone_or_left_out(outside):
    assert outside.ask("GET", "/livez/etcd").body == b"ok"
    assert outside.ask("GET", "/livez/nope").status == 404
    page = outside.ask("GET", "/livez?verbose&exclude=etcd&exclude=nope").body.decode()
    assert "[+]etcd excluded: ok\n" in page
    warning = 'warn: some health checks cannot be excluded: no matches for "nope"'
    assert page.endswith(f"{warning}\nlivez check passed\n")


def test_the_root_is_a_page_of_pages_as_json(outside):
    found = outside.ask("GET", "/")
    assert found.status == 200 and dict(found.headers)["Content-Type"] == "application/json"
    paths = json.loads(found.body)["paths"]
    assert "/apis/apps/v1" in paths and b'{\n  "paths": [\n' in found.body
    assert {outside.ask("GET", path).status for path in paths} == {200}


def test_metrics_tell_how_many_requests_were_answered_how(outside):
    outside.ask("GET", f"{MAPS}/missing")
    text = outside.ask("GET", "/metrics").body.decode()
    line = next(line for line in text.splitlines() if 'code="404"' in line and 'resource="configmaps"' in line)
    assert line.startswith("apiserver_request_total{") and 'verb="GET"' in line and line.endswith(" 1")
    assert "# TYPE apiserver_flowcontrol_current_limit_seats gauge" in text
    assert 'apiserver_current_inflight_requests{request_kind="readOnly"} 1' in text


def test_requests_that_nobody_waits_for_leave_nothing_behind(outside):
    answers = outside.begin("GET", "/api/v1/nodes?resourceVersion=99999999")
    outside.inside.sleep(0.1)
    outside.last.cancel()
    outside.inside.sleep(5)
    assert answers == []
    levels = outside.server.core.fairness.levels.values()
    assert all(level.seats == level.running == level.waiting == 0 for level in levels)


def test_a_flood_is_queued_and_the_rest_is_sent_away_with_a_time_to_come_back():
    outside = Outside()
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view-all"}
    rule = {"apiGroups": [""], "resources": ["*"], "verbs": ["list"]}
    body = {"metadata": {"name": "view-all"}, "rules": [rule]}
    outside.ask("POST", f"{RBAC}/clusterroles", json.dumps(body).encode())
    body = {"metadata": {"name": "dev"}, "roleRef": ref, "subjects": [{"kind": "User", "name": "dev"}]}
    outside.ask("POST", f"{RBAC}/clusterrolebindings", json.dumps(body).encode())
    outside.inside.sleep(0.2)
    path = "/api/v1/configmaps?resourceVersion=99999999"  # each waits three seconds for a version that never comes
    flood = [outside.begin("GET", path, token="devtoken") for _ in range(700)]
    outside.inside.sleep(0.1)
    sent_away = [one[0] for one in flood if one and one[0].status == 429]
    assert sent_away and {one.body for one in sent_away} == {b"Too many requests, please try again later.\n"}
    assert {header(one, "Retry-After") for one in sent_away} == {"1"}
    assert outside.ask("GET", "/api/v1/namespaces/default").status == 200  # administrators have a level of their own


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("x", 'invalid duration "x"'),
        ("5", 'missing unit in duration "5"'),
        ("5y", 'unknown unit "y" in duration "5y"'),
        ("1 s", 'unknown unit " s" in duration "1 s"'),
        (".s", 'invalid duration ".s"'),
        ("99999999999h", 'invalid duration "99999999999h"'),
    ],
)
def test_a_time_that_is_none_is_refused_whoever_asks(outside, text, wrong):
    found = outside.ask("GET", f"{MAPS}?timeout={text.replace(' ', '%20')}", token="")
    message = json.loads(found.body)["message"]
    assert found.status == 400 and message == f"invalid timeout specified in the request URL - time: {wrong}"


@pytest.mark.parametrize("text", ["0", "-1s", "1h", "1.5s", "1m2s", ""])
def test_a_time_in_which_it_can_be_done_changes_nothing(outside, text):
    assert outside.ask("GET", f"{MAPS}?timeout={text}").status == 200


def test_who_has_no_more_time_is_told_so_and_nothing_goes_on(outside):
    begun = outside.inside.clock()
    found = outside.ask("GET", "/api/v1/nodes?resourceVersion=99999999&timeout=1s")
    assert outside.inside.clock() - begun == pytest.approx(1, abs=0.01)
    said = json.loads(found.body)
    assert found.status == 504 and header(found, "Content-Type") == "text/plain; charset=utf-8"
    assert said["message"] == "Timeout: request did not complete within the allotted timeout" and "kind" not in said
    assert all(level.seats == 0 for level in outside.server.core.fairness.levels.values())


def test_whoever_reads_protobuf_gets_what_has_no_such_form_in_json(outside):
    for path in ("/version", "/apis/apps", "/apis", "/api/v1", "/api/v1/namespaces", "/apis/apps/v1/deployments"):
        found = outside.ask("GET", path, Accept="application/vnd.kubernetes.protobuf,application/json")
        packed = path not in ("/version",)
        assert found.status == 200 and found.body.startswith(b"k8s\x00") == packed, path
        assert header(found, "Content-Type").endswith("protobuf" if packed else "json"), path


def test_an_answer_that_is_no_object_is_not_shown_as_a_table(outside):
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert outside.ask("POST", path, review, Accept=table).status == 406
    assert outside.ask("POST", path, review, Accept=f"{table},application/json").status == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_the_proxy_takes_every_method_and_looks_for_the_pod_or_node_first(outside, method):
    for path in ("/api/v1/namespaces/default/pods/none/proxy", "/api/v1/nodes/none/proxy/metrics"):
        assert outside.ask(method, path).status == 404, path
