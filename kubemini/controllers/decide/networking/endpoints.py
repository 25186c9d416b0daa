"""Endpoints controller: the older form of EndpointSlices, one object a Service, of its first family only.

Invariant: a pod is listed as ready or not; one on its way out is not listed, unless the Service publishes whoever is
not ready. Of more than 1,000 addresses the rest is left out, and an annotation says so.
Models k/k pkg/controller/endpoint Controller.syncService, podToEndpointAddressForService, labelsCorrectForEndpoints
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.kinds import ENDPOINTS, POD, SERVICE
from kubemini.api.objects import Obj, evolve_many, freeze, get
from kubemini.controllers.decide.actions import Create, Delete, Plan, Tell, Update, is_ready
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of
from kubemini.controllers.decide.dialogue import Dialogue, End, namespace_is_ending, not_found, words
from kubemini.controllers.decide.networking import backing, subsets
from kubemini.controllers.decide.networking.tracking import TRIGGER_TIME, StaleEndpoints, TriggerTimes

MANAGED_BY, US = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
LEADER = "control-plane.alpha.kubernetes.io/leader"  # Endpoints that are somebody's Lease
Subsets = list[dict[str, Any]]


def address(service: Obj, pod: Obj) -> dict[str, Any] | None:
    """The address of a pod in the first family of *service*; None if it has none there."""
    found = backing.addresses(pod, backing.families(service)[0])
    meta = pod["metadata"]
    if not found:
        return None
    target = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    name = backing.hostname(pod, service)
    said = {"hostname": name} if name else {}
    return {"ip": found[0], **said, "nodeName": get(pod, "spec", "nodeName", default=""), "targetRef": target}


def wanted(service: Obj, pods: Iterable[Obj]) -> Subsets:
    """The subsets that tell of *pods*, those behind *service*."""
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    found: Subsets = []
    for pod in pods:
        entry = address(service, pod) if backing.stands(pod, publish) else None
        if entry is None:
            continue
        side = "addresses" if publish or is_ready(pod) else "notReadyAddresses"
        ports = service["spec"].get("ports") or ()
        if not ports and service["spec"].get("clusterIP") == "None":
            found.append({side: [entry]})
        for port in ports:
            number = backing.target_port(port, pod)
            if number is not None:
                said = {part: port[part] for part in ("name", "appProtocol") if port.get(part)}
                named = {**said, "port": number, "protocol": port.get("protocol", "TCP")}
                found.append({side: [entry], "ports": [named]})
    return subsets.repacked(found)


def _in_order(found: Obj, service: Obj, due: Subsets) -> bool:
    """Whether *found* says all that it should."""
    held, own = found["metadata"].get("labels") or {}, service["metadata"].get("labels") or {}
    rest = {k: v for k, v in held.items() if k not in (backing.HEADLESS, MANAGED_BY)}
    said = list(found.get("subsets") or ())
    many = sum(subsets.counted(said, side) for side in ("addresses", "notReadyAddresses")) > subsets.MOST
    noted = OVER_CAPACITY in (found["metadata"].get("annotations") or {})
    same = freeze(due) in (said, freeze(subsets.repacked(said)))
    return same and held.get(MANAGED_BY) == US and rest == own and not many and not noted


@dataclass(slots=True)
class EndpointsOfServices:
    """The controller and what it remembers."""

    tracker: StaleEndpoints = field(default_factory=StaleEndpoints)
    times: TriggerTimes = field(default_factory=TriggerTimes)

    def decide(self, service: Obj, facts: Facts, caught_up: bool, now: int) -> Plan | Dialogue:
        """What makes the Endpoints of a Service true."""
        if not backing.has_endpoints(service):
            return Plan()
        pods = backing.behind(service, facts.of_namespace(POD, service["metadata"]["namespace"]))
        changed, key = self.times.of_change(service, pods), key_of(service)
        found, due = facts.get(ENDPOINTS, key), wanted(service, pods)
        if found is not None and self.tracker.stale(found):
            version = f"resource version {found['metadata']['resourceVersion']}"
            late = f"endpoints informer cache is out of date, {version} already processed for endpoints {'/'.join(key)}"
            return _ended(late)
        if found is not None and _in_order(found, service, due):
            return Plan()
        return self._write(service, found, due, changed)

    def _write(self, service: Obj, found: Obj | None, due: Subsets, changed: str) -> Dialogue:
        """Make them, or change those that are *found*; *changed*: when that happened which is told."""
        obj = _due(service, found, due, changed)
        step = Create(obj) if found is None else Update(obj)
        answer = yield step
        if answer.error is None:
            self.tracker.heard(step, answer.obj or obj)
            return End()
        if found is None and namespace_is_ending(answer.error):
            return End()
        of = f"{service['metadata']['namespace']}/{service['metadata']['name']}: {words(answer.error)}"
        if found is None:
            yield Tell(obj, "Warning", "FailedToCreateEndpoint", f"Failed to create endpoint for service {of}")
        else:
            yield Tell(obj, "Warning", "FailedToUpdateEndpoint", f"Failed to update endpoint {of}")
        return End(error=answer.error)

    def gone(self, key: Key, facts: Facts) -> Dialogue:
        """The Service is not there: its Endpoints go."""
        meta = {"namespace": key[0], "name": key[1]}
        named = freeze({"apiVersion": ENDPOINTS.api_version, "kind": ENDPOINTS.kind, "metadata": meta})
        answer = yield Delete(named)
        if answer.error is not None and not not_found(answer.error):
            return End(error=answer.error)
        self.times.forget(key)
        self.tracker.forget(key)
        return End()


def _ended(error: str) -> Dialogue:
    """A look that comes to nothing, and calls for another."""
    return End(error=error)
    yield


def _due(service: Obj, found: Obj | None, due: Subsets, changed: str) -> Obj:
    """The object as it is to be written."""
    meta = service["metadata"]
    bare = {} if backing.has_cluster_ip(service) else {backing.HEADLESS: ""}
    own = {k: v for k, v in (meta.get("labels") or {}).items() if k != backing.HEADLESS}
    cut = subsets.truncated(due)
    noted = dict(get(found, "metadata", "annotations", default=None) or {})
    noted = {k: v for k, v in noted.items() if k not in (TRIGGER_TIME, OVER_CAPACITY)}
    noted |= {TRIGGER_TIME: changed} if changed else {}
    noted |= {OVER_CAPACITY: "truncated"} if cut is not due else {}
    named = {"namespace": meta["namespace"], "name": meta["name"]}
    begun = found or freeze({"apiVersion": ENDPOINTS.api_version, "kind": ENDPOINTS.kind, "metadata": named})
    return evolve_many(
        begun,
        (("metadata", "labels"), {**own, **bare, MANAGED_BY: US}),
        (("metadata", "annotations"), noted or None),
        (("subsets",), cut or None),
    )


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_endpoints(endpoints: Obj, facts: Facts) -> list[Key]:
    """The Service of the same name."""
    return [key_of(endpoints)]


def _deleted(old: Obj | None, new: Obj | None) -> bool:
    return new is None


def leftovers(facts: Facts) -> list[Key]:
    """All Endpoints: some may be of Services that went while nobody looked."""
    some = facts.every(ENDPOINTS)
    return [key_of(one) for one in some if LEADER not in (one["metadata"].get("annotations") or {})]


def controller(batch: int) -> Controller:
    """A new one. *batch*: how long changes of pods are gathered before a Service is looked at (µs)."""
    ours = EndpointsOfServices()
    watches = (
        Watch(POD, backing.of_pod, change=backing.of_change, delay=batch),
        Watch(ENDPOINTS, of_endpoints, when=_deleted),
    )
    return Controller(SERVICE, ours.decide, watches, gone=ours.gone, leftovers=leftovers, source=US)
