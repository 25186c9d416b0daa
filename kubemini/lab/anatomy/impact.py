"""anatomy.impact: the impact matrix, seven programs and six deeds.

Invariant: the matrix comes from runs of the scenario ``anatomy``, with CoreDNS; only the names of the deeds are ours.
"""

from functools import cache
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.anatomy.story import COREDNS, END, PROGRAMS, SCALE, found_by_name, taken_away
from kubemini.lab.visits import share, visits
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND
from kubemini.simulate import run

DEEDS = {
    "visit": "every visit is answered",
    "write": "kubectl scale is accepted",
    "create": "Pod objects appear for the new pods",
    "place": "the new pods get a node",
    "start": "the new pods run",
    "route": "a new pod receives visits",
}
DOERS = {  # what it takes, for who has missed it
    "visit": "a visitor asks CoreDNS for the address, then its packets meet its kernel's rules and a pod",
    "write": "kubectl asks the API server, which is done when etcd has it on its disk",
    "create": "the ReplicaSet controller writes the Pods",
    "place": "the scheduler writes the node into a Pod",
    "start": "the kubelet of that node starts the containers",
    "route": "kube-proxy writes the new address into its kernel's rules, and a visitor that knows the name comes",
}


@exercise("anatomy.impact")
def check_impact(answer: Any) -> Report:
    """Forty-two yes or no, each compared with a run in which that program is gone."""
    rows = _rows(answer)
    missed = [(p, deed) for p in PROGRAMS for deed, told in rows[p].items() if told != impact(p)[deed]]
    total = len(PROGRAMS) * len(DEEDS)
    if missed:
        program, deed = missed[0]
        raise NotYet(
            f"{total - len(missed)} of {total} cells agree with the cluster; the first that does not is "
            f"“{deed}” without {program}.",
            *(explained(*cell) for cell in missed),
            next="Follow the new pods from deed to deed: who has to be alive for the next one?",
        )
    return Report(
        "pass",
        (f"{len(PROGRAMS)} clusters, one program gone in each: {total} of {total} cells agree",),
        "Six programs own a step of the stairs each, and no visit needs them. CoreDNS owns the name: without it nothing"
        " is broken, and nobody comes.",
    )


def explained(program: str, deed: str) -> str:
    """Why a cell is as it is, by what the run without *program* has shown."""
    done = impact(program)
    said = f"without {program}: {DEEDS[deed]}: {'yes' if done[deed] else 'no'}"
    if done[deed]:
        return f"{said}, for {DOERS[deed]}; {program} has no part in it"
    steps = list(DEEDS)[1:] if deed != "visit" else ["visit"]
    first = next(step for step in steps if not done[step])
    if first == deed:
        return f"{said}, for {DOERS[deed]}"
    return f"{said}, for it fails earlier, at “{first}”: {DOERS[first]}"


def _rows(answer: Any) -> dict[str, dict[str, bool]]:
    """The matrix as the learner wrote it: {program: "y y n n n n"}. Raises NotYet naming the row."""
    if not isinstance(answer, dict) or set(answer) != set(PROGRAMS):
        raise NotYet(f"Give check() a dictionary with these seven names: {', '.join(PROGRAMS)}.")
    rows = {}
    for program, row in answer.items():
        letters = [c for c in str(row).lower() if not c.isspace()]
        if len(letters) != len(DEEDS) or set(letters) - {"y", "n"}:
            raise NotYet(f"{program}: write one y or n for each of {', '.join(DEEDS)}; the row reads {row!r}.")
        rows[program] = {deed: letter == "y" for deed, letter in zip(DEEDS, letters)}
    return rows


@cache
def impact(program: str = "") -> dict[str, bool]:
    """Which of `DEEDS` happen in a cluster of one worker without *program* ("": with all); not to be changed."""
    trace = run(found_by_name(), commands=taken_away(program), until=END)
    ours = [r for r in trace.of("pod") if r.detail["app"] == "web"]
    old = {r.detail["name"] for r in ours if r.at < SCALE * SECOND}
    later = [r for r in trace if r.at >= SCALE * SECOND]
    pods = [r for r in later if r.what == "object" and r.detail["kind"] == "Pod" and _is_new(r.detail["name"], old)]
    new_pods = [r for r in ours if r.at >= SCALE * SECOND and r.detail["name"] not in old]
    asked = visits(trace, SCALE, END - 2)
    answered = {r.detail["via"][-1] for r in asked if r.detail["outcome"] == "ok"}
    lookups = [r.detail["error"] for r in later if r.what == "lookup"]
    return {
        "visit": bool(answered & old) and share(asked) == 1 and not any(lookups),
        "write": any(r.detail["outcome"] == "ok" for r in later if r.what == "request" and r.detail["kind"] == "api"),
        "create": bool(pods),
        "place": any(_node(r) for r in pods),
        "start": any(r.detail["state"] == "running" for r in new_pods),
        "route": bool(answered - old),
    }


def _is_new(name: str, old: set[str]) -> bool:
    return name not in old and not name.startswith(COREDNS)


def _node(record: Record) -> str:
    """The node a Pod has in the API, as the record of its object says."""
    return str(record.detail["summary"].get("node") or "")
