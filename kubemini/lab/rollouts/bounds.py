"""rollouts.bounds: how few pods may be ready in a rollout, and how many may there be; asked for whatever is written.

The answer is compared with the rule for every combination, and the rule, in a few runs, with what a rollout does.
"""

from itertools import product
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.rollouts.stories import NEW, deployment, story, tally
from kubemini.simulate import run
from kubemini.view.rollouts import bounds

REPLICAS = (1, 2, 3, 4, 5, 7, 10, 11, 20, 100)
AMOUNTS = (0, 1, 3, "0%", "10%", "25%", "26%", "50%", "100%")
WATCHED = ((10, "25%", "25%"), (3, "25%", "25%"), (4, 0, 1))


def wanted(replicas: int, surge: int | str, unavailable: int | str) -> tuple[int, int]:
    """(fewest available, most pods beside those on their way out)."""
    above, below = bounds(surge, unavailable, replicas)
    return replicas - below, replicas + above


@exercise("rollouts.bounds")
def check_bounds(answer: Any) -> Report:
    """*answer*: ``bounds(replicas, surge, unavailable)`` → (fewest available, most pods)."""
    asked = list(product(REPLICAS, AMOUNTS, AMOUNTS))
    for given in asked:
        _right(ask(answer, *given), given)
    facts = []
    for given in WATCHED:
        replicas, surge, unavailable = given
        trace = run(story(NEW, of=deployment(replicas, maxSurge=surge, maxUnavailable=unavailable), until=45), 1)
        seen = tally(trace, 19)
        facts.append(f"bounds{given}: in a run, {seen['ready']} ready at least and {seen['kept']} pods at most")
    return Report(
        "pass",
        (f"{len(asked)} combinations are right", *facts),
        "Surge rounds up and unavailable rounds down, so that a rollout goes on and costs as little as it can.",
    )


def _right(found: Any, given: tuple[int, Any, Any]) -> None:
    replicas, surge, _ = given
    if not isinstance(found, tuple | list) or len(found) != 2 or not all(type(one) is int for one in found):
        raise NotYet(f"bounds{given} gave {found!r}; give two whole numbers: (fewest available, most pods).")
    least, most = wanted(*given)
    if tuple(found) == (least, most):
        return
    why = "Surge is rounded up, unavailable is rounded down."
    if least < replicas and bounds(surge, 0, replicas)[0] == 0 and most == replicas and found[0] == replicas:
        why = "If both come to 0 nothing could ever change: then one may be away."
    elif least == 0:
        why = "More than all of them cannot be away."
    raise NotYet(f"bounds{given} gave {tuple(found)}; it is {(least, most)}.", next=why)
