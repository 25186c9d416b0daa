"""getaddrinfo: what a program asks when it says a name, in glibc and in musl.

Theory of operation. `look_up` is a generator: it yields `Send` (these questions, to these servers, so long I wait), is
sent what came back in that time, and returns the `Outcome`. Addresses and names of /etc/hosts cost no question. Each
other name is a walk: the name alone, or behind each search domain, A and AAAA at once for each step.
The libraries part where a step fails. glibc goes on through the list after NXDOMAIN and after an empty answer, and
tries the name alone first or last, whatever its dots; musl stops at an empty answer, and a name with enough dots is
tried alone and never with the list. A lost packet costs glibc its whole timeout (5 s), musl half of it.
glibc resolv/res_query.c, res_send.c; musl src/network/lookup_name.c, res_msend.c.
Simplified: no truncation, no hostaliases; addresses are not sorted.
"""

import ipaddress
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from kubemini.network.decide.dns.message import (
    NOERROR,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    Answer,
    Question,
    address_type,
    normal,
    whole,
)
from kubemini.network.decide.dns.resolvconf import GLIBC, MUSL, Settings
from kubemini.sim.units import MS, SECOND

HOSTS = {"localhost": ("127.0.0.1",)}  # /etc/hosts of a container, without its own name
NO_NAME, NO_DATA, AGAIN, FAIL = "EAI_NONAME", "EAI_NODATA", "EAI_AGAIN", "EAI_FAIL"
WORDS = {
    GLIBC: {
        NO_NAME: "Name or service not known",
        NO_DATA: "No address associated with hostname",
        AGAIN: "Temporary failure in name resolution",
        FAIL: "Non-recoverable failure in name resolution",
    },
    MUSL: {NO_NAME: "Name does not resolve", AGAIN: "Try again"},
}


@dataclass(frozen=True, slots=True)
class Send:
    """Ask each of *servers* each of *questions*, and wait at most *wait* µs until each has one answer.

    Without questions: wait, whatever comes.
    """

    servers: tuple[str, ...]
    questions: tuple[Question, ...]
    wait: int


CARE = {"single-request": 1, "single-request-reopen": 2}  # glibc: how carefully A and AAAA are asked
MOST_CARE = 2

Got = Mapping[str, Answer]  # by type; without what did not come in time
Heard = tuple[Got, int]  # and how long that took, µs


@dataclass(frozen=True, slots=True)
class Step:
    """One name of the walk: what was asked together, and what came of it: a code, timeout, or refused (ICMP)."""

    name: str
    types: str  # A+AAAA
    rcode: str
    rule: str = ""  # of the answer to A: who decided


@dataclass(slots=True)
class Outcome:
    """What getaddrinfo returns; *error* is "" or one of `WORDS`. *queries* counts the questions sent."""

    addresses: tuple[str, ...] = ()
    error: str = ""
    walk: list[Step] = field(default_factory=list)
    queries: int = 0


Walk = Generator[Send, Heard, Outcome]


def look_up(name: str, settings: Settings, libc: str, hosts: Mapping[str, tuple[str, ...]] = HOSTS) -> Walk:
    """Look *name* up, A and AAAA, as *libc* does."""
    numeric = literal(name)
    if numeric or name.lower() in hosts:
        return Outcome((numeric,) if numeric else hosts[name.lower()])
    outcome = Outcome()
    code = yield from (_glibc if libc == GLIBC else _musl)(name, settings, outcome)
    outcome.error = WORDS[libc][code] if code else ""
    return outcome


def literal(name: str) -> str:
    """The address that *name* is, or "": ``10.1`` is one too (inet_aton). Models glibc getaddrinfo gaih_inet"""
    if address_type(name) != "CNAME":
        return normal(name)
    parts = name.split(".")
    try:
        numbers = [int(part, 8 if part != "0" and part[:1] == "0" and part.isdigit() else 0) for part in parts]
    except ValueError:
        return ""
    *first, last = numbers
    if len(parts) > 4 or any(n > 255 for n in first) or last >= 256 ** (4 - len(first)) or "_" in name:
        return ""
    value = sum(n << (24 - 8 * i) for i, n in enumerate(first)) + last
    return str(ipaddress.IPv4Address(value))


def expand(name: str, settings: Settings, libc: str) -> list[str]:
    """The names that are tried, in order, as long as none has an answer."""
    dots, alone = name.count("."), whole(name)
    if name.endswith("."):
        return [alone]
    below = [whole(f"{name}.{domain}") if domain else alone for domain in settings.search]
    enough = dots >= settings.ndots
    if libc == GLIBC:
        return [alone, *(n for n in below if n != alone)] if enough else list(dict.fromkeys([*below, alone]))
    return [alone] if enough else [*below, alone]


# -- glibc -----------------------------------------------------------------------------------------
def _glibc(name: str, settings: Settings, outcome: Outcome) -> Generator[Send, Heard, str]:
    """The walk of glibc; returns the error, or "".

    Models glibc resolv __res_context_search
    """
    alone, names = whole(name), expand(name, settings, GLIBC)
    care = max((CARE[flag] for flag in settings.flags if flag in CARE), default=0)
    kept, nodata, servfail, stopped = "", False, False, False
    error = NO_NAME
    for asked in names:
        if stopped and asked != alone:
            continue  # the search is over; what comes last is the name alone
        got, care, refused = yield from _sent(asked, settings, outcome, care)
        error = _judged(asked, got, settings, outcome, "refused" if refused else "timeout")
        if not error or any(answer.answer for answer in got.values()):
            return error and NO_NAME  # an alias that leads to no address ends the search, too
        if asked == alone:
            kept = error if asked == names[0] else ""
            continue
        if refused:
            return AGAIN
        failed = any(answer.rcode == SERVFAIL for answer in got.values())
        nodata, servfail = nodata or error == NO_DATA, servfail or failed
        stopped = error not in (NO_DATA, NO_NAME) and not failed
    return kept or (NO_DATA if nodata else AGAIN if servfail else error)


def _types(settings: Settings) -> tuple[str, ...]:
    return ("A",) if "no-aaaa" in settings.flags else ("A", "AAAA")


def _sent(
    name: str, settings: Settings, outcome: Outcome, care: int
) -> Generator[Send, Heard, tuple[dict[str, Answer], int, bool]]:
    """Ask for *name* until it is answered, server after server; the answers, the care from now on, whether refused.

    If one of two answers came, the library asks again with more care: one question at a time, then each from a socket
    of its own; after that it takes the one. Models glibc resolv __res_context_send, send_dg
    """
    tcp, servers = "use-vc" in settings.flags, settings.nameservers
    questions = tuple(Question(name, kind, tcp) for kind in _types(settings))
    got: dict[str, Answer] = {}
    refused = False
    for _ in range(1 if tcp else settings.attempts):
        for number, server in enumerate(servers):
            wait = max(1, (settings.timeout << number) // (len(servers) if number else 1)) * SECOND
            got, refused = yield from _round(server, questions, wait, outcome, care > 0)
            while care < MOST_CARE and 0 < len(got) < len(questions):
                care += 1
                got, refused = yield from _round(server, questions, wait, outcome, single=True)
            if any(_usable(answer) for answer in got.values()):
                return got, care, False
    return got, care, refused


def _round(
    server: str, questions: tuple[Question, ...], wait: int, outcome: Outcome, single: bool
) -> Generator[Send, Heard, tuple[dict[str, Answer], bool]]:
    """One try at one server. Nothing came before the time was up: its kernel says that nobody listens (ICMP)."""
    got: dict[str, Answer] = {}
    for together in [(question,) for question in questions] if single else [questions]:
        outcome.queries += len(together)
        came, took = yield Send((server,), together, wait)
        got.update(came)
        if not came and (single or took < wait):
            return got, took < wait
    return got, False


def _usable(answer: Answer) -> bool:
    """Whether glibc takes *answer*, or asks the next server."""
    return answer.rcode not in (SERVFAIL, REFUSED, "NOTIMP")


def _judged(name: str, got: Got, settings: Settings, outcome: Outcome, silence: str) -> str:
    """Write the step into *outcome*; the error that stands after it, or "" with addresses.

    Models glibc resolv __res_context_query
    """
    _note(name, got, _types(settings), outcome, silence)
    found = [a for kind in _types(settings) if kind in got for a in got[kind].addresses]
    if found:
        outcome.addresses = tuple(dict.fromkeys(found))
        return ""
    rcodes = [answer.rcode for answer in got.values()]
    decisive = next((rcode for rcode in rcodes if rcode != NOERROR), NOERROR if rcodes else "")
    return {NOERROR: NO_DATA, NXDOMAIN: NO_NAME, SERVFAIL: AGAIN, REFUSED: AGAIN, "": AGAIN}.get(decisive, FAIL)


def _note(name: str, got: Got, types: tuple[str, ...], outcome: Outcome, silence: str = "timeout") -> None:
    rcodes = [answer.rcode for answer in got.values()]
    rcode = next((rcode for rcode in rcodes if rcode != NOERROR), NOERROR) if rcodes else silence
    rule = next((answer.rule for answer in got.values()), "no answer came")
    outcome.walk.append(Step(name, "+".join(types), rcode, rule))


# -- musl ------------------------------------------------------------------------------------------
def _musl(name: str, settings: Settings, outcome: Outcome) -> Generator[Send, Heard, str]:
    """The walk of musl: every server is asked at once, and only NXDOMAIN leads to the next name.

    Both questions must be answered, and one NXDOMAIN is enough for no. Models musl src/network name_from_dns_search,
    name_from_dns (1.2.3; since 1.2.4 an empty answer has an error of its own)
    """
    for asked in expand(name, settings, MUSL):
        got = yield from _sent_to_all(asked, settings, outcome)
        _note(asked, got, ("A", "AAAA"), outcome)
        if len(got) < 2:
            return AGAIN
        if any(answer.rcode == NXDOMAIN for answer in got.values()):
            continue
        outcome.addresses = tuple(dict.fromkeys(got["A"].addresses + got["AAAA"].addresses))
        return "" if outcome.addresses else NO_NAME
    return NO_NAME


def _sent_to_all(name: str, settings: Settings, outcome: Outcome) -> Generator[Send, Heard, dict[str, Answer]]:
    """Ask all servers; what is not answered is asked again after timeout/attempts, a failure at once, four times.

    Only NOERROR and NXDOMAIN are answers. Models musl src/network __res_msend_rc
    """
    questions = [Question(name, kind) for kind in ("A", "AAAA")]
    got: dict[str, Answer] = {}
    for _ in range(max(1, settings.attempts)):
        left = settings.timeout * 1000 // max(1, settings.attempts) * MS
        again = 2 * len(questions)
        asked = [question for question in questions if question.type not in got]
        while asked and left > 0:
            outcome.queries += len(asked) * len(settings.nameservers)
            came, took = yield Send(settings.nameservers, tuple(asked), left)
            left -= took
            got.update({kind: answer for kind, answer in came.items() if answer.rcode in (NOERROR, NXDOMAIN)})
            asked = [q for q in asked if q.type in came and came[q.type].rcode == SERVFAIL][:again]
            again -= len(asked)
        if len(got) == len(questions):
            break
        if left > 0:
            yield Send(settings.nameservers, (), left)
    return got
