"""What a Job makes of a pod's failure, and which successes are enough: podFailurePolicy and successPolicy.

Models k/k pkg/controller/job matchPodFailurePolicy, matchOnExitCodes, matchSuccessPolicy, matchSucceededIndexesRule
"""

from collections.abc import Sequence
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.workloads.job import indexes


class Verdict(NamedTuple):
    """What a failure means: *fails* is why the whole Job fails; *counts*: towards the limit; the *action*, if any."""

    fails: str | None = None
    counts: bool = True
    action: str | None = None


def of_failure(job: Obj, pod: Obj) -> Verdict:
    """The first rule that the failed *pod* meets decides; without one it counts."""
    for number, rule in enumerate(get(job, "spec", "podFailurePolicy", "rules") or ()):
        met = _by_exit_code(rule, pod) if rule.get("onExitCodes") is not None else _by_condition(rule, pod)
        if met is not None:
            action = rule["action"]
            why = f"{met} matching FailJob rule at index {number}" if action == "FailJob" else None
            return Verdict(why, action != "Ignore", action)
    return Verdict()


def _named(pod: Obj) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _by_exit_code(rule: Obj, pod: Obj) -> str | None:
    """What met the rule, in words."""
    asked = rule["onExitCodes"]
    for statuses in ("containerStatuses", "initContainerStatuses"):
        for status in get(pod, "status", statuses) or ():
            code = get(status, "state", "terminated", "exitCode", default=0)
            if not code or asked.get("containerName") not in (None, status["name"]):
                continue
            if (code in asked["values"]) == (asked["operator"] == "In"):
                return f"Container {status['name']} for pod {_named(pod)} failed with exit code {code}"
    return None


def _by_condition(rule: Obj, pod: Obj) -> str | None:
    """What met the rule, in words."""
    patterns = [(p["type"], p.get("status", "True")) for p in rule.get("onPodConditions") or ()]
    for found in get(pod, "status", "conditions") or ():
        if (found["type"], found["status"]) in patterns:
            return f"Pod {_named(pod)} has condition {found['type']}"
    return None


def enough(job: Obj, succeeded: Sequence[indexes.Span]) -> str | None:
    """Why the *succeeded* indexes are enough, by the first rule of successPolicy that they meet; or None."""
    spans = tuple(succeeded)
    for number, rule in enumerate(get(job, "spec", "successPolicy", "rules") or ()):
        least = rule.get("succeededCount")
        if rule.get("succeededIndexes") is not None:
            wanted = indexes.parse(rule["succeededIndexes"], job["spec"]["completions"])
            done = indexes.common(wanted, spans)
            met = bool(wanted) and (done == indexes.total(wanted) or (least is not None and done >= least))
        else:
            met = least is not None and indexes.total(spans) >= least
        if met:
            return f"Matched rules at index {number}"
    return None
