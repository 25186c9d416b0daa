"""Reads as much of haproxy.cfg as decides what a balancer in front of API servers checks, and how long it waits.

Invariant: of several options that say how to check, the last one wins; what a backend does not say, defaults say.
HAProxy 2.6 configuration manual, held against HAProxy 2.6.12: what each variant says of a server that is well, of one
that answers 500 and of one that is dead.
Simplified: one backend; ACLs, other protocols' checks and files of certificates are not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

SECTIONS = ("global", "defaults", "frontend", "backend", "listen")
CHECKS = ("httpchk", "ssl-hello-chk", "tcp-check")
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}

Line = tuple[int, list[str]]  # its number, its words


class ConfigError(ValueError):
    """A line that haproxy would not take; the message says which one, and why."""


@dataclass(slots=True)
class Server:
    """A ``server`` line: what stands on it behind name and address."""

    name: str
    words: Sequence[str]

    def has(self, word: str) -> bool:
        """Whether *word* stands there."""
        return word in self.words

    @property
    def trusts(self) -> bool:
        """Whether it says what to make of the server's certificate."""
        return "ca-file" in self.words or ("verify" in self.words and "none" in self.words)


@dataclass(slots=True)
class Config:
    """What counts of a configuration."""

    check: str = "connect"  # connect, httpchk or ssl-hello-chk: the last that was asked for
    uri: str = "/"
    tls: bool = False  # http-check connect ssl
    redispatch: bool = False
    timeouts: dict[str, int] = field(default_factory=dict)  # ms
    servers: list[Server] = field(default_factory=list)
    mode: str = "tcp"


def read(text: str) -> Config:
    """The configuration in *text*. Raises ConfigError for a line that haproxy does not take."""
    config, section = Config(), ""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].split()
        if words and words[0] in SECTIONS:
            section = words[0]
        elif words and not section:
            raise ConfigError(f"line {number}: {words[0]!r} stands in no section; begin with {', '.join(SECTIONS)}")
        elif words:
            _take(config, section, (number, words))
    return config


def _take(config: Config, section: str, line: Line) -> None:
    number, words = line
    match words:
        case ["timeout", what, value]:
            config.timeouts[what] = _milliseconds(value, number)
        case ["mode", mode] if section in ("backend", "listen"):
            config.mode = mode
        case ["option", "redispatch", *_]:
            config.redispatch = True
        case ["option", name, *rest] if section in ("backend", "listen", "defaults"):
            _option(config, name, rest, number)
        case ["http-check", "connect", *rest]:
            config.tls = config.tls or "ssl" in rest
        case ["http-check", "send", *rest] if "uri" in rest[:-1]:
            config.uri = rest[rest.index("uri") + 1]
        case ["server", name, _, *rest]:
            config.servers.append(Server(name, rest))
        case ["server", *_]:
            raise ConfigError(f"line {number}: a server has a name and an address, such as server cp-1 10.0.0.1:6443")


def _option(config: Config, name: str, rest: Sequence[str], number: int) -> None:
    if name in CHECKS:
        config.check = "connect" if name == "tcp-check" else name
        if name == "httpchk" and rest:
            config.uri = rest[-1] if len(rest) == 1 else rest[1]
    elif name == "httpcheck":
        raise ConfigError(f"line {number}: unknown option 'httpcheck'; did you mean 'httpchk' maybe ?")


def _milliseconds(value: str, number: int) -> int:
    digits = value.rstrip("mshd")
    unit = value[len(digits) :] or "ms"
    if not digits.isdigit() or unit not in UNITS:
        raise ConfigError(f"line {number}: {value!r} is no duration; write 35s, 500ms or 2m")
    return int(digits) * UNITS[unit]
