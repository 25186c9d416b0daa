"""A request, a verdict, and the two things that Ingress and Gateway API read alike: hosts and paths. Pure.

Invariant: a verdict names the rule that decided, in the words of the object that holds it.
A host is compared without its port and in lower case, a path by its elements and after decoding what needs no escape.
Models kubernetes-sigs/gateway-api apis/v1 HTTPPathMatch, Hostname, PathMatchPathPrefix
RFC 9110 §4.2 (hosts know no case), RFC 3986 §6.2.2.2 (percent-encoding of unreserved characters).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits

from kubemini.api.objects import Obj

UNRESERVED = ascii_letters + digits + "-._~"

WHOLE = 1 << 64  # draws are uniform below this
FORWARDED, REDIRECTED, ANSWERED, CLOSED = "forwarded", "redirected", "answered", "closed"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it comes in; *target* is path and query as written, *sni* the name in the TLS hello."""

    host: str
    target: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"
    port: int = 80
    sni: str = ""

    @property
    def hostname(self) -> str:
        """The host to compare: no port, lower case."""
        name = self.host.rpartition(":")[0] if self.host.rpartition(":")[2].isdigit() else self.host
        return name.lower()

    @property
    def path(self) -> str:
        """The path to compare: no query, unreserved characters decoded."""
        return decoded(self.target.partition("?")[0] or "/")

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; of those that repeat the first counts."""
        found: dict[str, str] = {}
        for pair in filter(None, self.target.partition("?")[2].split("&")):
            name, _, value = (decoded(part.replace("+", " "), all_of_it=True) for part in pair.partition("="))
            found.setdefault(name, value)
        return found

    def header(self, name: str) -> str | None:
        """The value of a header; names know no case."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Backend:
    """Whom a rule names: a Service's port by number (or name, of an Ingress), and its share."""

    namespace: str
    name: str
    port: int | str
    weight: int = 1
    wrong: str = ""  # why it cannot be used: its share is answered 500
    filters: tuple[Obj, ...] = ()  # of a Gateway's route: only for what goes to this one

    @property
    def place(self) -> str:
        """``svc/NAMESPACE/NAME:PORT``."""
        return f"svc/{self.namespace}/{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Retry:
    """How often the proxy tries again after one of the *codes*, and how long it waits in between."""

    codes: tuple[int, ...]
    attempts: int = 1
    backoff_ms: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request; *rule* names who decided.

    forwarded: to one of *backends*, by weight, as *request*. redirected: *status* and *location*.
    answered: the proxy itself says *status*. closed: a connection of TLS ends without a word.
    """

    fate: str
    rule: str
    status: int = 200
    backends: tuple[Backend, ...] = ()
    request: Request | None = None
    location: str = ""
    answer_headers: tuple[Obj, ...] = ()  # what to do to the answer: set, add, remove, in order
    mirrors: tuple[Backend, ...] = ()
    prefix: str = "/"  # the path prefix that matched: what a rewrite may replace
    timeout_ms: int = 0  # of the whole request, or of one try if that is shorter; 0: none
    retry: Retry | None = None

    @property
    def usable(self) -> tuple[Backend, ...]:
        """Back ends with a share that can be used."""
        return tuple(b for b in self.backends if b.weight and not b.wrong)

    def pick(self, draw: int) -> Backend:
        """One of the back ends by weight; *draw* is uniform below `WHOLE`."""
        left = draw * sum(b.weight for b in self.backends) // WHOLE
        for backend in self.backends:
            if left < backend.weight:
                return backend
            left -= backend.weight
        raise AssertionError("a verdict with weights of zero is answered 500, not forwarded")


def decoded(text: str, all_of_it: bool = False) -> str:
    """*text* with every escape resolved that need not be one (``/%70re`` is ``/pre``), or with *all_of_it*."""
    out, rest = b"", text.encode()
    while rest:
        plain, percent, rest = rest.partition(b"%")
        out += plain
        if percent:
            code = rest[:2].decode("ascii", "replace")
            byte = bytes([int(code, 16)]) if len(code) == 2 and _hexadecimal(code) else b""
            plainly = byte and (all_of_it or byte.decode("latin-1") in UNRESERVED)
            out, rest = (out + byte, rest[2:]) if plainly else (out + b"%", rest)
    return out.decode("utf-8", "replace")


def _hexadecimal(code: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in code)


def has_prefix(path: str, prefix: str) -> bool:
    """Whether the elements of *path* begin with those of *prefix*; a slash at its end does not count."""
    stem = prefix.rstrip("/")
    return path == stem or path.startswith(stem + "/")


def host_covers(pattern: str, host: str, labels: int = 0) -> bool:
    """Whether *pattern* (a name, ``*.name``, or "" for all) covers *host*; *labels* limits what ``*`` stands for.

    Ingress: one label. Gateway API: one or more, so 0.
    """
    pattern = pattern.lower()
    if not pattern.startswith("*."):
        return pattern in ("", host)
    head = host.removesuffix(pattern[1:])
    covered = head != host and bool(head)
    return covered and (not labels or head.count(".") + 1 <= labels)


def host_rank(pattern: str) -> tuple[int, int]:
    """More is more specific: characters of a name without wildcard, then characters at all."""
    return (0 if pattern.startswith("*") else len(pattern), len(pattern))


def most_specific(patterns: Iterable[str], host: str, labels: int = 0) -> str | None:
    """The most specific of *patterns* that covers *host*; None if none does."""
    covering = [pattern for pattern in patterns if host_covers(pattern, host, labels)]
    return max(covering, key=host_rank, default=None)
