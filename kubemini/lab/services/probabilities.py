"""services.probabilities: the chances in kube-proxy's chain of iptables rules, chi-squared on 30,000 connections."""

from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.sim.chance import Draws

CONNECTIONS = 30_000
CRITICAL = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 9: 27.88}  # chi-squared, 99.9 %, by degrees of freedom


@exercise("services.probabilities")
def check_probabilities(answer: Any) -> Report:
    """The learner's chances, tried in order as the kernel does, must deal 30,000 connections evenly."""
    facts = []
    for n in (1, 2, 3, 4, 5, 10):
        chances = _numbers(ask(answer, n), n)
        counts, fell = deal(chances, CONNECTIONS)
        if fell:
            raise NotYet(
                f"With {n} endpoints {fell} of {CONNECTIONS} connections fall past the last rule and reach nobody.",
                f"your chances: {_few(chances)}",
                next="A rule is asked only about what all rules before it let pass. The last takes the rest.",
            )
        statistic = sum((c - CONNECTIONS / n) ** 2 for c in counts) / (CONNECTIONS / n)
        if n > 1 and statistic > CRITICAL[n - 1]:
            raise NotYet(
                f"With {n} endpoints the connections are dealt {counts}: chi-squared {statistic:.1f}, "
                f"a fair deal stays below {CRITICAL[n - 1]} in 999 of 1,000 cases.",
                f"your chances: {_few(chances)}",
                next="Of what reaches rule i, it must take one in as many as there are endpoints still to come.",
            )
        facts.append(f"{n} endpoints: {_few(chances)}; chi-squared {statistic:.1f}")
    return Report(
        "pass", tuple(facts), "Unequal chances, equal shares: each rule asks only about what the others left."
    )


def _numbers(value: Any, n: int) -> list[float]:
    if not isinstance(value, list | tuple) or not all(isinstance(p, int | float) for p in value):
        raise NotYet(f"probabilities({n}) returns a list of numbers; it returned {value!r}.")
    if len(value) != n:
        raise NotYet(f"probabilities({n}) has one chance an endpoint, so {n}; it returned {len(value)}.")
    if not all(0 <= p <= 1 for p in value):
        raise NotYet(f"A chance runs from 0 to 1; probabilities({n}) returned {_few(list(value))}.")
    return list(value)


def deal(chances: list[float], connections: int) -> tuple[list[int], int]:
    """How many *connections* each rule takes, tried in order, and how many fall past all of them."""
    counts, fell = [0] * len(chances), 0
    draw, number = Draws(1, f"deal/{len(chances)}"), 0
    for _ in range(connections):
        for i, chance in enumerate(chances):
            number += 1
            if chance >= 1 or draw.happens(number, chance):
                counts[i] += 1
                break
        else:
            fell += 1
    return counts, fell


def _few(numbers: list[float]) -> str:
    shown = [f"{p:.4f}" for p in numbers[:5]]
    return ", ".join(shown + ["…"] * (len(numbers) > 5))
