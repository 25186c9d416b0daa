"""Leases: signs of life; the trace does not speak of them.

Models k/k pkg/registry/coordination/lease strategy; k/k pkg/apis/coordination/validation ValidateLeaseSpec.
"""

from kubemini.api.kinds import LEASE
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.rules.causes import Wrong, invalid, not_negative
from kubemini.apiserver.served import ServedKind, serve

BEHIND_A_GATE = ("strategy", "preferredHolder")  # CoordinatedLeaderElection is off in 1.37


def ungated(obj: Obj) -> Obj:
    """*obj* without what a gate holds back; who sends it owns it all the same."""
    spec = obj.get("spec") or {}
    if not any(field in spec for field in BEHIND_A_GATE):
        return obj
    return {**obj, "spec": {key: value for key, value in spec.items() if key not in BEHIND_A_GATE}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        yield invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
    yield from not_negative(spec, "spec", "leaseTransitions")


serve(
    ServedKind(
        LEASE,
        acted_on=True,
        created_by_put=True,
        versioned=True,
        any_finalizer=True,
        begun=lambda obj, now: ungated(obj),
        prepare=lambda new, old: ungated(new),
        rules=rules,
        columns=(NAME, Column("Holder", at("spec", "holderIdentity")), AGE),
        said=False,
    )
)
