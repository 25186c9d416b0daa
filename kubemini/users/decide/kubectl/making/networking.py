"""Services and ingresses out of flags.

Models k/kubectl pkg/cmd/create createService createIngress.
"""

import re
from collections.abc import Callable
from typing import Any

from kubemini.users.decide.kubectl.asking import Steps, fail
from kubemini.users.decide.kubectl.flags import ARRAY, INT, LIST, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import Maker, headed, int_or_percent, port_pair

_RULE = re.compile(r"([^/]+)?/[^=,]*=[^:]+:[^,]+(,tls(=\S+)?)?")
_TCP = Flag("tcp", kind=LIST)


def _service(type: str) -> Callable[..., Steps]:
    def make(line: Line, given: Given, name: str) -> Steps:
        address = given.values.get("clusterip", "")
        if address == "None" and type != "ClusterIP":
            raise fail("ClusterIP=None can only be used with ClusterIP service type")
        if address != "None" and type != "ExternalName" and not given["tcp"]:
            raise fail("at least one tcp port specifier must be provided")
        made = headed("v1", "Service", name, given)
        made["metadata"]["labels"] = {"app": name}
        ports = [_port(text, given.values.get("node-port", 0)) for text in given["tcp"]]
        made["spec"] = {"selector": {"app": name}, "type": type}
        made["spec"] |= {"ports": ports} if ports else {}
        made["spec"] |= {"externalName": given["external-name"]} if type == "ExternalName" else {}
        made["spec"] |= {"clusterIP": address} if address else {}
        return made
        yield

    return make


def _port(text: str, node_port: int) -> dict[str, Any]:
    port, target = port_pair(text)
    made = {"name": text.replace(":", "-"), "port": port, "protocol": "TCP", "targetPort": target}
    return made | ({"nodePort": node_port} if node_port else {})


def _ingress(line: Line, given: Given, name: str) -> Steps:
    rules, default = given["rule"], given["default-backend"]
    if not (rules or default):
        raise fail(
            "not enough information provided: every ingress has to either specify a default-backend "
            "(which catches all traffic) or a list of rules (which catch specific paths)"
        )
    for rule in rules:
        if not _RULE.fullmatch(rule):
            raise fail(f"rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]")
    notes = {}
    for text in given["annotation"]:
        key, equals, value = text.partition("=")
        if not equals:
            raise fail(f"annotation {text} is invalid and should be in format key=[value]")
        notes[key] = value
    if default and default.count(":") != 1:
        raise fail("default-backend should be in format servicename:serviceport")
    made = headed("networking.k8s.io/v1", "Ingress", name, given)
    made["metadata"] |= {"annotations": notes} if notes else {}
    spec: dict[str, Any] = {"ingressClassName": given["class"]} if given["class"] else {}
    spec |= {"defaultBackend": _backend(default)} if default else {}
    made["spec"] = spec | _rules(rules)
    return made
    yield


def _rules(rules: list[str]) -> dict[str, Any]:
    hosts: dict[str, list[Any]] = {}
    secrets: dict[str, list[str]] = {}
    for rule in rules:
        where, _, tls = rule.partition(",")
        host, _, rest = where.partition("/")
        path, _, service = rest.partition("=")
        hosts.setdefault(host, []).append(_path(f"/{path}", service))
        if tls and host not in [one for found in secrets.values() for one in found]:
            secrets.setdefault(tls.partition("=")[2], []).extend([host] if host else [])
    made: dict[str, Any] = {}
    if secrets:
        made["tls"] = [
            ({"hosts": found} if found else {}) | ({"secretName": secret} if secret else {})
            for secret, found in secrets.items()
            if found or secret
        ]
    if hosts:
        made["rules"] = [({"host": host} if host else {}) | {"http": {"paths": paths}} for host, paths in hosts.items()]
    return made


def _path(path: str, service: str) -> dict[str, Any]:
    prefix = path.endswith("*")
    shown = path[:-1] if prefix else path
    return {"path": shown, "pathType": "Prefix" if prefix else "Exact", "backend": _backend(service)}


def _backend(text: str) -> dict[str, Any]:
    name, _, port = text.partition(":")
    number = int_or_percent(port)
    return {"service": {"name": name, "port": {"number" if isinstance(number, int) else "name": number}}}


MAKERS = {
    "ingress": Maker(
        _ingress,
        (Flag("class"), Flag("rule", kind=ARRAY), Flag("default-backend"), Flag("annotation", kind=ARRAY)),
        (),
        "failed to create ingress: ",
    ),
}
SERVICES = {
    word: Maker(_service(type), flags, must, f"failed to create {type} service: ")
    for word, type, flags, must in (
        ("clusterip", "ClusterIP", (_TCP, Flag("clusterip")), ()),
        ("nodeport", "NodePort", (_TCP, Flag("node-port", kind=INT)), ()),
        ("loadbalancer", "LoadBalancer", (_TCP,), ()),
        ("externalname", "ExternalName", (_TCP, Flag("external-name")), ("external-name",)),
    )
}
