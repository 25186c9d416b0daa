"""HorizontalPodAutoscaler: every 15 s as many pods as the load asks for, no faster than it may, and why.

A look has an order: the scale of the target, the pods that it selects (which no other autoscaler may select), each
metric, the largest proposal, windows and limits, the write of the scale, the status. Whatever fails leaves a condition
and an Event, and the next look is 15 s later all the same; only a change of the spec brings it forward.
Invariant: if a metric says nothing, no pod is taken away.
Models k/k pkg/controller/podautoscaler HorizontalController.reconcileAutoscaler,
HorizontalController.computeReplicasForMetrics, HorizontalController.validateAndParseSelector,
HorizontalController.updateStatusIfNeeded
Simplified: a scale that somebody else changed meanwhile is written again at once, five times in all.
"""

from collections.abc import Generator
from dataclasses import replace
from typing import Any, NamedTuple

from kubemini.api import labels, quantity
from kubemini.api.kinds import KNOWN, POD, Kind, served
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Tell, UpdateStatus
from kubemini.controllers.decide.autoscaling import behaviour, metrics
from kubemini.controllers.decide.autoscaling.behaviour import Bounds, Memory
from kubemini.controllers.decide.autoscaling.metrics import Failure, Proposal, Scene
from kubemini.controllers.decide.autoscaling.replicas import Patience, Tolerances
from kubemini.controllers.decide.controller import Controller, Facts, key_of
from kubemini.controllers.decide.dialogue import Answer, Ask, Dialogue, End, Step, words

AUTOSCALER = KNOWN["autoscaling/v2", "HorizontalPodAutoscaler"]
SOURCE = "horizontal-pod-autoscaler"
TRIES = 5  # of a write that conflicts (retry.DefaultRetry)
ABLE, ACTIVE, LIMITED, AT_ZERO = "AbleToScale", "ScalingActive", "ScalingLimited", "ScaledToZero"
NO_SCALE = "the HPA controller was unable to get the target's current scale: {}"
GOT_SCALE = "the HPA controller was able to get the target's current scale"
COUNTED = "the HPA was able to successfully calculate a replica count from {}"
NOT_COUNTED = "the HPA was unable to compute the replica count: {}"
DISABLED = "scaling is disabled since the replica count of the target is zero"
SCALED, NOT_SCALED = (f"the HPA controller was {able} to update the target scale" for able in ("able", "unable"))
ABOVE, BELOW = (f"Current number of replicas {where}" for where in ("above Spec.MaxReplicas", "below Spec.MinReplicas"))
ZEROED = {
    True: ("True", "ScaledToZero", "the HPA controller scaled the workload to zero"),
    False: ("False", "NotScaledToZero", "the HPA controller did not scale the workload to zero"),
}


class Settings(NamedTuple):
    """The flags --horizontal-pod-autoscaler-…: durations in µs, the tolerance as a share."""

    period: int
    window: int
    tolerance: float
    patience: Patience


class Draft(NamedTuple):
    """An autoscaler under way: its conditions so far, and what is kept in mind."""

    hpa: Obj
    conditions: tuple[Obj, ...]
    memory: Memory
    now: int

    def saying(self, type: str, status: str, reason: str, message: str) -> "Draft":
        """With that condition; since when holds as long as its status does."""
        old = next((one for one in self.conditions if one["type"] == type), None)
        since = old["lastTransitionTime"] if old is not None and old["status"] == status else timestamp(self.now)
        said = {"type": type, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
        new = freeze(said)
        kept = tuple(new if one is old else one for one in self.conditions)
        return self._replace(conditions=kept if old is not None else (*kept, new))

    def status(self, current: int, desired: int, seen: list[Any] | None, rescaled: bool = False) -> Obj:
        """The whole status."""
        last = timestamp(self.now) if rescaled else get(self.hpa, "status", "lastScaleTime")
        found = {"observedGeneration": self.hpa["metadata"].get("generation", 0), "lastScaleTime": last}
        found |= {"currentReplicas": current, "desiredReplicas": desired, "currentMetrics": seen}
        told = {
            key: value for key, value in found.items() if value is not None and (key, value) != ("currentReplicas", 0)
        }
        said: Obj = freeze({**told, "currentMetrics": seen, "conditions": list(self.conditions)})
        return said

    def conditions_alone(self) -> Obj:
        """The old status with the conditions of now."""
        said: Obj = evolve(self.hpa.get("status") or {"currentMetrics": None}, ("conditions",), list(self.conditions))
        return said


def decide(hpa: Obj, facts: Facts, caught_up: bool, now: int, settings: Settings) -> Dialogue:
    """One look; the next is a period later."""
    memory = facts.memory or Memory()
    draft = Draft(hpa, tuple(get(hpa, "status", "conditions") or ()), memory, now)
    memory = yield from _look(draft, facts, settings)
    return End(now + settings.period, memory=memory)


Part = Generator[Step, Answer, Memory]  # returns what is to be kept in mind


def _look(draft: Draft, facts: Facts, settings: Settings) -> Part:
    path, scale = yield from _scale_of(draft.hpa, facts)
    if not isinstance(scale, dict):
        yield Tell(draft.hpa, "Warning", "FailedGetScale", scale)
        draft = draft.saying(ABLE, "False", "FailedGetScale", NO_SCALE.format(scale))
        return (yield from _written(draft, draft.conditions_alone()))
    draft = draft.saying(ABLE, "True", "SucceededGetScale", GOT_SCALE)
    current, least = get(scale, "spec", "replicas") or 0, get(draft.hpa, "spec", "minReplicas", default=1)
    if not draft.memory.recommended:
        noted = (behaviour.Sample(current, draft.now),)
        draft = draft._replace(memory=replace(draft.memory, recommended=noted))
    bounds = Bounds(least, draft.hpa["spec"]["maxReplicas"], current)
    if not current and not _measures_at_zero(draft.hpa, least):
        draft = draft.saying(ACTIVE, "False", "ScalingDisabled", DISABLED)
        return (yield from _written(draft, draft.status(0, 0, None)))
    if current > bounds.most or 0 < current < least:
        wanted, why = (bounds.most, ABOVE) if current > bounds.most else (least, BELOW)
        return (yield from _rescaled(draft, path, scale, bounds, wanted, why, None))
    return (yield from _by_metrics(draft, facts, settings, path, scale, bounds))


def _measures_at_zero(hpa: Obj, least: int) -> bool:
    """Whether an autoscaler at 0 pods goes on: it has brought them there itself."""
    zeroed = any(one["type"] == AT_ZERO and one["status"] == "True" for one in get(hpa, "status", "conditions") or ())
    return zeroed and (least != 0 or _measures_others(hpa))


def _measures_others(hpa: Obj) -> bool:
    """Whether a metric is of something else than the pods, so that it exists without any."""
    return any(metric["type"] in ("Object", "External") for metric in get(hpa, "spec", "metrics") or ())


def _written(draft: Draft, status: Obj) -> Part:
    """Write the status if it says something else."""
    if status != (draft.hpa.get("status") or {}):
        answer = yield UpdateStatus(evolve(draft.hpa, ("status",), status))
        if answer.error is not None:
            yield Tell(draft.hpa, "Warning", "FailedUpdateStatus", words(answer.error))
    return draft.memory


# -- the target ------------------------------------------------------------------------------------------------------
def _scale_of(hpa: Obj, facts: Facts) -> Generator[Step, Answer, tuple[str, Any]]:
    """The path of the target's scale, and the scale, or why it is not to be had."""
    target = hpa["spec"]["scaleTargetRef"]
    group = (target.get("apiVersion") or "").rpartition("/")[0]
    kinds = _kinds(group, target["kind"], facts)
    if not kinds:
        return "", f'no matches for kind "{target["kind"]}" in group "{group}"'
    why = ""
    for kind in kinds:
        path = kind.path(hpa["metadata"]["namespace"], target["name"], "scale")
        answer = yield Ask(path)
        if answer.obj is not None:
            return path, dict(answer.obj)
        why = why or metrics.told_by_client(answer.error, f"{kind.plural} {target['name']}")
    return "", why


def _kinds(group: str, kind: str, facts: Facts) -> list[Kind]:
    """The kinds of that group and name, whatever their version."""
    return [one for one in (*served().values(), *facts.defined()) if (one.group, one.kind) == (group, kind)]


def _rescaled(
    draft: Draft, path: str, scale: Obj, bounds: Bounds, wanted: int, why: str, seen: list[Any] | None
) -> Part:
    """Write the scale, and say so."""
    error: Any = None
    for _ in range(TRIES):
        answer = yield Ask(path, verb="PUT", body=evolve(freeze(scale), ("spec", "replicas"), wanted))
        error = answer.error
        if getattr(error, "reason", "") != "Conflict":
            break
        newer = yield Ask(path)
        scale = newer.obj if newer.obj is not None else scale
    if error is not None:
        told = f"New size: {wanted}; reason: {why}; error: {words(error)}"
        yield Tell(draft.hpa, "Warning", "FailedRescale", told)
        draft = draft.saying(ABLE, "False", "FailedUpdateScale", f"{NOT_SCALED}: {words(error)}")
        return (yield from _written(draft, draft.status(bounds.current, _desired(draft.hpa), seen)))
    draft = draft.saying(ABLE, "True", "SucceededRescale", f"{SCALED} to {wanted}")
    yield Tell(draft.hpa, "Normal", "SuccessfulRescale", f"New size: {wanted}; reason: {why}")
    noted = behaviour.scaled(get(draft.hpa, "spec", "behavior"), draft.memory, bounds.current, wanted, draft.now)
    to_zero = bounds.current > 0 and not wanted and not bounds.least and _measures_others(draft.hpa)
    draft = draft._replace(memory=noted).saying(AT_ZERO, *ZEROED[to_zero])
    return (yield from _written(draft, draft.status(bounds.current, wanted, seen, rescaled=True)))


def _desired(hpa: Obj) -> int:
    return get(hpa, "status", "desiredReplicas") or 0


# -- by its metrics --------------------------------------------------------------------------------------------------
def _by_metrics(draft: Draft, facts: Facts, settings: Settings, path: str, scale: Obj, bounds: Bounds) -> Part:
    """What the metrics ask for, as far as windows and limits let it."""
    hpa, current = draft.hpa, bounds.current
    draft, selector, unfit = _selects(draft, get(scale, "status", "selector") or "", facts)
    seen: list[Any] | None = None
    best: Proposal | None = None
    if unfit is None:
        scene = _scene(draft, scale, selector, facts, settings)
        draft, best, seen, why = yield from _proposals(draft, scene)
    else:
        reason, why = unfit
        yield Tell(hpa, "Warning", reason, why)
    if best is None:
        memory = yield from _written(draft, draft.status(current, _desired(hpa), seen))
        yield Tell(hpa, "Warning", "FailedComputeMetricsReplicas", why)
        return memory
    reason = f"{best.name} above target" if best.replicas > current else ""
    reason = "All metrics below target" if best.replicas < current else reason
    pace = behaviour.paced(
        get(hpa, "spec", "behavior"), draft.memory, bounds, best.replicas, settings.window, draft.now
    )
    draft = draft._replace(memory=pace.memory).saying(ABLE, "True", *pace.able)
    draft = draft.saying(LIMITED, "True" if pace.limited else "False", *pace.limit)
    wanted = pace.desired
    if not current and wanted < bounds.least:
        wanted, reason = bounds.least, reason or BELOW
    if wanted != current:
        return (yield from _rescaled(draft, path, scale, bounds, wanted, reason, seen))
    return (yield from _written(draft, draft.status(current, current, seen)))


def _selects(draft: Draft, selector: str, facts: Facts) -> tuple[Draft, labels.Selector, tuple[str, str] | None]:
    """What it selects, and why (Event, sentence) that will not do, or None."""
    nothing = labels.NOTHING
    if not selector:
        told = "the HPA target's scale is missing a selector"
        return (
            draft.saying(ACTIVE, "False", "InvalidSelector", told),
            nothing,
            ("SelectorRequired", "selector is required"),
        )
    try:
        found = labels.parse(selector)
    except labels.SelectorError as error:
        told = f"couldn't convert selector into a corresponding internal selector object: {error}"
        return draft.saying(ACTIVE, "False", "InvalidSelector", told), nothing, ("InvalidSelector", told)
    draft = draft._replace(memory=replace(draft.memory, selector=selector))
    rivals = _rivals(draft, found, facts)
    if len(rivals) < 2:
        return draft, found, None
    shown = " ".join(rivals[:2])
    told = f"pods by selector {selector} are controlled by more than one HPA (e.g. [{shown}])"
    return draft.saying(ACTIVE, "False", "AmbiguousSelector", told), nothing, ("AmbiguousSelector", told)


def _rivals(draft: Draft, selector: labels.Selector, facts: Facts) -> list[str]:
    """All autoscalers that select a pod of this one's."""
    space = draft.hpa["metadata"]["namespace"]
    pods = [pod["metadata"].get("labels") for pod in facts.of_namespace(POD, space)]
    mine = [its for its in pods if selector.matches(its)]
    found = []
    for other in facts.of_namespace(AUTOSCALER, space):
        memory = draft.memory if key_of(other) == key_of(draft.hpa) else facts.recall(key_of(other))
        if memory is not None and memory.selector is not None:
            picks = labels.parse(memory.selector)
            found += ["/".join(key_of(other))] if any(picks.matches(its) for its in mine) else []
    return sorted(found)


def _scene(draft: Draft, scale: Obj, selector: labels.Selector, facts: Facts, settings: Settings) -> Scene:
    space = draft.hpa["metadata"]["namespace"]
    pods = [pod for pod in facts.of_namespace(POD, space) if selector.matches(pod["metadata"].get("labels"))]
    counts = get(scale, "spec", "replicas") or 0, get(scale, "status", "replicas") or 0
    return Scene(space, str(selector), pods, *counts, _tolerances(draft.hpa, settings), settings.patience, draft.now)


def _tolerances(hpa: Obj, settings: Settings) -> Tolerances:
    """Those of its behavior, or the flag's."""
    said = (get(hpa, "spec", "behavior", way, "tolerance") for way in ("scaleDown", "scaleUp"))
    down, up = (settings.tolerance if one is None else float(quantity.parse(str(one)).amount) for one in said)
    return Tolerances(down, up)


def _proposals(draft: Draft, scene: Scene) -> Generator[Step, Answer, tuple[Draft, Proposal | None, list[Any], str]]:
    """The largest proposal of all metrics; None: too few of them say anything. What is seen, and what is wrong."""
    asked = get(draft.hpa, "spec", "metrics") or ()
    best: Proposal | None = None
    seen: list[Any] = []
    failures: list[Failure] = []
    for metric in asked:
        try:
            found = yield from metrics.proposed(metric, scene)
        except Failure as failure:
            failures.append(failure)
            seen.append({"type": ""})
            yield Tell(draft.hpa, "Warning", failure.reason, failure.why)
            continue
        seen.append(found.status)
        if best is None or not best.replicas or found.replicas > best.replicas:
            best = found
    why = ""
    if failures:
        first = failures[0]
        why = f"invalid metrics ({len(failures)} invalid out of {len(asked)}), first error is: {first.whole}"
        if best is None or best.replicas < scene.specified:
            draft = draft.saying(ACTIVE, "False", first.reason, NOT_COUNTED.format(first.why))
            return draft, None, seen, why
    name = best.name if best is not None else ""
    return draft.saying(ACTIVE, "True", "ValidMetricFound", COUNTED.format(name)), best, seen, why


# -- who is woken ----------------------------------------------------------------------------------------------------
def controller(settings: Settings) -> Controller:
    """The controller with those flags: a change of a spec is looked at at once, all else in its turn."""

    def look(hpa: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
        return decide(hpa, facts, caught_up, now, settings)

    def delay(old: Obj | None, new: Obj | None, now: int) -> int:
        same = old is not None and new is not None
        return settings.period if same and _generation(old) == _generation(new) else 0

    backoff = (settings.period, settings.period)
    remembered = (AUTOSCALER,)
    return Controller(AUTOSCALER, look, remembers=remembered, reads=(POD,), delay=delay, backoff=backoff, source=SOURCE)


def _generation(hpa: Obj | None) -> int:
    return int(get(hpa or {}, "metadata", "generation", default=0))
