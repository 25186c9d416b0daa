"""What is seen of one request on its way: each step of the chain as it is done, by whoever does it.

The server tells a witness of every step (apiserver/decide/attributes `Witness`); a request that nobody traces has one
that does nothing. Objects are values, so they are kept as they are; of the request itself, which handlers fill in, a
copy is kept of what they may change.
Invariant: who looks on changes nothing, and asks for nothing that the server would not have done.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from kubemini.apiserver.core import Request
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.request import RequestInfo


class Seen(NamedTuple):
    """A request as one handler left it. *headers* are those that its answer has so far; *level*: of the audit log."""

    user: UserInfo
    info: RequestInfo
    media: str
    headers: dict[str, str]
    warnings: tuple[str, ...]
    level: str


class Step(NamedTuple):
    """One thing that was done, *at* an instant (µs): a handler's turn, a plugin's, a webhook's, etcd's."""

    step: str
    name: str
    at: int
    before: Any
    after: Any


class Observed:
    """A witness that remembers; *now* tells the time."""

    def __init__(self, now: Callable[[], int]):
        self.now, self.steps = now, list[Step]()

    def __call__(self, step: str, before: Any, after: Any, name: str = "") -> None:
        """A step is done."""
        if isinstance(before, Request):
            asked = before
            level = asked.audit.config.level if asked.audit is not None else ""
            headers, warnings = dict(asked.answer_headers), tuple(asked.warnings)
            before = Seen(asked.user, asked.info, asked.media, headers, warnings, level)
        self.steps.append(Step(step, name, self.now(), before, after))
