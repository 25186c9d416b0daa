"""A schema and a version as texts of refusals print them: Go's own fields, each of them, set or not.

Models k/apiextensions-apiserver pkg/apis/apiextensions JSONSchemaProps, CustomResourceDefinitionVersion.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.apiserver.rules.causes import InOrder

TEXTS = ("id", "schema", "description", "type", "format", "title", "pattern")
FLAGS = ("nullable", "exclusiveMaximum", "exclusiveMinimum", "uniqueItems")
X_FLAGS = ("XEmbeddedResource", "XIntOrString")
ORDER = (
    *("ID", "Schema", "Ref", "Description", "Type", "Nullable", "Format", "Title", "Default", "Maximum"),
    *("ExclusiveMaximum", "Minimum", "ExclusiveMinimum", "MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems"),
    *("UniqueItems", "MultipleOf", "Enum", "MaxProperties", "MinProperties", "Required", "Items", "AllOf", "OneOf"),
    *("AnyOf", "Not", "Properties", "AdditionalProperties", "PatternProperties", "Dependencies", "AdditionalItems"),
    *("Definitions", "ExternalDocs", "Example", "XPreserveUnknownFields", "XEmbeddedResource", "XIntOrString"),
    *("XListMapKeys", "XListType", "XMapType", "XValidations"),
)
RULE = ("Rule", "Message", "MessageExpression", "Reason", "FieldPath", "OptionalOldSelf")
VERSION = ("Name", "Served", "Storage", "Deprecated", "DeprecationWarning", "Schema", "Subresources")
COLUMN = ("Name", "Type", "Format", "Description", "Priority", "JSONPath")
X = "x-kubernetes-"


def _word(name: str) -> str:
    """The field of JSON that Go calls *name*."""
    if name == "ID":
        return "id"
    if name == "Ref":
        return "$ref"
    if not name.startswith("X"):
        return _lower(name)
    return X + "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name[1:]).strip("-")


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def schema(said: Mapping[str, Any]) -> InOrder:
    """*said* as Go has it."""
    return InOrder((name, _field(name, said.get(_word(name)))) for name in ORDER)


def _field(name: str, found: Any) -> Any:
    if _lower(name) in TEXTS or name == "ID":
        return found or ""
    if _lower(name) in FLAGS or name in X_FLAGS:
        return bool(found)
    if name in ("AllOf", "OneOf", "AnyOf"):
        return [schema(one) for one in found] if found else None
    if name in ("Properties", "PatternProperties", "Definitions"):
        return {key: schema(one) for key, one in found.items()} if found else None
    if found is None:
        return None
    if name == "Not":
        return schema(found)
    if name == "Items":
        return InOrder(Schema=schema(found), JSONSchemas=None)
    if name in ("AdditionalProperties", "AdditionalItems"):
        allows = isinstance(found, Mapping) or bool(found)
        return InOrder(Allows=allows, Schema=schema(found) if isinstance(found, Mapping) else None)
    if name == "XValidations":
        return [rule(one) for one in found]
    return found


def rule(said: Mapping[str, Any]) -> InOrder:
    """A rule in CEL as Go has it."""
    return InOrder((word, _of_rule(word, said.get(_lower(word)))) for word in RULE)


def _of_rule(word: str, found: Any) -> Any:
    return found if word in ("Reason", "OptionalOldSelf") else found or ""


def versions(found: Sequence[Mapping[str, Any]]) -> list[InOrder]:
    """Versions, without what all of them say."""
    return [
        InOrder(
            [(word, _of_version(word, one.get(_lower(word)))) for word in VERSION]
            + [("AdditionalPrinterColumns", _titled(one.get("additionalPrinterColumns")))]
            + [("SelectableFields", _titled(one.get("selectableFields")))]
        )
        for one in found
    ]


def _of_version(word: str, found: Any) -> Any:
    if word in ("Served", "Storage", "Deprecated"):
        return bool(found)
    if word == "Schema" and found is not None:
        said = found.get("openAPIV3Schema")
        return {"OpenAPIV3Schema": None if said is None else schema(said)}
    if word == "Subresources" and found is not None:
        return InOrder(Status=found.get("status"), Scale=_scale(found.get("scale")))
    return found


def _scale(found: Mapping[str, Any] | None) -> Any:
    if found is None:
        return None
    words = ("SpecReplicasPath", "StatusReplicasPath", "LabelSelectorPath")
    return InOrder((word, found.get(_lower(word))) for word in words)


def _titled(found: Any) -> Any:
    if not found:
        return None
    if "type" not in found[0]:
        return [InOrder(JSONPath=one.get("jsonPath") or "") for one in found]
    return [InOrder((word, _of_column(word, one)) for word in COLUMN) for one in found]


def _of_column(word: str, said: Mapping[str, Any]) -> Any:
    found = said.get("jsonPath" if word == "JSONPath" else _lower(word))
    return found or (0 if word == "Priority" else "")
