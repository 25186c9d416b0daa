"""EndpointSliceMirroring controller: Endpoints that people make by hand, told as EndpointSlices too.

Invariant: only Endpoints of a Service without a selector are mirrored, one slice a family and set of ports; a mirror
is written whole, never added to. Without the Service, the Endpoints, or with the label skip-mirror, it goes.
Models k/k pkg/controller/endpointslicemirroring Controller.syncEndpoints
Models k/k pkg/controller/endpointslicemirroring reconciler.reconcile, reconciler.reconcileByPortMapping, recycleSlices
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE
from kubemini.api.labels import SERVICE_NAME, SKIP_MIRROR
from kubemini.api.objects import Obj
from kubemini.controllers.decide.actions import Delete, Tell
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of
from kubemini.controllers.decide.dialogue import Dialogue, End, words
from kubemini.controllers.decide.networking import backing, packing, subsets
from kubemini.controllers.decide.networking.backing import IPV4, IPV6, MANAGED_BY
from kubemini.controllers.decide.networking.endpoints import LEADER
from kubemini.controllers.decide.networking.packing import Changes, Draft, Ports, Wanted
from kubemini.controllers.decide.networking.tracking import STALE, TRIGGER_TIME, SliceTracker
from kubemini.sim.units import SECOND

US = "endpointslicemirroring-controller.k8s.io"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BACKOFF = (SECOND, 100 * SECOND)  # defaultSyncBackOff, maxSyncBackOff
Group = tuple[str, Ports]  # address type, ports


def is_mirrored(endpoints: Obj) -> bool:
    """Whether they may be mirrored at all."""
    meta = endpoints["metadata"]
    return (meta.get("labels") or {}).get(SKIP_MIRROR) != "true" and LEADER not in (meta.get("annotations") or {})


def endpoint(address: Obj, ready: bool) -> dict[str, Any] | None:
    """The endpoint of an address; None if that is no IP."""
    try:
        ip = str(ip_address(address.get("ip", "")))
    except ValueError:
        return None
    kept = {part: address[part] for part in ("targetRef", "nodeName", "hostname") if address.get(part)}
    return {"addresses": [ip], "conditions": {"ready": ready}, **kept}


def wanted(endpoints: Obj, most: int) -> tuple[dict[Group, Wanted], int, int]:
    """What is to be mirrored, by family and ports; how many addresses were no IPs, and how many were left out."""
    groups: dict[Group, Wanted] = {}
    wrong = left_out = 0
    for subset in subsets.repacked(endpoints.get("subsets") or ()):
        ports = packing.ports_of(subset)
        for family in (IPV4, IPV6):
            groups.setdefault((family, ports), {})
        sides = [(side, subset.get(side) or ()) for side in ("addresses", "notReadyAddresses")]
        added = 0
        for side, address in ((side, one) for side, some in sides for one in some):
            if added >= most:
                break
            entry = endpoint(address, side == "addresses")
            if entry is None:
                wrong += 1
                continue
            family = IPV6 if ":" in entry["addresses"][0] else IPV4
            groups[family, ports][packing.identity(entry)] = entry
            added += 1
        left_out += sum(len(some) for _, some in sides) - added
    return groups, wrong, left_out


@dataclass(slots=True)
class Mirrors:
    """The controller and what it remembers. *most*: --mirroring-max-endpoints-per-subset."""

    most: int = 1000
    tracker: SliceTracker = field(default_factory=lambda: SliceTracker(US))

    def decide(self, endpoints: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
        """What makes the mirror of *endpoints* true."""
        key = key_of(endpoints)
        service, slices = facts.get(SERVICE, key), self._slices(key, facts)
        if not is_mirrored(endpoints) or service is None or service["spec"].get("selector"):
            return (yield from self._take_away(key, slices))
        if self.tracker.stale(key, slices):
            return End(error=STALE)
        groups, wrong, left_out = wanted(endpoints, self.most)
        if wrong:
            text = f"Skipped {wrong} invalid IP addresses when mirroring to EndpointSlices"
            yield Tell(endpoints, "Warning", "InvalidIPAddress", text)
        if left_out > wrong:
            text = f"A max of {self.most} addresses can be mirrored to EndpointSlices per Endpoints subset. "
            yield Tell(endpoints, "Warning", "TooManyAddressesToMirror", f"{text}{left_out} addresses were skipped")
        changes = self._changes(endpoints, groups, slices)
        why = yield from packing.carry_out(changes, None, endpoints, self.tracker)
        return End(error=why or None)

    def gone(self, key: Key, facts: Facts) -> Dialogue:
        """The Endpoints are not there: their mirror goes."""
        return (yield from self._take_away(key, self._slices(key, facts)))

    def _slices(self, key: Key, facts: Facts) -> list[Obj]:
        mine = {SERVICE_NAME: key[1], MANAGED_BY: US}
        found = facts.of_namespace(ENDPOINT_SLICE, key[0])
        ours = [one for one in found if labels.contains(one["metadata"].get("labels"), mine)]
        return sorted(ours, key=lambda one: one["metadata"]["name"])

    def _take_away(self, key: Key, slices: Iterable[Obj]) -> Dialogue:
        """There is to be no mirror."""
        self.tracker.forget(key)
        failed = []
        some = list(slices)
        for found in some:
            answer = yield Delete(found)
            failed += [words(answer.error)] if answer.error is not None else []
        if not failed:
            return End()
        of = f"{len(failed)}/{len(some)} EndpointSlices for {'/'.join(key)} Endpoints"
        return End(error=f"error(s) deleting {of}, including: {failed[0]}")

    def _changes(self, endpoints: Obj, groups: Mapping[Group, Wanted], slices: Iterable[Obj]) -> Changes:
        there: dict[Group, list[Obj]] = {}
        for found in slices:
            there.setdefault((found["addressType"], packing.ports_of(found)), []).append(found)
        changes = Changes()
        for group, some in groups.items():
            self._mirror(endpoints, group, some, there.pop(group, []), changes)
        changes.doomed += [found for rest in there.values() for found in rest]
        return _recycled(changes)

    def _mirror(self, endpoints: Obj, group: Group, some: Wanted, found: list[Obj], changes: Changes) -> None:
        """One slice for *some*, of those that are *found* the first, if it is not as it should be."""
        changes.doomed += found[1:] if some else found
        if not some or (found and self._is_mirror(endpoints, found[0], some)):
            return
        draft = Draft(group[0], _labels(endpoints), endpoints, group[1], annotations=_notes(endpoints))
        draft.endpoints = list(some.values())[: self.most]
        if found:
            draft.name = found[0]["metadata"]["name"]
            changes.changed.append(draft)
        else:
            changes.made.append(draft)

    def _is_mirror(self, endpoints: Obj, slice: Obj, some: Wanted) -> bool:
        """Whether *slice* tells all that *endpoints* do."""
        meta, before = slice["metadata"], {packing.identity(one): one for one in slice.get("endpoints") or ()}
        own = {k: v for k, v in (meta.get("labels") or {}).items() if k not in (MANAGED_BY, SERVICE_NAME)}
        uids = [r["uid"] for r in meta.get("ownerReferences") or () if r["kind"] == ENDPOINTS.kind]
        same = before.keys() == some.keys() and all(packing.same(one, before[who]) for who, one in some.items())
        return (
            same
            and own == (endpoints["metadata"].get("labels") or {})
            and _notes(endpoints) == (meta.get("annotations") or {})
            and all(uid == endpoints["metadata"]["uid"] for uid in uids)
        )


def _labels(endpoints: Obj) -> dict[str, str]:
    meta = endpoints["metadata"]
    return {**(meta.get("labels") or {}), SERVICE_NAME: meta["name"], MANAGED_BY: US}


def _notes(endpoints: Obj) -> dict[str, str]:
    """The annotations that are mirrored."""
    held = endpoints["metadata"].get("annotations") or {}
    return {key: value for key, value in held.items() if key not in (TRIGGER_TIME, APPLIED)}


def _recycled(changes: Changes) -> Changes:
    """A slice that would be deleted takes one that would be made, if it is of the same address type."""
    doomed, made = list(changes.doomed), list[Draft]()
    for draft in changes.made:
        found = next((one for one in doomed if one["addressType"] == draft.kind), None)
        if found is None:
            made.append(draft)
        else:
            doomed.remove(found)
            draft.name = found["metadata"]["name"]
            changes.changed.append(draft)
    return Changes(made, changes.changed, doomed)


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_service(service: Obj, facts: Facts) -> list[Key]:
    """The Endpoints of the same name."""
    return [key_of(service)]


def service_matters(old: Obj | None, new: Obj | None) -> bool:
    """Whether a Service without a selector has come or gone, or has become one."""
    bare = [not one["spec"].get("selector") for one in (old, new) if one is not None]
    return any(bare) if len(bare) == 1 else bare[0] != bare[1]


def endpoints_matter(old: Obj | None, new: Obj | None) -> bool:
    """Whether a change of Endpoints concerns a mirror."""
    return any(is_mirrored(one) for one in (old, new) if one is not None)


def controller() -> Controller:
    """A new one."""
    ours = Mirrors()
    watches = (
        Watch(SERVICE, of_service, when=service_matters),
        Watch(ENDPOINT_SLICE, backing.of_slice, when=ours.tracker.is_news),
    )
    return Controller(
        ENDPOINTS,
        ours.decide,
        watches,
        when=endpoints_matter,
        gone=ours.gone,
        backoff=BACKOFF,
        source="endpoint-slice-mirroring-controller",
    )
