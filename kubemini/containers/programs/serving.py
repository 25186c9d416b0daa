"""What the programs of agnhost share: flags, the log of Go, a server that goes on until it is killed.

spf13/pflag (how flags are written), Go's log (Ldate, Ltime).
"""

import re
from functools import partial

from kubemini.api.timestamps import date
from kubemini.containers.process import Life, Process, Server, Sleep

MARKUP = re.compile(
    r"\s*<(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]", re.IGNORECASE
)
PLAIN = (("Content-Type", "text/plain; charset=utf-8"),)


def flags(process: Process) -> dict[str, str]:
    """``--name=value``, ``--name value``, or ``--name`` alone."""
    found, words = dict[str, str](), list(process.argv[2:])
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            name, given, value = word.lstrip("-").partition("=")
            follows = not given and bool(words) and (not words[0].startswith("-") or words[0][1:].isdigit())
            found[name] = value if given else words.pop(0) if follows else "true"
    return found


def sniffed(text: str) -> tuple[tuple[str, str], ...]:
    """The type of a page of which its program says none, as net/http finds it out."""
    return (("Content-Type", "text/html; charset=utf-8"),) if MARKUP.match(text) else PLAIN


def log(process: Process, text: str) -> None:
    """A line as Go's log package writes it."""
    process.complain(f"{date(process.inside.runtime.wall):%Y/%m/%d %H:%M:%S} {text}")


def serves(process: Process, port: int, server: Server) -> Life:
    """*server* answers on *port* for as long as the process lives."""
    process.listen(port, server)
    yield Sleep()
    return 0


def ends_by(process: Process, code: int = 2) -> None:
    """A program in Go that has no word for SIGTERM: as process 1 it ends with 2."""
    process.on("TERM", partial(process.end, code))
