"""Many like steps: one after another, or in batches of 1, 2, 4 … that stop at the first batch in which one is refused.

Slow start spares the API server five hundred refusals of the same kind, and the user as many Events.
Models k/k pkg/controller/statefulset slowStartBatch, runForAll
Simplified: the steps of a batch are taken one after another; a real controller takes them at once.
"""

from collections.abc import Callable
from typing import Any

from kubemini.controllers.decide.dialogue import Refused, Steps

LARGEST = 500


def one_by_one(count: int, act: Callable[[int], Steps]) -> Steps:
    """``act(0)``, ``act(1)`` … until one says True; returns whether one did. Raises Refused."""
    for number in range(count):
        if (yield from act(number)):
            return True
    return False


def slowly(count: int, act: Callable[[int], Steps]) -> Steps:
    """All of them whatever they say, in batches; returns how many were taken. Raises Refused after the batch."""
    done, batch = 0, min(count, 1)
    while batch:
        wrong: list[Any] = []
        for number in range(done, done + batch):
            try:
                yield from act(number)
            except Refused as refused:
                wrong.append(refused.error)
        if wrong:
            raise Refused(wrong[0])
        done += batch
        batch = min(2 * batch, count - done, LARGEST)
    return done
