"""httpd, Apache's web server: it works.

The image's page and its log format ``common``.
Simplified: its configuration is not read; it serves /usr/local/apache2/htdocs on port 80.
"""

from functools import partial

from kubemini.api.timestamps import date
from kubemini.containers.applets.net import served
from kubemini.containers.context import Answer, Request
from kubemini.containers.process import Life, Process, Server, Sleep

HOME = "/usr/local/apache2/htdocs"
FILES = {f"{HOME}/index.html": b"<html><body><h1>It works!</h1></body></html>\n"}
PORT = 80


def main(process: Process) -> Life:
    """Serve, in the foreground."""
    for signal in ("TERM", "WINCH"):
        process.on(signal, partial(process.end, 0))
    process.listen(PORT, Server(partial(_serve, process)))
    yield Sleep()
    return 0


def _serve(process: Process, request: Request) -> Answer:
    found = served(process, HOME, request)
    now = date(process.inside.runtime.wall)
    line = f'{request.source} - - [{now:%d/%b/%Y:%H:%M:%S} +0000] "{request.method} {request.path} HTTP/1.1" '
    process.out(f"{line}{found.status} {len(found.body)}\n")
    return found
