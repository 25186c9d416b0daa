"""Pods with the finalizer of a Job that is gone or finished: nobody counts them any more, so it comes off.

Models k/k pkg/controller/job Controller.handleSingleOrphanPod, Controller.syncOrphanPodsBySelector
"""

from kubemini.api.kinds import JOB, POD
from kubemini.api.objects import Obj
from kubemini.controllers.decide.actions import Plan, controller_of
from kubemini.controllers.decide.claims import selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.workloads.job.controller import AFTER_ERRORS, OURS, is_finished
from kubemini.controllers.decide.workloads.job.pods import is_tracked, untracked


def decide(pod: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """Take the finalizer off, unless a Job still counts."""
    return Plan((untracked(pod),)) if is_tracked(pod) and not _is_counted(pod, facts) else Plan()


def _is_counted(pod: Obj, facts: Facts) -> bool:
    owner = controller_of(pod)
    if owner is None:
        return False
    if (owner["apiVersion"], owner["kind"]) != (JOB.api_version, JOB.kind):
        return True  # none of our business
    job = next((facts.get(JOB, key) for key in owner_key(pod, JOB)), None)
    if job is None or job["metadata"]["uid"] != owner["uid"]:
        return False
    return job["spec"].get("managedBy", OURS) != OURS or not is_finished(job)


def of_job(job: Obj, facts: Facts) -> list[Key]:
    """The pods that a Job leaves behind."""
    here = facts.of_namespace(POD, job["metadata"]["namespace"])
    return [key_of(pod) for pod in here if is_tracked(pod) and selects(job, pod)]


def _is_over(old: Obj | None, new: Obj | None) -> bool:
    return new is None or is_finished(new)


def _has_finalizer(old: Obj | None, new: Obj | None) -> bool:
    return new is not None and is_tracked(new)


CONTROLLER = Controller(
    POD, decide, (Watch(JOB, of_job, when=_is_over, latest=True),), when=_has_finalizer, backoff=AFTER_ERRORS
)
