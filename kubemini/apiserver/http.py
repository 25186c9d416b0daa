"""A request from outside of the simulation, as HTTP has it, and its answer: no sockets, no web library.

    answer = yield from handle(server, HttpRequest("GET", "/api/v1/pods?limit=5"))    in a task of the simulation
    Exchange(server, request, print)                                                  … and for all others

The chain is the same as for programs of the simulation; only the two ends differ: what comes in is text and bytes, and
so is what goes out. A browser, a notebook, a replayed session and the door (kubemini.serve) all use just this.
Invariant: an exchange is answered once, by a response or by `Unreachable` if the server is not there or dies; a stream
of a watch then says one event after the other until either side ends it.
Models k/apiserver pkg/endpoints/handlers/responsewriters WriteObjectNegotiated, pkg/endpoints/handlers
serveWatchHandler.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import simpy

from kubemini.api.errors import ApiError
from kubemini.apiserver import pipeline
from kubemini.apiserver.core import Request
from kubemini.apiserver.decide.access.impersonation import REPEATED
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.attributes import Witness, unseen
from kubemini.apiserver.decide.forms import response, sockets
from kubemini.apiserver.decide.forms.media import PLAIN
from kubemini.apiserver.decide.forms.plain import Passed
from kubemini.apiserver.server import ApiServer
from kubemini.sim import Steps
from kubemini.wire import Call, Reply, Unreachable
from kubemini.wire.calls import REFUSED, RESET
from kubemini.wire.rpc import happen

SLOWEST = 100  # events that may wait for a watcher: maxWatchChanSizeWithoutIndex
UNREAD = 100_000  # pieces that may wait for who reads a log, or has a tunnel
SWITCHING = 101
OUTSIDE = "outside"  # the source of its calls, which no program is called
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What came over a connection. *target*: path and query; *certificate*: the user that TLS has verified."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    certificate: UserInfo | None = None


class WatchStream:
    """What a watch says, or a log, or whoever is behind a tunnel: read it until there is nothing, and again on news.

    ``on_news`` is called when there is more. ``ended``: no more will come once all is read; ``broken``: it was cut
    short. ``feed(data)``: what the client sends, if the answer is 101. ``close()``: it leaves.
    Who does not read while a hundred events happen is ended, and has to begin anew: no more is kept for anybody.
    """

    def __init__(self, on_close: Callable[[], None]):
        self.ended = self.broken = False
        self.on_news: Callable[[], None] | None = None
        self.feed: Callable[[bytes], None] = lambda data: None
        self._close, self._items = on_close, deque[Any]()
        self._encode: Callable[[Any], bytes] | None = None
        self._room = 0  # so many events may wait; what there was at the beginning counts besides
        self._last = b""

    def begin(self, encode: Callable[[Any], bytes], slowest: int = SLOWEST, last: bytes = b"") -> None:
        """From now on events can be read, as *encode* writes them, and *last* behind them all."""
        self._encode, self._room, self._last = encode, len(self._items) + slowest, last

    def read(self) -> bytes | None:
        """The bytes of the next event, or None: there is none now."""
        assert self._encode is not None, "a stream is read after its response has come"
        if self._items:
            return self._encode(self._items.popleft())
        last, self._last = self._last if self.ended else b"", b"" if self.ended else self._last
        return last or None

    def close(self) -> None:
        """Nobody reads any more."""
        self.ended = True
        self._items.clear()
        self._close()

    def put(self, item: Any) -> None:
        """An event has happened, or bytes have come."""
        if not self.ended:
            self._items.append(item)
            self._tell()
        if self._encode is not None and len(self._items) > self._room:
            self._close()  # too slow: the server goes on without it, and says no more than what waits
            self.end()

    def end(self, broken: bool = False) -> None:
        """The server has ended it, or, *broken*, it is gone."""
        self.ended, self.broken = True, broken
        self._tell()

    def _tell(self) -> None:
        if self.on_news is not None:
            self.on_news()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What goes back: a body at once, or the events of a watch."""

    status: int
    headers: Headers
    body: bytes | WatchStream


class Exchange:
    """One request of a client outside, which sits at the far end of a connection of its own.

    *on_answer* is called once, with an HttpResponse or `Unreachable`; a server whose power is cut never answers.
    *witness* is told of every step that the request takes on its way down the chain.
    """

    def __init__(
        self,
        server: ApiServer,
        request: HttpRequest,
        on_answer: Callable[["HttpResponse | Unreachable"], None],
        witness: Witness = unseen,
    ):
        self.server, self.on_answer, self.witness = server, on_answer, witness
        self.stream = WatchStream(self.cancel)
        self.calls: dict[int, Call] = {}
        self.draining = False  # the client is to dial anew for its next request
        self._answered = False
        self._asked: Request | None = None
        rpc, id = server.rpc, server.rpc.number()
        self._id = OUTSIDE, id
        if not (server.up and server.listens):
            self._answer(REFUSED)
            return
        payload = payload_of(request)
        self._call = Call(rpc, OUTSIDE, id, "request", payload, True, self)
        if server.net.tap is not None:
            server.net.tap.request(OUTSIDE, server.name, server.net.sim.now, id, "request", payload)
        rpc.open[self._id], rpc.accepted[self._id] = self._call, self
        server.guarded(server.incarnation, self._begin, ())

    def cancel(self) -> None:
        """The client is gone."""
        server = self.server
        if not self._call.closed:
            server.guarded(server.incarnation, self._call.cancelled, ())
        self._forget()

    def _begin(self) -> None:
        self._call.on_cancel(self.server.spawn(self._serve()).cancel)

    def _serve(self) -> Steps:
        """Down the chain, and back as bytes."""
        asked = pipeline.received(self._call)
        asked.late = lambda: self._late(asked)
        asked.witness = self.witness
        self._asked = asked
        answer = yield from pipeline.serve(self.server.core, asked)
        try:
            made = self._response(asked, answer)
            if asked.audit is not None:
                asked.audit.answered(made.status, answer)
        except Exception as problem:  # the answer has no such form: a defect
            asked.accepted = PLAIN
            made = self._response(asked, pipeline.recovered(self.server.core, asked, problem))
        if self.server.net.tap is not None:
            refused = isinstance(answer, ApiError)
            said = Reply(not refused, None if refused else answer, answer if refused else None)
            self.server.net.tap.answer(self.server.name, OUTSIDE, self.server.net.sim.now, self._call.id, said)
        if isinstance(made.body, bytes):
            self._call.reply(None)
        self._answer(made)

    def _late(self, asked: Request) -> None:
        """Its time is over: it is answered, and goes no further."""
        if not self._answered:
            said = response.too_late()
            if asked.audit is not None:
                asked.audit.answered(said.status, response.TOO_LATE)
            self._answer(HttpResponse(said.status, (*said.headers, *asked.answer_headers[:2]), said.body or b""))
            self._call.cancelled()

    def _response(self, asked: Request, answer: Any) -> HttpResponse:
        if answer is None and asked.info.verb == "watch":
            form, kind = asked.accepted, asked.info.kind
            encode = response.event_encoder(form, asked.query, lambda: self.server.sim.wall, kind)
            answer = sockets.of_watch(asked.headers, form, encode, self.cancel)
            if answer is None:
                self.stream.begin(encode)
                said = response.of_watch(asked.accepted)
        if isinstance(answer, Passed):
            return self._passed(answer, asked)
        if answer is not None:
            now, made = self.server.sim.wall, asked.created or asked.info.verb == "create"
            said = response.of(answer, asked.accepted, asked.headers, asked.query, made, now, asked.info.kind)
        headers = [*said.headers, *asked.answer_headers]
        headers += [("Warning", response.warning(text)) for text in asked.warnings]
        headers += [("Connection", "close")] if self.draining else []
        return HttpResponse(said.status, tuple(headers), self.stream if said.body is None else said.body)

    def _passed(self, answer: Passed, asked: Request) -> HttpResponse:
        """What somebody behind the server has said: its head now, the rest as it comes."""
        headers = (*answer.headers, *(() if answer.status == SWITCHING else asked.answer_headers))
        self.stream.begin(answer.encode, SLOWEST if asked.info.verb == "watch" else UNREAD, answer.last)
        self.stream.feed = answer.take
        return HttpResponse(answer.status, headers, self.stream)

    def _answer(self, made: "HttpResponse | Unreachable") -> None:
        if not self._answered:
            self._answered = True
            self.on_answer(made)
        if not (isinstance(made, HttpResponse) and made.body is self.stream):
            self._forget()

    def _forget(self) -> None:
        self.server.rpc.accepted.pop(self._id, None)

    # -- what the server's end of a connection must understand (wire.rpc Accepted) -----------------------------------
    def answer(self, id: int, reply: Reply) -> None:
        """A call is over: a watch has said its last word."""
        self.stream.end()
        if self._asked is not None and self._asked.audit is not None and self._answered:
            self._asked.audit.over()
        if self._answered:
            self._forget()

    def push(self, id: int, item: Any) -> None:
        """An event for the stream, or bytes."""
        if self.server.net.tap is not None:
            self.server.net.tap.event(self.server.name, OUTSIDE, self.server.net.sim.now, id, item)
        self.stream.put(item)

    def go_away(self) -> None:
        """The client shall use another connection for what is new."""
        self.draining = True

    def lose(self, error: Unreachable) -> None:
        """The connection breaks from the server's side."""
        self.stream.end(broken=True)
        self._answer(error)

    def abandon(self, reset: bool) -> None:
        """The server has died; with *reset*, its kernel says so."""
        if reset:
            self.lose(RESET)


def handle(server: ApiServer, request: HttpRequest) -> Steps:
    """The HttpResponse to *request*, or `Unreachable`."""
    event = simpy.Event(server.sim)
    Exchange(server, request, lambda made: happen(event, made))
    return (yield event) if event.callbacks is not None else event.value


def payload_of(request: HttpRequest) -> dict[str, Any]:
    """*request* as a call of the simulation carries it."""
    url = urlsplit(request.target.replace("//", "/%2F") if request.target.startswith("//") else request.target)
    query = parse_qs(url.query, keep_blank_values=True)
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        between = REPEATED if key.startswith("impersonate-") else ", "
        headers[key] = f"{headers[key]}{between}{value}" if key in headers else value
    return {
        "verb": request.method.upper(),
        "method": request.method.upper(),
        "path": unquote(url.path).replace("/%2F", "//"),
        "query": query,
        "headers": headers,
        "body": request.body,
        "certificate": request.certificate,
        "uri": request.target,
    }
