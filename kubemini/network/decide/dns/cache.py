"""The plugin *cache*: answers that are given again, with what is left of their time.

Invariant: what is kept is kept as long as the smallest TTL in it says, within the bounds of the Corefile; a no is kept
as well, and its time is that of the SOA beside it. An answer from here is no sign of life of whoever gave it first:
this is how a dead server stays unnoticed, and then is noticed everywhere at once.
coredns plugin/cache.
Simplified: no limit of entries, no prefetch, nothing stale is served.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.network.decide.dns.corefile import CorefileError, Directive, ServerBlock, seconds_of
from kubemini.network.decide.dns.message import NOERROR, NXDOMAIN, SERVFAIL, Answer, Question, whole, within
from kubemini.sim.units import SECOND

LONGEST, LONGEST_NO, SHORTEST = 3600, 1800, 5  # seconds


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """The stanza of *cache*; all times in seconds."""

    zones: tuple[str, ...]
    success: int = LONGEST
    denial: int = LONGEST_NO
    least_success: int = SHORTEST
    least_denial: int = SHORTEST
    servfail: int = SHORTEST
    no_success: tuple[str, ...] = ()  # zones whose answers are not kept
    no_denial: tuple[str, ...] = ()


def cache_options(block: ServerBlock) -> CacheOptions | None:
    """The plugin *cache* of *block*. Raises CorefileError.

    Models coredns plugin/cache cacheParse
    """
    directive = block.plugin("cache")
    if directive is None:
        return None
    args = list(directive.args)
    given: dict[str, Any] = {}
    if args and args[0].lstrip("-").isdecimal():
        ttl = int(args.pop(0))
        if ttl <= 0:
            raise CorefileError(f"plugin/cache: cache TTL can not be zero or negative: {ttl}; leave it out or say 30")
        given = {"success": ttl, "denial": ttl}
    options = CacheOptions(tuple(whole(zone.lower()) for zone in args) or block.zones, **given)
    for line in directive.body:
        options = replace(options, **_cache_line(line, options))
    return options


def _cache_line(line: Directive, options: CacheOptions) -> dict[str, Any]:
    numbers = [int(arg) for arg in line.args if arg.isdecimal()]
    whole_numbers = len(numbers) == len(line.args)
    match line.name, line.args:
        case "success" | "denial" as kind, args if args and whole_numbers and len(args) <= 3:
            names = (None, kind, f"least_{kind}")  # the first is how many entries
            return {name: n for name, n in zip(names, numbers, strict=False) if name}
        case "servfail", (time,):
            return {"servfail": int(seconds_of(time))}
        case "disable", ("success" | "denial" as kind, *zones):
            return {f"no_{kind}": tuple(whole(zone.lower()) for zone in zones) or options.zones}
    said = " ".join((line.name, *line.args))
    raise CorefileError(
        f"plugin/cache: cannot read {said!r}; there are: success|denial CAPACITY [TTL [MINTTL]], servfail DURATION,"
        " disable success|denial [ZONE...]"
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer, when it was stored (µs), and how long it is good (seconds)."""

    answer: Answer
    stored: int
    ttl: int

    def left(self, now: int) -> int:
        """Seconds that are left of it at *now*; whole ones."""
        return self.ttl - (now - self.stored) // SECOND


@dataclass(slots=True)
class Cache:
    """The cache of one server block."""

    options: CacheOptions
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    denials: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def serves(self, name: str) -> bool:
        """Whether *name* lies in a zone of this cache."""
        return any(within(zone, name) for zone in self.options.zones)

    def get(self, question: Question, now: int) -> Answer | None:
        """The kept answer to *question* with what is left of its time at *now* (µs), or None.

        A no comes before a yes, and only a failure gives way to one. Models coredns plugin/cache getIfNotStale
        """
        key = (question.name.lower(), question.type)
        no, yes = (entries.get(key) for entries in (self.denials, self.entries))
        for entry in (no, yes):
            if entry is not None and entry.left(now) > 0:
                if entry is no and no.answer.rcode == SERVFAIL and yes is not None and yes.left(now) > 0:
                    continue
                left = entry.left(now)
                return replace(entry.answer.with_ttl(left), rule=f"cache: {left} s left ({entry.answer.rule})")
        return None

    def keep(self, question: Question, answer: Answer, now: int) -> Answer:
        """Store *answer*, given at *now*; returns it as the asker gets it: with the time that it is kept.

        Models coredns plugin/cache ResponseWriter.WriteMsg
        """
        options, denied = self.options, _denial(answer)
        if answer.rcode == SERVFAIL:
            ttl = options.servfail
        elif denied:
            ttl = _bounded(answer, options.least_denial, options.denial)
        else:
            ttl = _bounded(answer, options.least_success, options.success)
        given = answer.with_ttl(ttl)
        if _kept(question, answer) and ttl > 0:
            apart = options.no_denial if denied else options.no_success
            if not any(within(zone, question.name) for zone in apart):
                entries = self.denials if denied else self.entries
                entries[question.name.lower(), question.type] = Entry(given, now, ttl)
        return given


def _denial(answer: Answer) -> bool:
    """A no: NXDOMAIN, an empty answer with an SOA, or a failure. Models coredns plugin/pkg/response Typify"""
    soa = any(record.type == "SOA" for record in answer.authority)
    return answer.rcode in (NXDOMAIN, SERVFAIL) or (answer.nodata and soa)


def _bounded(answer: Answer, least: int, most: int) -> int:
    """The smallest TTL in *answer*, between *least* and *most*; an answer without records is kept shortly."""
    ttls = [record.ttl for record in (*answer.answer, *answer.authority, *answer.additional)]
    return min(max(min(ttls, default=SHORTEST), least), most)


def _kept(question: Question, answer: Answer) -> bool:
    """Whether *answer* may be kept: it says yes with what was asked for, or it says for how long it says no.

    Models coredns plugin/cache key
    """
    if any(record.type == "SOA" for record in answer.authority) or answer.rcode == SERVFAIL:
        return True
    if answer.rcode != NOERROR:
        return False
    return not answer.answer or any(record.type == question.type for record in answer.answer)
