"""What the query of a request, or the body of a DELETE, asks for besides the object. Pure.

    read(info, {"limit": "x"}, None)      ApiError 400: strconv.ParseInt: parsing "x": invalid syntax
    read(info, {"dryRun": "Some"}, …)     ApiError 422: CreateOptions.meta.k8s.io "" is invalid: dryRun: …

A number that is none is a bad request (400), as conversion fails before anything is looked at; a value that is not
allowed is Invalid (422). Unknown parameters are ignored, negative limits mean none. DELETE reads its body if there is
one, and only else its query.
Models k/apimachinery pkg/apis/meta/internalversion/validation ValidateListOptions, pkg/apis/meta/v1/validation
ValidateDeleteOptions ValidateCreateOptions ValidatePatchOptions, pkg/apis/meta/internalversion SetListOptionsDefaults.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import POD, Kind
from kubemini.apiserver.decide import decoding
from kubemini.apiserver.decide.request import RequestInfo, first, truth

EXACT, NOT_OLDER_THAN = "Exact", "NotOlderThan"
POLICIES = ("Foreground", "Background", "Orphan")
LONGEST_MANAGER = 128
APPLY = "apply"
PATCH_TYPES = {
    "merge": "merge",
    "strategic": "strategic",
    "json": "json",
    "apply": APPLY,
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/json-patch+json": "json",
    "application/apply-patch+yaml": APPLY,
}
_OPTIONS = {
    "create": "CreateOptions",
    "update": "UpdateOptions",
    "patch": "PatchOptions",
    "delete": "DeleteOptions",
    "deletecollection": "DeleteOptions",
    "get": "GetOptions",
}
_DELETE_SHAPE = {
    "kind": "string",
    "apiVersion": "string",
    "gracePeriodSeconds": "int64",
    "orphanDependents": "bool",
    "propagationPolicy": "v1.DeletionPropagation",
    "dryRun": "[]string",
    "preconditions": ("Preconditions", "v1.Preconditions", {"uid": "types.UID", "resourceVersion": "string"}),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Everything a request may ask for; what a verb does not know stays as it is here."""

    version: str = ""  # resourceVersion
    match: str = ""  # resourceVersionMatch
    limit: int = 0
    chunk: str = ""  # continue
    timeout: int | None = None  # seconds
    bookmarks: bool = False
    initial: bool | None = None  # sendInitialEvents
    dry_run: tuple[str, ...] = ()
    manager: str = ""  # fieldManager
    validation: str = ""  # fieldValidation
    force: bool | None = None
    patch: str = "merge"
    grace: int | None = None  # seconds
    policy: str | None = None  # propagationPolicy
    orphan: bool | None = None  # orphanDependents
    preconditions: Mapping[str, str] = field(default_factory=dict)

    @property
    def dry(self) -> bool:
        """Whether nothing is to be stored."""
        return bool(self.dry_run)


def read(info: RequestInfo, query: Mapping[str, Any], body: Any) -> "Options | ApiError":
    """The options of a request, or why they cannot be."""
    deletes = info.verb in ("delete", "deletecollection")
    found = _from_body(body) if deletes and body is not None else _from_query(query)
    if isinstance(found, ApiError):
        return found
    if info.verb in ("list", "watch", "deletecollection"):
        found = _with_list_defaults(info.verb, found)
        wrong = [*_wrong_list(info.verb, found)]
        if wrong:
            return errors.invalid(_kind("ListOptions"), "", wrong)
    wrong = [*_wrong(info.verb, found)]
    return errors.invalid(_kind(_OPTIONS[info.verb]), "", wrong) if wrong else found


def number_of(version: str) -> "int | str":
    """The number that a resourceVersion is, or what strconv.ParseUint says."""
    return _whole(version, "ParseUint", 0, 2**64)


# -- from text -------------------------------------------------------------------------------------------------------


def _from_query(query: Mapping[str, Any]) -> "Options | ApiError":
    numbers: dict[str, int | None] = {}
    for name in ("limit", "timeoutSeconds", "gracePeriodSeconds"):
        number = _number(first(query, name))
        if isinstance(number, str):
            return errors.bad_request(number)
        numbers[name] = number
    policy = first(query, "propagationPolicy")
    dry_run = query.get("dryRun") or ()
    return Options(
        version=first(query, "resourceVersion"),
        match=first(query, "resourceVersionMatch"),
        limit=max(numbers["limit"] or 0, 0),
        chunk=first(query, "continue"),
        timeout=numbers["timeoutSeconds"],
        bookmarks=truth(query.get("allowWatchBookmarks")),
        initial=_flag(query, "sendInitialEvents"),
        dry_run=tuple(map(str, dry_run)) if isinstance(dry_run, list | tuple) else (str(dry_run),),
        manager=first(query, "fieldManager"),
        validation=first(query, "fieldValidation"),
        force=_flag(query, "force"),
        patch=PATCH_TYPES.get(first(query, "type") or "merge", ""),
        grace=numbers["gracePeriodSeconds"],
        policy=policy if "propagationPolicy" in query else None,
        orphan=_flag(query, "orphanDependents"),
    )


def _flag(query: Mapping[str, Any], key: str) -> bool | None:
    return truth(query[key]) if query.get(key) is not None else None


def _number(text: str) -> "int | str | None":
    return whole_number(text) if text else None


def whole_number(text: str) -> "int | str":
    """A 64-bit number, or what strconv.ParseInt says."""
    return _whole(text, "ParseInt", -(2**63), 2**63)


def _whole(text: str, function: str, least: int, beyond: int) -> "int | str":
    pattern = r"[0-9]+" if least == 0 else r"[+-]?[0-9]+"
    if not re.fullmatch(pattern, text, re.ASCII):
        return f"strconv.{function}: parsing {decoding.quoted(text)}: invalid syntax"
    if len(text) > 20 or not least <= int(text) < beyond:
        return f"strconv.{function}: parsing {decoding.quoted(text)}: value out of range"
    return int(text)


def _from_body(body: Any) -> "Options | ApiError":
    """DeleteOptions, as they stand in the body of a DELETE."""
    wrong = decoding.not_an_object(body)
    if wrong:
        return errors.bad_request(wrong)
    said = body.get("kind") or "DeleteOptions"
    if said != "DeleteOptions":
        version = body.get("apiVersion") or "meta.k8s.io/v1"
        scheme = 'in scheme "pkg/runtime/scheme.go:111"'
        return errors.bad_request(f'no kind "{said}" is registered for version "{version}" {scheme}')
    wrong = decoding.mistyped(body, "DeleteOptions", _DELETE_SHAPE)
    if wrong:
        return errors.bad_request(wrong)
    held = {key: value for key, value in (body.get("preconditions") or {}).items() if value is not None}
    return Options(
        dry_run=tuple(body.get("dryRun") or ()),
        grace=body.get("gracePeriodSeconds"),
        policy=body.get("propagationPolicy"),
        orphan=body.get("orphanDependents"),
        preconditions=held,
    )


# -- what may not be -------------------------------------------------------------------------------------------------


def _with_list_defaults(verb: str, found: Options) -> Options:
    """A watch from nowhere, or from any state, begins with what there is."""
    if verb == "watch" and found.initial is None and not found.match and found.version in ("", "0"):
        return replace(found, initial=True, match=NOT_OLDER_THAN)
    return found


def _wrong_list(verb: str, found: Options) -> Iterator[FieldError]:
    field, match = "resourceVersionMatch", found.match
    if verb == "watch":
        yield from _wrong_watch(found)
        return
    if match:
        if not found.version:
            yield _forbidden(field, f"{field} is forbidden unless resourceVersion is provided")
        if found.chunk:
            yield _forbidden(field, f"{field} is forbidden when continue is provided")
        if match not in (EXACT, NOT_OLDER_THAN):
            yield _unsupported(field, match, EXACT, NOT_OLDER_THAN, "")
        if match == EXACT and found.version == "0":
            yield _forbidden(field, f'{field} "exact" is forbidden for resourceVersion "0"')
    if found.initial is not None:
        yield _forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _wrong_watch(found: Options) -> Iterator[FieldError]:
    field, match = "resourceVersionMatch", found.match
    if found.initial is not None and match != NOT_OLDER_THAN:
        yield _forbidden(field, f"sendInitialEvents requires setting {field} to {NOT_OLDER_THAN}")
    if match:
        if found.initial is None:
            yield _forbidden(field, f"{field} is forbidden for watch unless sendInitialEvents is provided")
        if match != NOT_OLDER_THAN:
            yield _unsupported(field, match, NOT_OLDER_THAN)
        if found.chunk:
            yield _forbidden(field, f"{field} is forbidden when continue is provided")


def _wrong(verb: str, found: Options) -> Iterator[FieldError]:
    if verb in ("delete", "deletecollection"):
        yield from _wrong_delete(found)
    elif verb in ("create", "update", "patch"):
        if verb == "patch":
            yield from _wrong_patch(found)
        yield from _wrong_manager(found.manager)
        yield from _wrong_dry_run(found)
        if found.validation not in ("", "Ignore", "Strict", "Warn"):
            yield _unsupported("fieldValidation", found.validation, "", "Ignore", "Strict", "Warn")


def _wrong_delete(found: Options) -> Iterator[FieldError]:
    field, policy = "propagationPolicy", found.policy
    if policy is not None and found.orphan is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        yield FieldError("FieldValueInvalid", field, f"Invalid value: {decoding.quoted(policy)}: {why}")
    if policy is not None and policy not in POLICIES:
        yield _unsupported(field, policy, *POLICIES, "nil")
    yield from _wrong_dry_run(found)


def _wrong_patch(found: Options) -> Iterator[FieldError]:
    if found.patch != APPLY and found.force is not None:
        yield _forbidden("force", "may not be specified for non-apply patch")
    if found.patch == APPLY and not found.manager:
        yield FieldError("FieldValueRequired", "fieldManager", "Required value: is required for apply patch")


def _wrong_manager(manager: str) -> Iterator[FieldError]:
    if len(manager.encode()) > LONGEST_MANAGER:
        text = f"Too long: may not be more than {LONGEST_MANAGER} bytes"
        yield FieldError("FieldValueTooLong", "fieldManager", text)
    for position, character in enumerate(manager):
        if not character.isprintable():
            where = f"invalid character U+{ord(character):04X} (at position {position})"
            yield FieldError("FieldValueInvalid", "fieldManager", f"Invalid value: {decoding.quoted(manager)}: {where}")


def _wrong_dry_run(found: Options) -> Iterator[FieldError]:
    if any(value != "All" for value in found.dry_run):
        shown = "[" + ",".join(decoding.quoted(value) for value in found.dry_run) + "]"
        text = f'Unsupported value: {shown}: supported values: "All"'
        yield FieldError("FieldValueNotSupported", "dryRun", text)


def _forbidden(field: str, why: str) -> FieldError:
    return FieldError("FieldValueForbidden", field, f"Forbidden: {why}")


def _unsupported(field: str, value: str, *known: str) -> FieldError:
    listed = ", ".join(decoding.quoted(one) for one in known)
    text = f"Unsupported value: {decoding.quoted(value)}: supported values: {listed}"
    return FieldError("FieldValueNotSupported", field, text)


def _kind(name: str) -> Kind:
    """The kind that a text about options names."""
    return replace(POD, group="meta.k8s.io", kind=name)
