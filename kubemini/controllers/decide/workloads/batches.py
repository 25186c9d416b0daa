"""Many like steps: one after another, or in batches of 1, 2, 4 … that stop at the first batch in which one is refused.

Slow start spares the API server five hundred refusals of the same kind, and the user as many Events.
Models k/k pkg/controller/statefulset slowStartBatch, runForAll
"""

from collections.abc import Callable

from kubemini.controllers.decide.dialogue import Refused, Steps, at_once

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
        answers = yield from at_once(act(number) for number in range(done, done + batch))
        wrong = [answer.error for answer in answers if answer.error is not None]
        if wrong:
            raise Refused(wrong[0])
        done += batch
        batch = min(2 * batch, count - done, LARGEST)
    return done
