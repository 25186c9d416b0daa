"""Derive ``kubemini/api/schema/*.txt`` from published facts: `make schema` runs this module.

definitions.txt  the OpenAPI of Kubernetes 1.37, as PyPI's kubernetes-validate carries it: types, required fields,
                 formats, merge keys of lists and maps. No descriptions. Only what the kinds of discovery.txt reach.
                 From written.txt beside this file: what Go always writes.
resources.txt    discovery.txt beside this file, without its comments.

In kubernetes-validate every optional type carries an added null, which says nothing about Kubernetes: it is dropped.
"""

import json
import re
from importlib import resources
from pathlib import Path

VERSION = "1.37"
HERE = Path(__file__).parent
OUT = HERE.parents[2] / "kubemini" / "api" / "schema"
BESIDE = [  # what is sent to the API but is no resource of its own
    "io.k8s.api.autoscaling.v1.Scale",
    "io.k8s.api.policy.v1.Eviction",
    "io.k8s.api.authentication.v1.TokenRequest",
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
]
HEADER = f"""\
# The fields of Kubernetes {VERSION}. Derived from its published OpenAPI by `make schema`; do not edit.
#   definition[ =apiVersion,Kind][ map=atomic]
#    field[!] type [merge=KEY] [strategy=…] [list=…] [keys=…] [map=atomic] [zero=…]     (! = required)
"""
LEAVES = {
    "Quantity": "quantity",
    "IntOrString": "int-or-string",
    "Time": "time",
    "MicroTime": "microtime",
    "FieldsV1": "object",
    "RawExtension": "object",
}
FORMATS = {
    ("string", "byte"): "bytes",
    ("string", "date-time"): "time",
    ("integer", "int32"): "int32",
    ("number", "double"): "number",
}
PLAIN = {"string": "string", "integer": "int64", "number": "number", "boolean": "bool", "object": "object"}
FACTS = {
    "x-kubernetes-patch-merge-key": "merge",
    "x-kubernetes-patch-strategy": "strategy",
    "x-kubernetes-list-type": "list",
    "x-kubernetes-list-map-keys": "keys",
    "x-kubernetes-map-type": "map",
}


def published() -> dict:
    """Every definition of Kubernetes' OpenAPI by its long name."""
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{VERSION}.0-local"
    return json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"]


def rows() -> list[str]:
    """The lines of discovery.txt that are no comments."""
    lines = (HERE / "discovery.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def short(name: str) -> str:
    """``io.k8s.api.core.v1.Pod`` → ``core.v1.Pod``."""
    return ".".join(name.split(".")[-3:])


def roots(definitions: dict) -> list[str]:
    """The definitions of the kinds in discovery.txt, and what else is sent."""
    wanted = {tuple(row.split()[i] for i in (0, 2)) for row in rows()}
    found = []
    for name, definition in definitions.items():
        for gvk in definition.get("x-kubernetes-group-version-kind", ()):
            api_version = "/".join(part for part in (gvk["group"], gvk["version"]) if part)
            if (api_version, gvk["kind"]) in wanted:
                found.append(name)
    return [*dict.fromkeys(found), *BESIDE]


def reached(definitions: dict) -> list[str]:
    """All that the roots lead to, sorted by short name."""
    seen: dict[str, None] = {}
    waiting = roots(definitions)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = None
            waiting += re.findall(r'"#/\$defs/([^"]+)"', json.dumps(definitions[name]))
    return sorted((name for name in seen if is_map(name, definitions)), key=short)


def is_map(name: str, definitions: dict) -> bool:
    return "properties" in definitions[name] and name.rpartition(".")[2] not in LEAVES


def type_of(value: dict, definitions: dict) -> str:
    """``string``, ``int32``, ``[]core.v1.Container``, ``{}quantity`` …; ``json`` may be anything."""
    if "$ref" in value:
        name = value["$ref"].removeprefix("#/$defs/")
        if (last := name.rpartition(".")[2]) in LEAVES:
            return LEAVES[last]
        if is_map(name, definitions):
            return short(name)
        plain = definitions[name].get("type")
        return (
            "json"
            if plain is None
            else type_of(definitions[name], definitions)
            if plain != ["object", "null"]
            else "object"
        )
    kinds = value.get("type", [])
    [kind] = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"] or ["json"]
    if kind == "array":
        return "[]" + type_of(value["items"], definitions)
    if kind == "object" and "additionalProperties" in value:
        return "{}" + type_of(value["additionalProperties"], definitions)
    return FORMATS.get((kind, value.get("format")), PLAIN.get(kind, kind))


def written() -> dict[str, dict[str, str]]:
    """Definition → field → what Go writes for it if nobody gives it, as JSON."""
    lines = (HERE / "written.txt").read_text(encoding="utf-8").splitlines()
    found = [line.split() for line in lines if not line.startswith("#")]
    return {name: dict(fact.split("=", 1) for fact in facts) for name, *facts in found}


def line(field: str, value: dict, required: list[str], definitions: dict, zeros: dict[str, str]) -> str:
    """One field."""
    parts = [f" {field}{'!' if field in required else ''}", type_of(value, definitions)]
    for long, word in FACTS.items():
        if long in value:
            fact = value[long]
            parts.append(f"{word}={','.join(fact) if isinstance(fact, list) else fact}")
    return " ".join(parts + ([f"zero={zeros[field]}"] if field in zeros else []))


def block(name: str, definitions: dict, zeros: dict[str, dict[str, str]]) -> list[str]:
    """One definition: its name, then its fields."""
    definition = definitions[name]
    head = short(name)
    gvks = definition.get("x-kubernetes-group-version-kind", ())
    if len(gvks) == 1:
        api_version = "/".join(part for part in (gvks[0]["group"], gvks[0]["version"]) if part)
        head += f" ={api_version},{gvks[0]['kind']}"
    if "x-kubernetes-map-type" in definition:
        head += f" map={definition['x-kubernetes-map-type']}"
    required, own = definition.get("required", []), zeros.get(short(name), {})
    return [head, *(line(*field, required, definitions, own) for field in sorted(definition["properties"].items()))]


def derived() -> dict[str, str]:
    """The text of each derived file."""
    definitions = published()
    zeros = written()
    lines = [text for name in reached(definitions) for text in block(name, definitions, zeros)]
    about = f"# The resources of Kubernetes {VERSION}, from its discovery. Derived by `make schema`; do not edit.\n"
    return {
        "definitions.txt": HEADER + "\n".join(lines) + "\n",
        "resources.txt": about + "\n".join(rows()) + "\n",
    }


if __name__ == "__main__":
    for name, text in derived().items():
        (OUT / name).write_text(text, encoding="utf-8")
