"""EndpointSlice controller: which pods stand behind a Service, and whether each can take a request now.

Invariant: an endpoint is *ready* if its pod is ready and not on its way out; *serving* tells the first half alone, so
that a terminating pod can still be used when nothing else is left. A pod is listed as soon as it has an IP.
A Service without endpoints keeps one empty slice of each of its families. Pods that offer other ports stand in slices
of their own. How slices are packed: `packing`; hints: `hints`; what it remembers: `tracking`.
Models k/k pkg/controller/endpointslice Controller.syncService, Controller.checkNodeTopologyDistribution
Models k/endpointslice . Reconciler.Reconcile, podToEndpoint, getEndpointPorts
Simplified: how much CPU zones have is worked out when a Service asks for shares, or has some.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import ENDPOINT_SLICE, NODE, POD, SERVICE
from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, freeze, get
from kubemini.controllers.decide.actions import Plan, Tell, is_ready, terminating
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of
from kubemini.controllers.decide.dialogue import Dialogue, End
from kubemini.controllers.decide.networking import backing, hints, packing
from kubemini.controllers.decide.networking.backing import IPV4, MANAGED_BY
from kubemini.controllers.decide.networking.packing import Changes, Draft, Ports, Wanted
from kubemini.controllers.decide.networking.tracking import STALE, SliceTracker, TriggerTimes
from kubemini.sim.units import SECOND

US = "endpointslice-controller.k8s.io"
MIN_DELAY = SECOND  # endpointSliceChangeMinSyncDelay, after somebody else has changed a slice
BACKOFF = (SECOND, 1000 * SECOND)  # defaultSyncBackOff, maxSyncBackOff
Node = Callable[[str], Obj | None]


def endpoint(pod: Obj, service: Obj, node: Obj | None = None, family: str = IPV4) -> dict[str, Any]:
    """The entry of one pod in the slices of one address type."""
    serving, leaving, meta = is_ready(pod), terminating(pod), pod["metadata"]
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    entry: dict[str, Any] = {
        "addresses": backing.addresses(pod, family),
        "conditions": {"ready": publish or (serving and not leaving), "serving": serving, "terminating": leaving},
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }
    said = {
        "nodeName": get(pod, "spec", "nodeName"),
        "zone": get(node, "metadata", "labels", hints.ZONE),
        "hostname": backing.hostname(pod, service),
    }
    return entry | {part: value for part, value in said.items() if value}


def ports(service: Obj, pod: Obj) -> Ports:
    """The ports of the Service as this pod has them; one whose name the pod does not know is left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = backing.target_port(port, pod)
        if number is not None:
            found.append((port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol")))
    return packing.in_order(found)


def is_ours(slice: Obj, service: Obj) -> bool:
    """Whether this controller keeps the slice for *service*."""
    meta = slice["metadata"]
    wanted = {SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: US}
    return labels.contains(meta.get("labels"), wanted) and not terminating(slice)


@dataclass(slots=True)
class EndpointSlices:
    """The controller and what it remembers. *most*: --max-endpoints-per-slice."""

    most: int = 100
    tracker: SliceTracker = field(default_factory=lambda: SliceTracker(US))
    times: TriggerTimes = field(default_factory=TriggerTimes)
    topology: hints.Topology = field(default_factory=hints.Topology)
    weighed: bool = False  # whether `topology` knows today's nodes

    def decide(self, service: Obj, facts: Facts, caught_up: bool, now: int) -> Plan | Dialogue:
        """What makes the slices of a Service true."""
        if not backing.has_endpoints(service):
            return Plan()
        namespace = service["metadata"]["namespace"]
        slices = [one for one in facts.of_namespace(ENDPOINT_SLICE, namespace) if is_ours(one, service)]
        if hints.wants_shares(service):
            self._weigh(facts)
        pods = backing.behind(service, facts.of_namespace(POD, namespace))
        return self.look(service, pods, slices, lambda name: facts.get(NODE, ("", name)))

    def look(self, service: Obj, pods: list[Obj], slices: Iterable[Obj], node: Node) -> Dialogue:
        """What makes *slices*, its own, tell of *pods*, those behind it; *node*: by name."""
        known, ours = backing.families(service), sorted(slices, key=lambda found: found["metadata"]["name"])
        if self.tracker.stale(key_of(service), ours):
            return End(error=STALE)
        changed = self.times.of_change(service, pods)
        wrong: list[str] = []
        for kind in known:
            same = [found for found in ours if found["addressType"] == kind]
            changes, lacking = self._changes(service, kind, pods, same, node)
            told = self._hinted(service, kind, changes)
            changes = packing.recycled(changes, [found for found in same if _owned(found, service)])
            wrong += [*lacking, (yield from packing.carry_out(changes, changed, service, self.tracker))]
            for said in told:
                yield Tell(service, *said)
        old = [found for found in ours if found["addressType"] not in known]
        for found in old:
            self.topology.forget(key_of(service), found["addressType"])
        wrong.append((yield from packing.carry_out(Changes(doomed=old), None, service, self.tracker)))
        texts = list(dict.fromkeys(filter(None, wrong)))
        if not texts:
            return End()
        why = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        of = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        text = f"Error updating Endpoint Slices for Service {of}: {why}"
        yield Tell(service, "Warning", "FailedToUpdateEndpointSlices", text)
        return End(error=why)

    def _changes(
        self, service: Obj, kind: str, pods: Iterable[Obj], slices: list[Obj], node: Node
    ) -> tuple[Changes, list[str]]:
        """What becomes of the slices of one address type, hints apart; and which pods have no node."""
        wanted, lacking = _wanted(service, kind, pods, node)
        new = Draft(kind, packing.labels_of(service, not backing.has_cluster_ip(service), US), service, ())
        changes = Changes(doomed=[found for found in slices if not _owned(found, service)])
        there: dict[Ports, list[Obj]] = {}
        for found in slices:
            if _owned(found, service):
                there.setdefault(packing.ports_of(found), []).append(found)
        for key, endpoints in wanted.items():
            begun = Draft(kind, new.labels, service, key)
            changes.add(packing.packed(begun, there.get(key, ()), endpoints, self.most))
        changes.doomed += [found for key, some in there.items() if key not in wanted for found in some]
        if len(slices) == len(changes.doomed) and not changes.made:
            if len(slices) == 1 and _is_placeholder(slices[0], new):
                return Changes(kept=changes.doomed), lacking
            changes.made.append(new)
        return changes, lacking

    def _hinted(self, service: Obj, kind: str, changes: Changes) -> list[hints.Said]:
        """Give the endpoints of *changes* their hints; what is to be told of it."""
        key, distribution = key_of(service), service["spec"].get("trafficDistribution")
        if hints.wants_shares(service):
            return self.topology.share_out(key, kind, changes)
        told = self.topology.stop(key, kind)
        if distribution in (*hints.SAME_ZONE, hints.SAME_NODE):
            hints.distributed(distribution, changes)
        else:
            hints.taken_off(changes)
        return told

    # -- who is woken ------------------------------------------------------------------------------------------------
    def gone(self, key: Key, facts: Facts) -> Plan:
        """The Service is not there: the garbage collector sees to its slices."""
        self.times.forget(key)
        self.tracker.forget(key)
        return Plan()

    def of_node(self, node: Obj, facts: Facts) -> list[Key]:
        """The Services that ask too much of a zone, now that nodes have changed."""
        self.weighed = False
        if self.topology.given:
            self._weigh(facts)
        return self.topology.overloaded()

    def _weigh(self, facts: Facts) -> None:
        if not self.weighed:
            self.topology.set_nodes(facts.of_namespace(NODE, ""))
            self.weighed = True


def _wanted(service: Obj, kind: str, pods: Iterable[Obj], node: Node) -> tuple[dict[Ports, Wanted], list[str]]:
    """The endpoints of one address type by their ports, and what is to be said of pods whose node is not there."""
    groups: dict[Ports, Wanted] = {}
    lacking: list[str] = []
    for pod in pods:
        if not backing.stands(pod, True):
            continue
        group = groups.setdefault(ports(service, pod), {})
        name = get(pod, "spec", "nodeName", default="")
        found = node(name) if name else None
        if found is None and not service["spec"].get("publishNotReadyAddresses"):
            of = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
            lacking.append(f"skipping Pod {pod['metadata']['name']} for Service {of}: Node {name} Not Found")
        elif entry := endpoint(pod, service, found, kind):
            group |= {packing.identity(entry): entry} if entry["addresses"] else {}
    return groups, lacking


def _owned(slice: Obj, service: Obj) -> bool:
    """Whether it is this very Service's, not one's of the same name that is gone."""
    uid = service["metadata"]["uid"]
    references = slice["metadata"].get("ownerReferences") or ()
    return any(ref["uid"] == uid and ref["kind"] == "Service" and ref["apiVersion"] == "v1" for ref in references)


def _is_placeholder(slice: Obj, new: Draft) -> bool:
    """Whether it is as empty as a *new* one would be."""
    held = freeze(new.labels) == (slice["metadata"].get("labels") or {})
    return held and not slice.get("endpoints") and not slice.get("ports")


def node_matters(old: Obj | None, new: Obj | None) -> bool:
    """Whether a change of a node may change what its zone can bear."""
    if old is None or new is None:
        return True
    zones = [get(node, "metadata", "labels", hints.ZONE) for node in (old, new)]
    return is_ready(old) != is_ready(new) or zones[0] != zones[1]


def controller(most: int, batch: int) -> Controller:
    """A new one. *batch*: how long changes of pods are gathered before a Service is looked at (µs)."""
    ours = EndpointSlices(most)
    watches = (
        Watch(POD, backing.of_pod, change=backing.of_change, delay=batch),
        Watch(ENDPOINT_SLICE, backing.of_slice, when=ours.tracker.is_news, delay=max(MIN_DELAY, batch)),
        Watch(NODE, ours.of_node, when=node_matters),
    )
    return Controller(
        SERVICE,
        ours.decide,
        watches,
        gone=ours.gone,
        backoff=BACKOFF,
        source="endpoint-slice-controller",
    )
