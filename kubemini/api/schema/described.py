"""What the API says of its own types, with all prose: published facts, as data; only who asks for OpenAPI reads them.

    schema("io.k8s.api.core.v1.Pod")["properties"]["spec"]["description"]
    options("DeleteOptions")                                          its parameters, as OpenAPI 3 has them

Invariant: nobody writes here by hand: ``openapi.json.gz`` is derived from what a real server publishes
(tests/real/api/described.py). Nothing is read before the first question.
Source: Kubernetes 1.37.2 /openapi/v3.
"""

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

GVK = "x-kubernetes-group-version-kind"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
BY_GROUP = (f"{META}DeleteOptions", f"{META}WatchEvent")  # every group has them, under its own name
_FILE = Path(__file__).with_name("openapi.json.gz")


@cache
def _all() -> dict[str, Any]:
    return json.loads(gzip.decompress(_FILE.read_bytes()))


def schema(name: str) -> Mapping[str, Any] | None:
    """The schema of OpenAPI 3 that is called *name*; None if nothing published is."""
    return _all()["schemas"].get(name)


def options(of: str) -> list[dict[str, Any]]:
    """The parameters of a Go type of options, or of a place in a path; by name."""
    return _all()["options"][of]


@cache
def names() -> dict[tuple[str, str], str]:
    """(apiVersion, kind) → the name of its schema."""
    found = {}
    for name, schema in _all()["schemas"].items():
        for gvk in schema.get(GVK, ()):
            found["/".join(part for part in (gvk["group"], gvk["version"]) if part), gvk["kind"]] = name
    return found
