"""The servers that misbehave, as real sockets: each does what `backends.NAMED` says of it, and counts what it read."""

import contextlib
import socket
import struct
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
ANSWERS = {
    "ok": OK,
    "503 of its own": b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "not HTTP": b"hello, this is no HTTP\n",
    "header of 64 KiB": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 65536 + b"\r\nContent-Length: 2\r\n\r\nok",
    "body shorter than promised": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n0123456789",
    "answers after 3 s": OK,
    "reads, then closes": b"",
    "reads, then resets": b"",
    "reads, never answers": b"",
}
NEVER = 6  # s; longer than any proxy here waits


class Server:
    """One of them, on a port of its own."""

    def __init__(self, name):
        self.name, self.read = name, 0
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.held = []
        if name == "nothing listens":
            return  # bound, so nobody else gets the port, and not listening
        self.socket.listen(0 if name == "no route answers" else 50)
        if name == "no route answers":  # a full queue: the kernel drops every further SYN
            for _ in range(4):
                self.held.append(socket.socket())
                self.held[-1].setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    self.held[-1].connect(("127.0.0.1", self.port))
            time.sleep(0.2)
        else:
            threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=self.socket.accept()[:1], daemon=True).start()

    def _one(self, connection):
        with contextlib.suppress(OSError):
            if self.name.endswith("at once"):
                _end(connection, reset=self.name.startswith("reset"))
                return
            if not _request(connection):
                connection.close()  # the test looked whether somebody listens
                return
            self.read += 1
            time.sleep({"answers after 3 s": 3, "reads, never answers": NEVER}.get(self.name, 0))
            connection.sendall(ANSWERS[self.name])
            _end(connection, reset=self.name == "reads, then resets")

    def close(self):
        """It is over."""
        for one in (self.socket, *self.held):
            one.close()


def _request(connection):
    """Whether a whole request came, with its body."""
    text = b""
    while b"\r\n\r\n" not in text:
        more = connection.recv(4096)
        if not more:
            return False
        text += more
    head, _, body = text.partition(b"\r\n\r\n")
    length = next(
        (int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(4096)
    return True


def _end(connection, reset):
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
