"""One good request and five broken ones, each traced; and what a reader makes of them by changing what is asked.

All ask the shop (shop.py), each a fresh one, so that nothing depends on what was asked before. A reader says first at
which stage a broken one ends, and with which status code.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kubemini.ranges import shown
from kubemini.requests import METHODS, TracedRequest, shop, trace_request
from kubemini.requests.shop import ANSWERS, HOOKS, SLOW, USERS, WRONG

PODS = f"/api/v1/namespaces/{shop.SHOP}/pods"
SETTINGS = f"/api/v1/namespaces/{shop.SHOP}/configmaps/settings"
CODES = (200, 201, 400, 401, 403, 404, 405, 409, 422, 429, 500, 504)  # what a reader may expect
FIELDS = ("user", "method", "path", "hook", "body")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to the shop, whose webhook does what *hook* says; *body* is a text."""

    user: str
    method: str
    path: str
    hook: str = ANSWERS
    body: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A request with a name; *lesson* is told when it has ended."""

    name: str
    what: str
    asked: Asked
    lesson: str
    broken: bool = True


def _pod(**container: Any) -> str:
    whole = {"name": "web", "image": "nginx:1.29", **container}
    return _text({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [whole]}})


def _text(obj: Mapping[str, Any]) -> str:
    return json.dumps(obj, indent=2)


def cases() -> tuple[Case, ...]:
    """The good one, and the five."""
    meta = {"name": "settings", "resourceVersion": _older()}
    stale = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"colour": "red"}}
    return (
        Case(
            "good",
            "dev creates a pod in the namespace shop.",
            Asked("dev", "POST", PODS, body=_pod()),
            "What is stored is not what was sent: defaults, plugins, a webhook and the server have all added to it.",
            broken=False,
        ),
        Case(
            "token",
            "The same pod, but the token is one that this server never gave.",
            Asked(WRONG, "POST", PODS, body=_pod()),
            "A token that is wrong is refused at once: 401, whatever is asked. Without any it would be anonymous's.",
        ),
        Case(
            "right",
            "dev, who deploys in shop, reads the Secrets of kube-system.",
            Asked("dev", "GET", "/api/v1/namespaces/kube-system/secrets"),
            "The server knows who asks, and finds no rule that allows it: 403. Rules only ever allow; none denies.",
        ),
        Case(
            "invalid",
            "dev creates the pod with containerPort 70000.",
            Asked("dev", "POST", PODS, body=_pod(ports=[{"containerPort": 70000}])),
            "It can be read, so it is no 400. It is judged as it would be stored, after all who change it: 422.",
        ),
        Case(
            "conflict",
            "dev replaces the ConfigMap settings, which somebody has changed since dev read it.",
            Asked("dev", "PUT", SETTINGS, body=_text(stale)),
            "Nothing is wrong with it but its age: 409. Read again, change that, send it again.",
        ),
        Case(
            "webhook",
            "dev creates the good pod, while the webhook that is asked of every pod is too slow.",
            Asked("dev", "POST", PODS, SLOW, _pod()),
            "failurePolicy is Fail: without the webhook's word in 5 s no pod is made, not even one of its own. 500.",
        ),
    )


def _older() -> str:
    """A resourceVersion that the ConfigMap settings had, or that was before it; it has another now."""
    found = trace_request(method="GET", path=SETTINGS, user="dev").answer
    line = next(line for line in found.body if "resourceVersion" in line)
    return str(int(line.rpartition(" ")[2].strip('"')) - 1)


def ask(asked: Mapping[str, Any]) -> TracedRequest:
    """Trace what a reader asks: {user, method, path, hook, body}. Raises ValueError: one sentence."""
    missing = [name for name in FIELDS if not isinstance(asked.get(name), str)]
    if missing:
        raise ValueError(f"{missing[0]}: expected a text, got {shown(asked.get(missing[0]))}")
    one = Asked(*(asked[name] for name in FIELDS))
    if one.user not in USERS:
        raise ValueError(f"user {shown(one.user)}: give one of {', '.join(USERS)}")
    if one.hook not in HOOKS:
        raise ValueError(f"the webhook {shown(one.hook)}: give one of {', '.join(HOOKS)}")
    _user, _groups, token = shop.credentials(one.user, (), "")
    return trace_request(shop.opened(one.hook), one.method, one.path, token=token, body=one.body, by=one.user)


def recorded(first: TracedRequest | None = None) -> dict[str, Any]:
    """All of them as a widget takes them: {cases: [{name, what, asked, lesson, broken, walk}], …}.

    The rest is what may be chosen: users, hooks, methods, codes.
    *first*: a request that somebody has traced, shown before the others.
    """
    rows = [{**asdict(case), "walk": ask(asdict(case.asked)).data()} for case in cases()]
    if first is not None:
        rows.insert(
            0, {"name": "yours", "what": "", "asked": None, "lesson": "", "broken": False, "walk": first.data()}
        )
    choices = {"users": list(USERS), "hooks": list(HOOKS), "methods": list(METHODS), "codes": list(CODES)}
    return {"header": {"scenario": "requests", "seed": 0}, "cases": rows, **choices}


def told(run: Mapping[str, Any]) -> str:
    """The recording as text: the first request stage by stage, of each other where it ended, and how."""
    rows = []
    for case in run["cases"]:
        walk = case["walk"]
        asked, end = walk["request"], next(one for one in walk["stages"] if one["stage"] == walk["ended"])
        rows.append(
            f"{asked['method']} {asked['path']}, by {asked['user']}: {walk['answer']['said']}, at {end['title']}"
        )
        rows += [f"  {case['what']} {case['lesson']}"] if case["what"] else []
        first = case is run["cases"][0]
        rows += [f"  {one['title']}: {one['why']}" for one in walk["stages"] if first or one is end]
    return "\n".join(rows)
