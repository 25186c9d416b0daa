"""Many who change one object at once, each by read, change, write: how many get through, and with how many writes.

All begin in the same instant; who is answered 409 waits as client-go does and reads again, until its tries are used up.
Models k/client-go util/retry RetryOnConflict DefaultRetry DefaultBackoff.
"""

import json
from dataclasses import dataclass
from typing import Any

from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse
from kubemini.lab.apiserver.retry import COUNTER, PATH, increment
from kubemini.lab.apiserver.server import Server
from kubemini.sim.units import MS, SECOND

THINKING = (2 * MS, 8 * MS)  # between what was read and what is written
JITTER = 10  # percent more that a wait may take
URL = f"{PATH}/counter"
HEADERS = (("Authorization", "Bearer token-of-admin"), ("Content-Type", "application/json"))


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a client tries, and how it waits in between: at first *wait* ms, each time *factor* times longer."""

    tries: int
    wait: int = 10
    factor: int = 1


DEFAULT_RETRY, DEFAULT_BACKOFF = Retry(5), Retry(4, factor=5)


@dataclass(slots=True)
class Outcome:
    """*done* of *writers* got through, with so many *writes* in all, the last after *seconds*."""

    writers: int
    done: int = 0
    writes: int = 0
    seconds: float = 0.0


class _Writer:
    """One of them: a read, a thought, a write; and from the beginning if somebody was faster."""

    def __init__(self, server: Server, number: int, how: Retry, outcome: Outcome):
        self.server, self.how, self.outcome = server, how, outcome
        self.draws = server.sim.draws(f"writer/{number}")
        self.tried, self.over = 0, False

    def read(self) -> None:
        """A try begins."""
        self.tried += 1
        Exchange(self.server.server, HttpRequest("GET", URL, HEADERS), self._think)

    def _think(self, answer: Any) -> None:
        obj = increment(json.loads(_body(answer)))
        self._after(self.draws.between(2 * self.tried, *THINKING), lambda: self._write(obj))

    def _write(self, obj: dict[str, Any]) -> None:
        self.outcome.writes += 1
        Exchange(self.server.server, HttpRequest("PUT", URL, HEADERS, json.dumps(obj).encode()), self._answered)

    def _answered(self, answer: Any) -> None:
        if answer.status == 200:
            self.outcome.done += 1
            self.outcome.seconds = self.server.seconds
        if answer.status == 200 or self.tried == self.how.tries:
            self.over = True
            return
        wait = self.how.wait * MS * self.how.factor ** (self.tried - 1)
        longer = self.draws.between(2 * self.tried + 1, 0, wait * JITTER // 100)
        self._after(wait + longer, self.read)

    def _after(self, delay: int, act: Any) -> None:
        self.server.sim.command(self.server.sim.now + delay, act)


def contention(writers: int, how: Retry = DEFAULT_RETRY, seed: int = 1) -> Outcome:
    """Let *writers* add one to the same counter at once."""
    server, outcome = Server(seed=seed), Outcome(writers)
    server.ask("POST", PATH, COUNTER)
    start, end = server.seconds, server.sim.now + 600 * SECOND
    crowd = [_Writer(server, number, how, outcome) for number in range(writers)]
    for writer in crowd:
        writer.read()
    while not all(writer.over for writer in crowd) and server.sim.now < end:
        server.sim.step()
    outcome.seconds = round(outcome.seconds - start, 3)
    return outcome


def _body(answer: Any) -> bytes:
    assert isinstance(answer, HttpResponse) and isinstance(answer.body, bytes), "the server is up"
    return answer.body
