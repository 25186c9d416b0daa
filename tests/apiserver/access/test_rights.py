"""What authorizers say: as the real ones have said, and in words where those are few."""

import json
from pathlib import Path

import pytest

from tests.apiserver.outside.asking import NODE, Outside
from tests.oracles.kubernetes.answers import rights

RECORDED = json.loads((Path(__file__).parents[2] / "oracles/kubernetes/rights.json").read_text(encoding="utf-8"))
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture(scope="module")
def outside():
    return Outside()


def test_reviews_by_chance_are_answered_as_by_the_real_authorizers():
    outside = Outside()

    def ask(method, target, body, **headers):
        found = outside.parts(method, target, body, **headers)
        if "reviews" not in target:
            outside.inside.sleep(0.1)  # rules are heard of a moment later
        return found

    found = [*rights(ask)]
    assert len(found) == len(RECORDED)
    wrong = [(spec, said, wanted) for (spec, said), (_, wanted) in zip(found, RECORDED) if said != wanted]
    assert wrong == []


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version"])
def test_who_shows_nothing_may_look_at_its_health_and_version(outside, path):
    assert outside.ask("GET", path, token="").status == 200


@pytest.mark.parametrize("path", ["/metrics", "/api", "/api/v1/namespaces", "/apis/none.io/v1", "/api/v1/pods?watch=1"])
def test_who_shows_nothing_may_do_nothing_else(outside, path):
    found = outside.ask("GET", path, token="")
    assert found.status == 403 and b"system:anonymous" in found.body


def test_a_wrong_token_is_refused_even_where_nobody_is_let_in(outside):
    assert outside.ask("GET", "/healthz", token="wrong").status == 401


def test_a_certificate_makes_a_node_of_its_holder(outside):
    found = outside.ask("GET", "/api/v1/nodes/n2", token="", certificate=NODE)
    assert found.status == 403
    assert json.loads(found.body)["message"].endswith(
        "at the cluster scope: node: node 'n1' cannot read 'n2', only its own Node object"
    )


def test_a_token_of_a_service_account_is_good_until_its_account_is_gone(outside):
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    outside.ask("POST", accounts, b'{"metadata":{"name":"robot"}}')
    made = json.loads(outside.ask("POST", f"{accounts}/robot/token", b"{}").body)
    outside.inside.sleep(0.1)
    token = made["status"]["token"]
    me = json.loads(outside.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", b"{}", token=token).body)
    assert me["status"]["userInfo"]["username"] == "system:serviceaccount:default:robot"
    tampered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    assert outside.ask("GET", "/version", token=tampered).status == 401
    outside.ask("DELETE", f"{accounts}/robot")
    outside.inside.sleep(0.1)
    assert outside.ask("GET", "/version", token=token).status == 401


def test_a_token_ends_with_its_time(outside):
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    outside.ask("POST", accounts, b'{"metadata":{"name":"brief"}}')
    body = b'{"spec":{"expirationSeconds":600}}'
    token = json.loads(outside.ask("POST", f"{accounts}/brief/token", body).body)["status"]["token"]
    outside.inside.sleep(600)
    assert outside.ask("GET", "/version", token=token).status == 200
    outside.inside.sleep(61)
    assert outside.ask("GET", "/version", token=token).status == 401


def test_constrained_impersonation_takes_the_right_to_be_and_the_right_to_do(outside):
    verbs = [("impersonate:user-info", "users"), ("impersonate-on:user-info:list", "configmaps")]
    for number, (verb, resource) in enumerate(verbs):
        group = "authentication.k8s.io" if resource == "users" else ""
        rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        role = {"metadata": {"name": f"act{number}"}, "rules": [rule]}
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"act{number}"}
        binding = {"metadata": {"name": f"act{number}"}, "roleRef": ref, "subjects": [{"kind": "User", "name": "dev"}]}
        outside.ask("POST", f"{RBAC}/clusterroles", json.dumps(role).encode())
        outside.ask("POST", f"{RBAC}/clusterrolebindings", json.dumps(binding).encode())
    outside.inside.sleep(0.2)
    lists = outside.ask("GET", "/api/v1/configmaps", token="devtoken", Impersonate_User="jane")
    assert b'User \\"jane\\" cannot list resource \\"configmaps\\"' in lists.body
    gets = outside.ask("GET", "/api/v1/secrets", token="devtoken", Impersonate_User="jane")
    assert b"cannot impersonate-on:user-info:list resource" in gets.body


def test_several_groups_come_in_several_headers(outside):
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    found = outside.ask("POST", path, b"{}", Impersonate_User="jane", Impersonate_Group=["a, b", "c"])
    assert json.loads(found.body)["status"]["userInfo"]["groups"] == ["a, b", "c", "system:authenticated"]


@pytest.mark.parametrize(("verbs", "code", "why"), [(["get"], 403, 'pods "p" is forbidden: '), (["*"], 404, None)])
def test_who_opens_a_stream_by_get_must_be_allowed_to_create_one(verbs, code, why):
    """Since 1.35 (AuthorizePodWebsocketUpgradeCreatePermission): before, a right to read was one to run commands."""
    outside = Outside()
    rule = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": verbs}
    role = {"metadata": {"name": "runs"}, "rules": [rule]}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "runs"}
    binding = {"metadata": {"name": "runs"}, "roleRef": ref, "subjects": [{"kind": "User", "name": "dev"}]}
    outside.ask("POST", f"{RBAC}/clusterroles", json.dumps(role).encode())
    outside.ask("POST", f"{RBAC}/clusterrolebindings", json.dumps(binding).encode())
    outside.inside.sleep(1)
    answer = outside.ask("GET", "/api/v1/namespaces/default/pods/p/exec?command=ls&stdout=1", token="devtoken")
    assert answer.status == code and why in (None, json.loads(answer.body)["message"])
