"""The versions of a definition: schema, columns, scale, selectable fields of each, or of all at once.

Kubernetes moves what all versions say alike to the top of the spec before it judges, and its texts speak of that
place: ``spec.validation``, not ``spec.versions[0].schema``.
Models k/apiextensions-apiserver pkg/apis/apiextensions/v1
Convert_v1_CustomResourceDefinitionSpec_To_apiextensions_CustomResourceDefinitionSpec;
k/apiextensions-apiserver pkg/apis/apiextensions/validation validateCustomResourceDefinitionVersion,
ValidateCustomResourceDefinitionSubresources, ValidateCustomResourceColumnDefinition,
ValidateCustomResourceSelectableFields, validateCustomResourceDefinitionValidation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.apiserver.kinds.definitions import compiled, openapi, printed, structural
from kubemini.apiserver.rules.causes import (
    Wrong,
    duplicate,
    forbidden,
    indexed,
    invalid,
    required,
    too_many,
)

SHARED = {  # field of a version → at the top of the spec
    "subresources": "subresources",
    "schema": "validation",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
MOST_SELECTABLE = 8
LONGEST_WARNING = 256  # bytes
SCALARS = ("string", "boolean", "integer")
AT_THE_ROOT = (
    *("description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
    *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required", "items"),
    *("properties", "externalDocs", "example", structural.PRESERVE, openapi.RULES),
)
_GO = "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern"
GO_AT_THE_ROOT = f"{_GO} MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example"
NOT_AT_THE_ROOT = f"only [{GO_AT_THE_ROOT} XPreserveUnknownFields XValidations] fields are allowed at the root of the"


def hoisted(spec: Obj) -> dict[str, Any]:
    """*spec* with what all versions say alike at the top, as texts speak of it."""
    versions = [dict(version) for version in spec.get("versions") or ()]
    top: dict[str, Any] = {}
    for field, place in SHARED.items():
        said = [version.get(field) or None for version in versions]
        if versions and all(one == said[0] for one in said):
            top |= {place: said[0]} if said[0] is not None else {}
            for version in versions:
                version.pop(field, None)
    return {**spec, **top, "versions": versions}


def version_rules(version: Obj, path: str, has_status: bool) -> Wrong:
    """Every complaint about what one version says for itself."""
    warning = version.get("deprecationWarning")
    for text in _wrong_warning(bool(version.get("deprecated")), warning):
        yield invalid(f"{path}.deprecationWarning", warning, text)
    yield from validation(version.get("schema"), f"{path}.schema", has_status)
    yield from subresources(version.get("subresources"), f"{path}.subresources")
    yield from indexed(version.get("additionalPrinterColumns"), f"{path}.additionalPrinterColumns", column)
    if version.get("selectableFields"):
        schema = get(version, "schema", "openAPIV3Schema")
        if schema is None:
            text = "may only be set when `version.schema.openAPIV3Schema` is not included"
            yield invalid(f"{path}.selectableFields", "", text)
        else:
            yield from selectable(version["selectableFields"], schema, f"{path}.selectableFields")


def _wrong_warning(deprecated: bool, warning: str | None) -> list[str]:
    if warning is None:
        return []
    if not deprecated:
        return ["can only be set for deprecated versions"]
    found = ["must be <= 256 characters long"] if len(warning.encode()) > LONGEST_WARNING else []
    found += [] if warning else ["must not be an empty string"]
    bad = next((at for at, character in enumerate(warning) if not character.isprintable()), None)
    if bad is not None:
        found.append(f"must only contain printable UTF-8 characters; non-printable character found at index {bad}")
    return found


def validation(said: Obj | None, path: str, has_status: bool) -> Wrong:
    """Every complaint about a schema."""
    schema = (said or {}).get("openAPIV3Schema")
    if schema is None:
        return
    where = f"{path}.openAPIV3Schema"
    if has_status:
        yield from _root(schema, where)
    if schema.get("nullable"):
        yield forbidden(f"{where}.nullable", "nullable cannot be true at the root")
    found = [*structural.problems(schema, where)]
    found = found or [*compiled.defaults(schema, where)]
    yield from found
    odd = [*openapi.problems(schema, openapi.Place(where, root=True))]
    yield from odd
    if not (found or odd):
        yield from compiled.rules(schema, where)


def _root(schema: Obj, path: str) -> Wrong:
    """With a status of its own a schema must be one of an object, and say no more at its root."""
    more = next((word for word in sorted(schema) if schema[word] and word not in AT_THE_ROOT), None)
    if schema.get("type") and schema["type"] != "object":
        text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield invalid(f"{path}.type", schema["type"], text)
    elif more is not None:
        yield invalid(path, printed.schema(schema), f"{NOT_AT_THE_ROOT} schema if the status subresource is enabled")


def subresources(said: Obj | None, path: str) -> Wrong:
    """Where a scale finds its numbers."""
    scale = (said or {}).get("scale")
    if scale is None:
        return
    for field, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        value, where = scale.get(field) or "", f"{path}.scale.{field}"
        if not value:
            yield required(where)
        else:
            yield from _json_path(value, where, (root,), f"should be a json path under {root[:-1]}")
    selector = scale.get("labelSelectorPath")
    if selector:
        text = "should be a json path under either .spec or .status"
        yield from _json_path(selector, f"{path}.scale.labelSelectorPath", (".spec.", ".status."), text)


def _json_path(value: str, path: str, roots: tuple[str, ...] = (), text: str = "") -> Wrong:
    if not value.startswith("."):
        yield invalid(path, value, "must be a simple json path starting with .")
    elif roots and not value.startswith(roots):
        yield invalid(path, value, text)


def column(said: Obj, path: str) -> Wrong:
    """A column of a Table."""
    type, format, json_path = (said.get(field) or "" for field in ("type", "format", "jsonPath"))
    if not said.get("name"):
        yield required(f"{path}.name")
    types = "must be one of " + ",".join(COLUMN_TYPES)
    if not type:
        yield required(f"{path}.type", types)
    elif type not in COLUMN_TYPES:
        yield invalid(f"{path}.type", type, types)
    if format and format not in COLUMN_FORMATS:
        yield invalid(f"{path}.format", format, "must be one of " + ",".join(COLUMN_FORMATS))
    if not json_path:
        yield required(f"{path}.JSONPath")
    else:
        yield from _json_path(json_path, f"{path}.JSONPath")


def selectable(fields: Sequence[Obj], schema: Obj, path: str) -> Wrong:
    """Fields that selectors may name: plain values, not of metadata, each once."""
    seen: list[str] = []
    for number, field in enumerate(fields):
        where, said = f"{path}[{number}].jsonPath", field.get("jsonPath") or ""
        if not said:
            yield required(where)
            continue
        found, wrong = _followed(schema, said)
        if wrong:
            yield invalid(where, said, f"is an invalid path: {wrong}")
            continue
        if said.split(".")[1] == "metadata":
            yield invalid(where, said, "must not point to fields in metadata")
        if found.get("type") not in SCALARS:
            text = "must point to a field of type string, boolean or integer."
            yield invalid(where, said, f"{text} Enum string fields and strings with formats are allowed.")
        if said in seen:
            yield duplicate(where, said)
        seen.append(said)
    if len(dict.fromkeys(seen)) > MOST_SELECTABLE:
        yield too_many(path, len(dict.fromkeys(seen)), MOST_SELECTABLE)


def _followed(schema: Obj, path: str) -> tuple[Mapping[str, Any], str]:
    """The schema that *path* leads to, or why it leads nowhere."""
    first, *steps = path.split(".")
    if "[" in path:
        return {}, "array notation is not allowed"
    if first:
        return {}, f"expected [ or . but got: {first}"
    for step in steps:
        fields, more = schema.get("properties"), schema.get("additionalProperties")
        if not step:
            return {}, "unexpected end of JSON path"
        if not fields and isinstance(more, Mapping):
            schema = more
        elif step in (fields or {}):
            schema = (fields or {})[step]
        else:
            return {}, "does not refer to a valid field"
    return schema, ""
