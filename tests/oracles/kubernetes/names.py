"""What Go calls the types of fields: ``python -m tests.oracles.kubernetes.names [--check]``.

Runs the Go program in ``tests/oracles/written`` and keeps of what it prints what the schema has, in
``kubemini/api/schema/gonames.txt``; with --check it only compares (`make twin`).
"""

import subprocess
import sys

from kubemini.api import schema
from tests.oracles.build import program, recorded
from tests.oracles.kubernetes.schema import OUT

FILE = OUT / "gonames.txt"
HEADER = """\
# What Go calls the types of fields that are texts or numbers under a name of their own: definition, then field=type.
# Of k8s.io/api 0.37.2, printed by the program in tests/oracles/written; do not edit.
"""


def printed() -> str:
    """The file as the program writes it today. Raises Missing."""
    done = subprocess.run([program("written"), "names"], capture_output=True, text=True, check=True)
    known = set(schema.names())
    kept = [line for line in done.stdout.splitlines() if line.partition(" ")[0] in known]
    return HEADER + "\n".join(kept) + "\n"


if __name__ == "__main__":
    sys.exit(recorded(FILE, printed, "Go's names of types", "make record", check="--check" in sys.argv))
