"""What a program in a container says over HTTP: one page that tells who answers. Pure.

    server = HttpServer(Page(pod, container, node))
    server.receive(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")    bytes of the answers; server.closes when it is over

Models nothing upstream: what a program of a real image would say, nobody knows here.
RFC 9112: section 3 (request line), 6 (length of a body), 9.3 (connections that stay).
Simplified: a program listens on the ports that its container declares, and if the pod declares none, on 80: a
declaration is all that is known of the program. Whatever is asked for, the page is the same; no chunked requests.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kubemini.api.objects import Obj

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


class Answered(NamedTuple):
    """A request and what was said, for the log of the container."""

    method: str
    path: str
    status: int


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
    """The server's end of one connection; *closes*: it takes no more requests."""

    page: Page
    closes: bool = False
    _raw: bytes = b""

    def receive(self, data: bytes) -> tuple[bytes, list[Answered]]:
        """The bytes that answer what is complete with *data*, and what that was."""
        self._raw += data
        said, served = b"", []
        while not self.closes and (found := self._next()) is not None:
            answer, one = found
            said += answer
            served += [one] if one is not None else []
        return said, served

    def _next(self) -> tuple[bytes, Answered | None] | None:
        head, ended, rest = self._raw.partition(b"\r\n\r\n")
        if not ended:
            self.closes = len(self._raw) > LARGEST
            return (BAD_REQUEST, None) if self.closes else None
        lines = head.decode("latin-1").split("\r\n")
        words, headers = lines[0].split(" "), _headers(lines[1:])
        length = headers.get("content-length", "0")
        if len(words) != 3 or not words[2].startswith("HTTP/1.") or not re.fullmatch(r"[0-9]{1,6}", length):
            self.closes = True
            return BAD_REQUEST, None
        if len(rest) < int(length):
            return None
        self._raw = rest[int(length) :]
        stays = "keep-alive" if words[2] == "HTTP/1.0" else "close"
        self.closes = (headers.get("connection", "").lower() == stays) == (stays == "close")
        return answer(self.page, words[0], words[1], self.closes), Answered(words[0], words[1], 200)


def _headers(lines: list[str]) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def answer(page: Page, method: str, path: str, closes: bool) -> bytes:
    """The whole response."""
    body = page.text(method, path).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    head += "Connection: close\r\n\r\n" if closes else "\r\n"
    return head.encode() + (b"" if method == "HEAD" else body)
