"""Why a step is: which earlier step it follows from.

Programs of a simulation act in the very instant in which they hear of something, so most steps follow from what has
just arrived at their program, or from what it has just done. The rest is found by what they are about: the call that
an answer is to, the revision of a change, the object.
Invariant: a cause comes before its effect, at the program that acts; who follows nobody acts by its own clock.
"""

from collections.abc import Iterable

from kubemini.view.lanes.steps import Step, lane_of


def link(steps: list[Step]) -> None:
    """Give every step its cause."""
    for number, step in enumerate(steps):
        step.cause = _cause(steps, number, step)


def _cause(steps: list[Step], number: int, step: Step) -> int | None:
    before = [i for i in range(number - 1, -1, -1) if steps[i].arrives <= step.at]
    here = [i for i in before if steps[i].to == step.source]  # what has arrived there, or was done there; latest first
    lane = lane_of(step.source)
    if lane == "etcd":  # its members are one: what one was asked to write, Raft brings to all
        return _of_etcd(steps, [i for i in before if lane_of(steps[i].to) == "etcd"], step)
    now = [i for i in here if steps[i].arrives == step.at]
    if step.form == "answer":
        passed = [i for i in now if steps[i].form == "answer"]
        return passed[0] if passed else _call(steps, here, step)
    if lane == "API server":
        return _of_server(steps, here, now, step)
    if now:
        acts = [i for i in now if steps[i].form == "act" and steps[i].about == step.about]
        same = [i for i in now if steps[i].about == step.about]
        return (acts or same or now)[0]
    if step.form == "act":
        again = [i for i in here if steps[i].form == "act" and steps[i].about == step.about]
        heard = [i for i in here if steps[i].form == "event"]
        return next(iter(again[:1] if step.detail["what"] == "pod" else heard[:1]), None)
    return next((i for i in here if steps[i].about == step.about and steps[i].form == "event"), None)


def _of_etcd(steps: list[Step], here: list[int], step: Step) -> int | None:
    """etcd answers a request, and tells of what is on its disk."""
    if step.form in ("answer", "event"):
        disk = [i for i in here if steps[i].form == "act" and steps[i].revision == step.revision]
        if disk:
            return disk[0]
    if step.form == "event":
        asked = [i for i in here if steps[i].form == "request" and steps[i].about == step.about]
        return asked[0] if asked else None
    return _call(steps, here, step)


def _of_server(steps: list[Step], here: list[int], now: list[int], step: Step) -> int | None:
    """The API server passes on what etcd tells, and asks etcd what it is asked."""
    if step.form == "event":
        heard = [i for i in here if steps[i].form == "event" and steps[i].revision == step.revision]
        return heard[0] if heard else None
    answered = {s.detail["call"] for s in steps[: here[0] + 1] if s.form == "answer"} if here else set()
    asked = [i for i in here if steps[i].form == "request" and steps[i].detail["call"] not in answered]
    kind = step.about.partition("/")[0]
    exact = [i for i in asked if steps[i].about == step.about]
    collection = [i for i in asked if steps[i].about == f"{kind}/"]
    taken = {s.cause for s in steps if s.source == step.source and s.form == "request"}
    free = [i for i in reversed(exact or collection) if i not in taken]
    return next(iter(free or exact or collection or now), None)


def _call(steps: list[Step], here: list[int], step: Step) -> int | None:
    """The request that *step* answers."""
    return next((i for i in here if steps[i].detail.get("call") == step.detail["call"]), None)


def follows(steps: list[Step], roots: set[int]) -> set[int]:
    """*roots*, and all that follows from them."""
    found = set(roots)
    for number, step in enumerate(steps):
        if step.cause in found:
            found.add(number)
    return found


def leads_to(steps: list[Step], ends: Iterable[int]) -> set[int]:
    """*ends*, and all that they follow from."""
    found: set[int] = set()
    for end in ends:
        number: int | None = end
        while number is not None and number not in found:
            found.add(number)
            number = steps[number].cause
    return found
