"""EndpointSlice controller: which pods stand behind a Service, and whether each can take a request now.

Invariant: an endpoint is *ready* if its pod is ready and not on its way out; *serving* tells the first half alone, so
that a terminating pod can still be used when nothing else is left. A pod is listed as soon as it has an IP.
Models k/endpointslice . Reconciler.Reconcile
A Service without endpoints keeps one empty slice.
Simplified: IPv4, no topology hints, no zones of pods, no Endpoints objects.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import ENDPOINT_SLICE, POD, SERVICE
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
MOST = 100  # --max-endpoints-per-slice
Ports = tuple[tuple[str, int, str], ...]  # name, number, protocol of each


def decide(service: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """What makes the slices of a Service true."""
    namespace = service["metadata"]["namespace"]
    pods, slices = facts.of_namespace(POD, namespace), facts.of_namespace(ENDPOINT_SLICE, namespace)
    return plan(service, pods, slices, caught_up, now)


def plan(service: Obj, pods: Iterable[Obj], slices: Iterable[Obj], caught_up: bool, now: int) -> Plan:
    """What makes the *slices* of *service* tell which of *pods* (of its namespace) stand behind it."""
    if terminating(service) or not service["spec"].get("selector") or not caught_up:
        return Plan()
    wanted = by_ports(service, pods)
    there: dict[Ports, list[Obj]] = {}
    for found in sorted(slices, key=lambda found: found["metadata"]["name"]):
        if is_ours(found, service):
            there.setdefault(ports_of(found), []).append(found)
    steps: list[Action] = []
    for key in [*wanted, *(key for key in there if key not in wanted)]:
        steps += fill(service, key, wanted.get(key, []), there.get(key, []))
    return Plan(tuple(thrifty(service, steps, bool(there))))


def ports_of(slice: Obj) -> Ports:
    """The ports that a slice names."""
    named = slice.get("ports") or ()
    return tuple((port.get("name") or "", port.get("port") or 0, port.get("protocol") or "TCP") for port in named)


def by_ports(service: Obj, pods: Iterable[Obj]) -> dict[Ports, list[Obj]]:
    """The endpoints, grouped by the ports of their pods: those of a slice have the same ports."""
    groups: dict[Ports, list[Obj]] = {}
    for pod in pods:
        if belongs(pod, service):
            groups.setdefault(ports(service, pod), []).append(endpoint(pod, service))
    return groups


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


def endpoint(pod: Obj, service: Obj) -> Obj:
    """The entry of one pod."""
    serving, leaving, meta = is_ready(pod), terminating(pod), pod["metadata"]
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": publish or (serving and not leaving), "serving": serving, "terminating": leaving},
        "nodeName": get(pod, "spec", "nodeName", default=""),
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }


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


def fill(service: Obj, key: Ports, wanted: Sequence[Obj], slices: Sequence[Obj]) -> list[Action]:
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
    return steps + [Create(new_slice(service, key, rest[at : at + MOST])) for at in range(0, len(rest), MOST)]


def thrifty(service: Obj, steps: Sequence[Action], any_there: bool) -> list[Action]:
    """The same with fewer writes: what would be deleted is rewritten instead; the last slice stays, empty."""
    doomed = [step.obj for step in steps if isinstance(step, Delete)]
    made = [step.obj for step in steps if isinstance(step, Create)]
    kept = [step for step in steps if isinstance(step, Update)]
    if not made and not kept and (doomed or not any_there):
        made = [new_slice(service, (), [])]
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


def new_slice(service: Obj, key: Ports, endpoints: Sequence[Obj]) -> Obj:
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
            "addressType": "IPv4",
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
