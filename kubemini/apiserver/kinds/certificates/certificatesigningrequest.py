"""CertificateSigningRequests: a certificate is asked for, somebody approves it, somebody signs it.

Models k/k pkg/registry/certificates/certificates csrStrategy, csrStatusStrategy, csrApprovalStrategy; k/k
pkg/apis/certificates/validation validateCertificateSigningRequest, validateCertificateSigningRequestUpdate.
Simplified: of what is asked for only the outermost shape is read; the text about another shape is short; what a
modified condition differs in is not shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import human, timestamp
from kubemini.apiserver.columns import AGE, NAME, NONE, Column, at, text_at
from kubemini.apiserver.kinds.certificates import pem
from kubemini.apiserver.rules.causes import Wrong, duplicate, forbidden, invalid, required, unsupported
from kubemini.apiserver.rules.signers import signer_name
from kubemini.apiserver.served import Part, ServedKind, serve
from kubemini.sim.units import SECOND

USAGES = (
    *("any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment"),
    *("decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel"),
    *("ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime"),
    *("server auth", "signing", "timestamping"),
)
DECISIONS = ("Approved", "Denied")
ONLY_TRUE = (*DECISIONS, "Failed")
STATUSES = ("False", "True", "Unknown")
NO_LONGER = "kubernetes.io/legacy-unknown"
SHORTEST = 600  # seconds
TOO_SHORT = "may not specify a duration less than 600 seconds (10 minutes)"
_NAMES = [f'conditions[{{"type": "{type}"}}]' for type in DECISIONS]
BOTH, NOT_BOTH = f"{{{', '.join(_NAMES)}}}", "must specify at most one of: " + ", ".join(f"`{name}`" for name in _NAMES)
CONDITIONS, CERTIFICATE = "status.conditions", "status.certificate"


def asked_by(obj: Obj, user: Mapping[str, Any]) -> Obj:
    """*obj* with who asks, whatever its writer says of himself."""
    said = {key: obj["spec"][key] for key in obj.get("spec") or {} if key not in ("username", "uid", "groups", "extra")}
    return {**obj, "spec": {**said, **user}}


def prepare(new: Obj, old: Obj) -> Obj:
    """Nothing that is wanted changes."""
    return evolve(new, ("spec",), old["spec"])


# -- rules -------------------------------------------------------------------------------------------


def create_rules(obj: Obj) -> Wrong:
    """Every complaint about a new one."""
    spec = obj.get("spec") or {}
    asked = pem.of_base64(spec.get("request") or "")
    if not asked or asked[0].type != "CERTIFICATE REQUEST":
        yield invalid("spec.request", spec.get("request"), "PEM block type must be CERTIFICATE REQUEST")
    elif not pem.is_request(asked[0].data):
        yield invalid("spec.request", spec.get("request"), "asn1: structure error: it is no certificate request")
    usages = spec.get("usages") or []
    if not usages:
        yield required("spec.usages")
    for number, usage in enumerate(usages):
        if usage not in USAGES:
            yield unsupported(f"spec.usages[{number}]", usage, USAGES)
    for number, usage in enumerate(usages):
        if usage in usages[:number]:
            yield duplicate(f"spec.usages[{number}]", usage)
    if spec.get("signerName") == NO_LONGER:
        text = "the legacy signerName is not allowed via this API version"
        yield invalid("spec.signerName", NO_LONGER, text)
    else:
        yield from signer_name(spec.get("signerName") or "", "spec.signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < SHORTEST:
        yield invalid("spec.expirationSeconds", seconds, TOO_SHORT)


def _conditions(obj: Obj) -> list[Obj]:
    return list(get(obj, "status", "conditions") or ())


def _of(obj: Obj, type: str) -> list[Obj]:
    return [one for one in _conditions(obj) if one.get("type") == type]


def _judged(new: Obj, old: Obj) -> Wrong:
    """What is wrong with the conditions of *new*, of what was not wrong before."""
    found, before = _conditions(new), [one.get("type") or "" for one in _conditions(old)]
    seen: list[str] = []
    for number, one in enumerate(found):
        path, type, status = f"{CONDITIONS}[{number}]", one.get("type") or "", one.get("status") or ""
        allowed = ("True",) if type in ONLY_TRUE else STATUSES
        if not type and "" not in before:
            yield required(f"{path}.type")
        if not status:
            yield required(f"{path}.status")
        elif status not in allowed:
            yield unsupported(f"{path}.status", status, allowed)
        if type in seen and len(before) == len(dict.fromkeys(before)):
            yield duplicate(f"{path}.type", type)
        seen.append(type)


def _certificate(new: Obj, old: Obj) -> Wrong:
    """What was issued is a chain of certificates."""
    text = get(new, "status", "certificate") or ""
    if not text or text == (get(old, "status", "certificate") or ""):
        return
    found = pem.of_base64(text)
    if not found:
        wrong = "must contain at least one CERTIFICATE PEM block"
    else:
        wrong = next((why for block in found if (why := _wrong_block(block))), "")
    if wrong:
        yield invalid(CERTIFICATE, "<certificate data>", wrong)


def _wrong_block(block: pem.Block) -> str:
    if block.type != "CERTIFICATE":
        return f'only CERTIFICATE PEM blocks are allowed, found "{block.type}"'
    if block.has_headers:
        return "no PEM block headers are permitted"
    return "x509: malformed certificate" if pem.authority(block.data) is None else ""


def _removed(new: Obj, old: Obj) -> Wrong:
    for type in ONLY_TRUE:
        if len(_of(new, type)) < len(_of(old, type)):
            yield forbidden(CONDITIONS, f'updates may not remove a condition of type "{type}"')


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Whoever signs does not decide, and signs once."""
    yield from _judged(new, old)
    yield from _certificate(new, old)
    yield from _removed(new, old)
    for type in DECISIONS:
        now, before = _of(new, type), _of(old, type)
        if len(now) > len(before):
            yield forbidden(CONDITIONS, f'updates may not add a condition of type "{type}"')
        elif len(now) == len(before) and now != before:
            yield forbidden(CONDITIONS, f'updates may not modify a condition of type "{type}"')
    issued = get(old, "status", "certificate") or ""
    if issued and (get(new, "status", "certificate") or "") != issued:
        yield forbidden(CERTIFICATE, "updates may not modify existing certificate content")
    yield from _not_both(new, old)


def _not_both(new: Obj, old: Obj) -> Wrong:
    """Approved and Denied exclude each other: what Kubernetes generates from the type."""
    if all(_of(new, type) for type in DECISIONS) and not all(_of(old, type) for type in DECISIONS):
        yield invalid(CONDITIONS, BOTH, NOT_BOTH)


def _wrong_approval(new: Obj, old: Obj) -> Wrong:
    yield from _judged(new, old)
    yield from _removed(new, old)
    yield from _not_both(new, old)


def _approved(new: Obj, old: Obj) -> Obj:
    """*new* with the spec of *old*, and of its status the conditions alone."""
    found = _conditions(new)
    status = {key: value for key, value in (old.get("status") or {}).items() if key != "conditions"}
    return evolve({**new, "spec": old["spec"]}, ("status",), status | ({"conditions": found} if found else {}))


def settle_status(new: Obj, old: Obj, now: int) -> Obj:
    """Decisions that are written again stay as they were; every condition says when it was written."""
    kept: dict[str, Iterable[Obj]] = {
        type: iter(_of(old, type)) for type in DECISIONS if len(_of(old, type)) == len(_of(new, type))
    }
    found = [next(iter(kept[one["type"]])) if one.get("type") in kept else one for one in _conditions(new)]
    return evolve(new, ("status", "conditions"), [_dated(one, old, now) for one in found]) if found else new


def _dated(condition: Obj, old: Obj, now: int) -> Obj:
    same = [one for one in _of(old, condition.get("type", "")) if one.get("status") == condition.get("status")]
    since = next((one["lastTransitionTime"] for one in same if one.get("lastTransitionTime")), timestamp(now))
    return {
        **condition,
        "lastUpdateTime": condition.get("lastUpdateTime") or timestamp(now),
        "lastTransitionTime": condition.get("lastTransitionTime") or since,
    }


# -- columns -----------------------------------------------------------------------------------------


def _duration(obj: Obj, now: int) -> str:
    seconds = get(obj, "spec", "expirationSeconds")
    return NONE if seconds is None else human(seconds * SECOND)


def _condition(obj: Obj, now: int) -> str:
    """Models k/k pkg/printers/internalversion extractCSRStatus"""
    types = [one.get("type") for one in _conditions(obj)]
    decided = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    failed = ",Failed" if "Failed" in types else ""
    return decided + failed + (",Issued" if get(obj, "status", "certificate") else "")


COLUMNS = (
    NAME,
    AGE,
    Column("SignerName", text_at("spec", "signerName")),
    Column("Requestor", at("spec", "username")),
    Column("RequestedDuration", _duration),
    Column("Condition", _condition),
)
serve(
    ServedKind(
        KNOWN["certificates.k8s.io/v1", "CertificateSigningRequest"],
        subresources=("status", "approval"),
        name_rule=lambda name: [],
        fields=("spec.signerName",),
        signed=asked_by,
        prepare=prepare,
        create_rules=create_rules,
        settle_status=settle_status,
        status_rules=status_rules,
        parts={"approval": Part(_approved, _wrong_approval, settles=True)},
        first_status=lambda obj: {},
        columns=COLUMNS,
    )
)
