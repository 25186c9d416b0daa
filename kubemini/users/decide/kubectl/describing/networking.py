"""Services, endpoint slices, ingresses and network policies described.

Models k/kubectl pkg/describe describeService describeEndpointSliceV1 describeNetworkPolicySpec;
IngressDescriber.describeIngressV1.
"""

from collections.abc import Iterator
from typing import Any

from kubemini.users.decide.kubectl.asking import Refused, Steps
from kubemini.users.decide.kubectl.describing import around
from kubemini.users.decide.kubectl.describing.page import NONE, Page, truth
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing.tables import joined
from kubemini.users.decide.kubectl.targets import Info, selector_of


def service(line: Line, info: Info, page: Page) -> Steps:
    """The page of a Service."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    slices = yield from around.slices_of(line, info.namespace, info.name)
    events = yield from around.events(line, info)
    page.head(obj)
    page.marks(obj)
    page.field("Selector", joined(spec.get("selector") or {}))
    page.field("Type", spec.get("type", ""))
    if spec.get("ipFamilyPolicy"):
        page.field("IP Family Policy", spec["ipFamilyPolicy"])
    page.field("IP Families", ",".join(spec.get("ipFamilies") or []) or NONE)
    page.field("IP", spec.get("clusterIP", ""))
    page.field("IPs", ",".join(spec.get("clusterIPs") or []) or NONE)
    if spec.get("externalIPs"):
        page.field("External IPs", ",".join(spec["externalIPs"]))
    for title, key in (("Desired LoadBalancer IP", "loadBalancerIP"), ("External Name", "externalName")):
        if spec.get(key):
            page.field(title, spec[key])
    reached = (status.get("loadBalancer") or {}).get("ingress") or []
    if reached:
        page.field("LoadBalancer Ingress", ", ".join(map(_reached, reached)))
    for port in spec.get("ports") or []:
        _port(page, port, slices)
    page.field("Session Affinity", spec.get("sessionAffinity", ""))
    for title, key in (
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
        ("HealthCheck NodePort", "healthCheckNodePort"),
    ):
        if spec.get(key):
            page.field(title, spec[key])
    if spec.get("loadBalancerSourceRanges"):
        page.field("LoadBalancer Source Ranges", ",".join(spec["loadBalancerSourceRanges"]))
    if spec.get("trafficDistribution"):
        page.field("Traffic Distribution", spec["trafficDistribution"])
    page.events(events)


def _reached(one: Any) -> str:
    mode = f" ({one['ipMode']})" if one.get("ipMode") else ""
    return f"{one['ip']}{mode}" if one.get("ip") else str(one.get("hostname", ""))


def _port(page: Page, port: Any, slices: list[Any]) -> None:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
    page.field("Port", f"{name}\t{port['port']}/{protocol}")
    page.field("TargetPort", f"{port.get('targetPort', 0)}/{protocol}")
    if port.get("appProtocol"):
        page.field("AppProtocol", port["appProtocol"])
    if port.get("nodePort"):
        page.field("NodePort", f"{name}\t{port['nodePort']}/{protocol}")
    page.field("Endpoints", around.endpoints(slices, port.get("name", "")))


def endpoint_slice(line: Line, info: Info, page: Page) -> Steps:
    """The page of an EndpointSlice."""
    obj = info.obj
    events = yield from around.events(line, info)
    page.head(obj)
    page.marks(obj)
    page.field("AddressType", obj.get("addressType", ""))
    ports = obj.get("ports") or []
    if not ports:
        page.line("Ports: <unset>")
    else:
        page.line("Ports:")
        rows = ((one.get("name") or "<unset>", one.get("port", "<unset>"), one.get("protocol", "TCP")) for one in ports)
        page.table(("Name", "Port", "Protocol"), rows)
    found = obj.get("endpoints") or []
    page.line("Endpoints:" if found else "Endpoints: <none>")
    for one in found:
        _endpoint(page, one)
    page.events(events)


def _endpoint(page: Page, one: Any) -> None:
    page.field("- Addresses", ", ".join(one.get("addresses") or []) or NONE, 1)
    page.line("Conditions:", 2)
    ready = (one.get("conditions") or {}).get("ready")
    page.field("Ready", "<unset>" if ready is None else truth(ready), 3)
    page.field("Hostname", one.get("hostname", "<unset>"), 2)
    target = one.get("targetRef")
    if target:
        page.field("TargetRef", f"{target.get('kind', '')}/{target.get('name', '')}", 2)
    page.field("NodeName", one.get("nodeName", "<unset>"), 2)
    page.field("Zone", one.get("zone", "<unset>"), 2)


# -- ingress -----------------------------------------------------------------------------------------------------------
def ingress(line: Line, info: Info, page: Page) -> Steps:
    """The page of an Ingress."""
    obj, spec = info.obj, info.obj.get("spec") or {}
    events = yield from around.events(line, info)
    default = spec.get("defaultBackend")
    behind = (yield from _backend(line, info.namespace, default)) if default else "<default>"
    page.field("Name", info.name)
    page.labels("Labels", obj["metadata"].get("labels"))
    page.field("Namespace", info.namespace)
    reached = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    page.field("Address", ",".join(sorted({one.get("ip") or one.get("hostname", "") for one in reached} - {""})))
    page.field("Ingress Class", spec.get("ingressClassName", NONE))
    page.field("Default backend", behind)
    if spec.get("tls"):
        page.line("TLS:")
        for one in spec["tls"]:
            hosts = ",".join(one.get("hosts") or [])
            page.line(f"{one['secretName']} terminates {hosts}" if one.get("secretName") else f"SNI routes {hosts}", 1)
    page.line("Rules:\n  Host\tPath\tBackends")
    page.line("----\t----\t--------", 1)
    rules = [rule for rule in spec.get("rules") or [] if rule.get("http")]
    for rule in rules:
        page.line(f"{rule.get('host') or '*'}\t", 1)
        for path in rule["http"].get("paths") or []:
            told = yield from _backend(line, info.namespace, path["backend"])
            page.line(f"\t{path.get('path', '')} \t{told}", 2)
    if not rules:
        page.line(f"*\t*\t{behind}", 1)
    page.annotations("Annotations", obj["metadata"].get("annotations"))
    page.events(events)


def _backend(line: Line, namespace: str, backend: Any) -> Steps:
    """``web:80 (10.0.0.1:80)``."""
    if backend.get("resource"):
        one = backend["resource"]
        return f"APIGroup: {one.get('apiGroup', NONE)}, Kind: {one['kind']}, Name: {one['name']}"
    one = backend["service"]
    port = one.get("port") or {}
    told = f"{one['name']}:{port.get('number') or port.get('name', '')}"
    try:
        slices = yield from around.slices_of(line, namespace, one["name"])
        there = yield from line.get((yield from line.known.find("services")), one["name"], namespace)
    except Refused as problem:
        return f"{told} (<error: {problem.message}>)"
    name = ""
    for wanted in there["spec"].get("ports") or []:
        if wanted.get("port") == port.get("number") or (port.get("name") and wanted.get("name") == port["name"]):
            name = wanted.get("name", "")
    return f"{told} ({around.endpoints(slices, name)})"


# -- network policy ----------------------------------------------------------------------------------------------------
def network_policy(line: Line, info: Info, page: Page) -> Steps:
    """The page of a NetworkPolicy."""
    obj, spec = info.obj, info.obj.get("spec") or {}
    page.head(obj)
    created = obj["metadata"].get("creationTimestamp", "")
    page.field("Created on", created.replace("T", " ").replace("Z", " +0000 UTC"))
    page.marks(obj)
    page.line("Spec:")
    chosen = selector_of(spec.get("podSelector") or {})
    everyone = "<none> (Allowing the specific traffic to all pods in this namespace)"
    page.line(f"PodSelector:     {chosen or everyone}", 1)
    types = spec.get("policyTypes") or []
    for kind, word, rules in (("Ingress", "ingress", spec.get("ingress")), ("Egress", "egress", spec.get("egress"))):
        if kind not in types:
            page.line(f"Not affecting {word} traffic", 1)
            continue
        page.line(f"Allowing {word} traffic:", 1)
        for text in _rules(rules or [], word):
            page.line("    " + text)
    page.line(f"Policy Types: {', '.join(types) or NONE}", 1)
    return
    yield


def _rules(rules: list[Any], word: str) -> Iterator[str]:
    if not rules:
        yield f"<none> (Selected pods are isolated for {word} connectivity)"
    key, title, what = ("from", "From", "source") if word == "ingress" else ("to", "To", "destination")
    for number, rule in enumerate(rules):
        yield from map(_allowed, rule.get("ports") or [None])
        if not rule.get(key):
            yield f"{title}: <any> (traffic not restricted by {what})"
        for peer in rule.get(key) or []:
            yield f"{title}:"
            yield from (f"  {text}" for text in _peer(peer))
        if number < len(rules) - 1:
            yield "----------"


def _allowed(port: Any) -> str:
    if port is None:
        return "To Port: <any> (traffic allowed to all ports)"
    protocol = port.get("protocol", "TCP")
    if port.get("endPort") is not None:
        return f"To Port Range: {port['port']}-{port['endPort']}/{protocol}"
    return f"To Port: {port.get('port', '<nil>')}/{protocol}"


def _peer(peer: Any) -> Iterator[str]:
    for title, key in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
        if peer.get(key) is not None:
            yield f"{title}: {selector_of(peer[key]) or NONE}"
    if peer.get("ipBlock"):
        yield "IPBlock:"
        yield f"  CIDR: {peer['ipBlock']['cidr']}"
        yield f"  Except: {', '.join(peer['ipBlock'].get('except') or [])}"
