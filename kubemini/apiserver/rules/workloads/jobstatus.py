"""What a Job's status may say: counts that only grow, conditions that do not contradict each other, nor are taken back.

Rules that look at what changed hold only for what this write changes, so that an old slip does not block a good write.
Models k/k pkg/apis/batch/validation validateJobStatus, ValidateJobStatusUpdate; k/k pkg/registry/batch/job
getStatusValidationOptions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.apiserver.rules.causes import (
    IMMUTABLE,
    Wrong,
    duplicate,
    invalid,
    not_negative,
    required,
    wrong_as_a_whole,
)
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.workloads.jobs import INDEXED, index_list, interval

PATH, CONDITIONS = "status", "status.conditions"


@dataclass(frozen=True, slots=True)
class Seen:
    """A job's status, asked by short names."""

    job: Obj

    def field(self, name: str) -> Any:
        """A field of the status, or None."""
        return get(self.job, "status", name)

    def spec(self, name: str) -> Any:
        """A field of the spec, or None."""
        return get(self.job, "spec", name)

    def has(self, type: str, status: str = "True") -> bool:
        """Whether there is a condition of that *type* and *status*."""
        conditions = self.field("conditions") or ()
        return any(c.get("type") == type and c.get("status") == status for c in conditions)

    @property
    def finished(self) -> bool:
        """Complete or failed."""
        return self.has("Complete") or self.has("Failed")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Every complaint about the status of *new*."""
    now, was = Seen(new), Seen(old)
    status = new.get("status") or {}
    yield from not_negative(status, PATH, "active", "succeeded", "failed", "ready", "terminating")
    yield from _uncounted(now)
    yield from _together(now, was)
    yield from _ended(now, was)
    yield from _indexes(now, was)
    yield from _pods(now, was)
    yield from _success(now)
    yield from _not_taken_back(now, was)


def _changed(now: Seen, was: Seen, *fields: str) -> bool:
    return any(now.field(field) != was.field(field) for field in fields)


def _turned(now: Seen, was: Seen, *types: str) -> bool:
    """Whether one of these conditions begins or ends to hold."""
    return any(now.has(type) != was.has(type) for type in types)


def _uncounted(now: Seen) -> Wrong:
    seen: list[str] = []
    for part in ("succeeded", "failed"):
        for number, uid in enumerate((now.field("uncountedTerminatedPods") or {}).get(part) or ()):
            where = f"{PATH}.uncountedTerminatedPods.{part}[{number}]"
            if not uid:
                yield invalid(where, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(where, uid)
            seen.append(uid)


def _together(now: Seen, was: Seen) -> Wrong:
    """Conditions and times that exclude, or need, each other."""
    complete, done = now.has("Complete"), now.field("completionTime")
    if _turned(now, was, "Complete", "Failed") and complete and now.has("Failed"):
        yield wrong_as_a_whole(CONDITIONS, "cannot set Complete=True and Failed=true conditions")
    if _turned(now, was, "Complete", "FailureTarget") and complete and now.has("FailureTarget"):
        yield wrong_as_a_whole(CONDITIONS, "cannot set Complete=True and FailureTarget=true conditions")
    where = f"{PATH}.completionTime"
    if _turned(now, was, "Complete") or _changed(now, was, "completionTime"):
        if done is not None and not complete:
            yield invalid(where, done, "cannot set completionTime when there is no Complete=True condition")
        if done is None and complete:
            yield required(where, "completionTime is required for Complete jobs")
    started = now.field("startTime")
    if started and done and _changed(now, was, "startTime", "completionTime") and instant(done) < instant(started):
        yield invalid(where, done, "must be equal to or after `startTime`")
    if (_turned(now, was, "Failed") or _changed(now, was, "failedIndexes")) and now.has("Failed"):
        if not now.has("FailureTarget"):
            yield _needs("Failed=True", "FailureTarget")
    if _turned(now, was, "Complete", "SuccessCriteriaMet") and complete and not now.has("SuccessCriteriaMet"):
        yield _needs("Complete=True", "SuccessCriteriaMet")


def _needs(what: str, other: str) -> FieldError:
    return wrong_as_a_whole(CONDITIONS, f"cannot set {what} condition without the {other}=true condition")


def _ended(now: Seen, was: Seen) -> Wrong:
    """What a finished job has, and has not."""
    turned = now.finished != was.finished
    if (turned or _changed(now, was, "active")) and now.finished and (now.field("active") or 0) > 0:
        yield invalid(f"{PATH}.active", now.field("active"), "active>0 is invalid for finished job")
    empty = now.spec("suspend") is True and now.spec("completions") == 0
    if (turned or _changed(now, was, "startTime")) and not empty and now.finished and now.field("startTime") is None:
        yield required(f"{PATH}.startTime", "startTime is required for finished job")
    pods = now.field("uncountedTerminatedPods")
    if (turned or _changed(now, was, "uncountedTerminatedPods")) and now.finished and pods and any(pods.values()):
        shown = internal(pods, "batch.UncountedTerminatedPods")
        yield invalid(f"{PATH}.uncountedTerminatedPods", shown, "must be empty for finished job")


def _indexes(now: Seen, was: Seen) -> Wrong:
    """The lists of indexes that are done, or given up."""
    completions, limit = now.spec("completions"), now.spec("backoffLimitPerIndex")
    done, failed = now.field("completedIndexes") or "", now.field("failedIndexes")
    done_changed, failed_changed = _changed(now, was, "completedIndexes"), _changed(now, was, "failedIndexes")
    if done_changed and completions is not None and (wrong := index_list(done, completions)[1]):
        yield invalid(f"{PATH}.completedIndexes", done, f"error parsing completedIndexes: {wrong}")
    if failed_changed and None not in (completions, limit, failed) and (wrong := index_list(failed, completions)[1]):
        yield invalid(f"{PATH}.failedIndexes", failed, f"error parsing failedIndexes: {wrong}")
    if done_changed and done and now.spec("completionMode") != INDEXED:
        text = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield invalid(f"{PATH}.completedIndexes", done, text)
    if failed_changed and limit is None and failed is not None:
        text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield invalid(f"{PATH}.failedIndexes", failed, text)
    if (failed_changed or done_changed) and completions is not None and failed:
        both = _overlap(done, failed, completions)
        if both is not None:
            text = f"failedIndexes and completedIndexes overlap at index: {both}"
            yield invalid(f"{PATH}.failedIndexes", failed, text)


def _overlap(done: str, failed: str, completions: int) -> int | None:
    """The first index that both lists name."""
    given_up = set(_each_index(failed, completions))
    return min((index for index in _each_index(done, completions) if index in given_up), default=None)


def _each_index(text: str, completions: int) -> Iterator[int]:
    for part in text.split(",") if text else ():
        first, last, wrong = interval(part, completions)
        if not wrong:
            yield from range(first, last + 1)


def _pods(now: Seen, was: Seen) -> Wrong:
    ending, ready = now.field("terminating"), now.field("ready")
    turned = now.finished != was.finished
    if (turned or _changed(now, was, "terminating")) and now.finished and (ending or 0) > 0:
        yield invalid(f"{PATH}.terminating", ending, "terminating>0 is invalid for finished job")
    if _changed(now, was, "ready", "active") and ready is not None and ready > (now.field("active") or 0):
        yield invalid(f"{PATH}.ready", ready, "cannot set more ready pods than active")


def _success(now: Seen) -> Wrong:
    met = now.has("SuccessCriteriaMet")
    for type, word in (("Failed", "Failed=true"), ("FailureTarget", "FailureTarget=true")):
        if met and now.has(type):
            yield wrong_as_a_whole(CONDITIONS, f"cannot set SuccessCriteriaMet=True and {word} conditions")
    if now.spec("successPolicy") is not None and not met and now.has("Complete"):
        text = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        yield wrong_as_a_whole(CONDITIONS, text)


def _not_taken_back(now: Seen, was: Seen) -> Wrong:
    """What was said for good."""
    for type in ("Failed", "Complete", "FailureTarget"):
        if was.has(type) and not now.has(type):
            yield wrong_as_a_whole(CONDITIONS, f"cannot disable the terminal {type}=True condition")
    elastic = now.spec("completionMode") == INDEXED and now.spec("completions") == now.spec("parallelism")
    for field in ("failed",) if elastic else ("failed", "succeeded"):
        if (now.field(field) or 0) < (was.field(field) or 0):
            yield invalid(f"{PATH}.{field}", now.field(field) or 0, f"cannot decrease the {field} counter")
    done, before = now.field("completionTime"), was.field("completionTime")
    if done and before and done != before:
        yield invalid(f"{PATH}.completionTime", done, IMMUTABLE)
    resumes = was.has("Suspended") and now.has("Suspended", "False")
    if was.field("startTime") and _changed(now, was, "startTime") and not resumes and not now.spec("suspend"):
        text = "field is immutable for unsuspended job once set"
        yield invalid(f"{PATH}.startTime", now.field("startTime"), text)
    if was.has("SuccessCriteriaMet") and not now.has("SuccessCriteriaMet"):
        yield wrong_as_a_whole(CONDITIONS, "cannot disable the SuccessCriteriaMet=True condition")
    if was.has("Complete") and not was.has("SuccessCriteriaMet") and now.has("SuccessCriteriaMet"):
        text = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        yield wrong_as_a_whole(CONDITIONS, text)
