"""A small cluster to ask: an API server with rights, a namespace with limits, and a webhook that may be down.

There is an etcd and an API server, and nobody else: no controllers, no nodes, so that nothing moves but what is asked.
dev deploys in the namespace shop, viewer may look there, admin may do everything.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemini.api.kinds import collection_path
from kubemini.api.labels import SERVICE_NAME
from kubemini.apiserver import flags
from kubemini.apiserver.decide.access.users import MASTERS, UserInfo
from kubemini.apiserver.decide.audit import policy
from kubemini.apiserver.decide.policies.webhooks import REVIEW, Late
from kubemini.apiserver.flags import Webhook
from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster, build
from kubemini.cluster.topology.bare import without
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

SHOP = "shop"
TOKENS = {"dev": "dev-token", "viewer": "viewer-token", "admin": "admin-token"}
NOBODY, WRONG = "nobody", "a wrong token"
USERS = (*TOKENS, NOBODY, WRONG)
ANSWERS, DOWN, SLOW = HOOKS = ("answers", "is down", "is too slow")
READY = 3 * SECOND
AUDIT = policy.read({"apiVersion": policy.API_VERSION, "kind": "Policy", "rules": [{"level": policy.METADATA}]})
RBAC = "rbac.authorization.k8s.io"
HOOK = "team.shop.example"


def credentials(user: str, groups: tuple[str, ...], token: str) -> tuple[str, tuple[str, ...], str]:
    """(user, groups, token) for a user of the shop, who shows a token; others as they are."""
    if user in (NOBODY, WRONG):
        return "", (), "no-such-token" if user == WRONG else ""
    if user in TOKENS and not token:
        return "", (), TOKENS[user]
    return user, groups, token


def opened(hook: str = ANSWERS) -> Cluster:
    """The shop, ready to be asked; what its webhook does is one of `HOOKS`. Raises ValueError."""
    if hook not in HOOKS:
        raise ValueError(f"the webhook {shown(hook)}: give one of {', '.join(HOOKS)}")
    topology = without(build("single", workers=0), "scheduler", "controller-manager", "kubectl")
    cluster = Cluster(topology)
    server = next(one for one in cluster.components.values() if isinstance(one, ApiServer))
    server.flags = replace(flags.as_real(_tokens()), webhooks=_webhooks(hook), audit=AUDIT)
    cluster.run_until(READY)
    for method, path, obj in _setting():
        _put(cluster, server, method, path, obj)
    return cluster


def _tokens() -> dict[str, UserInfo]:
    return {TOKENS[name]: UserInfo(name, (MASTERS,) if name == "admin" else ()) for name in TOKENS}


def _put(cluster: Cluster, server: ApiServer, method: str, path: str, obj: Mapping[str, Any]) -> None:
    answers: list[Any] = []
    admin = UserInfo("admin", (MASTERS,))
    headers = (("Content-Type", "application/json"),)
    Exchange(server, HttpRequest(method, path, headers, json.dumps(obj).encode(), admin), answers.append)
    cluster.run_until(cluster.sim.now + SECOND // 10)
    done = answers[0] if answers else None
    assert isinstance(done, HttpResponse) and done.status < 300, f"{method} {path}: {done}"


def _setting() -> list[tuple[str, str, dict[str, Any]]]:
    """What is in the shop, as the requests that make it."""
    made = [
        _object("v1", "Namespace", SHOP, ""),
        _object("v1", "ServiceAccount", "default"),
        _object("v1", "LimitRange", "small", spec={"limits": [{"type": "Container", "default": {"cpu": "200m"}}]}),
        _object(f"{RBAC}/v1", "Role", "deployer", rules=[_rule(["", "apps"], DEPLOYS, ["*"])]),
        _object(f"{RBAC}/v1", "Role", "reader", rules=[_rule(["", "apps"], DEPLOYS, ["get", "list", "watch"])]),
        _binding("dev-deploys", "deployer", "dev"),
        _binding("viewer-reads", "reader", "viewer"),
        _object("v1", "Service", "team", spec={"ports": [{"port": 443}]}),
        _served(),
        _object("v1", "ConfigMap", "settings", data={"colour": "blue"}),
    ]
    found = [("POST", _place(obj), obj) for obj in made]
    newer = _object("v1", "ConfigMap", "settings", data={"colour": "green"})
    found.append(("PUT", f"{_place(newer)}/settings", newer))
    hook = _hook()
    return [*found, ("POST", _place(hook), hook)]


DEPLOYS = ["pods", "configmaps", "services", "deployments"]


def _place(obj: Mapping[str, Any]) -> str:
    return collection_path(obj)


def _object(version: str, kind: str, name: str, namespace: str = SHOP, **rest: Any) -> dict[str, Any]:
    space = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **space}, **rest}


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _binding(name: str, role: str, user: str) -> dict[str, Any]:
    ref = {"apiGroup": RBAC, "kind": "Role", "name": role}
    return _object(f"{RBAC}/v1", "RoleBinding", name, roleRef=ref, subjects=[{"kind": "User", "name": user}])


def _hook() -> dict[str, Any]:
    """The webhook's configuration: it is asked about every new pod of the shop, and a write waits for its word."""
    hook = {
        "name": HOOK,
        "clientConfig": {"service": {"namespace": SHOP, "name": "team", "path": "/label"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    version = "admissionregistration.k8s.io/v1"
    return _object(version, "MutatingWebhookConfiguration", "team", "", webhooks=[hook])


def _served() -> dict[str, Any]:
    """Who is behind the Service of the webhook; no pod runs here, so what the API says of one is written by hand."""
    made = _object("discovery.k8s.io/v1", "EndpointSlice", "team-1", addressType="IPv4", ports=[{"port": 8443}])
    made["metadata"]["labels"] = {SERVICE_NAME: "team"}
    return {**made, "endpoints": [{"addresses": ["10.244.1.2"], "conditions": {"ready": True}}]}


def _webhooks(hook: str) -> dict[str, Webhook]:
    """The program behind it, which says whose pod it is; one that is down refuses the connection."""

    def label(review: dict[str, Any]) -> Any:
        if hook == DOWN:
            raise ConnectionRefusedError
        obj = review["request"]["object"]
        labels = obj["metadata"].get("labels") or {}
        patch = [{"op": "add", "path": "/metadata/labels", "value": {**labels, "team": "shop"}}]
        response = {"uid": review["request"]["uid"], "allowed": True, "patchType": "JSONPatch", "patch": patch}
        answer = {**REVIEW, "response": response}
        return Late(30 * SECOND, answer) if hook == SLOW else answer

    return {f"{SHOP}/team": label}
