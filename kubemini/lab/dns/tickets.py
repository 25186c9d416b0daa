"""dns.tickets: four tickets that say "DNS is broken", and what each of them was.

Every ticket is written down from a lookup that went that way; names, waits and codes come from the walk.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.sim.chance import Draws
from kubemini.study.names import Walk, walk

NAMESPACE, HEADLESS, POLICY, STARVED = "wrong namespace", "no ready endpoint", "policy", "CoreDNS is starved"
CAUSES = (NAMESPACE, HEADLESS, POLICY, STARVED)
SERVICES = {
    "default/kubernetes": "10.96.0.1",
    "default/web": "10.96.7.1",
    "prod/web": "10.96.7.2",
    "data/db": "None",
    "data/spare": "None",
}
LOSSES = 0.35  # of the questions to a CoreDNS that has too little CPU


@dataclass(frozen=True, slots=True)
class Ticket:
    """What somebody wrote down: a program in the namespace default looked *name* up.

    *error* is what it was told ("": addresses), after *seconds*. *walk* holds the names that were tried, and what came
    of each: NOERROR, NXDOMAIN, timeout. *others* is the same of ``kubernetes``, looked up three times in *another*
    pod. *services* are the Services there are, with their cluster IPs.
    """

    name: str
    error: str
    seconds: float
    walk: tuple[tuple[str, str], ...]
    others: tuple[str, ...]
    other_seconds: float
    services: dict[str, str]


def ticket(cause: str, seed: int) -> Ticket:
    """A ticket of that *cause*."""
    draws = Draws(seed, f"tickets/{cause}")
    well = [walk("kubernetes") for _ in range(3)]
    names = ("web", "web.prod", "db.data")
    match cause:
        case "wrong namespace":
            return written(walk(("db", "spare")[seed % 2]), well)
        case "no ready endpoint":
            return written(walk(("spare.data", "spare.data.svc")[seed % 2]), well)
        case "policy":
            return written(walk(names[seed % 3], lost=lambda n: True), well)
    found = walk(names[seed % 3], lost=lossy(draws, 0))
    return written(found, [walk("kubernetes", lost=lossy(draws, 100 * other)) for other in (1, 2, 3)])


def lossy(draws: Draws, begin: int) -> Callable[[int], bool]:
    """Some questions get no answer, and so does one of the first two: of a quick lookup nobody writes."""
    first = begin + draws.u(begin) % 2
    return lambda number: begin + number == first or draws.happens(begin + 2 + number, LOSSES)


def written(found: Walk, others: list[Walk]) -> Ticket:
    """The ticket of a lookup."""
    steps = tuple((step.name, step.rcode) for step in found.steps)
    codes = tuple(other.steps[-1].rcode for other in others)
    waited = max(other.seconds for other in others)
    return Ticket(found.name, found.error, found.seconds, steps, codes, waited, dict(SERVICES))


def tickets() -> Iterator[tuple[str, Ticket]]:
    """Six of each cause."""
    for seed in range(6):
        for cause in CAUSES:
            yield cause, ticket(cause, seed)


@exercise("dns.tickets")
def check_tickets(answer: Any) -> Report:
    """*answer*: a function of a `Ticket`: one of `CAUSES`."""
    known = list(tickets())
    for cause, one in known:
        found = ask(answer, one)
        if found not in CAUSES:
            raise NotYet(f"Return one of {', '.join(map(repr, CAUSES))}; you said {found!r}.")
        if found != cause:
            raise NotYet(
                f"You said “{found}” of a ticket that was “{cause}”.",
                f"{one.name}: {one.error or 'found'} after {one.seconds:g} s",
                *(f"{name}: {code}" for name, code in one.walk),
                f"another pod, kubernetes: {', '.join(one.others)}, up to {one.other_seconds:g} s",
                next=NEXT[cause],
            )
    return Report(
        "pass",
        (f"{len(known)} of {len(known)} tickets told apart",),
        "NXDOMAIN is an answer: a server said no. A timeout is none: look at the way, not at the name.",
        "Which two of the four does a restart of CoreDNS not change?",
    )


NEXT = {
    NAMESPACE: "Is there a Service of this name, in some namespace? And did the walk ever ask for it there?",
    HEADLESS: "The walk asked for the Service by its own name. It exists; what must a headless one have to be found?",
    POLICY: "No packet came back, not one. And how does the other pod fare?",
    STARVED: "Here and in the other pod some packets come back and some do not.",
}
