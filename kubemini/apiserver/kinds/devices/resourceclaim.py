"""ResourceClaims: devices that somebody asks for, and got.

Models k/k pkg/registry/resource/resourceclaim strategy; k/k pkg/apis/resource/validation ValidateResourceClaim,
ValidateResourceClaimUpdate, ValidateResourceClaimStatusUpdate, validateResourceClaimUserReference;
columns: k/k pkg/printers/internalversion printResourceClaim.
Simplified: what is allocated is not judged.
"""

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column
from kubemini.apiserver.kinds.devices import claims
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, forbidden, invalid, required
from kubemini.apiserver.served import ServedKind, serve

MOST_USERS = 256
SUMMARY = "A summary of the current state (allocated, pending, reserved, etc.)."


def defaults(obj: Obj) -> Obj:
    """*obj* with one device a request."""
    return {**obj, "spec": claims.with_defaults(obj.get("spec"))}


def create_rules(obj: Obj) -> Wrong:
    """Every complaint about a new one."""
    yield from claims.claim(obj.get("spec"), "spec")


def changes(new: Obj, old: Obj) -> Wrong:
    """What is asked for stays."""
    if new.get("spec") != old.get("spec"):
        yield invalid("spec", None, IMMUTABLE)


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Every complaint about who uses it."""
    status, was = new.get("status") or {}, old.get("status") or {}
    users = status.get("reservedFor") or ()
    yield from claims.set_of(users, MOST_USERS, "status.reservedFor", _user, lambda user: user.get("uid") or "")
    if users and status.get("allocation") is None:
        yield forbidden("status.reservedFor", "may not be specified when `allocated` is not set")
    elif get(new, "metadata", "deletionTimestamp") and any(one not in (was.get("reservedFor") or ()) for one in users):
        text = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
        yield forbidden("status.reservedFor", text)
    if None not in (status.get("allocation"), was.get("allocation")) and status["allocation"] != was["allocation"]:
        yield invalid("status.allocation", status["allocation"], IMMUTABLE)


def _user(user: Obj, path: str) -> Wrong:
    for field in ("resource", "name", "uid"):
        if not user.get(field):
            yield required(f"{path}.{field}")


def _state(obj: Obj, now: int) -> str:
    is_deleted = get(obj, "metadata", "deletionTimestamp") is not None
    found = ["deleted"] if is_deleted else []
    if get(obj, "status", "allocation") is None:
        return ",".join(found or ["pending"])
    return ",".join([*found, "allocated", *(["reserved"] if get(obj, "status", "reservedFor") else [])])


serve(
    ServedKind(
        KNOWN["resource.k8s.io/v1", "ResourceClaim"],
        subresources=("status",),
        returned=True,
        defaults=defaults,
        create_rules=create_rules,
        changes=changes,
        status_rules=status_rules,
        first_status=lambda obj: {},
        columns=(NAME, Column("State", _state, description=SUMMARY), AGE),
        not_simulated=("spec",),
    )
)
