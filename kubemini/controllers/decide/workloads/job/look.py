"""One look at a Job: its pods sorted out, its status as it grows, and the condition that it is heading for.

Models k/k pkg/controller/job syncJobCtx, getNewFinishedPods, calculateSucceededIndexes, calculateFailedIndexes
Models k/k pkg/controller/job getPodsWithDelayedDeletionPerIndex, ensureJobConditionStatus
"""

from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import Obj, evolve, get, thaw
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import UpdateStatus, is_ready
from kubemini.controllers.decide.dialogue import Steps, must
from kubemini.controllers.decide.podcontrol import is_active, is_leaving
from kubemini.controllers.decide.workloads.job import backoff, indexes, policies
from kubemini.controllers.decide.workloads.job import pods as of_pods

MET, TARGET, COMPLETE, FAILED = "SuccessCriteriaMet", "FailureTarget", "Complete", "Failed"
ENDS = (COMPLETE, FAILED)


@dataclass(slots=True)
class Look:
    """What is known, and what has been done about it."""

    job: Obj
    pods: list[Obj]
    now: int
    record: backoff.Record  # of failures, as the last look left it
    status: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] | None = None  # the condition that the Job is heading for
    active: list[Obj] = field(default_factory=list)
    running: int = 0  # how many are active once this look has made and let go
    ready: int = 0
    leaving: int = 0
    succeeded: int = 0
    failed: int = 0
    counted: indexes.Spans = ()  # indexes that the status says have succeeded
    done: indexes.Spans = ()  # and those that have since
    lost: indexes.Spans | None = None  # indexes that have failed for good, if that is counted
    held: dict[int, Obj] = field(default_factory=dict)  # by index: the failed pod that waits for its successor
    following: backoff.Record = field(default_factory=backoff.Record)  # of failures, as this look leaves it
    again_at: int | None = None
    error: Any = None

    def __post_init__(self) -> None:
        self.status = thaw(get(self.job, "status") or {})
        self.status.setdefault("uncountedTerminatedPods", {})
        self.active = list(filter(is_active, self.pods))
        self.running = len(self.active)
        self.ready = sum(map(is_ready, self.active))
        self.leaving = sum(map(is_leaving, self.pods))
        succeeded = [pod for pod in self._news("succeeded") if get(pod, "status", "phase") == "Succeeded"]
        failed = [pod for pod in self._news("failed") if of_pods.is_failed(self.job, pod)]
        counting = [pod for pod in failed if policies.of_failure(self.job, pod).counts]
        self.succeeded = self.status.get("succeeded", 0) + len(succeeded) + len(self.uncounted("succeeded"))
        self.failed = self.status.get("failed", 0) + len(counting) + len(self.uncounted("failed"))
        self.following = backoff.after(self.record, succeeded, failed)
        if of_pods.is_indexed(self.job):
            self._count_indexes()

    @property
    def spec(self) -> Obj:
        """What is asked for."""
        return self.job["spec"]

    def uncounted(self, how: str) -> list[str]:
        """The UIDs that stand in the status to be counted as *succeeded* or *failed*."""
        return list(self.status["uncountedTerminatedPods"].get(how) or ())

    def _news(self, how: str) -> list[Obj]:
        """The pods that the status knows nothing of."""
        known = self.uncounted(how)
        tracked = (pod for pod in self.pods if of_pods.is_tracked(pod) and pod["metadata"]["uid"] not in known)
        return [pod for pod in tracked if of_pods.is_valid(self.job, pod)]

    def _count_indexes(self) -> None:
        job, completions = self.job, self.spec["completions"]
        tracked = [pod for pod in self.pods if of_pods.is_tracked(pod) and of_pods.is_valid(job, pod)]
        self.counted = indexes.parse(self.status.get("completedIndexes", ""), completions)
        new = {of_pods.index(pod) for pod in tracked if get(pod, "status", "phase") == "Succeeded"}
        self.done = indexes.merged(self.counted, indexes.of(new))
        self.succeeded = indexes.total(self.done)
        if of_pods.by_index(job):
            before = indexes.parse(self.status.get("failedIndexes", ""), completions)
            new = {of_pods.index(pod) for pod in tracked if self._is_last_failure(pod)}
            self.lost = indexes.merged(before, indexes.of(new))
            self._hold_back(tracked, self.lost)

    def _is_last_failure(self, pod: Obj) -> bool:
        """Whether with this pod its index has failed for good."""
        if not of_pods.is_failed(self.job, pod):
            return False
        verdict = policies.of_failure(self.job, pod)
        spent = of_pods.counter(pod, of_pods.FAILURES) >= self.spec["backoffLimitPerIndex"]
        return verdict.action == "FailIndex" or (verdict.counts and spent)

    def _hold_back(self, tracked: list[Obj], lost: indexes.Spans) -> None:
        """Of each index that goes on, the last failed pod stays until its successor knows how many there were."""
        running = {of_pods.index(pod) for pod in self.active}

        def rank(pod: Obj) -> tuple[int, int]:
            failures = of_pods.counter(pod, of_pods.FAILURES) + of_pods.counter(pod, of_pods.IGNORED)
            return failures, backoff.ended(pod)

        for pod in tracked:
            number = of_pods.index(pod)
            over = number in running or indexes.has(self.done, number) or indexes.has(lost, number)
            if of_pods.is_failed(self.job, pod) and not over:
                before = self.held.get(number)
                if before is None or all(a <= b for a, b in zip(rank(before), rank(pod))):
                    self.held[number] = pod

    # -- conditions --------------------------------------------------------------------------------------------------
    def condition(self, type: str) -> dict[str, Any] | None:
        """The condition of that type, if it is True."""
        found = (c for c in self.status.get("conditions", ()) if c["type"] == type and c["status"] == "True")
        return next(found, None)

    def made(self, type: str, reason: str, message: str, status: str = "True") -> dict[str, Any]:
        """A condition as of now."""
        now = timestamp(self.now)
        times = {"lastProbeTime": now, "lastTransitionTime": now}
        return {"type": type, "status": status, **times, "reason": reason, "message": message}

    def put(self, condition: dict[str, Any]) -> bool:
        """Have *condition* in the status; returns whether that is news. From nothing to False is none."""
        held = self.status.setdefault("conditions", [])
        said = [(c["status"], c.get("reason"), c.get("message")) for c in held if c["type"] == condition["type"]]
        if not said and condition["status"] == "False":
            return False
        if said == [(condition["status"], condition["reason"], condition["message"])]:
            return False
        if said:
            held[:] = [condition if c["type"] == condition["type"] else c for c in held]
        else:
            held.append(condition)
        return True

    def wake(self, at: int) -> None:
        """Look again then, or before."""
        self.again_at = at if self.again_at is None else min(at, self.again_at)

    def write(self) -> Steps:
        """Write the status. Raises Refused."""
        unsaid = ("active", "succeeded", "failed", "completedIndexes", "conditions")  # if there is nothing to say
        said = {k: v for k, v in self.status.items() if v is not None and (v or k not in unsaid)}
        self.job = yield from must(UpdateStatus(evolve(self.job, ("status",), said)))
