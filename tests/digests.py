"""One line a scenario: the digest of its trace, as it is and with a crash. `python -m tests.digests [--quiescent]`.

A step that only moves code prints the same lines before and after.
"""

import sys

from kubemini.scenarios import load, names
from kubemini.simulate import run
from tests import panics

FIRST_TO_CRASH = ("apiserver-1", "etcd-1")


def lines(fidelity):
    """``scenario how records digest`` of every scenario that comes with kubemini."""
    for name in names():
        there = [component for host in load(name).topology.hosts for component in host.components]
        victim = next(component for component in FIRST_TO_CRASH if component in there)
        for how, commands in (("as-it-is", ()), ("crash", [(21.5, "crash", victim), (33, "restart", victim)])):
            trace = run(name, commands=commands, fidelity=fidelity)
            yield f"{name:12} {how:9} {len(trace.records):6} {trace.digest()}"


if __name__ == "__main__":
    panics.are_failures()
    print(*lines("quiescent" if "--quiescent" in sys.argv else "full"), sep="\n")
