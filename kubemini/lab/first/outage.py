"""first.outage: six yes or no about the outage.

Invariant: the key is measured on runs of the scenario ``first``, never written down.
"""

from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.visits import share, visits
from kubemini.sim import Trace
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND
from kubemini.simulate import run

OUTAGE = {
    "visits are answered": "from 20 s to 60 s",
    "visits are answered without kubelets and kube-proxies": "crashed at 25 s, and the deciders with them",
    "kubectl scale is accepted": "at 30 s",
    "no visit from worker-1 fails once worker-2 is dark": "from 60 s to 80 s",
    "the pods of worker-2 are replaced": "from 60 s to 80 s",
    "the node worker-2 is marked NotReady": "from 60 s to 80 s",
}


@exercise("first.outage")
def check_outage(answer: Any) -> Report:
    """Six claims about the outage against what the runs did."""
    if not isinstance(answer, dict) or sorted(map(str, answer)) != sorted(OUTAGE):
        raise NotYet("Give check() the dictionary with its six lines as they stand, each with True or False.")
    for claim in OUTAGE:
        if not isinstance(answer[claim], bool):
            raise NotYet(f"Replace the … behind “{claim}” with True or False.")
    truth, evidence = outage()
    wrong = [claim for claim in OUTAGE if answer[claim] != truth[claim]]
    if wrong:
        raise NotYet(
            f"{len(OUTAGE) - len(wrong)} of {len(OUTAGE)} agree with the cluster; look again at “{wrong[0]}”.",
            *(f"{OUTAGE[claim]}: {evidence[claim]}" for claim in wrong),
            next="Ask of each line: does somebody have to read or write the API for it?",
        )
    return Report(
        "pass",
        tuple(f"{OUTAGE[claim]}: {evidence[claim]}" for claim in OUTAGE),
        "What runs, runs on. What has to be noticed, decided or written waits for the API server.",
    )


def outage() -> tuple[dict[str, bool], dict[str, str]]:
    """For each claim of `OUTAGE`: whether it held, and the number behind it."""
    plain = run("first", until=80)
    beheaded = run("first", commands=[(25, "crash", name) for name in _others(plain)], until=40)
    scaled = run("first", commands=[(30, "scale", "web", 5)], until=40)
    scale = next(r for r in scaled.of("request") if r.detail["path"].endswith("/deployments/web"))
    before, alone = visits(plain, 20, 60), visits(beheaded, 25, 40)
    after = visits(plain, 60, 80, "visitor@worker-1")
    fresh = [r for r in plain.of("pod") if r.at > 60 * SECOND and r.detail["state"] == "starting"]
    noticed = [r for r in plain.of("object") if 60 * SECOND < r.at < 80 * SECOND and r.detail["kind"] == "Node"]
    held = [
        (share(before) == 1, _count(before)),
        (share(alone) == 1, _count(alone)),
        (scale.detail["outcome"] == "ok", scale.detail["why"] or "ok"),
        (share(after) == 1, _count(after)),
        (bool(fresh), f"{len(fresh)} new pods started"),
        (bool(noticed), f"{len(noticed)} changes of a Node object"),
    ]
    return (
        {claim: truth for claim, (truth, _) in zip(OUTAGE, held)},
        {claim: words for claim, (_, words) in zip(OUTAGE, held)},
    )


def _others(trace: Trace) -> list[str]:
    kinds = ("scheduler-", "controller-manager-", "kubelet@", "kube-proxy@")
    return [c for host in trace.header["topology"]["hosts"] for c in host["components"] if c.startswith(kinds)]


def _count(requests: list[Record]) -> str:
    return f"{sum(r.detail['outcome'] == 'ok' for r in requests)} of {len(requests)} visits were answered"
