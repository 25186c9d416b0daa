"""door.skew: how fast GOAWAY evens out what a rolling restart has left on one server.

The learner's function is held against a small model: clients that keep their connection, a balancer that deals new
ones out in turn; and against what was recorded on a real cluster (recording connections_r2).
"""

from collections.abc import Sequence
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.ranges import shown
from kubemini.sim.chance import Draws
from kubemini.view.connections import unevenness

RUNS = 60
CASES = ([28, 0, 0], 0.02, 20), ([28, 0, 0], 0.02, 90), ([6, 3, 0], 0.02, 40), ([12, 0], 0.01, 60)
CLOSE = 0.6  # connections: how far the mean of RUNS may lie from what is expected
RECORDED = (17, 10, 1), (12, 10, 7)  # 90 requests apart, --goaway-chance=0.02; real Kubernetes 1.37.2
EVEN = 0.2  # unevenness


def model(counts: Sequence[int], chance: float, requests: int, seed: int) -> list[int]:
    """Where the clients hang after *requests* requests each, of which each is told GOAWAY with *chance*."""
    on = [server for server, count in enumerate(counts) for _ in range(count)]
    draws, turn, drawn = Draws(seed, "goaway"), 0, 0
    for _ in range(requests):
        for client in range(len(on)):
            drawn += 1
            if draws.happens(drawn, chance):
                on[client], turn = turn, (turn + 1) % len(counts)
    return [on.count(server) for server in range(len(counts))]


@exercise("door.skew")
def check_skew(answer: Any) -> Report:
    """*answer*: a function of counts, chance and requests: the numbers to be expected on each server."""
    for counts in ([28, 0, 0], [9, 9, 10]):
        _same(answer, counts, 0.0, 100)
    facts = [_compare(answer, counts, chance, requests) for counts, chance, requests in CASES]
    before, after = RECORDED
    guess = _numbers(ask(answer, list(before), 0.02, 90), before)
    facts.append(f"recorded: {_words(before)}, 90 s later {_words(after)}; yours: {_words(guess)}")
    waits = [f"{_until_even(answer, chance)} at {chance:g}" for chance in (0.02, 0.001)]
    facts.append(f"from 28, 0, 0 to an unevenness below {EVEN:g}, in requests of each client: {', '.join(waits)}")
    return Report(
        "pass",
        tuple(facts),
        "Only who asks is told to go: what evens out is counted in requests, not in seconds.",
        "A kubelet asks about once in ten seconds. How long does it take there?",
    )


def _same(answer: Any, counts: list[int], chance: float, requests: int) -> None:
    found = _numbers(ask(answer, list(counts), chance, requests), counts)
    if found != counts:
        raise NotYet(
            f"With chance {chance:g} nobody is ever told to go: {_words(counts)} stays; yours {_words(found)}."
        )


def _compare(answer: Any, counts: list[int], chance: float, requests: int) -> str:
    found = _numbers(ask(answer, list(counts), chance, requests), counts)
    runs = [model(counts, chance, requests, seed) for seed in range(RUNS)]
    mean = [sum(run[i] for run in runs) / RUNS for i in range(len(counts))]
    told = f"{_words(counts)} at {chance:g} after {requests} requests each: {_words(mean)} in the mean of {RUNS} runs"
    if not abs(sum(found) - sum(counts)) < 0.01:  # nan is not either
        raise NotYet(f"{sum(counts)} clients hang somewhere all the time; yours add up to {sum(found):.1f}.", told)
    if not all(abs(mine - theirs) < CLOSE for mine, theirs in zip(found, mean, strict=True)):
        raise NotYet(
            f"For {_words(counts)} after {requests} requests each at {chance:g} you expect {_words(found)}.",
            told,
            next="Who has not been told once is still where it was: what is the chance of that? All others are dealt"
            " out evenly, also to the server that they leave.",
        )
    return f"{told}; yours: {_words(found)}"


def _until_even(answer: Any, chance: float) -> str:
    """After how many requests each the learner's function says that 28, 0, 0 is even."""
    requests = 1
    while requests < 100_000:
        if unevenness(_numbers(ask(answer, [28, 0, 0], chance, requests), [28, 0, 0])) < EVEN:
            return f"{requests:,}"
        requests += max(1, requests // 50)
    return "more than 100,000"


def _numbers(value: Any, counts: Sequence[int]) -> list[float]:
    fits = isinstance(value, list | tuple) and all(isinstance(n, int | float) for n in value)
    if not fits or len(value) != len(counts):
        raise NotYet(f"after() returns a number for each of {len(counts)} servers; it returned {shown(value)}.")
    return list(value)


def _words(numbers: Sequence[float]) -> str:
    return ", ".join(f"{n:.1f}" if isinstance(n, float) and not n.is_integer() else f"{n:.0f}" for n in numbers)
