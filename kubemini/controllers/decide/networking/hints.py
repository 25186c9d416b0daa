"""Hints: whose traffic an endpoint is for. By the field trafficDistribution, or shared out by CPU between zones. Pure.

    trafficDistribution   PreferClose, PreferSameZone: its own zone; PreferSameNode: its own node
                          besides. Nothing is balanced, and nothing is told.
    topology-mode: Auto   each zone is to have its share by CPU; an endpoint may be given to another
                          zone. Where a zone would be overloaded by 20 %, nobody has hints. Events
                          tell of it.

Invariant: only ready endpoints get hints, and with Auto all of them or none.
Models k/endpointslice trafficdist ReconcileHints
Models k/endpointslice topologycache TopologyCache.AddHints, TopologyCache.SetNodes, RemoveHintsFromSlices
Simplified: of zones that are equal the first by name gives, or gets, where the real one takes any.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.api.quantity import millicores
from kubemini.controllers.decide.actions import is_ready
from kubemini.controllers.decide.controller import Key
from kubemini.controllers.decide.networking.packing import Changes, draft_of

ZONE = "topology.kubernetes.io/zone"
CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
SAME_ZONE, SAME_NODE = ("PreferClose", "PreferSameZone"), "PreferSameNode"  # PreferClose: its older name
MODE, OLD_MODE = "service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"
OVERLOAD = 0.2  # overloadThreshold: of its share, what a zone may have to bear too much
Said = tuple[str, str, str]  # type, reason, message of an Event


# -- trafficDistribution -----------------------------------------------------------------------------------------------
def own(distribution: str | None, endpoint: Obj) -> dict[str, Any] | None:
    """The hints of a ready *endpoint* by a Service's trafficDistribution; None for none."""
    if distribution not in (*SAME_ZONE, SAME_NODE) or not ready(endpoint):
        return None
    found: dict[str, Any] = {}
    if endpoint.get("zone"):
        found["forZones"] = [{"name": endpoint["zone"]}]
    if endpoint.get("nodeName") and distribution == SAME_NODE:
        found["forNodes"] = [{"name": endpoint["nodeName"]}]
    return found or None


def distributed(distribution: str, changes: Changes) -> None:
    """Give every ready endpoint of *changes* its hints."""
    _revise(changes, lambda slice: any(ready(one) and _hints(one) != own(distribution, one) for one in _all(slice)))
    for draft in (*changes.made, *changes.changed):
        for one in draft.endpoints:
            if ready(one):
                _hint(one, own(distribution, one))


def taken_off(changes: Changes) -> None:
    """Nobody has hints any more."""
    _revise(changes, lambda slice: any(_hints(one) for one in _all(slice)))
    for draft in (*changes.made, *changes.changed):
        for one in draft.endpoints:
            one.pop("hints", None)


def _revise(changes: Changes, wrong: Callable[[Obj], bool]) -> None:
    """Slices that would stay but are *wrong* are changed as well."""
    changes.changed += [draft_of(found) for found in changes.kept if wrong(found)]
    changes.kept = [found for found in changes.kept if not wrong(found)]


def _all(slice: Obj) -> Iterable[Obj]:
    return slice.get("endpoints") or ()


def ready(endpoint: Obj) -> bool:
    """Whether it says so."""
    return bool(get(endpoint, "conditions", "ready"))


def _hints(endpoint: Obj) -> Obj | None:
    return endpoint.get("hints") or None


def _hint(endpoint: dict[str, Any], hints: Mapping[str, Any] | None) -> None:
    endpoint.pop("hints", None)
    endpoint |= {"hints": hints} if hints else {}


# -- topology-mode: Auto -----------------------------------------------------------------------------------------------
def wants_shares(service: Obj) -> bool:
    """Whether its annotation asks that zones get their shares."""
    notes = service["metadata"].get("annotations") or {}
    return notes.get(OLD_MODE, notes.get(MODE)) in ("Auto", "auto")


class Share(NamedTuple):
    """How many endpoints a zone is to have."""

    least: int
    wanted: float


class Impossible(Exception):
    """Zones cannot have their shares; the text says why."""


@dataclass(slots=True)
class Topology:
    """How much CPU each zone has, and which Service has given how many endpoints to which zone, by address type."""

    ratios: dict[str, float] = field(default_factory=dict)
    given: dict[Key, dict[str, dict[str, int]]] = field(default_factory=dict)
    hinted: dict[Key, None] = field(default_factory=dict)  # those whose endpoints have hints

    def set_nodes(self, nodes: Iterable[Obj]) -> None:
        """These are there: ready ones that are no control plane count; if one of them says too little, none does."""
        cpus: dict[str, int] = {}
        self.ratios = {}
        for node in nodes:
            labels = node["metadata"].get("labels") or {}
            if any(role in labels for role in CONTROL_PLANE) or not is_ready(node):
                continue
            cpu = millicores(get(node, "status", "allocatable", "cpu"))
            if not labels.get(ZONE) or not cpu:
                return
            cpus[labels[ZONE]] = cpus.get(labels[ZONE], 0) + cpu
        if len(cpus) > 1:
            self.ratios = {zone: cpus[zone] / sum(cpus.values()) for zone in sorted(cpus)}

    def overloaded(self) -> list[Key]:
        """The Services of which a zone has too few endpoints for its CPU."""
        return [
            key for key, kinds in self.given.items() if any(_overloaded(given, self.ratios) for given in kinds.values())
        ]

    def forget(self, key: Key, kind: str) -> None:
        """The Service's endpoints of that address type have no hints by this."""
        self.given.get(key, {}).pop(kind, None)
        if not self.given.get(key):
            self.given.pop(key, None)
        self.hinted.pop(key, None)

    def stop(self, key: Key, kind: str) -> list[Said]:
        """The Service asks for no shares, any more or ever: what is to be told of it."""
        said = [_said("Warning", "Disabled", "Topology Aware Hints has been disabled", kind)]
        told = said if key in self.hinted else []
        self.forget(key, kind)
        return told

    def share_out(self, key: Key, kind: str, changes: Changes) -> list[Said]:
        """Give the endpoints of *changes* to zones, or nobody hints; what is to be told of it."""
        try:
            given = self._shared(changes)
        except Impossible as why:
            self.forget(key, kind)
            taken_off(changes)
            return [_said("Warning", "Disabled", str(why), kind)]
        new = key not in self.hinted
        self.given.setdefault(key, {})[kind] = given
        self.hinted[key] = None
        return [_said("Normal", "Enabled", "Topology Aware Hints has been enabled", kind)] if new else []

    def _shared(self, changes: Changes) -> dict[str, int]:
        """How many endpoints each zone has got. Raises Impossible."""
        written = [one for draft in (*changes.made, *changes.changed) for one in draft.endpoints]
        total = sum(map(ready, [*written, *(one for found in changes.kept for one in _all(found))]))
        shares = self._shares(total)
        given = _kept(changes, shares, total)
        movable = [one for draft in (*changes.made, *changes.changed) for one in draft.endpoints if ready(one)]
        for one in movable:
            if not one.get("zone"):
                raise Impossible("One or more endpoints do not have a zone specified")
            given[one["zone"]] = given.get(one["zone"], 0) + 1
            _hint(one, {"forZones": [{"name": one["zone"]}]})
        for zone, more in _moved(movable, *_trade(shares, given)).items():
            given[zone] = given.get(zone, 0) + more
        if not given:
            raise Impossible("No hints allocated for zones")
        return given

    def _shares(self, total: int) -> dict[str, Share]:
        """What each zone is to have of *total* endpoints. Models k/endpointslice topologycache getAllocations"""
        if not self.ratios:
            what = "allocatable CPU or zone not specified on one or more nodes"
            raise Impossible(f"Insufficient Node information: {what}")
        counted = f"({total} endpoints, {len(self.ratios)} zones)"
        if len(self.ratios) > total:
            raise Impossible(f"Insufficient number of endpoints {counted}")
        shares = {}
        for zone, ratio in self.ratios.items():
            least = math.ceil(ratio * total * (1 / (1 + OVERLOAD)))
            shares[zone] = Share(least, max(ratio * total, float(least)))
        if sum(share.least for share in shares.values()) > total:
            what = "minimum required endpoints to each zone without exceeding overload threshold"
            raise Impossible(f"Unable to allocate {what} {counted}")
        return shares


def _said(type: str, what: str, message: str, kind: str) -> Said:
    return type, f"TopologyAwareHints{what}", f"{message}, addressType: {kind}"


def _kept(changes: Changes, shares: Mapping[str, Share], total: int) -> dict[str, int]:
    """What slices that stay give to each zone; one that gives too much, or nothing where it should, does not stay."""
    spare = total - sum(share.least for share in shares.values())
    given: dict[str, int] = {}
    stay: list[Obj] = []
    for found in changes.kept:
        hinted = _by_zone(found, shares)
        if hinted is None or any(given.get(z, 0) + n > shares[z].least + spare for z, n in hinted.items()):
            changes.changed.append(draft_of(found))
            continue
        stay.append(found)
        for zone, number in hinted.items():
            given[zone] = given.get(zone, 0) + number
    changes.kept = stay
    return given


def _by_zone(slice: Obj, shares: Mapping[str, Share]) -> dict[str, int] | None:
    """How many hints it has for each zone; None if a ready endpoint has none, or one for a zone that needs none."""
    found: dict[str, int] = {}
    for one in filter(ready, _all(slice)):
        zones = [hint["name"] for hint in get(one, "hints", "forZones") or ()]
        if not zones or any(zone not in shares for zone in zones):
            return None
        for zone in zones:
            found[zone] = found.get(zone, 0) + 1
    return found


def _trade(shares: Mapping[str, Share], given: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """How many endpoints each zone gives to others, and gets. Models getGivingAndReceivingZones"""
    much = {z: given.get(z, 0) - share.wanted for z, share in shares.items() if given.get(z, 0) > share.wanted}
    little = {z: share.wanted - given.get(z, 0) for z, share in shares.items() if given.get(z, 0) < share.wanted}
    giving: dict[str, int] = {}
    getting: dict[str, int] = {}
    while True:
        giver, more = _most(much)
        getter, less = _most(little)
        if not giver or not getter or max(more, less) < 1.0 or min(more, less) < 0.5:
            return giving, getting
        giving[giver], getting[getter] = giving.get(giver, 0) + 1, getting.get(getter, 0) + 1
        much[giver] -= 1
        little[getter] -= 1


def _most(zones: Mapping[str, float]) -> tuple[str, float]:
    return max(((z, n) for z, n in zones.items() if n > 0), key=lambda pair: pair[1], default=("", 0.0))


def _moved(endpoints: Iterable[dict[str, Any]], giving: dict[str, int], getting: dict[str, int]) -> dict[str, int]:
    """Hand endpoints of giving zones over; how many more, or fewer, each zone has then. Models redistributeHints"""
    moved: dict[str, int] = {}
    for one in endpoints:
        giver = one["zone"]
        getter = next((zone for zone, number in getting.items() if number > 0), "")
        if giving.get(giver, 0) <= 0 or not getter:
            continue
        _hint(one, {"forZones": [{"name": getter}]})
        giving[giver] -= 1
        getting[getter] -= 1
        moved[getter], moved[giver] = moved.get(getter, 0) + 1, moved.get(giver, 0) - 1
    return moved


def _overloaded(given: Mapping[str, int], ratios: Mapping[str, float]) -> bool:
    """Whether a zone has too few endpoints for its CPU. Models k/endpointslice topologycache serviceOverloaded"""
    total = sum(given.values())
    if not given or not ratios:
        return bool(given)
    return any(
        zone not in given or given[zone] < math.ceil(total * ratio * (1 / (1 + OVERLOAD)))
        for zone, ratio in ratios.items()
    )
