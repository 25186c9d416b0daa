"""What a server does to a proxy that comes with a request: on its TCP connection, byte by byte where it matters. Pure.

Invariant: a server is what it does, not what it is called: does it take the connection, does it read the request, what
does it send and when, how does it end.
Models nothing upstream: the fourteen servers of the recordings, which are Python sockets there.
"""

from dataclasses import dataclass

from kubemini.sim.units import SECOND

ACCEPTS, REFUSES, SILENT = "accepts", "refuses", "silent"  # a RST to the SYN; nothing at all
KEEPS, CLOSES, RESETS = "keeps", "closes", "resets"  # how it ends: not at all, FIN, RST
NO_HEADER, HALF_HEADER, NOT_HTTP, HEADER = "none", "half a header", "not HTTP", "header"


@dataclass(frozen=True, slots=True)
class Server:
    """A server, as a proxy meets it. Times in µs, sizes in bytes."""

    connect: str = ACCEPTS
    reads: bool = True  # the request, in full
    after: int = 0  # how long it thinks before it sends
    sends: str = HEADER
    status: int = 200
    header_size: int = 200
    promised: int = 2  # Content-Length
    body: int = 2  # bytes that come
    ends: str = CLOSES


OK = Server(ends=KEEPS)
NAMED = {
    "ok": OK,
    "503 of its own": Server(status=503),
    "reads, never answers": Server(sends=NO_HEADER, ends=KEEPS),
    "answers after 3 s": Server(after=3 * SECOND),
    "reads, then closes": Server(sends=NO_HEADER),
    "reads, then resets": Server(sends=NO_HEADER, ends=RESETS),
    "close at once": Server(reads=False, sends=NO_HEADER),
    "reset at once": Server(reads=False, sends=NO_HEADER, ends=RESETS),
    "half a header": Server(sends=HALF_HEADER),
    "not HTTP": Server(sends=NOT_HTTP),
    "header of 64 KiB": Server(header_size=64 * 1024),
    "body shorter than promised": Server(promised=100, body=10),
    "nothing listens": Server(connect=REFUSES, reads=False),
    "no route answers": Server(connect=SILENT, reads=False),
}
