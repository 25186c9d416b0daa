"""The fields of custom resources: facts of a published CustomResourceDefinition, in the form of the house's schema.

    python -m tests.oracles.kubernetes.custom CRD.yaml VERSION WHOSE > tests/oracles/kubernetes/custom/PLURAL.txt

One file a definition, which is kept; `make schema` takes it over after Kubernetes' own. Its first line says whose it
is, the second is the resource as in discovery.txt. Behind a field stand the limits that the definition sets, by their
names in OpenAPI (``maxItems=25``; ``item.maxLength=43`` of what is in the list), behind the name of a map its own.
Patterns and CEL rules are no such facts: the kind's own file holds those that matter.
"""

import json
import re
import sys
from pathlib import Path

import yaml

FOLDER = Path(__file__).with_suffix("")
LIMITS = ("enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
OF_MAPS = ("minProperties", "maxProperties")
PLAIN = {"string": "string", "boolean": "bool", "integer": "int64", "number": "number", "object": "object"}
FORMATS = {("integer", "int32"): "int32", ("string", "date-time"): "time"}
SHARED = {  # written out in every definition, and the same everywhere: told by a field of theirs
    "matchLabels": "meta.v1.LabelSelector",
    "lastTransitionTime": "meta.v1.Condition",
}


class Reader:
    """Reads one version of one definition into blocks of lines."""

    def __init__(self, definition, version):
        spec = definition["spec"]
        [self.version] = [v for v in spec["versions"] if v["name"] == version]
        self.group, self.names, self.scope = spec["group"], spec["names"], spec["scope"]
        self.prefix = f"{self.group.removesuffix('.k8s.io').replace('.', '')}.{version}."
        self.blocks, self.alike = {}, {}

    def resource(self):
        """Its line in discovery."""
        names = self.names
        facts = [f"short={','.join(names['shortNames'])}"] if names.get("shortNames") else []
        facts += [f"sub={','.join(sorted(self.version['subresources']))}"] if self.version.get("subresources") else []
        facts += [f"categories={','.join(names['categories'])}"] if names.get("categories") else []
        where = "namespaced" if self.scope == "Namespaced" else "cluster"
        words = [f"{self.group}/{self.version['name']}", names["plural"], names["kind"], where]
        return " ".join([*words, *facts, f"stored={self.group}/{names['plural']}"])

    def lines(self):
        """All definitions that the kind reaches, by name."""
        kind, schema = self.names["kind"], self.version["schema"]["openAPIV3Schema"]
        schema["properties"]["metadata"] = {"type": "object", "shared": "meta.v1.ObjectMeta"}
        self.map(kind, schema, f"={self.group}/{self.version['name']},{kind}")
        return [line for name in sorted(self.blocks) for line in self.blocks[name]]

    def map(self, name, schema, head=""):
        """A map with known fields becomes a definition."""
        facts = [head] if head else []
        facts += [f"map={schema['x-kubernetes-map-type']}"] if "x-kubernetes-map-type" in schema else []
        facts += [f"{limit}={schema[limit]}" for limit in OF_MAPS if limit in schema]
        required = schema.get("required", [])
        self.blocks[name] = [" ".join([self.prefix + name, *facts, "of=crd"])]
        self.blocks[name] += [
            self.field(name, key, value, key in required) for key, value in sorted(schema["properties"].items())
        ]
        return self.prefix + name

    def field(self, inside, key, value, required):
        """One line."""
        words = [f" {key}{'!' if required else ''}", self.type(inside + key[0].upper() + key[1:], value)]
        if "x-kubernetes-list-type" in value:
            words.append(f"list={value['x-kubernetes-list-type']}")
        if "x-kubernetes-list-map-keys" in value:
            words.append(f"keys={','.join(value['x-kubernetes-list-map-keys'])}")
        words += _limits(value, "") + _limits(value.get("items", {}), "item.")
        return " ".join(words)

    def type(self, name, value):
        """``string``, ``[]policynetworking.v1beta1.ClusterNetworkPolicySpecEgress`` …"""
        if "shared" in value:
            return value["shared"]
        if value.get("x-kubernetes-int-or-string"):
            return "int-or-string"
        if value["type"] == "array":
            return "[]" + self.type(name, value["items"])
        if "properties" in value:
            found = next((type for key, type in SHARED.items() if key in value["properties"]), None)
            bare = json.dumps(_bare(value), sort_keys=True)
            return found or self.alike.get(bare) or self.alike.setdefault(bare, self.map(name, value))
        if "additionalProperties" in value:
            return "{}" + self.type(name, value["additionalProperties"])
        return FORMATS.get((value["type"], value.get("format")), PLAIN[value["type"]])


def _bare(value):
    """What tells two maps apart: all but the descriptions."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if not (key == "description" and isinstance(one, str))}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _limits(value, prefix):
    shown = {limit: value[limit] for limit in LIMITS if limit in value}
    return [f"{prefix}{name}={','.join(said) if isinstance(said, list) else said}" for name, said in shown.items()]


def kept():
    """(resource line, lines of definitions) of every file that is kept here."""
    for path in sorted(FOLDER.glob("*.txt")):
        _, resource, *lines = path.read_text(encoding="utf-8").splitlines()
        yield resource, lines


if __name__ == "__main__":
    file, version, whose = sys.argv[1:]
    reader = Reader(yaml.safe_load(Path(file).read_text(encoding="utf-8")), version)
    lines = reader.lines()
    assert not any(re.search(r"= | {2}", line.strip()) for line in lines), "a limit has a space in it"
    print(f"# {whose}", reader.resource(), *lines, sep="\n")
