"""Config maps, secrets, namespaces, quotas, budgets and priority classes out of flags.

Models k/kubectl pkg/cmd/create createConfigMap createSecret createQuota createPodDisruptionBudgets createPriorityClass
createNamespace.
Simplified: a folder given to --from-file is not read.
"""

import base64
import json
import re
from pathlib import PurePath
from typing import Any

from kubemini.api import labels, quantity
from kubemini.users.decide.kubectl.asking import NoFile, ReadFile, Steps, fail
from kubemini.users.decide.kubectl.flags import ARRAY, BOOL, INT, LIST, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import Maker, headed, int_or_percent

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
SOURCES = (Flag("from-literal", kind=ARRAY), Flag("from-file", kind=LIST), Flag("from-env-file", kind=LIST))
WRONG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def _data(given: Given, kind: str, name: str) -> Steps:
    """Keys and texts of the three kinds of sources."""
    if given["from-env-file"] and (given["from-file"] or given["from-literal"]):
        raise fail("from-env-file cannot be combined with from-file or from-literal")
    found: dict[str, str] = {}
    for text in given["from-file"]:
        key, equals, path = text.partition("=")
        if equals and not (key and path):
            raise fail(f"key name for file path {path} missing" if path else f"file path for key name {key} missing")
        body = yield from _read(path if equals else text)
        _add(found, key if equals else PurePath(text).name, body, kind, name)
    for text in given["from-literal"]:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise fail(f"invalid literal source {text}, expected key=value")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        _add(found, key, value[1:-1] if quoted else value, kind, name)
    for path in given["from-env-file"]:
        for line in (yield from _read(path)).splitlines():
            if line.strip() and not line.strip().startswith("#"):
                key, _, value = line.strip().partition("=")
                _add(found, key, value, kind, name)
    return found


def _read(path: str) -> Steps:
    try:
        return (yield ReadFile(path))
    except NoFile as problem:
        raise fail(f"error reading {path}: {problem.why}") from None


def _add(found: dict[str, str], key: str, value: str, kind: str, name: str) -> None:
    if not _KEY.fullmatch(key):
        what = (
            "is not a valid key name for a ConfigMap:" if kind == "ConfigMap" else "is not valid key name for a Secret"
        )
        raise fail(f'"{key}" {what} {WRONG_KEY}')
    if key in found:
        if kind == "Secret":
            raise fail(f"cannot add key {key}, another key by that name already exists")
        raise fail(f'cannot add key "{key}", another key by that name already exists in Data for ConfigMap "{name}"')
    found[key] = value


def _config_map(line: Line, given: Given, name: str) -> Steps:
    made = headed("v1", "ConfigMap", name, given)
    found = yield from _data(given, "ConfigMap", name)
    return made | ({"data": found} if found else {})


def _generic(line: Line, given: Given, name: str) -> Steps:
    found = yield from _data(given, "Secret", name)
    return _secret(given, name, found, given["type"])


def _secret(given: Given, name: str, data: dict[str, str], type: str) -> dict[str, Any]:
    made = headed("v1", "Secret", name, given)
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return made | ({"data": coded} if coded else {}) | ({"type": type} if type else {})


def _registry(line: Line, given: Given, name: str) -> Steps:
    user, password, server = (given[f"docker-{key}"] for key in ("username", "password", "server"))
    if not (user and password and server):
        raise fail(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server "
            "is required"
        )
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    mail = {"email": given["docker-email"]} if given["docker-email"] else {}
    entry = {"username": user, "password": password, **mail, "auth": auth}
    text = json.dumps({"auths": {server: entry}}, separators=(",", ":"))
    return _secret(given, name, {".dockerconfigjson": text}, "kubernetes.io/dockerconfigjson")
    yield


def _tls(line: Line, given: Given, name: str) -> Steps:
    if not (given["key"] and given["cert"]):
        raise fail("key and cert must be specified")
    found = {"tls.crt": (yield ReadFile(given["cert"])), "tls.key": (yield ReadFile(given["key"]))}
    return _secret(given, name, found, "kubernetes.io/tls")


def _namespace(line: Line, given: Given, name: str) -> Steps:
    return headed("v1", "Namespace", name, given, local=False)
    yield


def _quota(line: Line, given: Given, name: str) -> Steps:
    made = headed("v1", "ResourceQuota", name, given)
    hard = {}
    for text in filter(None, given["hard"].split(",")):
        key, equals, value = text.partition("=")
        if not equals or "=" in value:
            raise fail(f"Invalid argument syntax {text}, expected <resource>=<value>")
        try:
            hard[key] = str(quantity.parse(value))
        except quantity.QuantityError as wrong:
            raise fail(str(wrong)) from None
    scopes = given["scopes"].split(",") if given["scopes"] else []
    if "" in scopes:
        raise fail('invalid resource quota scope ""')
    made["spec"] = ({"hard": hard} if hard else {}) | ({"scopes": scopes} if scopes else {})
    return made
    yield


def _budget(line: Line, given: Given, name: str) -> Steps:
    least, most = given["min-available"], given["max-unavailable"]
    if not given["selector"]:
        raise fail("a selector must be specified")
    if not (least or most):
        raise fail("one of min-available or max-unavailable must be specified")
    if least and most:
        raise fail("min-available and max-unavailable cannot be both specified")
    for flag, text in (("min-available", least), ("max-unavailable", most)):
        if text and not re.fullmatch(r"\d+%?", text):
            raise fail(f"invalid format specified for {flag}")
    made = headed("policy/v1", "PodDisruptionBudget", name, given)
    limit = {"minAvailable": int_or_percent(least)} if least else {"maxUnavailable": int_or_percent(most)}
    made["spec"] = limit | {"selector": _selector(given["selector"])}
    return made
    yield


def _selector(text: str) -> dict[str, Any]:
    """A selector as an object writes it. Models k/apimachinery pkg/apis/meta/v1 ParseToLabelSelector"""
    try:
        found = labels.parse(text)
    except labels.SelectorError as wrong:
        raise fail(f'couldn\'t parse the selector string "{text}": {wrong}') from None
    same = {one.key: one.values[0] for one in found.requirements if one.operator in ("=", "==")}
    rest = [one for one in found.requirements if one.operator not in ("=", "==")]
    words = {"in": "In", "notin": "NotIn", "!=": "NotIn", "exists": "Exists", "!": "DoesNotExist"}
    more = [
        {"key": one.key, "operator": words[one.operator]} | ({"values": [*one.values]} if one.values else {})
        for one in rest
    ]
    return ({"matchLabels": same} if same else {}) | ({"matchExpressions": more} if more else {})


def _priority(line: Line, given: Given, name: str) -> Steps:
    made = headed("scheduling.k8s.io/v1", "PriorityClass", name, given, local=False)
    made |= {"value": given["value"]}
    made |= {"globalDefault": True} if given.on("global-default") else {}
    made |= {"description": given["description"]} if given["description"] else {}
    return made | {"preemptionPolicy": given["preemption-policy"]}
    yield


MAKERS = {
    "namespace": Maker(_namespace),
    "configmap": Maker(_config_map, SOURCES, (), "failed to create configmap: "),
    "quota": Maker(_quota, (Flag("hard"), Flag("scopes")), (), "failed to create quota: "),
    "poddisruptionbudget": Maker(
        _budget,
        (Flag("min-available"), Flag("max-unavailable"), Flag("selector")),
        (),
        "failed to create poddisruptionbudgets: ",
    ),
    "priorityclass": Maker(
        _priority,
        (
            Flag("value", kind=INT),
            Flag("global-default", kind=BOOL),
            Flag("description"),
            Flag("preemption-policy", default="PreemptLowerPriority"),
        ),
        (),
        "failed to create priorityclass: ",
    ),
}
SECRETS = {
    "generic": Maker(_generic, (*SOURCES, Flag("type")), (), "failed to create secret "),
    "docker-registry": Maker(
        _registry,
        (
            *(Flag(f"docker-{key}") for key in ("username", "password", "email")),
            Flag("docker-server", default="https://index.docker.io/v1/"),
        ),
        (),
        "failed to create secret ",
    ),
    "tls": Maker(_tls, (Flag("cert"), Flag("key")), (), "failed to create secret "),
}
