"""What a program in a container says over HTTP: one page that tells who answers. Pure.

    server = HttpServer(Page(pod, container, node))
    server.receive(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")    bytes of the answers; server.closes when it is over

Models nothing upstream: what a program of a real image would say, nobody knows here.
RFC 9112: section 3 (request line), 6 (length of a body), 9.3 (connections that stay).
Simplified: a program listens on the ports that its container declares, and if the pod declares none, on 80: a
declaration is all that is known of the program. Whatever is asked for, the page is the same; no chunked requests.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from kubemini.api.objects import Obj
from kubemini.containers import Answer, Request

USUAL = 80  # what a server listens on if nobody says otherwise
LARGEST = 1 << 20  # bytes of a head; a body has at most 999,999
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request"


class Page(NamedTuple):
    """Who answers."""

    pod: str
    image: str
    node: str

    def text(self, method: str, path: str) -> str:
        """The page, as it answers *method* of *path*."""
        return f"{self.pod} ({self.image}) on {self.node} answers {method} {path}\n"


Take = Callable[[Answer], None]
Serve = Callable[[Request, Take], bool]  # whether the program speaks HTTP


def ports(pod: Obj) -> dict[int, str]:
    """The ports that the programs of *pod* listen on, and in which container."""
    found = {
        port["containerPort"]: container["name"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    }
    return found or {USUAL: pod["spec"]["containers"][0]["name"]}


def container_of(pod: Obj, name: str) -> Obj:
    """The container called *name*."""
    return next(one for one in pod["spec"]["containers"] if one["name"] == name)


@dataclass(slots=True)
class HttpServer:
    """The server's end of one connection."""

    serve: Serve
    push: Callable[[bytes], None]
    close: Callable[[], None]
    closes: bool = False  # it takes no more requests
    _raw: bytes = b""
    _waits: bool = False  # for an answer

    def receive(self, data: bytes) -> None:
        """Bytes of the client."""
        self._raw += data
        self._go_on()

    def _go_on(self) -> None:
        while not (self.closes or self._waits) and (found := self._whole_request()) is not None:
            self._waits = True
            if not self.serve(found[0], partial(self._answered, *found)):
                self._end()

    def _answered(self, request: Request, last: bool, answer: Answer) -> None:
        self._waits = False
        if self.closes:
            return
        self.push(response(answer, request.method, last))
        if last:
            self._end()
        else:
            self._go_on()

    def _end(self) -> None:
        if not self.closes:
            self.closes = True
            self.close()

    def _refuse(self) -> None:
        self.push(BAD_REQUEST)
        self._end()

    def _whole_request(self) -> tuple[Request, bool] | None:
        """The next request that is complete, and whether it is the last of this connection."""
        head, ended, rest = self._raw.partition(b"\r\n\r\n")
        first, whole, _ = self._raw.partition(b"\n")
        if not ended:
            if len(self._raw) > LARGEST or (whole and len(first.split()) != 3):
                self._refuse()
            return None
        lines = head.decode("latin-1").split("\r\n")
        words, headers = lines[0].split(" "), _headers(lines[1:])
        length = headers.get("content-length", "0")
        if len(words) != 3 or not words[2].startswith("HTTP/1.") or not re.fullmatch(r"[0-9]{1,6}", length):
            self._refuse()
            return None
        if len(rest) < int(length):
            return None
        self._raw = rest[int(length) :]
        stays = "keep-alive" if words[2] == "HTTP/1.0" else "close"
        last = (headers.get("connection", "").lower() == stays) == (stays == "close")
        return Request(words[0], words[1], headers, rest[: int(length)]), last


def _headers(lines: list[str]) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def response(answer: Answer, method: str, last: bool) -> bytes:
    """The bytes of *answer* to a request of *method*; *last*: the connection ends with it."""
    known = {status.value: status.phrase for status in HTTPStatus}
    head = f"HTTP/1.1 {answer.status} {known.get(answer.status, 'Status')}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    head += f"Content-Length: {len(answer.body)}\r\n" + ("Connection: close\r\n\r\n" if last else "\r\n")
    return head.encode("latin-1", "replace") + (b"" if method == "HEAD" else answer.body)
