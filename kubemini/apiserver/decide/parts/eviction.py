"""/eviction: may this pod go, and what does that cost its disruption budget? Pure.

A pod that does not run yet, or no more, goes without asking. A pod that is not ready is nobody's loss if its budget is
met without it, or says so. For all others the budget must allow one more disruption: it is counted down at once, and
the pod noted in it, so that two evictions at the same time cannot both have the last one.
Models k/k pkg/registry/core/pod/storage EvictionREST.Create EvictionREST.checkAndDecrement canIgnorePDB
shouldEnforceResourceVersion; k8s.io/component-helpers apps/poddisruptionbudget UpdateDisruptionAllowedCondition.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kubemini.api import errors, labels
from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, evolve, evolve_many, freeze, get
from kubemini.api.schema.decode import decode
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.decide import decoding
from kubemini.apiserver.decide import options as read_options
from kubemini.apiserver.decide.options import Options
from kubemini.apiserver.decide.request import RequestInfo

BUDGET = KNOWN["policy/v1", "PodDisruptionBudget"]
EVICTION = replace(BUDGET, kind="Eviction")
VERSIONS = ("policy/v1", "policy/v1beta1")
CANNOT = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
MOST_UNCONFIRMED = 2000
AGAIN = 10  # seconds
ALLOWED, FAILED = "DisruptionAllowed", "SyncFailed"


def read(body: Any, name: str, asked: Options) -> "Options | ApiError":
    """How the pod *name* is to be deleted, by an Eviction and the options of its request; or why that is none."""
    kind = replace(EVICTION, version="v1beta1") if get(body, "apiVersion") == VERSIONS[1] else EVICTION
    wrong = decoding.refusal(body, "Eviction") or decoding.mismatch(body, kind)
    if wrong is not None:
        return wrong
    found = decode(body, VERSIONS[0], "Eviction")
    if found.error:
        return errors.bad_request(
            f'Eviction in version "{kind.version}" cannot be handled as a Eviction: {found.error}'
        )
    if get(found.value, "metadata", "name", default="") != name:
        return errors.bad_request("name in URL does not match name in Eviction object")
    said = found.value.get("deleteOptions")
    content = tuple((said or {}).get("dryRun") or ())
    if content and asked.dry_run and content != asked.dry_run:
        both = " and ".join("[" + " ".join(one) + "]" for one in (asked.dry_run, content))
        return errors.failed(f"Non-matching dry-run options in request and content: {both}")
    how = Options() if said is None else read_options.read(RequestInfo("delete", ""), {}, said)
    if isinstance(how, ApiError):
        return how
    return replace(how, dry_run=how.dry_run or asked.dry_run)


def goes_at_once(pod: Obj) -> bool:
    """Whether no budget speaks of it: it does not run yet, or no more."""
    ended = get(pod, "status", "phase", default="Pending") in ("Succeeded", "Failed", "Pending")
    return ended or "deletionTimestamp" in pod["metadata"]


def as_seen(pod: Obj, how: Options) -> Options:
    """*how*, for this state of *pod* only, unless the writer has named one."""
    if how.preconditions.get("resourceVersion"):
        return how
    version = pod["metadata"]["resourceVersion"]
    return replace(how, preconditions={**how.preconditions, "resourceVersion": version})


def is_final(pod: Obj) -> bool:
    """Whether it cannot become healthy any more."""
    return "deletionTimestamp" in pod["metadata"] or get(pod, "status", "phase") in ("Succeeded", "Failed")


def budgets_of(pod: Obj, budgets: Iterable[Obj]) -> list[Obj]:
    """Those that pick *pod*."""
    return [one for one in budgets if labels.matches(get(one, "spec", "selector"), pod["metadata"].get("labels"))]


def costs_nothing(pod: Obj, budget: Obj) -> bool:
    """Whether *pod*, which is not ready, may go uncounted."""
    conditions = get(pod, "status", "conditions", default=())
    if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
        return False
    if get(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    return status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0


def too_many(budget: str, why: str, again: int = 0) -> ApiError:
    """429: not now, and perhaps later."""
    details: dict[str, Any] = {
        "causes": [{"reason": "DisruptionBudget", "message": f"The disruption budget {budget} {why}"}]
    }
    return ApiError(429, "TooManyRequests", CANNOT, freeze(details | ({"retryAfterSeconds": again} if again else {})))


def processed(budget: str) -> ApiError:
    """429: its controller has not seen it yet."""
    return too_many(budget, "is still being processed by the server.", AGAIN)


def charged(budget: Obj, pod: str, now: int) -> "Obj | ApiError":
    """*budget* with one disruption less, that of *pod*; or why it allows none. *now* in µs."""
    meta, status = budget["metadata"], budget.get("status") or {}
    name, allowed = meta["name"], status.get("disruptionsAllowed", 0)
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        return processed(name)
    if allowed < 0:
        return _forbidden(name, "pdb disruptions allowed is negative", "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or {}) > MOST_UNCONFIRMED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        return _forbidden(name, why, "too many pending evictions not confirmed by PDB controller")
    if allowed == 0:
        return too_many(name, _why_none(status))
    noted = {**(status.get("disruptedPods") or {}), pod: timestamp(now)}
    edits = [(("status", "disruptionsAllowed"), allowed - 1), (("status", "disruptedPods"), noted)]
    changed = evolve_many(budget, *edits)
    return changed if allowed > 1 else evolve(changed, ("status", "conditions"), _insufficient(status, now))


def _why_none(status: Obj) -> str:
    found = next((c for c in status.get("conditions") or () if c["type"] == ALLOWED), None)
    says = found is not None and found["status"] == "False" and bool(found.get("message"))
    needed, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    if found is not None and says and found.get("reason") == FAILED:
        return f"does not allow evicting pods currently because it failed sync: {found['message']}"
    if healthy <= needed:
        return f"needs {needed} healthy pods and has {healthy} currently"
    if found is not None and says:
        return f"does not allow evicting pods currently ({found.get('reason', '')}): {found['message']}"
    return "does not allow evicting pods currently"


def _forbidden(name: str, why: str, cause: str) -> ApiError:
    kind: Kind = replace(BUDGET, plural="poddisruptionbudget")
    refused = errors.forbidden(kind, name, why)
    text = f"The disruption budget {name} does not allow evicting pods currently: {cause}"
    causes = [{"reason": "DisruptionBudget", "message": text}]
    return replace(refused, details=freeze({**refused.details, "causes": causes}))


def _insufficient(status: Obj, now: int) -> list[Obj]:
    """The conditions of a budget that has just been used up."""
    there = list(status.get("conditions") or ())
    old = next((c for c in there if c["type"] == ALLOWED), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == "False" else timestamp(now)
    new = freeze(
        {
            "type": ALLOWED,
            "status": "False",
            "observedGeneration": status.get("observedGeneration", 0),
            "lastTransitionTime": since,
            "reason": "InsufficientPods",
            "message": (old or {}).get("message", ""),
        }
    )
    return [new if c["type"] == ALLOWED else c for c in there] if old is not None else [*there, new]


def condemned(pod: Obj, how: Options, now: int) -> "Obj | ApiError":
    """*pod* with the condition that says why it goes, or the conflict with what *how* wants it to be."""
    meta = pod["metadata"]
    for field, what in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted = how.preconditions.get(field)
        if wanted and wanted != meta[field]:
            became = "deleted and then recreated" if field == "uid" else "modified"
            why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({meta[field]})"
            kind = replace(KNOWN["v1", "Pod"], plural="Pod")
            return errors.conflict(kind, meta["name"], f"{why}. The object might have been {became}")
    there = get(pod, "status", "conditions", default=())
    old = next((c for c in there if c["type"] == "DisruptionTarget"), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == "True" else timestamp(now)
    new = {"type": "DisruptionTarget", "status": "True", "lastProbeTime": None, "lastTransitionTime": since}
    new |= {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    conditions = [new if c["type"] == "DisruptionTarget" else c for c in there] if old else [*there, new]
    return evolve(pod, ("status", "conditions"), conditions)
