"""ResourceQuota: what a namespace may use up. A write that would exceed a quota is refused, every other one is charged.

A quota works by its status: without `status.hard` it refuses nothing, without a number for what is used it refuses all
that it counts. `charges` says what the quotas hold after the write; ../admitting.py writes that before the object.
Models k/apiserver pkg/admission/plugin/resourcequota QuotaAdmission.Validate CheckRequest.
"""

from collections.abc import Iterable

from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.api.usage import amounts, quota
from kubemini.api.usage.amounts import Amounts
from kubemini.api.usage.quota import QUOTA
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import CREATE, DELETE, UPDATE, Attributes

NAME = "ResourceQuota"


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The quotas, for what lies in a namespace."""
    return (QUOTA,) if asked.kind.namespaced and asked.operation != DELETE else ()


def validate(asked: Attributes) -> ApiError | None:
    """Why the quotas of its namespace do not let it in, or None."""
    found = charges(asked, asked.known.items(QUOTA, asked.namespace))
    return found if isinstance(found, ApiError) else None


def charges(asked: Attributes, quotas: Iterable[Obj]) -> "list[tuple[Obj, Amounts]] | ApiError":
    """(quota, what is used after the write) of each quota that changes by it, or the first refusal."""
    new, counted = asked.obj, quota.of(asked.kind)
    if new is None or not asked.namespace or counted is None or asked.operation not in (CREATE, UPDATE):
        return []
    if not counted.handles(asked.operation, asked.subresource, new, asked.old):
        return []
    found = []
    for one in quotas:
        charged = _charge(asked, one, counted, new)
        if isinstance(charged, ApiError):
            return charged
        if charged is not None:
            found.append((one, charged))
    return found


def _charge(asked: Attributes, one: Obj, counted: quota.Evaluator, new: Obj) -> Amounts | ApiError | None:
    """What is used of the quota *one* after the write; None: it does not change."""
    name, status = one["metadata"]["name"], one.get("status") or {}
    if not quota.matches(one, counted, new):
        return None
    names = counted.names(status.get("hard") or {})
    missing = counted.missing(names, new)
    if missing:
        return forbid(asked, f"failed quota: {name}: must specify {missing}")
    hard, used = amounts.read(status.get("hard")), amounts.read(status.get("used"))
    if any(counts not in used for counts in names):
        return forbid(asked, f"status unknown for quota: {name}, resources: {','.join(sorted(names))}")
    wanted = counted.usage(new, asked.now)
    negative = sorted(called for called, amount in wanted.items() if amount.amount < 0)
    if negative:
        return forbid(asked, f"quota usage is negative for resource(s): {','.join(negative)}")
    if asked.old is not None and quota.matches(one, counted, asked.old):
        wanted = amounts.more_than(wanted, counted.usage(asked.old, asked.now))
    wanted = amounts.only(amounts.without_zeros(wanted), hard)
    if not wanted:
        return None
    after = amounts.add(used, wanted)
    over = amounts.exceeded(amounts.only(after, wanted), hard)
    if over and asked.subresource != "status":
        parts = [amounts.shown(amounts.only(some, over)) for some in (wanted, used, hard)]
        return forbid(asked, f"exceeded quota: {name}, requested: {parts[0]}, used: {parts[1]}, limited: {parts[2]}")
    return after
