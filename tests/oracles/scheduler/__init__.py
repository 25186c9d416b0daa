"""Decisions of the real scheduler, made again by ours and judged by the compare.py beside the recordings.

    python -m tests.oracles FOLDER                       each case that differs, and its first difference
    python -m tests.oracles --all FOLDER/fit/fit-01.json     all differences

Each case has a cluster of its own: an API server, an etcd, a scheduler with all that it watches, and nobody else;
nodes, volumes and running pods are made by hand, as they were when it was recorded (`stage.py`). What each plugin says
is asked of that very scheduler, right before the pod comes; conditions, Events, bindings and victims are read from the
API (`decisions.py`). Steps of sequences, and events that may wake a pod, are the recorded requests (`steps.py`). What
many nodes, or the queue, are for, is asked of the scheduler without a cluster around it (`machines.py`).

main.go is the judge of random clusters (tests/real/scheduler): kube-scheduler's own plugins, over given objects.
"""

from functools import partial

from tests.oracles.scheduler import decisions, machines, steps
from tests.oracles.scheduler.judging import judge_of

PLAYERS = {
    "decision": decisions.played,
    "hint": steps.hint,
    "sequence": steps.sequence,
    "placements": steps.placements,
    "percentage": machines.percentage,
    "queue": machines.queue,
}


def cases(path, data):
    """(name, how to run it) of every case in a file of the scheduler's recordings."""
    if not (isinstance(data, list) and data and all(isinstance(case, dict) and "name" in case for case in data)):
        return
    judge = judge_of(path)
    if judge is not None:
        for case in data:
            yield f"{case.get('area', 'scheduler')}/{case['name']}", partial(differences, judge, case)


def differences(judge, case):
    """What the compare.py finds: one line a difference."""
    got = PLAYERS[judge.shape(case).__name__](case)
    found = judge.compare(case, got)
    return [f"{at}: wanted {short(wanted)}, got {short(other)}{tie(case, at)}" for at, wanted, other in found]


def tie(case, at):
    """What is to be said of a difference that follows from which of equal nodes the live one took."""
    live, one = (case.get("expect", {}).get(name) for name in ("chosen", "chosen_serial"))
    follows = at.startswith(("event.note", "nominatedNodeName", "claims_after", "volumes_after"))
    return f" (the live one took {live}, one worker takes {one})" if follows and one and one != live else ""


def short(value, most=300):
    """A value in one line of a bearable length."""
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"
