"""EndpointSlice controller: which pods stand behind a Service, and whether each can take a request now.

Invariant: an endpoint is *ready* if its pod is ready and not on its way out; *serving* tells the first half alone, so
that a terminating pod can still be used when nothing else is left. A pod is listed as soon as it has an IP.
Models k/endpointslice . Reconciler.Reconcile
A Service without endpoints keeps one empty slice.
Each family of a Service has slices of its own.
Models k/endpointslice . getAddressTypesForService, getEndpointAddresses
Simplified: no Endpoints objects; a node that is relabelled is looked at with the next change of its pods; not the
annotation service.kubernetes.io/topology-mode, which shares zones out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import ENDPOINT_SLICE, NODE, POD, SERVICE
from kubemini.api.objects import EMPTY, Obj, evolve, evolve_many, freeze, get
from kubemini.controllers.decide.actions import (
    Action,
    Create,
    Delete,
    Plan,
    Update,
    is_finished,
    is_ready,
    owner_reference,
    terminating,
)
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
US = "endpointslice-controller.k8s.io"
ZONE = "topology.kubernetes.io/zone"
SAME_ZONE = ("PreferClose", "PreferSameZone")  # the first is the older word for the second
SAME_NODE = "PreferSameNode"
IPV4, IPV6 = "IPv4", "IPv6"
MOST = 100  # --max-endpoints-per-slice
Ports = tuple[tuple[str, int, str], ...]  # name, number, protocol of each


def decide(service: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """What makes the slices of a Service true."""
    namespace = service["metadata"]["namespace"]
    pods, slices = facts.of_namespace(POD, namespace), facts.of_namespace(ENDPOINT_SLICE, namespace)
    return plan(service, pods, slices, caught_up, lambda node: zone_of(facts, node))


def zone_of(facts: Facts, node: str) -> str:
    """The zone that a node's label names; "" if nothing does."""
    return get(facts.get(NODE, ("", node)), "metadata", "labels", ZONE, default="") if node else ""


def no_zone(_: str) -> str:
    """Nobody knows where a node stands."""
    return ""


def plan(
    service: Obj,
    pods: Iterable[Obj],
    slices: Iterable[Obj],
    caught_up: bool,
    zone: Callable[[str], str] = no_zone,
) -> Plan:
    """What makes the *slices* of *service* tell which of *pods* (of its namespace) stand behind it.

    *zone* says in which zone a node is.
    """
    if terminating(service) or not service["spec"].get("selector") or not caught_up:
        return Plan()
    pods, known = list(pods), address_types(service)
    ours = [found for found in sorted(slices, key=lambda found: found["metadata"]["name"]) if is_ours(found, service)]
    actions: list[Action] = []
    for kind in known:
        same = [found for found in ours if found["addressType"] == kind]
        actions += _of_one_family(service, kind, by_ports(service, pods, zone, kind), same)
    return Plan((*actions, *(Delete(found) for found in ours if found["addressType"] not in known)))


def _of_one_family(service: Obj, kind: str, wanted: dict[Ports, list[Obj]], slices: Iterable[Obj]) -> list[Action]:
    """What makes the slices of one address type tell of the endpoints that are *wanted* there."""
    there: dict[Ports, list[Obj]] = {}
    for found in slices:
        there.setdefault(ports_of(found), []).append(found)
    steps: list[Action] = []
    for key in [*wanted, *(key for key in there if key not in wanted)]:
        steps += fill(service, kind, key, wanted.get(key, []), there.get(key, []))
    return thrifty(service, kind, steps, bool(there))


def address_types(service: Obj) -> tuple[str, ...]:
    """The address types of its slices: its families."""
    return tuple(service["spec"].get("ipFamilies") or (IPV4,))


def ports_of(slice: Obj) -> Ports:
    """The ports that a slice names."""
    named = slice.get("ports") or ()
    return tuple((port.get("name") or "", port.get("port") or 0, port.get("protocol") or "TCP") for port in named)


def by_ports(
    service: Obj, pods: Iterable[Obj], zone: Callable[[str], str] = no_zone, kind: str = IPV4
) -> dict[Ports, list[Obj]]:
    """The endpoints of one address type, grouped by the ports of their pods: those of a slice have the same ports."""
    groups: dict[Ports, list[Obj]] = {}
    for pod in pods:
        if belongs(pod, service) and addresses(pod, kind):
            groups.setdefault(ports(service, pod), []).append(endpoint(pod, service, zone, kind))
    return groups


def addresses(pod: Obj, kind: str) -> list[str]:
    """The addresses of *pod* in one family; a status that names but one says it all."""
    named = [entry["ip"] for entry in get(pod, "status", "podIPs") or ()] or [pod["status"]["podIP"]]
    return [ip for ip in named if (":" in ip) == (kind == IPV6)]


def is_ours(slice: Obj, service: Obj) -> bool:
    """Whether this controller made the slice for *service*."""
    meta = slice["metadata"]
    wanted = {SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: US}
    return labels.contains(meta.get("labels"), wanted) and not terminating(slice)


def belongs(pod: Obj, service: Obj) -> bool:
    """Whether *pod* is to be listed."""
    if not get(pod, "status", "podIP") or is_finished(pod):
        return False
    return labels.contains(pod["metadata"].get("labels"), service["spec"]["selector"])


def endpoint(pod: Obj, service: Obj, zone: Callable[[str], str] = no_zone, kind: str = IPV4) -> Obj:
    """The entry of one pod in the slices of one address type."""
    serving, leaving, meta = is_ready(pod), terminating(pod), pod["metadata"]
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    node = get(pod, "spec", "nodeName", default="")
    entry = {
        "addresses": addresses(pod, kind),
        "conditions": {"ready": publish or (serving and not leaving), "serving": serving, "terminating": leaving},
        "nodeName": node,
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }
    if where := zone(node):
        entry["zone"] = where
    if hinted := hints(service["spec"].get("trafficDistribution"), entry):
        entry["hints"] = hinted
    return entry


def hints(distribution: str | None, endpoint: Obj) -> dict[str, Any] | None:
    """The hints of a ready *endpoint* of a slice; None for none.

    A hint names the endpoint's own zone, or node, and nobody else's: nothing is balanced by it. PreferSameNode names
    the node, and the zone for kube-proxies that know no hints of nodes.
    Models k/endpointslice trafficdist ReconcileHints
    """
    if distribution not in (*SAME_ZONE, SAME_NODE) or not endpoint["conditions"].get("ready"):
        return None
    found: dict[str, Any] = {}
    if endpoint.get("zone"):
        found["forZones"] = [{"name": endpoint["zone"]}]
    if endpoint.get("nodeName") and distribution == SAME_NODE:
        found["forNodes"] = [{"name": endpoint["nodeName"]}]
    return found or None


def ports(service: Obj, pod: Obj) -> Ports:
    """The ports of the service as this pod has them: a named ``targetPort`` is looked up in its containers."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = target_port(port, pod)
        if number is not None:
            found.append((port.get("name", ""), number, port.get("protocol", "TCP")))
    return tuple(found)


def target_port(port: Obj, pod: Obj) -> int | None:
    """The number of the pod's port behind a port of a service; None if the pod has no port of that name."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    offered = (p for container in pod["spec"]["containers"] for p in container.get("ports") or ())
    same = (p for p in offered if p.get("name") == target and p.get("protocol", "TCP") == port.get("protocol", "TCP"))
    return next((p["containerPort"] for p in same), None)


def fill(service: Obj, kind: str, key: Ports, wanted: Sequence[Obj], slices: Sequence[Obj]) -> list[Action]:
    """Keep every endpoint in the slice it is in; put new ones where there is room, the rest into new slices."""
    left = {entry["targetRef"]["uid"]: entry for entry in wanted}
    contents: list[list[Obj]] = []
    for found in slices:
        here = (get(entry, "targetRef", "uid") for entry in found.get("endpoints") or ())
        contents.append([left.pop(uid) for uid in here if uid in left])
    for content in contents:
        while left and len(content) < MOST:
            content.append(left.pop(next(iter(left))))
    steps: list[Action] = []
    for found, content in zip(slices, contents):
        if not content:
            steps.append(Delete(found))
        elif content != found.get("endpoints"):
            steps.append(Update(evolve(found, ("endpoints",), content)))
    rest = list(left.values())
    return steps + [Create(new_slice(service, kind, key, rest[at : at + MOST])) for at in range(0, len(rest), MOST)]


def thrifty(service: Obj, kind: str, steps: Sequence[Action], any_there: bool) -> list[Action]:
    """The same with fewer writes: what would be deleted is rewritten instead; the last slice stays, empty."""
    doomed = [step.obj for step in steps if isinstance(step, Delete)]
    made = [step.obj for step in steps if isinstance(step, Create)]
    kept = [step for step in steps if isinstance(step, Update)]
    if not made and not kept and (doomed or not any_there):
        made = [new_slice(service, kind, (), [])]
    rewritten = [Update(evolve_many(old, *_content(new))) for old, new in zip(doomed, made) if not _same(old, new)]
    return [
        *rewritten,
        *kept,
        *(Create(new) for new in made[len(doomed) :]),
        *(Delete(old) for old in doomed[len(made) :]),
    ]


def _content(slice: Obj) -> tuple[tuple[tuple[str, ...], Any], ...]:
    return tuple(((part,), slice[part]) for part in ("endpoints", "ports"))


def _same(old: Obj, new: Obj) -> bool:
    return all((old.get(part) or []) == new[part] for part in ("endpoints", "ports"))


def new_slice(service: Obj, kind: str, key: Ports, endpoints: Sequence[Obj]) -> Obj:
    """A slice of *service*; the API server completes its name."""
    meta = service["metadata"]
    return freeze(
        {
            "apiVersion": ENDPOINT_SLICE.api_version,
            "kind": ENDPOINT_SLICE.kind,
            "metadata": {
                "generateName": meta["name"] + "-",
                "namespace": meta["namespace"],
                "labels": {**(meta.get("labels") or EMPTY), SERVICE_NAME: meta["name"], MANAGED_BY: US},
                "ownerReferences": [owner_reference(service)],
            },
            "addressType": kind,
            "endpoints": list(endpoints),
            "ports": [{"name": name, "port": number, "protocol": protocol} for name, number, protocol in key],
        }
    )


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The Services whose selector picks a pod."""
    here, carried = facts.of_namespace(SERVICE, pod["metadata"]["namespace"]), pod["metadata"].get("labels")
    chosen = ((found, found["spec"].get("selector")) for found in here)
    return [key_of(found) for found, selector in chosen if selector and labels.contains(carried, selector)]


def of_slice(slice: Obj, facts: Facts) -> list[Key]:
    """The Service that a slice says it belongs to."""
    name = get(slice, "metadata", "labels", SERVICE_NAME)
    return [(slice["metadata"]["namespace"], name)] if name else []


CONTROLLER = Controller(SERVICE, decide, (Watch(POD, of_pod), Watch(ENDPOINT_SLICE, of_slice, made_here=True)))
