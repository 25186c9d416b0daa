"""apiserver.role: the rights of a CI bot: seven requests that it needs, and seven that it must never make.

Invariant: what a rule allows is what the API server answers to the bot's own requests; only 403 is a no.
"""

from dataclasses import dataclass
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.apiserver.server import Server, said
from kubemini.ranges import shown

SHOP = "namespaces/shop"
APPS, RBAC = f"/apis/apps/v1/{SHOP}/deployments", f"/apis/rbac.authorization.k8s.io/v1/{SHOP}"
RIGHTS = "rbac.authorization.k8s.io"
A_LIST = "A list or a create names no object: a rule with resourceNames never allows it. Write a rule without."


def role(name: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    """A Role of these rules."""
    return {"apiVersion": f"{RIGHTS}/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules}


def binding(name: str, user: str, to: str = "") -> dict[str, Any]:
    """A RoleBinding called *name*, which gives *user* the Role *to*, or the one of the same name."""
    meta = {"apiVersion": f"{RIGHTS}/v1", "kind": "RoleBinding", "metadata": {"name": name}}
    subject = {"apiGroup": RIGHTS, "kind": "User", "name": user}
    return {**meta, "roleRef": {"apiGroup": RIGHTS, "kind": "Role", "name": to or name}, "subjects": [subject]}


@dataclass(frozen=True, slots=True)
class Probe:
    """One request of the bot, in words and as HTTP has it; what to think of if it is not answered as it should."""

    what: str
    method: str
    path: str
    body: Any = None
    think: str = ""


def _image(tag: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": f"shop/web:{tag}"}]}}}}


NEEDED = (
    Probe("list the pods", "GET", f"/api/v1/{SHOP}/pods", think=A_LIST),
    Probe(
        "read the log of web-1",
        "GET",
        f"/api/v1/{SHOP}/pods/web-1/log",
        think="pods/log is a resource of its own: pods does not include it.",
    ),
    Probe("list the Deployments", "GET", APPS, think=A_LIST),
    Probe("look at the Deployment web", "GET", f"{APPS}/web", think="Deployments are of the API group apps."),
    Probe("give web a new image", "PATCH", f"{APPS}/web", _image("2.0"), "The verb of kubectl set image is patch."),
    Probe(
        "scale web",
        "PATCH",
        f"{APPS}/web/scale",
        {"spec": {"replicas": 3}},
        "deployments/scale is a resource of its own: deployments does not include it.",
    ),
    Probe(
        "create a ConfigMap",
        "POST",
        f"/api/v1/{SHOP}/configmaps",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "build-7"}},
        A_LIST,
    ),
)
NAMED = "resourceNames narrows a rule to objects that it names."
FORBIDDEN = (
    Probe("list the Secrets", "GET", f"/api/v1/{SHOP}/secrets", think="A list shows what is in them: data and all."),
    Probe("read the Secret password", "GET", f"/api/v1/{SHOP}/secrets/password", think="Name what it needs; no stars."),
    Probe("change the Deployment db", "PATCH", f"{APPS}/db", _image("2.0"), NAMED),
    Probe("delete the Deployment web", "DELETE", f"{APPS}/web", think="Which verbs does it need? A star is all verbs."),
    Probe(
        "open a shell in web-1",
        "POST",
        f"/api/v1/{SHOP}/pods/web-1/exec?command=sh&stdin=true",
        think="Who may create pods/exec is whoever runs in there.",
    ),
    Probe(
        "give its rights to a friend",
        "POST",
        f"{RBAC}/rolebindings",
        binding("friend", "dev", to="bot"),
        "Who may create bindings can give away all that it has.",
    ),
    Probe(
        "write more rights into its own Role",
        "PATCH",
        f"{RBAC}/roles/bot",
        [{"op": "add", "path": "/rules/-", "value": {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}}],
        "The verb escalate lifts the rule that nobody grants what he has not; a star holds it.",
    ),
)


@exercise("apiserver.role")
def check_role(answer: Any) -> Report:
    """The rules of a Role, bound to the user ci: fourteen requests are sent as that user."""
    if not isinstance(answer, list | tuple) or not all(isinstance(rule, dict) for rule in answer):
        raise NotYet(f"Give check() a list of rules, each a dict as in a Role; it got {shown(answer)}.")
    server = _shop(list(answer))
    right = 0
    for needed, probes in ((True, NEEDED), (False, FORBIDDEN)):
        for probe in probes:
            code, found = server.ask(probe.method, probe.path, probe.body, by="ci")
            if (code != 403) is not needed:
                can, wanted = ("cannot", "should") if needed else ("can", "must not")
                raise NotYet(
                    f"The bot {can} {probe.what}, and it {wanted}.",
                    f"{probe.method} {probe.path}",
                    f"{code}: {said(found)}",
                    f"{right} of {len(NEEDED) + len(FORBIDDEN)} requests before it were answered as they should",
                    next=probe.think,
                )
            right += 1
    return Report(
        "pass",
        (f"{len(NEEDED)} of {len(NEEDED)} allowed", f"{len(FORBIDDEN)} of {len(FORBIDDEN)} refused: 403"),
        "What no rule names is forbidden; so you write down what is needed, and nothing against the rest.",
    )


def _shop(rules: list[dict[str, Any]]) -> Server:
    """A server with the shop in it, and the Role *rules* for the bot. Raises NotYet if that is no Role."""
    server = Server()
    container = {"name": "c", "image": "shop/web:1.0"}
    _made(server, "/api/v1/namespaces", "v1", "Namespace", "shop")
    _made(server, f"/api/v1/{SHOP}/secrets", "v1", "Secret", "password", stringData={"password": "swordfish"})
    _made(server, f"/api/v1/{SHOP}/pods", "v1", "Pod", "web-1", spec={"containers": [container]})
    for name in ("web", "db"):
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
        _made(server, APPS, "apps/v1", "Deployment", name, spec=spec)
    try:
        code, found = server.ask("POST", f"{RBAC}/roles", role("bot", rules))
    except (TypeError, ValueError):
        raise NotYet("Rules are made of dicts, lists and texts, as in YAML: something else is in yours.") from None
    if code != 201:
        raise NotYet("The API server does not take this Role.", f"{code}: {said(found)}")
    server.ask("POST", f"{RBAC}/rolebindings", binding("bot", "ci"))
    return server


def _made(server: Server, path: str, version: str, kind: str, name: str, **more: Any) -> None:
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **more}
    code, found = server.ask("POST", path, obj)
    assert code == 201, said(found)
