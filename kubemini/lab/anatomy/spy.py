"""anatomy.spy: who speaks with etcd itself, read from what travels.

A learner's function reads a trace that was listened to, and is tried on clusters that it has not seen: one API server,
three of them, and one where somebody with etcdctl asks etcd past every API server.
"""

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

from kubemini.cluster.topology import build
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.ranges import shown
from kubemini.scenarios import load
from kubemini.sim import Trace
from kubemini.simulate import run

ETCD = "etcd-"
WINDOW = (20, 24)  # seconds


@exercise("anatomy.spy")
def check_spy(answer: Any) -> Report:
    """*answer*: a function of a trace; it returns the names of all programs that send something to etcd themselves."""
    facts: list[str] = []
    for where, trace in clusters():
        truth = talkers(trace)
        named = ask(answer, trace)
        if not isinstance(named, set | frozenset | list | tuple):
            raise NotYet(f"Return a set of names; yours returned {shown(named)}.")
        said = {str(name) for name in named}
        if too_many := sorted(said - truth.keys()):
            raise NotYet(
                f"{where}: you name {too_many[0]}, which sends nothing to etcd.",
                *facts,
                next='Look at two fields of each record of the word "sent": its actor, and detail["to"].',
            )
        if missed := sorted(truth.keys() - said):
            raise NotYet(
                f"{where}: {missed[0]} has sent {truth[missed[0]]} requests to etcd, and you do not name it.",
                *facts,
                next="Do not write names down: read them from the trace that you are given.",
            )
        facts.append(f"{where}: {', '.join(f'{name} ({many} requests)' for name, many in sorted(truth.items()))}")
    return Report(
        "pass",
        tuple(facts),
        "Of all programs of a cluster the API servers alone speak with etcd. Who has etcdctl and etcd's certificates"
        " needs none of them, and meets none of their checks.",
    )


def talkers(trace: Trace) -> Counter[str]:
    """Who sends requests to etcd's members, and how many."""
    asked = [r for r in trace.of("sent") if r.detail["to"].startswith(ETCD) and r.detail["form"] == "request"]
    return Counter(record.actor for record in asked)


def clusters() -> list[tuple[str, Trace]]:
    """The clusters that an answer is tried on."""
    return [
        ("one API server", listened()),
        ("three API servers", listened(3)),
        ("somebody with etcdctl", listened(intruder=True)),
    ]


@cache
def listened(servers: int = 1, intruder: bool = False) -> Trace:
    """The chapter's story for a few seconds after the scaling, with all that travels; *servers* of each kind."""
    shop = load("anatomy")
    topology = build("single", workers=2, zones=["a"]) if servers == 1 else build("stacked", members=servers, workers=1)
    workload: dict[str, Any] = {"etcd_reads": {"every": "1s", "consistency": "linearizable"}} if intruder else {}
    return run(replace(shop, topology=topology, workload=workload), until=WINDOW[1], listen=WINDOW)
