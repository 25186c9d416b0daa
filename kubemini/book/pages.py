"""A server of pages on this machine: Tornado, because a browser opens more connections at once than five.

Invariant: it listens on the loopback address only, from the moment it is made; whoever connects before it runs waits,
and is answered.
"""

import asyncio
import threading
from pathlib import Path
from types import TracebackType

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, StaticFileHandler

LOOPBACK = "127.0.0.1"
WAITING = 512  # connections
TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}


class Pages(StaticFileHandler):
    """Knows the types of what Pyodide loads; a page that was built anew is asked for anew."""

    def get_content_type(self) -> str:
        """By the end of the name, whatever this machine has registered for it."""
        assert self.absolute_path is not None
        return TYPES.get(Path(self.absolute_path).suffix) or super().get_content_type()

    def set_extra_headers(self, path: str) -> None:
        """What is kept is asked for again, and not sent again if it is the same."""
        self.set_header("Cache-Control", "no-cache")


def quiet(handler: object) -> None:
    """Log nothing: the address is all a reader needs to see."""


class Server:
    """*folder* on *port*, or on any free one if that is taken; it runs in a thread while the `with` block lasts."""

    def __init__(self, folder: Path, port: int = 0):
        site = {"path": str(folder.resolve()), "default_filename": "index.html"}
        self.application = Application([(r"/(.*)", Pages, site)], log_function=quiet)
        try:
            self.sockets = bind_sockets(port, LOOPBACK, backlog=WAITING)
        except OSError:
            self.sockets = bind_sockets(0, LOOPBACK, backlog=WAITING)
        self.port: int = self.sockets[0].getsockname()[1]
        self.address = f"http://{LOOPBACK}:{self.port}"
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.http = HTTPServer(self.application)
        self.http.add_sockets(self.sockets)
        self.loop.run_forever()

    def __enter__(self) -> "Server":
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _stop(self) -> None:
        self.http.stop()
        await self.http.close_all_connections()
