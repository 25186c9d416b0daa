"""Derive ``kubemini/api/schema/customresources.json`` from published CustomResourceDefinitions.

    python -m tests.oracles.kubernetes.customresources FOLDER VERSION KIND…

FOLDER holds the CRDs as their project publishes them: of Gateway API 1.5.1 ``config/crd/standard`` of the Go module
sigs.k8s.io/gateway-api (v1), of ClusterNetworkPolicy ``config/crd/experimental`` of sigs.k8s.io/network-policy-api
0.3.0 (v1beta1). Of each KIND its VERSION is kept: the resource as in discovery.txt, the structural schema without
descriptions, and whether it has rules in CEL. Kinds that are in the file already and are not named stay.
"""

import json
import sys
from pathlib import Path

import yaml

from kubemini.api.schema import custom

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


def resource(spec, version):
    """Its line in discovery."""
    names, group = spec["names"], spec["group"]
    several = {
        "short": names.get("shortNames"),
        "categories": names.get("categories"),
        "sub": sorted(version.get("subresources") or ()),
    }
    facts = [f"{word}={','.join(named)}" for word, named in several.items() if named]
    scope = "namespaced" if spec["scope"] == "Namespaced" else "cluster"
    words = [f"{group}/{version['name']}", names["plural"], names["kind"], scope]
    return " ".join([*words, *facts, f"stored={group}/{names['plural']}"])


def derived(folder, wanted, kinds):
    """{"apiVersion,Kind": what is kept} of the version *wanted* of *kinds*."""
    found = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            spec = (crd or {}).get("spec", {})
            if (crd or {}).get("kind") != "CustomResourceDefinition" or spec["names"]["kind"] not in kinds:
                continue
            [version] = [version for version in spec["versions"] if version["name"] == wanted]
            schema = version["schema"]["openAPIV3Schema"]
            rules = "x-kubernetes-validations" in json.dumps(schema)
            key = f"{spec['group']}/{wanted},{spec['names']['kind']}"
            found[key] = {"resource": resource(spec, version), "rules": rules, "schema": stripped(schema)}
    return found


def text(schemas):
    """The file: a kind a line."""
    lines = [f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in sorted(schemas.items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    kept = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    OUT.write_text(text(kept | derived(sys.argv[1], sys.argv[2], sys.argv[3:])), encoding="utf-8")
