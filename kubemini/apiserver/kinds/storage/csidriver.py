"""CSIDrivers: what a driver of volumes can do, and what it wants to be told.

Models k/k pkg/registry/storage/csidriver strategy; k/k pkg/apis/storage/validation ValidateCSIDriver,
ValidateCSIDriverUpdate; defaults: k/k pkg/apis/storage/v1 SetDefaults_CSIDriver.
"""

from collections.abc import Sequence

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, NONE, UNSET, Column, at, joined
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, duplicate, invalid, supported, unsupported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.served import ServedKind, serve

POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
MODES = ("Persistent", "Ephemeral")
SHORTEST_TOKEN, LONGEST_TOKEN = 600, 2**32  # seconds
SHORTEST_PERIOD = 10  # seconds
NO_REQUESTS = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
RECOMMENDED = (
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible "
    "logging of tokens in volume attributes"
)


def defaults(obj: Obj) -> Obj:
    """*obj* with what a driver is taken to do that says nothing else."""
    spec = unset(
        obj.get("spec"),
        attachRequired=True,
        podInfoOnMount=False,
        storageCapacity=False,
        fsGroupPolicy=POLICIES[2],
        requiresRepublish=False,
        seLinuxMount=False,
        preventPodSchedulingIfMissing=False,
    )
    return {**obj, "spec": {**spec, "volumeLifecycleModes": spec.get("volumeLifecycleModes") or [MODES[0]]}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec, requests = obj["spec"], obj["spec"].get("tokenRequests") or ()
    yield from supported("spec.fsGroupPolicy", spec["fsGroupPolicy"], POLICIES)
    yield from _token_requests(requests, "spec.tokenRequests")
    for mode in spec["volumeLifecycleModes"]:
        if mode not in MODES:
            yield unsupported("spec.volumeLifecycleModes", mode, MODES)
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < SHORTEST_PERIOD:
        yield invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, "must be greater than or equal to 10 seconds")
    in_secrets = spec.get("serviceAccountTokenInSecrets")
    if in_secrets is not None and not requests:
        yield invalid("spec.serviceAccountTokenInSecrets", in_secrets, NO_REQUESTS)


def _token_requests(requests: Sequence[Obj], path: str) -> Wrong:
    seen: list[str] = []
    for number, request in enumerate(requests):
        where, audience, seconds = f"{path}[{number}]", request.get("audience", ""), request.get("expirationSeconds")
        if audience in seen:
            yield duplicate(f"{where}.audience", audience)
            continue
        seen.append(audience)
        if seconds is not None and seconds < SHORTEST_TOKEN:
            yield invalid(f"{where}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        if seconds is not None and seconds > LONGEST_TOKEN:
            yield invalid(f"{where}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


def changes(new: Obj, old: Obj) -> Wrong:
    """Whether volumes are attached stays, and how long they live."""
    for field, called in (("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")):
        if new["spec"].get(field) != old["spec"].get(field):
            yield invalid(f"spec.{called}", new["spec"].get(field), IMMUTABLE)


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """Tokens had better not stand where they can be read."""
    requests = get(obj, "spec", "tokenRequests")
    new = requests and (old is None or requests != get(old, "spec", "tokenRequests"))
    return [RECOMMENDED] if new and get(obj, "spec", "serviceAccountTokenInSecrets") is None else []


def _audiences(obj: Obj, now: int) -> str:
    requests = get(obj, "spec", "tokenRequests")
    return UNSET if not requests else joined(request.get("audience", "") for request in requests)


COLUMNS = (
    NAME,
    Column("AttachRequired", at("spec", "attachRequired", default=True), type="boolean"),
    Column("PodInfoOnMount", at("spec", "podInfoOnMount", default=False), type="boolean"),
    Column("StorageCapacity", at("spec", "storageCapacity", default=False), type="boolean"),
    Column("TokenRequests", _audiences),
    Column("RequiresRepublish", at("spec", "requiresRepublish", default=False), type="boolean"),
    Column("Modes", lambda obj, now: joined(get(obj, "spec", "volumeLifecycleModes") or (), NONE)),
    AGE,
)
serve(
    ServedKind(
        KNOWN["storage.k8s.io/v1", "CSIDriver"],
        counted=True,
        first_generation=0,
        versioned=True,
        returned=True,
        defaults=defaults,
        rules=rules,
        changes=changes,
        warnings=warnings,
        columns=COLUMNS,
    )
)
