"""The swim-lanes: who tells whom, step by step, from a trace that was listened to; each step with its reason.

    trace = run("anatomy", commands=[(20, "kubectl", "get pods")], listen=("20s", "21s"))
    found = lanes(trace, 20 * SECOND, 21 * SECOND)
    print(told(found))

Theory of operation. A listener has written down what travels (cluster/listening.py). `steps` makes arrows of it and of
what programs do by themselves; `causes` finds out which step each one follows from; `words` says each in a sentence.
From the causes alone comes what is worth a look: all that *follows* from what was asked about, and of that the *line*,
the steps without which its end would not have come, be that rules in kernels, pods that run, or an answer.
Invariant: the same trace and window give the same data, in any process and in the browser.
"""

from typing import Any

from kubemini.sim.trace import Trace
from kubemini.sim.units import clock
from kubemini.view.lanes import causes, words
from kubemini.view.lanes.steps import ALWAYS, Step, lane_of, steps_of

LINE, FOLLOWS, REST = 2, 1, 0  # how much a step has to do with it


def lanes(trace: Trace, since: int, until: int, about: str = "") -> dict[str, Any]:
    """The steps from *since* to before *until* (µs), as a picture draws them.

    *about*: kind/name; what concerns it, and what follows. Without it what somebody asks by kubectl, and what follows;
    where nobody asks anything, all. Returns {"since", "lanes": [name], "steps": [{"at": µs after *since*, "took": µs,
    "from", "to": numbers of lanes, "programs": [from, to], "form", "label", "say", "why", "cause": number of a step or
    null, "rank": 2 on the line, 1 follows, 0 has nothing to do with it}]}.
    Raises ValueError for a trace that nobody listened to, or a window in which nothing is sent.
    """
    steps = steps_of(trace, since, until)
    if not steps:
        raise ValueError(f"nothing was sent from {clock(since)} to {clock(until)}: choose another window")
    causes.link(steps)
    ranks = ranked(steps, about)
    there = dict.fromkeys(lane_of(name) for step in steps for name in (step.source, step.to))
    names = [*ALWAYS, *(name for name in there if name not in ALWAYS)]
    rows = [_row(steps, number, step, since, names) | {"rank": ranks[number]} for number, step in enumerate(steps)]
    return {"since": since, "lanes": names, "steps": rows}


def ranked(steps: list[Step], about: str) -> list[int]:
    """How much each step has to do with what is asked about."""
    if about:
        roots = {n for n, step in enumerate(steps) if step.about == about}
    else:
        roots = {n for n, step in enumerate(steps) if lane_of(step.source) == "kubectl"}
    if not roots:
        if about:
            raise ValueError(f"nothing was sent about {about}: name it as Pod/web-1, or choose another window")
        return [LINE] * len(steps)
    follow = causes.follows(steps, roots)
    line = causes.leads_to(steps, _ends(steps, follow)) & follow
    return [LINE if n in line else FOLLOWS if n in follow else REST for n in range(len(steps))]


def _ends(steps: list[Step], follow: set[int]) -> list[int]:
    """How it ends: with rules, else with pods, else with what came last; and kubectl has its last answer."""
    acts = {what: [n for n in follow if steps[n].detail.get("what") == what] for what in ("rules", "pod", "decision")}
    ends = acts["rules"] or acts["pod"] or acts["decision"] or [max(follow)]
    answers = [n for n in follow if steps[n].form == "answer" and lane_of(steps[n].to) == "kubectl"]
    return [*ends, *answers]


def _row(steps: list[Step], number: int, step: Step, since: int, names: list[str]) -> dict[str, Any]:
    cause = None if step.cause is None else steps[step.cause]
    call = step.detail.get("call")
    verb = next((s.detail["verb"] for s in steps if s.form == "request" and s.detail["call"] == call), "")
    return {
        "at": step.at - since,
        "took": step.arrives - step.at,
        "from": names.index(lane_of(step.source)),
        "to": names.index(lane_of(step.to)),
        "programs": [step.source, step.to],
        "form": step.form,
        "label": words.label(step),
        "say": words.said(step),
        "why": words.why(step, cause, 0 if step.cause is None else step.cause + 1, verb),
        "cause": step.cause,
    }


def shown(trace: Trace, since: int | None = None, until: int | None = None, about: str = "") -> dict[str, Any]:
    """What a widget draws: the `lanes` of all that was listened to, or of less, and what was typed and printed.

    Raises ValueError as `lanes` does; what kubectl complains of, if it has asked nobody, is such an error as well.
    """
    listened = trace.header.get("listened", (0, 0))
    window = (listened[0] if since is None else since, listened[1] if until is None else until)
    typed = [r for r in trace.of("typed") if window[0] <= r.at < window[1]]
    printed = "".join(record.detail["said"] for record in typed).strip()
    asked = any(lane_of(r.actor) == "kubectl" for r in trace.of("sent") if window[0] <= r.at < window[1])
    if typed and not asked:
        raise ValueError(printed or "kubectl has asked nobody")
    lines = dict.fromkeys(record.detail["line"] for record in typed)
    gone = [d["args"][0] for d in (r.detail for r in trace.of("command")) if d["action"] == "crash" and d["args"]]
    found = {"typed": ", ".join(lines), "printed": printed, "without": gone[-1] if gone else ""}
    return found | lanes(trace, *window, about)


def told(found: dict[str, Any], least: int = LINE) -> str:
    """The steps in words, a line each, with the reason below it; those that have *least* to do with it, or more."""
    lines = []
    for number, step in enumerate(found["steps"], 1):
        if step["rank"] >= least:
            lines += [f"{number:>4}  {step['at'] / 1000:9.2f} ms  {step['say']}", f"{'':20}{step['why']}"]
    return "\n".join(lines)
