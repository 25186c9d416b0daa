"""Chapter 0, Break it first: what stays without the only API server, and how to read a trace.

first.success   a function of a trace: the share of visits that were answered
first.outage    six yes or no about the outage

Invariant: every answer key is measured on runs of the scenario ``first``, never written down.
"""

from collections.abc import Iterable
from typing import Any

from kubemini.lab import NotYet, Question, Report, ask, exercise, questions
from kubemini.run import run
from kubemini.sim import Trace
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND

PREDICTIONS: dict[str, dict[str, Any]] = {
    "crash": {
        "question": "At 20 s the only API server crashes. What share of the visits to the shop succeeds at 40 s?",
        "choices": ["0 %: the whole cluster fails", "About half of them", "About 100 %"],
        "answer": 2,
        "explain": "No visit passes an API server. kubectl's writes do: each of them is refused.",
    },
    "worker": {
        "question": "At 60 s worker-2 loses power while the API server is down. What do the visits from worker-1 meet?",
        "choices": [
            "All succeed: a Service skips dead pods",
            "All fail from now on",
            "Some fail, again and again, for as long as nobody repairs",
            "Some fail for a few seconds, then none",
        ],
        "answer": 2,
        "explain": "The kernel of worker-1 still deals connections to every pod it knew. Nobody is there to tell it.",
    },
    "return": {
        "question": "At 80 s the API server returns; worker-2 stays dark. When does the shop run three pods again?",
        "choices": ["At once", "After 5 to 10 seconds", "After about a minute", "After about six minutes"],
        "answer": 3,
        "explain": "15 s until the controller-manager is back at its post, 50 s of silence, 300 s of toleration.",
    },
}


def visits(trace: Trace, begin: float, end: float, by: str = "") -> list[Record]:
    """The visits to the Service that began from *begin* to *end* (seconds), of one visitor if named."""
    return [r for r in _begun(trace, begin, end) if r.detail["kind"] == "service" and by in ("", r.actor)]


def share(requests: Iterable[Record]) -> float:
    """The share of *requests* that was answered; 0 if there are none."""
    fates = [r.detail["outcome"] == "ok" for r in requests]
    return sum(fates) / len(fates) if fates else 0.0


def _begun(trace: Trace, begin: float, end: float) -> list[Record]:
    return [r for r in trace.of("request") if begin * SECOND <= r.detail["started"] < end * SECOND]


# -- first.success -------------------------------------------------------------------------------------------------
WINDOWS = ((8, 20), (20, 60), (60, 80))
SEEDS = range(1, 7)


@exercise("first.success")
def check_success(answer: Any) -> Report:
    """The learner's function against ours, in three windows of six runs."""
    lowest = 1.0
    for seed in SEEDS:
        trace = run("first", seed, until=80)
        for begin, end in WINDOWS:
            want = share(visits(trace, begin, end))
            _compare(ask(answer, trace, begin, end), want, trace, (begin, end), seed)
            lowest = min(lowest, want)
    return Report(
        "pass",
        (f"{len(SEEDS)} runs, {len(WINDOWS)} windows each", f"the lowest share of all is {lowest:.0%}, after 60 s"),
        "The same records, read the same way, give the same shares.",
        'Try your function on a run in which worker-1 loses power, too: commands=[(70, "power_off", "worker-1")].',
    )


def _compare(got: Any, want: float, trace: Trace, window: tuple[float, float], seed: int) -> None:
    if not isinstance(got, int | float):
        raise NotYet(f"A share is a number from 0 to 1; yours is {got!r}.")
    if abs(got - want) > 1e-6:
        begin, end = window
        raise NotYet(
            _slip(got, want, trace, window),
            f"seed {seed}, from {begin} s to {end} s: {len(visits(trace, begin, end))} visits began",
            f"{want:.3f} of them were answered, your function says {got:.3f}",
        )


def _slip(got: float, want: float, trace: Trace, window: tuple[float, float]) -> str:
    """The slip behind a wrong share, where it can be told."""
    begin, end = window
    ended = [r for r in trace.of("request") if begin * SECOND <= r.at < end * SECOND]
    slips = [
        (0.0, "No visit was found: times in a trace are microseconds, and 20 s is 20 * SECOND."),
        (100 * want, "A share runs from 0 to 1; yours looks like a percentage."),
        (1 - want, "That is the share that failed; the others were answered."),
        (share(_begun(trace, begin, end)), 'kubectl\'s writes are counted, too: a visit has the kind "service".'),
        (
            share(r for r in ended if r.detail["kind"] == "service"),
            'A visit belongs to the moment it began, detail["started"], not to the moment it ended.',
        ),
    ]
    return next((text for value, text in slips if abs(got - value) < 1e-6), "This is not the share of the visits.")


# -- first.outage --------------------------------------------------------------------------------------------------
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


# -- questions -----------------------------------------------------------------------------------------------------
questions(
    "first.saw-crash",
    Question(
        "Under the picture run two strips. Which one turns to crosses after 20 s?",
        {
            "visits": "Look again: the strip of the visits stays whole. The crosses stand at the writes.",
            "API writes": "They go to the API server, and nobody takes the connection.",
            "both": "Only one of them needs the API server. Drag the time to 35 s and read the two percentages.",
        },
        answer="API writes",
    ),
)
questions(
    "first.saw-worker",
    Question(
        "After 60 s, which visits of worker-1 fail?",
        {
            "those dealt to a pod of worker-2": "The rules in worker-1's kernel still name that pod; the packet gets "
            "no answer, and after a second the visitor gives up.",
            "those begun in the first second": "They go on failing for as long as the rules stay as they are.",
            "every second one": "No one takes turns here. Each connection is dealt by chance among the pods known.",
        },
        answer="those dealt to a pod of worker-2",
    ),
)
questions(
    "first.quiz",
    Question(
        "The API server of your cluster will be down for an hour of maintenance. What do you ask of your colleagues?",
        {
            "Warn the customers: the shop will be closed": "The shop serves through the hour as long as no pod and no "
            "host dies. The customers see nothing.",
            "Do not deploy, do not reboot a worker, and hope that no host dies": "What runs, runs on. What changes, or "
            "must be repaired, waits.",
            "Nothing: Kubernetes heals itself": "Healing is writing to the API: a new pod needs an object, a node, an "
            "endpoint. None of it can be written.",
        },
        answer="Do not deploy, do not reboot a worker, and hope that no host dies",
    ),
    Question(
        "A program in a pod asks the API for its configuration at every request. What happens to it in the outage?",
        {
            "It goes on like the shop": "The shop never asks the API. This program does, each time.",
            "It fails: it is one of those that depend on the API": "The rule has an exception, and this is it: "
            "operators, controllers and everything that asks the API stands still.",
            "Its pod is restarted": "A probe may do that, by the kubelet alone, but a restart brings no API server.",
        },
        answer="It fails: it is one of those that depend on the API",
    ),
    Question(
        "Why does nobody replace the pods of worker-2 within seconds, even with a healthy API server?",
        {
            "The scheduler is slow": "The scheduler needs milliseconds. It is not asked before minutes have passed.",
            "Silence is no proof of death": "A node that is silent may be cut off and still serving. So there are "
            "50 s of patience, then 300 s of toleration.",
            "Pods cannot move": "True, they are replaced; but that is no reason to wait.",
        },
        answer="Silence is no proof of death",
    ),
)
