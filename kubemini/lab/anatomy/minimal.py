"""anatomy.minimal: the programs that a running shop can do without."""

from dataclasses import replace
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.anatomy.story import SCALE
from kubemini.lab.visits import visits
from kubemini.scenarios import load
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND
from kubemini.simulate import run

MINIMAL_SEEDS = range(1, 6)
ASKERS = ("visitor@", "kubectl")


@exercise("anatomy.minimal")
def check_minimal(answer: Any) -> Report:
    """A list of programs to crash at 20 s: every visit after that must be answered, and two programs may be left."""
    trace = run("anatomy", until=1)
    programs = [c for host in trace.header["topology"]["hosts"] for c in host["components"] if not c.startswith(ASKERS)]
    gone = list(dict.fromkeys(map(str, answer))) if isinstance(answer, list | tuple | set) else []
    unknown = [name for name in gone if name not in programs]
    if not gone or unknown:
        raise NotYet(
            f"Give check() a list of programs to crash{f'; {unknown[0]!r} is none of them' if unknown else ''}. "
            f"There are: {', '.join(programs)}."
        )
    left = [name for name in programs if name not in gone]
    scenario = replace(load("anatomy"), faults=())
    asked: list[Record] = []
    for seed in MINIMAL_SEEDS:
        after = run(scenario, seed, [(SCALE, "crash", name) for name in gone], until=60)
        asked += visits(after, SCALE, 58)
    failed = [r for r in asked if r.detail["outcome"] != "ok"]
    counted = f"{len(asked) - len(failed)} of {len(asked)} visits were answered in {len(MINIMAL_SEEDS)} runs"
    if failed:
        raise NotYet(
            "The shop does not serve any more: you crashed something that a packet needs.",
            counted,
            f"the first failure, at {failed[0].at / SECOND:.1f} s: {failed[0].detail['why']}",
            next="Who does a packet meet on its way from the visitor to a pod?",
        )
    if len(left) > 2:
        raise NotYet(
            f"The shop serves, with {len(left)} programs left; two are enough.",
            counted,
            next=f"Left: {', '.join(left)}.",
        )
    return Report(
        "pass",
        (counted, f"left: {', '.join(left)}"),
        "The containers and the rules in their hosts' kernels serve on, with all of Kubernetes gone.",
    )
