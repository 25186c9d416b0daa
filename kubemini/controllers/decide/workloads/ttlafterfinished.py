"""TTL after finished: a Job that is over is deleted, with all that is its own, when its time has passed.

Models k/k pkg/controller/ttlafterfinished Controller.processJob, timeLeft, needsCleanup
"""

from kubemini.api.kinds import JOB
from kubemini.api.objects import Obj
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.actions import Delete, terminating
from kubemini.controllers.decide.controller import Controller, Facts, key_of
from kubemini.controllers.decide.dialogue import Dialogue, End, Read, not_found
from kubemini.controllers.decide.workloads.job.controller import finished_condition
from kubemini.sim.units import SECOND


def due(job: Obj | None) -> int | None:
    """When (µs) the Job is to go; None: never, as things are."""
    if job is None or terminating(job):
        return None
    end, ttl = finished_condition(job), job["spec"].get("ttlSecondsAfterFinished")
    return None if end is None or ttl is None else instant(end["lastTransitionTime"]) + ttl * SECOND


def decide(job: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """Wait until it is due, ask once more whether it still is, and delete it."""
    at = due(job)
    if at is None or at > now:
        return End(again_at=at)
    answer = yield Read(JOB, key_of(job))
    if answer.obj is None:
        return End(error=None if not_found(answer.error) else answer.error)
    at = due(answer.obj)
    if at is None or at > now:
        return End(again_at=at)
    answer = yield Delete(answer.obj, policy="Foreground")
    return End(error=None if not_found(answer.error) else answer.error)


def _concerns(old: Obj | None, new: Obj | None) -> bool:
    return due(new) is not None


CONTROLLER = Controller(JOB, decide, when=_concerns)
