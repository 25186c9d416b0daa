"""What Go always writes of the structs of Kubernetes' API: ``python -m tests.oracles.kubernetes.written [--check]``.

Runs the Go program in ``tests/oracles/written`` and keeps what it prints in written.txt beside this file, from which
`make schema` derives the `zero` of a field; with --check it only compares (`make twin`).
"""

import subprocess
import sys
from pathlib import Path

from tests.oracles.build import program, recorded

FILE = Path(__file__).with_name("written.txt")
HEADER = """\
# What Go writes of a struct of the API where a field is zero: definition, then field=zero, {} for a struct of its own,
# - where it leaves out what is zero, though somebody gave it.
# Printed by the program in tests/oracles/written, of k8s.io/api 0.37.2.
"""


def printed() -> str:
    """The file as the program writes it today. Raises Missing."""
    done = subprocess.run([program("written")], capture_output=True, text=True, check=True)
    return HEADER + done.stdout


if __name__ == "__main__":
    what, again = "what Go writes of Kubernetes' types", "make record, make schema"
    sys.exit(recorded(FILE, printed, what, again, check="--check" in sys.argv))
