"""Roles, bindings and service accounts out of flags.

Models k/kubectl pkg/cmd/create generateResourcePolicyRules createRoleBinding createClusterRoleBinding.
"""

from typing import Any

from kubemini.users.decide.kubectl.asking import Failed, Steps, fail
from kubemini.users.decide.kubectl.flags import ARRAY, LIST, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import Maker, headed, pairs

GROUP = "rbac.authorization.k8s.io"
VERBS = (
    *("*", "get", "delete", "list", "create", "update", "patch", "watch", "proxy", "deletecollection"),
    *("use", "bind", "escalate", "impersonate"),
)
SPECIAL = {  # a verb that is only for some resources
    "use": (("podsecuritypolicies", "policy"), ("podsecuritypolicies", "extensions")),
    "bind": (("roles", GROUP), ("clusterroles", GROUP)),
    "escalate": (("roles", GROUP), ("clusterroles", GROUP)),
    "impersonate": (
        *(("users", ""), ("serviceaccounts", ""), ("groups", "")),
        ("userextras", "authentication.k8s.io"),
    ),
}
OF_PAGES = ("get", "post", "put", "patch", "delete", "head", "options", "*")


def _role(line: Line, given: Given, name: str) -> Steps:
    verbs = _verbs(line, given)
    if not given["resource"]:
        raise fail("at least one resource must be specified")
    made = headed(f"{GROUP}/v1", "Role", name, given)
    made["rules"] = yield from _rules(line, given, verbs)
    return made


def _verbs(line: Line, given: Given) -> list[str]:
    verbs = ["*"] if "*" in given["verb"] else list(dict.fromkeys(given["verb"]))
    if not verbs:
        raise fail("at least one verb must be specified")
    if not given.values.get("non-resource-url"):
        for verb in verbs:
            if verb not in VERBS:
                line.screen.complain(f"Warning: '{verb}' is not a standard resource verb")
    return verbs


def _rules(line: Line, given: Given, verbs: list[str]) -> Steps:
    """A rule for each API group."""
    groups: dict[str, list[str]] = {}
    for text in given["resource"]:
        word, _, part = text.partition("/")
        name, _, group = word.partition(".")
        if not name:
            raise fail("resource must be specified if apiGroup/subresource specified")
        name, group = yield from _resource(line, name, group, verbs)
        groups.setdefault(group, []).append(f"{name}/{part}" if part else name)
    names = list(dict.fromkeys(given["resource-name"]))
    return [
        {"apiGroups": [group], "resources": found} | ({"resourceNames": names} if names else {}) | {"verbs": verbs}
        for group, found in sorted(groups.items())
    ]


def _resource(line: Line, name: str, group: str, verbs: list[str]) -> Steps:
    if name == "*":
        return name, group
    problem: Failed | None = None
    try:
        found = yield from line.known.find(f"{name}.{group}" if group else name)
        name, group = found.name, found.group
    except Failed as unknown:
        problem = unknown
    for verb in verbs:
        if verb in SPECIAL:
            if (name, group) not in SPECIAL[verb]:
                raise fail(f"can not perform '{verb}' on '{name}' in group '{group}'")
            problem = None
    if problem:
        raise Failed(str(problem).removeprefix("error: "))
    return name, group


def _cluster_role(line: Line, given: Given, name: str) -> Steps:
    made = headed(f"{GROUP}/v1", "ClusterRole", name, given, local=False)
    urls = given["non-resource-url"]
    if given["aggregation-rule"]:
        if urls or given["verb"] or given["resource"] or given["resource-name"]:
            raise fail("aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames")
        labels = pairs(given["aggregation-rule"].split(","), "aggregation rule")
        return made | {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": labels}]}, "rules": []}
    verbs = _verbs(line, given)
    if not (given["resource"] or urls):
        raise fail("one of resource or nonResourceURL must be specified")
    _check_pages(urls, verbs)
    made["rules"] = (yield from _rules(line, given, verbs)) if given["resource"] else []
    made["rules"] += [{"nonResourceURLs": urls, "verbs": verbs}] if urls else []
    return made


def _check_pages(urls: list[str], verbs: list[str]) -> None:
    for verb in verbs if urls else ():
        if verb not in OF_PAGES:
            raise fail(f"invalid verb: '{verb}' for nonResourceURL")
    for url in urls:
        if url != "*" and not url.startswith("/"):
            raise fail("nonResourceURL should start with /")
        if "*" in url.rstrip("*") or url.count("*") > 1:
            raise fail("nonResourceURL only supports wildcard matches when '*' is at the end")


def _binding(line: Line, given: Given, name: str) -> Steps:
    if bool(given["clusterrole"]) == bool(given["role"]):
        raise fail("exactly one of clusterrole or role must be specified")
    made = headed(f"{GROUP}/v1", "RoleBinding", name, given)
    kind = "Role" if given["role"] else "ClusterRole"
    return made | _bound(kind, given["role"] or given["clusterrole"], given)
    yield


def _cluster_binding(line: Line, given: Given, name: str) -> Steps:
    made = headed(f"{GROUP}/v1", "ClusterRoleBinding", name, given, local=False)
    return made | _bound("ClusterRole", given["clusterrole"], given)
    yield


def _bound(kind: str, role: str, given: Given) -> dict[str, Any]:
    subjects = [{"apiGroup": GROUP, "kind": "User", "name": one} for one in given["user"]]
    subjects += [{"apiGroup": GROUP, "kind": "Group", "name": one} for one in given["group"]]
    for text in given["serviceaccount"]:
        parts = text.split(":")
        if len(parts) != 2 or not parts[1]:
            raise fail("serviceaccount must be <namespace>:<name>")
        subjects.append({"kind": "ServiceAccount", "name": parts[1], "namespace": parts[0]})
    made: dict[str, Any] = {"roleRef": {"apiGroup": GROUP, "kind": kind, "name": role}}
    return made | ({"subjects": subjects} if subjects else {})


def _account(line: Line, given: Given, name: str) -> Steps:
    return headed("v1", "ServiceAccount", name, given)
    yield


_RULES = (Flag("verb", kind=LIST), Flag("resource", kind=LIST), Flag("resource-name", kind=ARRAY))
_SUBJECTS = (Flag("user", kind=ARRAY), Flag("group", kind=ARRAY), Flag("serviceaccount", kind=ARRAY))
MAKERS = {
    "role": Maker(_role, _RULES),
    "clusterrole": Maker(_cluster_role, (*_RULES, Flag("non-resource-url", kind=LIST), Flag("aggregation-rule"))),
    "rolebinding": Maker(
        _binding, (*_SUBJECTS, Flag("clusterrole"), Flag("role")), (), "failed to create rolebinding: "
    ),
    "clusterrolebinding": Maker(
        _cluster_binding,
        (*_SUBJECTS, Flag("clusterrole")),
        ("clusterrole",),
        "failed to create clusterrolebinding: ",
    ),
    "serviceaccount": Maker(_account, (), (), "failed to create serviceaccount: "),
}
