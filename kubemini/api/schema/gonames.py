"""What Go calls the type of a field, for the texts of its JSON decoder: ``v1.PullPolicy`` where the schema says string.

The published OpenAPI does not tell these names: ``gonames.txt`` is derived from the types of k8s.io/api by
`python -m tests.oracles.kubernetes.names`. A field that is not listed has the plain type that the schema gives it.
"""

from functools import lru_cache
from pathlib import Path

from kubemini.api import schema

_PLAIN = {
    "string": "string",
    "bool": "bool",
    "int32": "int32",
    "int64": "int64",
    "number": "float64",
    "bytes": "[]uint8",
    "time": "string",
    "microtime": "string",
    "quantity": "resource.Quantity",
    "int-or-string": "int32",
    "object": "map[string]interface {}",
    "json": "interface {}",
}


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    """Definition → field → the name of its type."""
    text = (Path(__file__).parent / "gonames.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {name: dict(pair.split("=") for pair in pairs) for name, *pairs in lines}


@lru_cache(maxsize=1)
def _texts() -> frozenset[str]:
    return frozenset(name for fields in _table().values() for name in fields.values())


def is_text(go_type: str) -> bool:
    """Whether a type with a name of its own is a text."""
    return go_type in _texts()


def go_type(definition: str, field: str, type: str) -> str:
    """The Go type of a value of *type* in *field* of *definition*: ``[]v1.Container``, ``map[string]string``."""
    if type.startswith("[]"):
        return "[]" + go_type(definition, field, schema.item(type))
    if type == "{}quantity":
        return "v1.ResourceList"
    if type.startswith("{}"):
        return "map[string]" + go_type(definition, field, schema.item(type))
    if type in _PLAIN:
        return _table().get(definition, {}).get(field, _PLAIN[type])
    return ".".join(type.split(".")[-2:])
