"""How Kubernetes' types look in protobuf: ``python -m tests.oracles.kubernetes.wire [--check]``.

Runs the Go program in ``tests/oracles/written`` and keeps of what it prints, in ``kubemini/api/schema/wire.txt``, what
the resources that are served reach; with --check it only compares (`make twin`).
"""

import re
import subprocess
import sys

from kubemini.api import schema
from tests.oracles.build import program, recorded
from tests.oracles.kubernetes.schema import OUT

FILE = OUT / "wire.txt"
BESIDE = (
    "meta.v1.APIGroupList",
    "meta.v1.APIResourceList",
    "meta.v1.APIVersions",
    "meta.v1.DeleteOptions",
    "meta.v1.PartialObjectMetadata",
    "meta.v1.PartialObjectMetadataList",
    "meta.v1.Status",
    "autoscaling.v1.Scale",
    "policy.v1.Eviction",
    "core.v1.Binding",
    "authentication.v1.TokenRequest",
)
HEADER = """\
# The types of Kubernetes' API in protobuf: definition, then number:field:type; ~ stands among the fields of its holder.
# * a pointer, which may be left out; [] repeated; {} a map from text; raw: JSON. Of k8s.io/api 0.37.2; do not edit.
"""


def reached(lines: dict[str, str]) -> list[str]:
    """The lines of all definitions that a served resource, or a list of it, is made of."""
    roots = [name for name in lines if name.removesuffix("List") in {*_served()}]
    waiting, found = [*roots, *BESIDE], dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name not in found and name in lines:
            found[name] = lines[name]
            waiting += re.findall(r":(?:\*|\[\]|\{\})*([a-z]\w*\.v\w+\.\w+)", lines[name])
    return [found[name] for name in sorted(found)]


def _served() -> list[str]:
    found = []
    for api_version, _, kind, *_ in schema.resources():
        definition = schema.of_kind(api_version, kind)
        found += [definition.name] if definition is not None else []
    return found


def printed() -> str:
    """The file as the program writes it today. Raises Missing."""
    done = subprocess.run([program("written"), "wire"], capture_output=True, text=True, check=True)
    lines = {line.partition(" ")[0]: line for line in done.stdout.splitlines()}
    return HEADER + "\n".join(reached(lines)) + "\n"


if __name__ == "__main__":
    what = "protobuf of Kubernetes' types"
    sys.exit(recorded(FILE, printed, what, "make record", check="--check" in sys.argv))
