"""How endpoints are packed into EndpointSlices: at most so many a slice, with as few writes as can be. Pure.

    1  an endpoint that is wanted stays where it is; a slice that keeps none is to go
    2  slices that change anyway are filled up, the fullest first
    3  what is left goes into one slice that has room for all of it (the closest fit), else into new ones

So slices are never balanced: after a rollout, half-empty ones stay half empty.
Invariant: no slice is deleted while another is made; it is written anew in its place (`recycled`).
Models k/endpointslice . Reconciler.reconcileByPortMapping, Reconciler.finalize, getSliceToFill, setEndpointSliceLabels
Models k/endpointslice util hashEndpoint, EndpointsEqualBeyondHash
Simplified: endpoints and slices are taken in order of appearance and name, where the real one takes any.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.kinds import ENDPOINT_SLICE
from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, freeze, get, thaw
from kubemini.controllers.decide.actions import Action, Create, Delete, Update, owner_reference, terminating
from kubemini.controllers.decide.dialogue import Answer, Step, namespace_is_ending, words
from kubemini.controllers.decide.networking import hashing
from kubemini.controllers.decide.networking.backing import HEADLESS, MANAGED_BY
from kubemini.controllers.decide.networking.tracking import TRIGGER_TIME, SliceTracker

RESERVED = (SERVICE_NAME, MANAGED_BY, HEADLESS)
Ports = tuple[tuple[str, int, str, str | None], ...]  # name, number, protocol, application protocol of each
Identity = tuple[tuple[str, ...], str, str, str]
Wanted = dict[Identity, dict[str, Any]]


@dataclass(slots=True)
class Draft:
    """A slice as it is to be. *found*: what is there and is changed; None if it is new, or takes another's place."""

    kind: str  # the address type
    labels: dict[str, str]
    owner: Obj
    ports: Ports
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    found: Obj | None = None
    name: str = ""

    def written(self) -> Obj:
        """The object that is sent."""
        if self.found is not None:
            meta = {**self.found["metadata"], "labels": self.labels, "annotations": self.annotations or None}
            return freeze({**self.found, "metadata": meta, "endpoints": self.endpoints})
        meta = self.owner["metadata"]
        named = {"name": self.name} if self.name else {}
        return freeze(
            {
                "apiVersion": ENDPOINT_SLICE.api_version,
                "kind": ENDPOINT_SLICE.kind,
                "metadata": {
                    **named,
                    "generateName": f"{meta['name']}-",
                    "namespace": meta["namespace"],
                    "labels": self.labels,
                    "annotations": self.annotations or None,
                    "ownerReferences": [owner_reference(self.owner)],
                },
                "addressType": self.kind,
                "endpoints": self.endpoints,
                "ports": [_port(*one) for one in self.ports],
            }
        )


@dataclass(slots=True)
class Changes:
    """What is to be done to the slices of one address type; *kept*: those that stay as they are."""

    made: list[Draft] = field(default_factory=list)
    changed: list[Draft] = field(default_factory=list)
    doomed: list[Obj] = field(default_factory=list)
    kept: list[Obj] = field(default_factory=list)

    def add(self, other: "Changes") -> None:
        """These too."""
        self.made += other.made
        self.changed += other.changed
        self.doomed += other.doomed
        self.kept += other.kept


def _port(name: str, number: int, protocol: str, application: str | None) -> dict[str, Any]:
    said = {"appProtocol": application} if application else {}
    return {"name": name, "port": number, "protocol": protocol, **said}


def ports_of(slice: Obj) -> Ports:
    """The ports that a slice names, in one order."""
    named = slice.get("ports") or ()
    return in_order(
        (port.get("name") or "", port.get("port") or 0, port.get("protocol") or "TCP", port.get("appProtocol"))
        for port in named
    )


def in_order(ports: Iterable[tuple[str, int, str, str | None]]) -> Ports:
    """*ports* as a key: whoever names the same, in whatever order, shares slices."""
    found = tuple(ports)
    return found if len(found) < 2 else tuple(sorted(found, key=lambda port: hashing.of_slice_port(*port)))


def identity(endpoint: Obj) -> Identity:
    """What makes an endpoint the same one: another address is another endpoint."""
    target = endpoint.get("targetRef") or {}
    where = tuple(sorted(endpoint.get("addresses") or ()))
    return where, endpoint.get("hostname") or "", target.get("namespace", ""), target.get("name", "")


def same(one: Obj, other: Obj) -> bool:
    """Whether two endpoints of one identity are equal; hints are another's business."""
    if any(one.get(part) != other.get(part) for part in ("nodeName", "zone")):
        return False
    conditions = ("ready", "serving", "terminating")
    if any(get(one, "conditions", part) != get(other, "conditions", part) for part in conditions):
        return False
    targets = [{**(end.get("targetRef") or {}), "resourceVersion": ""} for end in (one, other)]
    return targets[0] == targets[1]


def labels_of(service: Obj, headless: bool, manager: str) -> dict[str, str]:
    """The labels of its slices: those of the Service, but for the reserved ones."""
    own = {k: v for k, v in (service["metadata"].get("labels") or {}).items() if k not in RESERVED}
    bare = {HEADLESS: ""} if headless else {}
    return {**own, **bare, SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: manager}


def _differ(held: Mapping[str, str] | None, wanted: Mapping[str, str]) -> bool:
    """Whether the labels that are not reserved differ."""
    one, other = ({k: v for k, v in (pairs or {}).items() if k not in RESERVED} for pairs in (held, wanted))
    return one != other


def draft_of(found: Obj, labels: dict[str, str] | None = None) -> Draft:
    """A slice that is there, to be changed."""
    meta = found["metadata"]
    return Draft(
        found["addressType"],
        dict(meta.get("labels") or {}) if labels is None else labels,
        found,
        ports_of(found),
        [thaw(one) for one in found.get("endpoints") or ()],
        dict(meta.get("annotations") or {}),
        found,
    )


def packed(new: Draft, slices: Sequence[Obj], wanted: Wanted, most: int) -> Changes:
    """What makes *slices*, all of the ports of *new*, hold what is *wanted*; *new* is how one more would begin."""
    changes, left = Changes(), dict(wanted)
    for found in slices:
        before = found.get("endpoints") or ()
        stay = [left.pop(who) for who in map(identity, before) if who in left]
        as_before = [one for one in before if identity(one) in wanted]
        altered = len(stay) != len(before) or not all(map(same, stay, as_before))
        if altered and not stay:
            changes.doomed.append(found)
        elif altered or _differ(found["metadata"].get("labels"), new.labels):
            draft = draft_of(found, new.labels)
            draft.endpoints = stay if altered else draft.endpoints
            changes.changed.append(draft)
        else:
            changes.kept.append(found)
    for draft in sorted(changes.changed, key=lambda one: -len(one.endpoints)):
        _fill(draft, left, most)
    while left:
        room = _closest(changes.kept, len(left), most) if len(left) < most else None
        if room is None:
            draft = Draft(new.kind, new.labels, new.owner, new.ports, annotations=dict(new.annotations))
            changes.made.append(draft)
        else:
            changes.kept.remove(room)
            draft = draft_of(room)
            changes.changed.append(draft)
        _fill(draft, left, most)
    return changes


def _fill(draft: Draft, left: Wanted, most: int) -> None:
    while left and len(draft.endpoints) < most:
        draft.endpoints.append(left.pop(next(iter(left))))


def _closest(slices: Iterable[Obj], number: int, most: int) -> Obj | None:
    """The one with room for *number* more that would then be the fullest, if any."""
    closest, best = most, None
    for found in slices:
        room = most - number - len(found.get("endpoints") or ())
        if 0 <= room < closest:
            closest, best = room, found
    return best


def recycled(changes: Changes, owned: Iterable[Obj]) -> Changes:
    """The same with fewer writes: what would be deleted takes what would be made, if it is one of *owned*."""
    ours, stays = {found["metadata"]["uid"] for found in owned}, list[Obj]()
    made, changed = list(changes.made), list(changes.changed)
    for found in changes.doomed:
        if made and found["metadata"]["uid"] in ours:
            draft = made.pop()
            draft.name = found["metadata"]["name"]
            changed.append(draft)
        else:
            stays.append(found)
    return Changes(made, changed, stays, changes.kept)


def carry_out(
    changes: Changes, trigger_time: str | None, owner: Obj, tracker: SliceTracker
) -> Generator[Step, Answer, str]:
    """The steps, one after the other; returns why one of them failed, "" if none did.

    *trigger_time* is told in an annotation, "" takes it off, None leaves what is there. An owner on its way out gets no
    new slices, and where the namespace is ending nothing more is tried.
    """
    for draft in (*changes.made, *changes.changed) if trigger_time is not None else ():
        draft.annotations.pop(TRIGGER_TIME, None)
        draft.annotations |= {TRIGGER_TIME: trigger_time} if trigger_time else {}
    steps: list[tuple[str, Action]] = []
    if not terminating(owner):
        steps += [("create", Create(draft.written())) for draft in changes.made]
    steps += [("update", Update(draft.written())) for draft in changes.changed]
    steps += [("delete", Delete(found)) for found in changes.doomed]
    meta = owner["metadata"]
    for verb, step in steps:
        answer = yield step
        if answer.error is not None:
            if verb == "create" and namespace_is_ending(answer.error):
                return ""
            name = "" if verb == "create" else f"{step.obj['metadata']['name']} "
            of = f"{owner['kind']} {meta['namespace']}/{meta['name']}"
            return f"failed to {verb} {name}EndpointSlice for {of}: {words(answer.error)}"
        tracker.heard(step, answer.obj or step.obj)
    return ""
