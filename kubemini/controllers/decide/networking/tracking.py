"""What the endpoint controllers remember between two looks: what they have written, and what they have seen change.

Invariant: a Service is not looked at while the cache of slices is older than what was written for it; so no slice is
made twice, and none is changed by what it was.
Models k/endpointslice util EndpointSliceTracker.StaleSlices, TriggerTimeTracker.ComputeEndpointLastChangeTriggerTime
Models k/k pkg/controller/endpoint staleEndpointsTracker.IsStale
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.actions import Action, Create, Delete, Update, condition
from kubemini.controllers.decide.controller import Key, key_of
from kubemini.controllers.decide.networking.backing import MANAGED_BY

STALE = "EndpointSlice informer cache is out of date"
GOING = -1  # in place of a generation: it was deleted
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"


class SliceTracker:
    """The generation that each slice of a Service must have reached in the cache, by UID; *manager*: whose they are."""

    def __init__(self, manager: str) -> None:
        self.manager = manager
        self.of: dict[Key, dict[str, int]] = {}

    def heard(self, action: Action, obj: Obj) -> None:
        """*action* was carried out, and *obj* is what the API server answered."""
        if isinstance(action, Delete):
            self._known(action.obj)[action.obj["metadata"]["uid"]] = GOING
        elif isinstance(action, Create | Update):
            self._known(obj)[obj["metadata"]["uid"]] = _generation(obj)

    def stale(self, key: Key, slices: Iterable[Obj]) -> bool:
        """Whether *slices*, those of a Service in the cache, are not yet what was written."""
        known = self.of.get(key, {})
        seen = {found["metadata"]["uid"]: _generation(found) for found in slices}
        if any(known.get(uid) == GOING or known.get(uid, 0) > seen[uid] for uid in seen):
            return True
        return any(generation != GOING and uid not in seen for uid, generation in known.items())

    def is_news(self, old: Obj | None, new: Obj | None) -> bool:
        """Whether somebody else has changed a slice, or deleted it, or given it to this controller or another."""
        if old is not None and new is not None:
            if _service(old) != _service(new) or self._ours(old) != self._ours(new):
                return True
        if not self._ours(new or old):
            return False
        if new is None:
            return old is not None and self._gone(old)
        known = self.of.get(_service(new), {}).get(new["metadata"]["uid"])
        return known is None or _generation(new) > known

    def forget(self, key: Key) -> None:
        """The Service is gone, or none of this controller's any more."""
        self.of.pop(key, None)

    def _gone(self, slice: Obj) -> bool:
        known = self.of.get(_service(slice), {}).pop(slice["metadata"]["uid"], GOING)
        return known != GOING

    def _ours(self, slice: Obj | None) -> bool:
        return bool(get(slice, "metadata", "labels", MANAGED_BY) == self.manager)

    def _known(self, slice: Obj) -> dict[str, int]:
        return self.of.setdefault(_service(slice), {})


def _service(slice: Obj) -> Key:
    return slice["metadata"].get("namespace", ""), get(slice, "metadata", "labels", SERVICE_NAME, default="")


def _generation(slice: Obj) -> int:
    return int(slice["metadata"].get("generation") or 0)


@dataclass(slots=True)
class _Times:
    """Of one Service, as last seen: when it was made, and when each of its pods became ready or unready (texts)."""

    service: str
    pods: dict[str, str] = field(default_factory=dict)


class TriggerTimes:
    """When that happened of which a write tells: the annotation by which one measures how long it took to spread."""

    def __init__(self) -> None:
        self.of: dict[Key, _Times] = {}

    def of_change(self, service: Obj, pods: Iterable[Obj]) -> str:
        """The earliest change of the Service and its *pods* since the last look; "" if none of them tells of one."""
        key, made = key_of(service), service["metadata"].get("creationTimestamp") or ""
        now = _Times(made, {pod["metadata"]["name"]: _changed(pod) for pod in pods if _changed(pod)})
        before, self.of[key] = self.of.get(key), now
        if before is None:
            return made
        later = [at for name, at in now.pods.items() if _after(at, before.pods.get(name, ""))]
        later += [made] if _after(made, before.service) else []
        return min(later, key=instant, default="")

    def forget(self, key: Key) -> None:
        """The Service is gone."""
        self.of.pop(key, None)


def _changed(pod: Obj) -> str:
    """When it became ready, or unready."""
    return str((condition(pod, "Ready") or {}).get("lastTransitionTime") or "")


def _after(text: str, other: str) -> bool:
    return bool(text) and (not other or instant(text) > instant(other))


class StaleEndpoints:
    """The resourceVersion of Endpoints that this controller has replaced: the cache must show another."""

    def __init__(self) -> None:
        self.of: dict[Key, str] = {}

    def heard(self, action: Action, obj: Obj) -> None:
        """*action* was carried out, and *obj* is what the API server answered."""
        if isinstance(action, Update):
            before = action.obj["metadata"]["resourceVersion"]
            if before != obj["metadata"]["resourceVersion"]:
                self.of[key_of(obj)] = before

    def stale(self, endpoints: Obj) -> bool:
        """Whether the cache still shows what was replaced."""
        return self.of.get(key_of(endpoints)) == endpoints["metadata"]["resourceVersion"]

    def forget(self, key: Key) -> None:
        """The Service is gone."""
        self.of.pop(key, None)
