"""One request at a kubelet's server, and the way of its answer: a head, bytes, an end.

Invariant: after its end nothing is sent, and nobody takes its bytes any more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.kubelet.decide.streams import Headers, Refusal
from kubemini.wire import Call

PLAIN: Headers = (("Content-Type", "text/plain; charset=utf-8"),)
Takers = dict[tuple[str, int], Callable[[bytes], None]]


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer."""

    status: int
    headers: Headers = PLAIN


class Visit:
    """A request; *takers* are those who take bytes of clients, by who sends them and the number of the request."""

    def __init__(self, call: Call, takers: Takers):
        assert call.stream is not None, "a request at a kubelet is a stream"
        asked: dict[str, Any] = call.payload
        self.call, self.stream, self.takers = call, call.stream, takers
        self.method, self.path, self.query = str(asked["method"]), str(asked["path"]), asked["query"]
        self.headers, self.user = asked["headers"], asked.get("user")
        self._key = call.source, int(asked["number"])

    def begin(self, status: int, headers: Headers) -> None:
        """The head; bytes follow by `push`."""
        self.push(Head(status, headers))

    def push(self, item: Any) -> None:
        """More of the answer."""
        self.stream.push(item)

    def close(self) -> None:
        """Its end."""
        self.takers.pop(self._key, None)
        self.stream.close()

    def answer(self, status: int, text: str, headers: Headers = PLAIN) -> None:
        """All of it."""
        self.begin(status, headers)
        self.push(text.encode())
        self.close()

    def refuse(self, refusal: Refusal) -> None:
        """No."""
        self.answer(refusal.status, refusal.text, (*PLAIN, *refusal.headers))

    def greet(self, headers: Headers, take: Callable[[bytes], None], leave: Callable[[], None]) -> None:
        """101: from now on *take* gets what the client sends; *leave* is called if it goes, and closes."""
        self.takers[self._key] = take
        self.call.on_cancel(leave)
        self.begin(101, headers)
