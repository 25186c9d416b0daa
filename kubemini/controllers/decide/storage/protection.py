"""Protection: a claim that pods use, and a volume that is bound, outlive their deletion. And who uses a claim at all.

The finalizer is put on by admission; here it is taken off, when nobody needs the object any more. Before that is
believed of a claim, the API server is asked for the pods of the namespace: a cache may not have the youngest.
The condition Unused says whether a pod names the claim, from when it is bound.
Models k/k pkg/controller/volume/pvcprotection Controller.processPVC, Controller.podUsesPVCForDeletion,
Controller.podUsesPVCForUnusedSince; k/k pkg/controller/volume/pvprotection Controller.processPV
Simplified: the pods are asked for once a claim, not once for all claims of a namespace that wait.
"""

from collections.abc import Callable, Generator, Iterable
from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import (
    Action,
    Plan,
    Update,
    UpdateStatus,
    condition,
    controller_of,
    terminating,
)
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch
from kubemini.controllers.decide.dialogue import Answer, Ask, Dialogue, End, Step, in_turn
from kubemini.controllers.decide.storage import matching
from kubemini.controllers.decide.storage.matching import CLAIM, VOLUME

OF_CLAIMS, OF_VOLUMES = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
UNUSED = "Unused"
USED_BY_NOBODY = ("True", "NoPodsUsingPVC", "No pods are currently referencing this PVC")
IN_USE = ("False", "PodUsingPVC", "A pod is currently referencing this PVC")
Uses = Callable[[Obj, Obj], bool]


def decide_claim(claim: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """Say whether it is used; let it go when it is not."""
    if get(claim, "status", "phase") == "Bound" and not terminating(claim):
        used, error = yield from _used(claim, facts, names)
        said = [] if error is not None else _saying(claim, IN_USE if used else USED_BY_NOBODY, now)
        return End(error=error or (yield from in_turn((*said, *protected(claim, OF_CLAIMS)))))
    if not may_go(claim, OF_CLAIMS):
        return End(error=(yield from in_turn(protected(claim, OF_CLAIMS))))
    used, error = yield from _used(claim, facts, holds)
    kept = used or error is not None
    return End(error=error or (yield from in_turn(() if kept else (without(claim, OF_CLAIMS),))))


def decide_volume(volume: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """Let it go when it is bound to nobody."""
    if may_go(volume, OF_VOLUMES):
        return Plan(() if get(volume, "status", "phase") == "Bound" else (without(volume, OF_VOLUMES),))
    return Plan(tuple(protected(volume, OF_VOLUMES)))


def _used(claim: Obj, facts: Facts, uses: Uses) -> Generator[Step, Answer, tuple[bool, Any]]:
    """Whether a pod *uses* the claim, or the error: the cache is believed if it says yes."""
    space = claim["metadata"]["namespace"]
    if _any(facts.of_namespace(POD, space), claim, uses):
        return True, None
    answer = yield Ask(POD.path(space))
    return answer.obj is not None and _any(answer.obj["items"], claim, uses), answer.error


def _any(pods: Iterable[Obj], claim: Obj, uses: Uses) -> bool:
    return any(uses(pod, claim) for pod in pods)


def names(pod: Obj, claim: Obj) -> bool:
    """Whether a pod that is not over names the claim, wherever it is."""
    return not matching.is_over(pod) and bool(list(_its(pod, claim)))


def holds(pod: Obj, claim: Obj) -> bool:
    """Whether a pod on a node keeps the claim from going; one made for the pod goes with what ran in it."""
    if not get(pod, "spec", "nodeName"):
        return False
    shut_down = terminating(pod) and pod["metadata"].get("deletionGracePeriodSeconds") == 0
    return any(not ephemeral or not shut_down for ephemeral in _its(pod, claim))


def _its(pod: Obj, claim: Obj) -> Iterable[bool]:
    """For each volume of *pod* that is *claim*: whether it was made for the pod."""
    owner = controller_of(claim)
    own = owner is not None and owner["uid"] == pod["metadata"]["uid"]
    for name, ephemeral in matching.claims_of(pod):
        if name == claim["metadata"]["name"] and (own or not ephemeral):
            yield ephemeral


def _saying(claim: Obj, said: tuple[str, str, str], now: int) -> list[Action]:
    """The write of the condition Unused, if its status changes."""
    old = condition(claim, UNUSED)
    if old is not None and old["status"] == said[0]:
        return []
    status, reason, message = said
    new = {"type": UNUSED, "status": status, "lastTransitionTime": timestamp(now), "reason": reason, "message": message}
    there = list(get(claim, "status", "conditions") or ())
    conditions = [new if one["type"] == UNUSED else one for one in there] if old is not None else [*there, new]
    return [UpdateStatus(evolve(claim, ("status", "conditions"), conditions))]


def may_go(obj: Obj, finalizer: str) -> bool:
    """Whether an object is deleted, and kept by this finalizer."""
    return terminating(obj) and finalizer in (obj["metadata"].get("finalizers") or ())


def protected(obj: Obj, finalizer: str) -> list[Action]:
    """The finalizer, on one that has come without it."""
    there = obj["metadata"].get("finalizers") or ()
    if terminating(obj) or finalizer in there:
        return []
    return [Update(evolve(obj, ("metadata", "finalizers"), [*there, finalizer]))]


def without(obj: Obj, finalizer: str) -> Update:
    """The write that takes it off."""
    left = [one for one in obj["metadata"]["finalizers"] if one != finalizer]
    return Update(evolve(obj, ("metadata", "finalizers"), left))


# -- who is woken ----------------------------------------------------------------------------------------------------
def claim_changed(old: Obj | None, new: Obj | None) -> bool:
    """A claim that nobody has said anything of yet, or whose finalizer must come or go."""
    return new is not None and (condition(new, UNUSED) is None or changes(new, OF_CLAIMS))


def volume_changed(old: Obj | None, new: Obj | None) -> bool:
    """A volume whose finalizer must come or go."""
    return new is not None and changes(new, OF_VOLUMES)


def changes(obj: Obj, finalizer: str) -> bool:
    """Whether it must come or go."""
    return may_go(obj, finalizer) or bool(protected(obj, finalizer))


def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The claims that a pod mounts."""
    return matching.claim_keys(pod)


CLAIMS = Controller(CLAIM, decide_claim, (Watch(POD, of_pod, latest=True),), when=claim_changed)
VOLUMES = Controller(VOLUME, decide_volume, when=volume_changed)
