"""nginx and HAProxy between a client and servers that misbehave: what the client gets, and when. Pure.

Invariant: the proxy goes from try to try until one ends the request; what ends it is a reason, and the reason decides
status and whether another server is asked. Nothing here knows a server by name: it looks at what the server does.

nginx: a failed try goes to the next peer if its reason is in ``proxy_next_upstream`` (error, timeout), unless a request
that is not idempotent (POST, LOCK, PATCH) has been sent; out of peers: 504 after a timeout, else 502. A header that is
no HTTP is passed on as HTTP/0.9; one larger than its buffer is "invalid header", which is not in the list.
HAProxy: only a connection that was not made is tried again, ``retries`` times, and without ``option redispatch`` on
the same server, a second later if it was refused (turn-around). Then 503; silence after the request is 504; everything
else that is no answer 502.
Models nginx src/http/ngx_http_upstream.c ngx_http_upstream_next, ngx_http_upstream_process_header
Models haproxy src/backend.c back_handle_st_cer, back_handle_st_tar; src/http_ana.c http_wait_for_response
Simplified: no health checks, no queues; a body that stops is cut at once; HTTP/1.1 to the servers, no kept connections.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kubemini.network.decide.routing import backends
from kubemini.network.decide.routing.backends import Server
from kubemini.sim.units import SECOND

CONNECTED, REFUSED, NO_CONNECTION = "connected", "refused", "connect timeout"
TIMEOUT, BROKEN, TOO_BIG, OLD, ANSWER = "timeout", "broken", "header too big", "HTTP/0.9", "answer"
NOT_IDEMPOTENT = ("POST", "LOCK", "PATCH")

NO_STATUS = "no status line"


@dataclass(frozen=True, slots=True)
class Settings:
    """A proxy's. Times in µs, sizes in bytes; None: it has no such limit."""

    program: str
    connect_timeout: int
    server_timeout: int
    header_buffer: int
    retries: int = 0  # HAProxy: further tries after a connection that was not made
    redispatch: bool = False  # HAProxy: whether the last of them may go to another server
    turn_around: int = SECOND  # HAProxy: how long it waits before the same server again
    next_upstream: tuple[str, ...] = (REFUSED, NO_CONNECTION, TIMEOUT, BROKEN)  # nginx: error timeout
    non_idempotent: bool = False  # nginx: whether POST and the like are repeated, too
    http_09: bool = False  # whether what is no HTTP is passed on


NGINX = Settings("nginx", 60 * SECOND, 60 * SECOND, 4096, http_09=True)
HAPROXY = Settings("haproxy", 5 * SECOND, 50 * SECOND, 16384, retries=3)


@dataclass(frozen=True, slots=True)
class Try:
    """One try: the server (its number), how it ended, how long it took, whether the request went out and was read."""

    server: int
    reason: str
    took: int
    sent: bool
    read: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the client gets: a status (or `NO_STATUS`), the whole time in µs, all tries, whether the body is whole."""

    status: int | str
    took: int
    tries: tuple[Try, ...]
    rule: str
    whole: bool = True

    @property
    def read(self) -> int:
        """Requests that some server read in full: more than one is a request done twice."""
        return sum(one.read for one in self.tries)


def attempt(settings: Settings, servers: Sequence[Server], number: int) -> Try:
    """One try on server *number*: connect, send, wait for a header."""
    server = servers[number]
    if server.connect == backends.REFUSES:
        return Try(number, REFUSED, 0, False, False)
    if server.connect == backends.SILENT:
        return Try(number, NO_CONNECTION, settings.connect_timeout, False, False)
    silent = server.sends == backends.NO_HEADER and server.ends == backends.KEEPS
    if silent or server.after >= settings.server_timeout:
        return Try(number, TIMEOUT, settings.server_timeout, True, server.reads)
    return Try(number, _heard(settings, server), server.after, True, server.reads)


def _heard(settings: Settings, server: Server) -> str:
    """What the proxy makes of the first bytes, or of their lack."""
    if server.sends == backends.NOT_HTTP:
        return OLD if settings.http_09 else BROKEN
    if server.sends != backends.HEADER:
        return BROKEN
    return TOO_BIG if server.header_size > settings.header_buffer else ANSWER


def serve(settings: Settings, servers: Sequence[Server], method: str, first: int = 0) -> Outcome:
    """What the client of a proxy with *servers* gets; *first* is the one whose turn it is."""
    if not servers:
        return Outcome(503, 0, (), f"{settings.program}: no server")
    walk = _nginx if settings.program == "nginx" else _haproxy
    return walk(settings, servers, method, first)


def next_upstream(settings: Settings, last: Try, method: str) -> bool:
    """Whether nginx asks another server after the try *last*, if it has one."""
    repeatable = not last.sent or settings.non_idempotent or method not in NOT_IDEMPOTENT
    return last.reason in settings.next_upstream and repeatable


def failed(last: Try) -> tuple[int, str]:
    """What nginx says when its *last* try failed: the status, and why."""
    if last.reason in (TIMEOUT, NO_CONNECTION):
        return 504, f"nginx: upstream timed out ({last.reason})"
    return 502, f"nginx: {last.reason}"


def _nginx(settings: Settings, servers: Sequence[Server], method: str, first: int) -> Outcome:
    tries: list[Try] = []
    for turn in range(len(servers)):
        tries.append(attempt(settings, servers, (first + turn) % len(servers)))
        if not next_upstream(settings, tries[-1], method):
            break
    if tries[-1].reason in (ANSWER, OLD):
        return _passed(servers, tries)
    status, rule = failed(tries[-1])
    return _outcome(status, tries, rule)


def _haproxy(settings: Settings, servers: Sequence[Server], method: str, first: int) -> Outcome:
    tries: list[Try] = []
    server, waited = first, 0
    for left in range(settings.retries, -1, -1):
        tries.append(attempt(settings, servers, server))
        if tries[-1].sent or not left:
            break
        moves = settings.redispatch and len(servers) > 1
        if moves:
            server = (server + 1) % len(servers)
        elif tries[-1].reason == REFUSED:
            waited += min(settings.turn_around, settings.connect_timeout)
    last = tries[-1]
    if not last.sent:
        return _outcome(503, tries, f"haproxy: SC, {last.reason} after {settings.retries} retries", waited)
    if last.reason == TIMEOUT:
        return _outcome(504, tries, "haproxy: sH, timeout server", waited)
    if last.reason != ANSWER:
        says = "PH, the answer does not fit" if last.reason == TOO_BIG else "SH, closed before a full header"
        return _outcome(502, tries, f"haproxy: {says}", waited)
    return _passed(servers, tries, waited)


def _outcome(status: int | str, tries: list[Try], rule: str, waited: int = 0, whole: bool = True) -> Outcome:
    return Outcome(status, waited + sum(one.took for one in tries), tuple(tries), rule, whole)


def _passed(servers: Sequence[Server], tries: list[Try], waited: int = 0) -> Outcome:
    """The answer of the last server, as it is: its own errors, too."""
    server = servers[tries[-1].server]
    if tries[-1].reason == OLD:
        return _outcome(NO_STATUS, tries, "passed on as HTTP/0.9", waited)
    whole = server.body >= server.promised
    return _outcome(server.status, tries, f"server {tries[-1].server} answered", waited, whole)
