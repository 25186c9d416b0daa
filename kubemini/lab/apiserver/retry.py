"""apiserver.retry: a loop around read, change and write that loses no change, however many write at once.

Writers take turns in the only way that one process has: whenever one of them is about to write, others run first.
Invariant: every request goes to a simulated API server, which alone says who was too late.
"""

from collections.abc import Callable
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.apiserver.server import Server
from kubemini.ranges import shown

Schedule = Callable[[int], int]
WRITERS = 50
PATH = "/api/v1/namespaces/default/configmaps"
COUNTER = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "counter"}, "data": {"count": "0"}}
TOO_MANY = 200  # requests of one writer
BLIND = "Write the object with the resourceVersion that you read: it asks whether that still holds."
LOOP = "On 409 somebody else was faster: read again, change what you read, and write that."


class Api:
    """What one writer gets: get() and put(object), each answered by (code, object or Status)."""

    def __init__(self, crowd: "Crowd", number: int):
        self._crowd, self._number, self._sent, self.codes = crowd, number, 0, list[int]()

    def get(self) -> tuple[int, Any]:
        """The counter as it is now."""
        self._count()
        return self._crowd.server.ask("GET", f"{PATH}/counter")

    def put(self, obj: Any) -> tuple[int, Any]:
        """Store *obj* as the counter."""
        self._count()
        self._crowd.before_a_write(self._number)
        try:
            code, answer = self._crowd.server.ask("PUT", f"{PATH}/counter", obj)
        except (TypeError, ValueError):
            why = NotYet(f"api.put() wants an object such as api.get() brings, not {shown(obj)}.")
            raise self._crowd.over(why) from None
        self.codes.append(code)
        return code, answer

    def _count(self) -> None:
        self._sent += 1
        if self._sent > TOO_MANY:
            raise self._crowd.over(
                NotYet(
                    f"Writer {self._number} has sent {TOO_MANY} requests and does not end.",
                    f"its last writes were answered {self.codes[-3:]}",
                    next=LOOP if 409 in self.codes else "Only 409 is worth another try: end with every other code.",
                )
            )


class Crowd:
    """Fifty writers, and a schedule that says how many come first whenever one (by number) is about to write."""

    def __init__(self, update: Any, come_first: Schedule, seed: int):
        self.server, self.update, self._come_first = Server(seed=seed), update, come_first
        self.writers: list[Api] = []
        self.failed: NotYet | None = None
        self.server.ask("POST", PATH, COUNTER)

    def run(self) -> None:
        """Let all of them write. Raises NotYet."""
        while len(self.writers) < WRITERS:
            self._one_more()

    def before_a_write(self, number: int) -> None:
        """Somebody is about to write: others come first."""
        for _ in range(self._come_first(number)):
            if len(self.writers) < WRITERS:
                self._one_more()

    def over(self, why: NotYet) -> NotYet:
        """*why*, which the learner's code cannot catch for good."""
        self.failed = self.failed or why
        return why

    def _one_more(self) -> None:
        number = len(self.writers) + 1
        api = Api(self, number)
        self.writers.append(api)
        try:
            ask(self.update, api, increment)
        except NotYet as why:
            raise self.over(why) from None
        if self.failed is not None:
            raise self.failed


def increment(obj: dict[str, Any]) -> dict[str, Any]:
    """The counter, one higher."""
    return {**obj, "data": {**obj["data"], "count": str(int(obj["data"]["count"]) + 1)}}


SCHEDULES: dict[str, Schedule] = {
    "one after the other": lambda number: 0,
    "all read before anybody writes": lambda number: 1,
    "writer 1 is always too late": lambda number: int(number == 1),
}


@exercise("apiserver.retry")
def check_retry(answer: Any) -> Report:
    """Fifty increments in three schedules; then writes that no retry can save."""
    facts: list[str] = []
    for seed, (name, schedule) in enumerate(SCHEDULES.items(), start=1):
        crowd = Crowd(answer, schedule, seed)
        crowd.run()
        _, counter = crowd.server.ask("GET", f"{PATH}/counter")
        sum, codes = counter["data"]["count"], [code for api in crowd.writers for code in api.codes]
        told = f"{name}: the counter says {sum}; {len(codes)} writes, {codes.count(409)} of them answered 409"
        if sum != str(WRITERS):
            raise NotYet(
                f"{WRITERS} writers added one each, and the counter says {sum}.",
                *facts,
                told,
                next=_think(codes, any(api.codes[-1:] == [409] for api in crowd.writers)),
            )
        facts.append(told)
    return _hopeless(answer, facts)


def _think(codes: list[int], gave_up: bool) -> str:
    """What to think of when increments are lost."""
    odd = [code for code in codes if code not in (200, 409)]
    if odd:
        return f"A write was answered {odd[0]}: put what you read, after change() has changed it."
    if gave_up:
        return "Somebody ended with a 409: read again, change what you read, and write that, as often as it takes."
    return LOOP if 409 in codes else BLIND


def _hopeless(answer: Any, facts: list[str]) -> Report:
    """A change that the server never accepts: the learner's function must end, and say so."""
    crowd = Crowd(answer, lambda number: 0, 1)
    api = Api(crowd, 1)
    code = ask(answer, api, lambda obj: {**obj, "data": {"count": 7}})
    if crowd.failed is not None:
        raise crowd.failed
    if code != 400:
        raise NotYet(
            f"A write was refused with {api.codes[-1:] or 'nothing'}, and update_with_retry returned {shown(code)}.",
            *facts,
            next="Return the code of the last answer, so that whoever called knows.",
        )
    told = f"a change that is no ConfigMap: {len(api.codes)} write, answered 400"
    return Report(
        "pass", (*facts, told), "Nobody locks anything: the version that you read asks whether it still holds."
    )
