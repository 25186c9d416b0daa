"""anatomy.impact: the impact matrix, six programs and six deeds.

Invariant: the matrix comes from runs of the scenario ``anatomy``; only the names of the deeds are ours.
"""

from dataclasses import replace
from typing import Any

from kubemini.cluster.topology import single
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.anatomy.story import CRASH, END, PROGRAMS, SCALE
from kubemini.lab.visits import share, visits
from kubemini.scenarios import load
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND
from kubemini.simulate import run

DEEDS = {
    "visit": "the old pods answer every visit",
    "write": "kubectl scale is accepted",
    "create": "Pod objects appear for the new pods",
    "place": "the new pods get a node",
    "start": "the new pods run",
    "route": "a new pod receives visits",
}


@exercise("anatomy.impact")
def check_impact(answer: Any) -> Report:
    """Thirty-six yes or no, each compared with a run in which that program has crashed."""
    rows = _rows(answer)
    wrong, facts = [], []
    for program in PROGRAMS:
        truth = impact(program)
        for deed, said in rows[program].items():
            if said != truth[deed]:
                wrong.append((program, deed))
                facts.append(f"without {program}: {DEEDS[deed]}: {'yes' if truth[deed] else 'no'}")
    total = len(PROGRAMS) * len(DEEDS)
    if wrong:
        raise NotYet(
            f"{total - len(wrong)} of {total} cells agree with the cluster; the first that does not is "
            f"“{wrong[0][1]}” without {wrong[0][0]}.",
            *facts[:4],
            next="Follow the new pods from deed to deed: who has to be alive for the next one?",
        )
    return Report(
        "pass",
        (f"{len(PROGRAMS)} clusters, one program crashed in each: {total} of {total} cells agree",),
        "Each program owns one step of the stairs; without it, that step and all after it fail, and no visit does.",
    )


def _rows(answer: Any) -> dict[str, dict[str, bool]]:
    """The matrix as the learner wrote it: {program: "y y n n n n"}. Raises NotYet naming the row."""
    if not isinstance(answer, dict) or set(answer) != set(PROGRAMS):
        raise NotYet(f"Give check() a dictionary with these six names: {', '.join(PROGRAMS)}.")
    rows = {}
    for program, row in answer.items():
        letters = [c for c in str(row).lower() if not c.isspace()]
        if len(letters) != len(DEEDS) or set(letters) - {"y", "n"}:
            raise NotYet(f"{program}: write one y or n for each of {', '.join(DEEDS)}; the row reads {row!r}.")
        rows[program] = {deed: letter == "y" for deed, letter in zip(DEEDS, letters)}
    return rows


def impact(program: str = "") -> dict[str, bool]:
    """Which of `DEEDS` happen in a cluster of one worker where *program* crashes before the scaling ("": none)."""
    scenario = replace(load("anatomy"), topology=single(workers=1, zones=["a"]), faults=((SCALE, "scale", "web", 4),))
    trace = run(scenario, commands=[(CRASH, "crash", program)] if program else [], until=END)
    old = {r.detail["name"] for r in trace.of("pod") if r.at < SCALE * SECOND}
    later = [r for r in trace if r.at >= SCALE * SECOND]
    pods = [r for r in later if r.what == "object" and r.detail["kind"] == "Pod" and r.detail["name"] not in old]
    new_pods = [r for r in later if r.what == "pod" and r.detail["name"] not in old]
    asked = visits(trace, SCALE, END - 2)
    answered_by_old = [r for r in asked if r.detail["via"][-1] in old]
    return {
        "visit": bool(answered_by_old) and share(answered_by_old) == 1 and share(asked) == 1,
        "write": any(r.detail["outcome"] == "ok" for r in later if r.what == "request" and r.detail["kind"] == "api"),
        "create": bool(pods),
        "place": any(_node(r) for r in pods),
        "start": any(r.detail["state"] == "running" for r in new_pods),
        "route": any(r.detail["via"][-1] not in old for r in asked),
    }


def _node(record: Record) -> str:
    """The node a Pod has in the API, as the record of its object says."""
    return str(record.detail["summary"].get("node") or "")
