"""The Go structs of a pod template: ``python -m tests.oracles.kubernetes.podtemplate [--check]``.

Runs the Go program in ``tests/oracles/written`` and keeps what it prints in ``kubemini/api/schema/podtemplate.txt``,
from which the hash of a template is reckoned; with --check it only compares (`make twin`).
"""

import subprocess
import sys

from tests.oracles.build import program, recorded
from tests.oracles.kubernetes.schema import OUT

FILE = OUT / "podtemplate.txt"
HEADER = """\
# The Go types of a pod template, for its hash: a struct, then its fields (Go's name, JSON's or - if embedded, type);
# a named type = what it is. Of k8s.io/api 0.37.2, printed by the program in tests/oracles/written; do not edit.
# See decide/workloads/deployment/templates.py
"""


def printed() -> str:
    """The file as the program writes it today. Raises Missing."""
    done = subprocess.run([program("written"), "template"], capture_output=True, text=True, check=True)
    return HEADER + done.stdout


if __name__ == "__main__":
    sys.exit(recorded(FILE, printed, "the structs of a pod template", "make record", check="--check" in sys.argv))
