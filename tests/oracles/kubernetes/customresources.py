"""Derive ``kubemini/api/schema/customresources.json`` from published CustomResourceDefinitions.

    python -m tests.oracles.kubernetes.customresources FOLDER KIND…

FOLDER holds the CRDs as their project publishes them: of Gateway API 1.5.1 ``config/crd/standard`` of the Go module
sigs.k8s.io/gateway-api. Of each KIND the version that was asked for (v1) is kept: its structural schema without
descriptions, and whether it has rules in CEL. Kinds that are in the file already and are not named stay.
"""

import json
import sys
from pathlib import Path

import yaml

from kubemini.api.schema import custom

VERSION = "v1"
OUT = Path(custom.__file__).with_name("customresources.json")
LEFT_OUT = ("description", "x-kubernetes-validations")


def stripped(node, of_names=False):
    """A schema without prose and rules; *of_names*: its keys are names of properties."""
    if isinstance(node, list):
        return [stripped(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: stripped(value, key == "properties" and not of_names)
        for key, value in sorted(node.items())
        if of_names or key not in LEFT_OUT
    }


def derived(folder, kinds):
    """{"apiVersion,Kind": schema} of *kinds*."""
    found = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            spec = (crd or {}).get("spec", {})
            if (crd or {}).get("kind") != "CustomResourceDefinition" or spec["names"]["kind"] not in kinds:
                continue
            schema = next(v["schema"]["openAPIV3Schema"] for v in spec["versions"] if v["name"] == VERSION)
            rules = "x-kubernetes-validations" in json.dumps(schema)
            key = f"{spec['group']}/{VERSION},{spec['names']['kind']}"
            found[key] = {"rules": rules, "schema": stripped(schema)}
    return found


def text(schemas):
    """The file: a kind a line."""
    lines = [f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in sorted(schemas.items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    kept = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    OUT.write_text(text(kept | derived(sys.argv[1], sys.argv[2:])), encoding="utf-8")
