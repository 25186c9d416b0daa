"""CustomResourceDefinitions: a kind of one's own. Here it is judged and kept; what it brings to life: decide/customs.

Models k/apiextensions-apiserver pkg/registry/customresourcedefinition strategy; k/apiextensions-apiserver
pkg/apis/apiextensions/validation ValidateCustomResourceDefinition, ValidateCustomResourceDefinitionUpdate,
validateCustomResourceConversion, ValidateCustomResourceDefinitionNames; k/apiextensions-apiserver pkg/apihelpers
GetAPIApprovalState; defaults: k/apiextensions-apiserver pkg/apis/apiextensions/v1
SetDefaults_CustomResourceDefinitionSpec.
Simplified: what was wrong before is not let pass in an update.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.columns import CREATED_AT, NAME, WIDE, Column, at, joined
from kubemini.apiserver.kinds.admission.webhooks import webhook_client
from kubemini.apiserver.kinds.definitions import openapi, printed, versions
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, each, forbidden, invalid, required, supported
from kubemini.apiserver.rules.conditions import is_true
from kubemini.apiserver.rules.customs import naming
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.served import ServedKind, serve

SCOPES = ("Cluster", "Namespaced")
REVIEWS = ("v1", "v1beta1")
APPROVED = "api-approved.kubernetes.io"
SEE = "see https://github.com/kubernetes/enhancements/pull/1111"
NOT_WEBHOOK = "should not be set when strategy is not set to Webhook"
MIXED = "may have mixed case, but should otherwise match: "
ODD_SET = (
    'x-kubernetes-list-type: set for items of type "{}" is not supported by server-side apply or CEL validation rules'
)
PRESERVE = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"


def defaults(obj: Obj) -> Obj:
    """*obj* with the names that follow from its kind, and how it is converted."""
    spec = dict(obj.get("spec") or {})
    said = dict(spec.get("names") or {})
    kind = said.get("kind") or ""
    said["singular"] = said.get("singular") or kind.lower()
    if kind and not said.get("listKind"):
        said["listKind"] = f"{kind}List"
    conversion = spec.get("conversion") or {"strategy": "None"}
    service = get(conversion, "webhook", "clientConfig", "service")
    if service is not None:
        conversion = evolve(conversion, ("webhook", "clientConfig", "service"), unset(service, port=443))
    return _remembered({**obj, "spec": {**spec, "names": said, "conversion": conversion}}, only_first=True)


def _storage(obj: Obj) -> str:
    found = [one.get("name", "") for one in get(obj, "spec", "versions") or () if one.get("storage")]
    return found[0] if found else ""


def first_status(obj: Obj) -> Any:
    """Nothing is accepted yet; one version is stored."""
    return {"storedVersions": [_storage(obj)]} if _storage(obj) else {}


def settle(obj: Obj) -> Obj:
    """Whatever version has once been stored is remembered."""
    return _remembered(obj)


def _remembered(obj: Obj, only_first: bool = False) -> Obj:
    stored, version = get(obj, "status", "storedVersions") or [], _storage(obj)
    if not version or version in stored or (stored and only_first):
        return obj
    return evolve(obj, ("status",), {**(obj.get("status") or {}), "storedVersions": [*stored, version]})


# -- rules -------------------------------------------------------------------------------------------


def rules(obj: Obj) -> Wrong:
    """Every complaint about it, but what only a new one is asked."""
    spec = versions.hoisted(obj["spec"])
    yield from _group(spec.get("group") or "", "spec.group")
    scope = spec.get("scope") or ""
    yield from supported("spec.scope", scope, SCOPES) if scope else [required("spec.scope")]
    yield from _versions(spec, are_given=obj["spec"].get("versions") is not None)
    yield from _names(spec.get("names") or {}, "spec.names", all_of_them=True)
    yield from versions.validation(spec.get("validation"), "spec.validation", _any_status(spec))
    yield from versions.subresources(spec.get("subresources"), "spec.subresources")
    for number, column in enumerate(spec.get("additionalPrinterColumns") or ()):
        yield from versions.column(column, f"spec.additionalPrinterColumns[{number}]")
    if spec.get("selectableFields"):
        schema = get(spec, "validation", "openAPIV3Schema")
        if schema is None:
            yield invalid("spec.selectableFields", "", "may only be set when validations.schema is included")
        else:
            yield from versions.selectable(spec["selectableFields"], schema, "spec.selectableFields")
    yield from _conversion(spec["conversion"], "spec.conversion")
    yield from _stored(obj, "status.storedVersions")


def _group(group: str, path: str) -> Wrong:
    if not group:
        yield required(path)
    elif wrong := names.dns_subdomain(group):
        yield invalid(path, group, ",".join(wrong))
    elif "." not in group:
        yield invalid(path, group, "should be a domain with at least one dot")


def _any_status(spec: Obj) -> bool:
    said = [spec, *spec["versions"]]
    return any(get(one, "subresources", "status") is not None for one in said)


def _versions(spec: Obj, are_given: bool) -> Wrong:
    found, path = spec["versions"], "spec.versions"
    if get(spec, "validation", "openAPIV3Schema") is None:
        for number, version in enumerate(found):
            if get(version, "schema", "openAPIV3Schema") is None:
                yield required(f"{path}[{number}].schema.openAPIV3Schema")
    for number, version in enumerate(found):
        where, name = f"{path}[{number}]", version.get("name") or ""
        if wrong := names.dns1035_label(name):
            yield invalid(f"{where}.name", name, ",".join(wrong))
        has_status = get(version if "subresources" in version else spec, "subresources", "status") is not None
        yield from versions.version_rules(version, where, has_status)
    called, told = [version.get("name") or "" for version in found], printed.versions(found) if are_given else None
    if len(called) != len(dict.fromkeys(called)):
        yield invalid(path, told, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in found) != 1:
        yield invalid(path, told, "must have exactly one version marked as storage version")
    if called and called[0] and (wrong := names.dns1035_label(called[0])):
        yield invalid("spec.version", called[0], ",".join(wrong))


def _names(said: Obj, path: str, all_of_them: bool = False) -> Wrong:
    for field in ("plural", "singular", "kind", "listKind") if all_of_them else ():
        if not said.get(field):
            yield required(f"{path}.{field}")
    for field in ("plural", "singular"):
        value = said.get(field) or ""
        if value and (wrong := names.dns1035_label(value)):
            yield invalid(f"{path}.{field}", value, ",".join(wrong))
    for field in ("kind", "listKind"):
        value = said.get(field) or ""
        if value and (wrong := names.dns1035_label(value.lower())):
            yield invalid(f"{path}.{field}", value, MIXED + ",".join(wrong))
    yield from _labels(said.get("shortNames") or (), f"{path}.shortNames")
    if said.get("kind") and said["kind"] == said.get("listKind"):
        yield invalid(f"{path}.listKind", said["listKind"], "kind and listKind may not be the same")
    yield from _labels(said.get("categories") or (), f"{path}.categories")


def _labels(found: Sequence[str], path: str) -> Wrong:
    for number, value in enumerate(found):
        if wrong := names.dns1035_label(value):
            yield invalid(f"{path}[{number}]", value, ",".join(wrong))


def _conversion(said: Obj, path: str) -> Wrong:
    strategy, webhook = said.get("strategy") or "", said.get("webhook") or {}
    client, reviews = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if not strategy:
        yield required(f"{path}.strategy")
    else:
        yield from supported(f"{path}.strategy", strategy, ("None", "Webhook"))
    if strategy != "Webhook":
        if client is not None:
            yield forbidden(f"{path}.webhookClientConfig", NOT_WEBHOOK)
        if reviews:
            yield forbidden(f"{path}.conversionReviewVersions", NOT_WEBHOOK)
        return
    if client is None:
        yield required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook")
    else:
        yield from webhook_client(client, f"{path}.webhookClientConfig")
    yield from _reviews(reviews, f"{path}.conversionReviewVersions")


def _reviews(found: Sequence[str], path: str) -> Wrong:
    if not found:
        yield required(path)
        return
    for number, version in enumerate(found):
        if version in found[:number]:
            yield invalid(f"{path}[{number}]", version, "duplicate version")
        else:
            yield from each(names.dns1035_label(version), f"{path}[{number}]", version)
    if not any(version in REVIEWS for version in found):
        yield invalid(path, list(found), "must include at least one of v1, v1beta1")


def named(obj: Obj) -> Wrong:
    """It is called by what it defines."""
    called = obj["metadata"].get("name") or ""
    if called and called != f"{get(obj, 'spec', 'names', 'plural') or ''}.{get(obj, 'spec', 'group') or ''}":
        yield invalid("metadata.name", called, 'must be spec.names.plural+"."+spec.group')


def create_rules(obj: Obj) -> Wrong:
    """A new one has approval where it needs it."""
    yield from _approval(obj)
    yield from _preserve(obj)


def _approval(obj: Obj) -> Wrong:
    group, told = get(obj, "spec", "group") or "", get(obj, "metadata", "annotations", APPROVED) or ""
    if not f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        return
    path, url = f"metadata.annotations[{APPROVED}]", urlsplit(told)
    must = f'protected groups must have approval annotation "{APPROVED}"'
    if not told:
        yield required(path, f"{must}, {SEE}")
    elif not told.startswith("unapproved") and not (url.scheme and url.netloc):
        yield invalid(path, told, f'{must} with either a URL or a reason starting with "unapproved", {SEE}')


def _preserve(obj: Obj) -> Wrong:
    if get(obj, "spec", "preserveUnknownFields"):
        yield invalid("spec.preserveUnknownFields", True, PRESERVE)


def changes(new: Obj, old: Obj) -> Wrong:
    """What names its resource stays, and its scope and kind once it is established."""
    was, said = old["spec"], new["spec"]
    if is_true(old, "Established"):
        if said.get("scope") != was.get("scope"):
            yield invalid("spec.scope", said.get("scope") or "", IMMUTABLE)
        if get(said, "names", "kind") != get(was, "names", "kind"):
            yield invalid("spec.names.kind", get(said, "names", "kind") or "", IMMUTABLE)
    if said.get("group") != was.get("group"):
        yield invalid("spec.group", said.get("group") or "", IMMUTABLE)
    if get(said, "names", "plural") != get(was, "names", "plural"):
        yield invalid("spec.names.plural", get(said, "names", "plural") or "", IMMUTABLE)
    if get(new, "metadata", "annotations", APPROVED) != get(old, "metadata", "annotations", APPROVED):
        yield from _approval(new)
    if not was.get("preserveUnknownFields"):
        yield from _preserve(new)


def _stored(obj: Obj, path: str) -> Wrong:
    """The version that is stored is remembered, and what is remembered is there."""
    stored, there = get(obj, "status", "storedVersions") or [], get(obj, "spec", "versions") or ()
    if not stored:
        yield invalid(path, None, "must have at least one stored version")
        return
    called = [one.get("name", "") for one in there]
    for number, version in enumerate(there):
        name = called[number]
        if version.get("storage") and (name not in stored or name in called[:number]):
            yield invalid(path, list(stored), f"must have the storage version {name}")
    for number, version in enumerate(stored):
        if version not in called:
            text = f"missing from spec.versions; {version} was previously a storage version, and must remain in"
            ensure = f"spec.versions until a storage migration ensures no data remains persisted in {version}"
            yield invalid(f"{path}[{number}]", version, f"{text} {ensure} and removes {version} from {path}")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Names that are accepted are names."""
    yield from _names(get(new, "status", "acceptedNames") or {}, "status.acceptedNames")


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """Formats that nobody knows, sets of what cannot be told apart."""
    before = _odd(old) if old is not None else []
    return [text for text in _odd(obj) if text not in before]


def _odd(obj: Obj) -> list[str]:
    spec = versions.hoisted(obj["spec"])
    said = [
        get(one, "openAPIV3Schema") for one in (spec.get("validation"), *(v.get("schema") for v in spec["versions"]))
    ]
    places = [place for schema in said if schema is not None for place in openapi.places(schema)]
    unknown = [f'unrecognized format "{place["format"]}"' for place in places if openapi.unknown_format(place)]
    types = [place["items"].get("type") for place in places if openapi.is_odd_set(place)]
    return unknown + [ODD_SET.format(type) for type in sorted(dict.fromkeys(types))]


# -- columns -----------------------------------------------------------------------------------------


def _served(obj: Obj, now: int) -> str:
    return joined(one.get("name", "") for one in get(obj, "spec", "versions") or () if one.get("served"))


COLUMNS = (
    NAME,
    Column("Scope", at("spec", "scope"), description="Cluster/Namespaced"),
    Column("Versions", _served, description="Served versions"),
    CREATED_AT,
    Column("Group", at("spec", "group"), priority=WIDE, description="API group"),
    Column("Kind", at("spec", "names", "kind"), priority=WIDE, description="CustomResource kind"),
    Column(
        "ShortNames",
        lambda obj, now: joined(get(obj, "spec", "names", "shortNames") or ()),
        priority=WIDE,
        description="Short names",
    ),
    Column(
        "Established",
        lambda obj, now: is_true(obj, "Established"),
        type="boolean",
        priority=WIDE,
        description="Established status",
    ),
)
serve(
    ServedKind(
        KNOWN["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
        subresources=("status",),
        counted=True,
        versioned=True,
        defaults=defaults,
        named=named,
        rules=rules,
        create_rules=create_rules,
        changes=changes,
        settle=settle,
        status_rules=status_rules,
        first_status=first_status,
        warnings=warnings,
        columns=COLUMNS,
        kept=naming.marked,
        any_finalizer=True,
    )
)
