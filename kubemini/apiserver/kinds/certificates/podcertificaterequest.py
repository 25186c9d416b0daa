"""PodCertificateRequests: a kubelet asks for a certificate of one of its pods.

Models k/k pkg/registry/certificates/podcertificaterequest strategy; k/k pkg/apis/certificates/validation
ValidatePodCertificateRequestCreate ValidatePodCertificateRequestUpdate ValidatePodCertificateRequestStatusUpdate;
k/k pkg/printers/internalversion printPodCertificateRequest.
Simplified: keys, signatures and certificates are not read, and whether the writer of a status may sign is not asked.
"""

from collections.abc import Callable

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import NAME, Column, text_at
from kubemini.apiserver.rules.causes import Wrong, each, invalid, required, too_long, unsupported, wrong_as_a_whole
from kubemini.apiserver.rules.conditions import conditions
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.rules.gostructs import stays
from kubemini.apiserver.rules.pods.projected import LONGEST, LONGEST_OF_KUBERNETES, SHORTEST, user_annotations
from kubemini.apiserver.rules.signers import of_kubernetes, signer_name
from kubemini.apiserver.served import ServedKind, serve

A_DAY = 24 * 3600  # seconds
LONGEST_UID, LONGEST_CHAIN = 128, 100 * 1024  # bytes
ENDS = ("Issued", "Denied", "Failed")
WHO: tuple[tuple[str, str, Callable[[str], list[str]]], ...] = (
    ("podName", "podUID", names.dns_subdomain),
    ("serviceAccountName", "serviceAccountUID", names.dns_subdomain),
    ("nodeName", "nodeUID", names.dns_subdomain),
)
ONE_FORM = "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set"
DONE = "immutable after PodCertificateRequest is issued, denied, or failed"
ONE_END = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
EMPTY = "non-condition status fields must be empty when denying or failing the PodCertificateRequest"
TIMES = {
    "notBefore": "must be present and consistent with the issued certificate",
    "notAfter": "must be present and consistent with the issued certificate",
    "beginRefreshAt": "must be present and in the range [notbefore+10min, notafter-10min]",
}


def defaults(obj: Obj) -> Obj:
    """A day."""
    return {**obj, "spec": unset(obj.get("spec") or {}, maxExpirationSeconds=A_DAY)}


def create_rules(obj: Obj) -> Wrong:
    """For whom, by whom, for how long, and a proof."""
    spec = obj["spec"]
    signer, seconds = spec.get("signerName") or "", spec["maxExpirationSeconds"]
    yield from signer_name(signer, "spec.signerName")
    yield from user_annotations(spec.get("unverifiedUserAnnotations"), "spec.unverifiedUserAnnotations")
    for name, uid, rule in WHO:
        yield from each(rule(spec.get(name) or ""), f"spec.{name}", spec.get(name) or "")
        if not spec.get(uid):
            yield invalid(f"spec.{uid}", "", "must not be empty")
        if len(spec.get(uid) or "") > LONGEST_UID:
            yield too_long(f"spec.{uid}", LONGEST_UID)
    longest = LONGEST_OF_KUBERNETES if of_kubernetes(signer) else LONGEST
    if not SHORTEST <= seconds <= longest:
        yield invalid("spec.maxExpirationSeconds", seconds, f"must be in the range [{SHORTEST}, {longest}]")
    if not spec.get("stubPKCS10Request"):  # version 1 has only this form
        yield wrong_as_a_whole("spec", ONE_FORM)


def changes(new: Obj, old: Obj) -> Wrong:
    """What was asked for stays."""
    yield from stays(new["spec"], old["spec"], "spec", "certificates.PodCertificateRequestSpec")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """One end, and after it nothing."""
    found, wrong = get(new, "status", "conditions") or (), []
    for number, one in enumerate(found):
        path, type = f"status.conditions[{number}]", one.get("type") or ""
        if type not in ENDS:
            wrong.append(unsupported(f"{path}.type", type, ENDS))
            continue
        if any(other.get("type") in ENDS for other in found[:number]):
            wrong.append(invalid(f"status.conditions.[{number}].type", type, ONE_END))
        if one.get("status") != "True":
            wrong.append(unsupported(f"{path}.status", one.get("status") or "", ("True",)))
    wrong += conditions(found, "status.conditions")
    yield from wrong
    if not wrong:
        yield from _at_the_end(new, old)


def _at_the_end(new: Obj, old: Obj) -> Wrong:
    status, end = new.get("status") or {}, _state(new, 0)
    if _state(old, 0) != "Pending":
        if status != (old.get("status") or {}):
            yield wrong_as_a_whole("status", DONE)
    elif end in ("Denied", "Failed") and any(field != "conditions" for field in status):
        yield wrong_as_a_whole("status", EMPTY)
    elif end == "Issued":
        if len((status.get("certificateChain") or "").encode()) > LONGEST_CHAIN:
            yield too_long("status.certificateChain", LONGEST_CHAIN)
        elif "-----BEGIN CERTIFICATE-----" not in (status.get("certificateChain") or ""):
            text = "issued certificate chain must contain at least one certificate"
            yield invalid("status.certificateChain", status.get("certificateChain") or "", text)
        else:
            yield from (required(f"status.{time}", text) for time, text in TIMES.items() if not status.get(time))


def _state(obj: Obj, now: int) -> str:
    types = [one.get("type") for one in get(obj, "status", "conditions") or ()]
    return next((type for type in reversed(types) if type in ENDS), "Pending")


serve(
    ServedKind(
        KNOWN["certificates.k8s.io/v1", "PodCertificateRequest"],
        subresources=("status",),
        versioned=True,
        fields=("spec.signerName", "spec.podName", "spec.nodeName"),
        defaults=defaults,
        create_rules=create_rules,
        changes=changes,
        status_rules=status_rules,
        first_status=lambda obj: {},
        columns=(
            NAME,
            Column("PodName", text_at("spec", "podName")),
            Column("ServiceAccountName", text_at("spec", "serviceAccountName")),
            Column("NodeName", text_at("spec", "nodeName")),
            Column("SignerName", text_at("spec", "signerName")),
            Column("State", _state),
        ),
    )
)
