"""The plugin *cache*: answers that are given again, with what is left of their time.

Invariant: what is kept is kept as long as the smallest TTL in it says, within the bounds of the Corefile; a no is kept
as well, and its time is that of the SOA beside it. An answer from here is no sign of life of whoever gave it first:
this is how a dead server stays unnoticed, and then is noticed everywhere at once. With `serve_stale` an entry outlives
its time: it is given with TTL 0 while somebody looks for a new one, or when nobody has found one.
coredns plugin/cache; RFC 8767.
Simplified: no limit of entries, no prefetch, no serve_stale_policy.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.network.decide.dns.corefile import CorefileError, Directive, ServerBlock, seconds_of
from kubemini.network.decide.dns.message import NOERROR, NXDOMAIN, SERVFAIL, Answer, Question, whole, within
from kubemini.sim.units import SECOND

LONGEST, LONGEST_NO, SHORTEST = 3600, 1800, 5  # seconds
MOST_RECHECK = 300  # seconds


@dataclass(frozen=True, slots=True)
class Stale:
    """``serve_stale``: *longest* seconds after its time an entry is still given; *patience* and *recheck* in µs.

    *verify*: a new answer comes first, if it comes within *patience* (0: however long that takes). After a failure
    nobody tries again for *recheck*. *ttl* is what the old answer says.
    """

    longest: int = 0
    verify: bool = False
    patience: int = 0
    ttl: int = 0
    recheck: int = 0


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
    stale: Stale = Stale()


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
        case "serve_stale", args if len(args) <= 5:
            return {"stale": _stale(args)}
        case "disable", ("success" | "denial" as kind, *zones):
            return {f"no_{kind}": tuple(whole(zone.lower()) for zone in zones) or options.zones}
    said = " ".join((line.name, *line.args))
    raise CorefileError(
        f"plugin/cache: cannot read {said!r}; there are: success|denial CAPACITY [TTL [MINTTL]], servfail DURATION,"
        " serve_stale [DURATION [immediate|verify [TIMEOUT]] [TTL [RECHECK]]], disable success|denial [ZONE...]"
    )


def _stale(args: tuple[str, ...]) -> Stale:
    """Models coredns plugin/cache cacheParse, the case serve_stale"""
    longest = int(seconds_of(args[0])) if args else LONGEST
    mode = args[1].lower() if len(args) > 1 else "immediate"
    if mode not in ("immediate", "verify"):
        raise CorefileError(
            f"plugin/cache: invalid value for serve_stale refresh mode: {mode}; say immediate or verify"
        )
    rest = [seconds_of(arg) for arg in args[2:]]
    patience = rest.pop(0) if mode == "verify" and rest else 0.0
    ttl, recheck, *more = [*rest, *(0.0, 0.0)[len(rest) :]]
    if more or ttl % 1:
        raise CorefileError("plugin/cache: serve_stale response TTL must be a whole number of seconds, such as 30s")
    if recheck > MOST_RECHECK:
        raise CorefileError("plugin/cache: serve_stale failure recheck cannot exceed 5 minutes; write 5m or less")
    return Stale(longest, mode == "verify", int(patience * SECOND), int(ttl), int(recheck * SECOND))


@dataclass(slots=True)
class Entry:
    """An answer, when it was stored (µs), how long it is good (seconds), and how it goes with its renewal."""

    answer: Answer
    stored: int
    ttl: int
    refreshing: bool = False
    retry_after: int = 0

    def left(self, now: int) -> int:
        """Seconds that are left of it at *now*; whole ones. Below 0: that long it has been stale."""
        return self.ttl - (now - self.stored) // SECOND

    def given(self, now: int) -> Answer:
        """The answer with what is left of its time."""
        left = self.left(now)
        return replace(self.answer.with_ttl(left), rule=f"cache: {left} s left ({self.answer.rule})")

    def stale(self, stale: Stale) -> Answer:
        """The answer after its time."""
        return replace(self.answer.with_ttl(stale.ttl), rule=f"cache: stale ({self.answer.rule})")


@dataclass(slots=True)
class Cache:
    """The cache of one server block."""

    options: CacheOptions
    entries: dict[tuple[str, str, str], Entry] = field(default_factory=dict)
    denials: dict[tuple[str, str, str], Entry] = field(default_factory=dict)

    def serves(self, name: str) -> bool:
        """Whether *name* lies in a zone of this cache."""
        return any(within(zone, name) for zone in self.options.zones)

    def find(self, question: Question, now: int) -> Entry | None:
        """The entry that answers *question* at *now* (µs), be it stale, or None.

        A no comes before a yes, and only a failure gives way to one. Models coredns plugin/cache getIfNotStale
        """
        no, yes = (self._usable(entries.get(_key(question)), now) for entries in (self.denials, self.entries))
        if no is not None and not (no.answer.rcode == SERVFAIL and yes is not None):
            return no
        return yes

    def _usable(self, entry: Entry | None, now: int) -> Entry | None:
        """*entry*, if its time is not over, or not for too long."""
        left = entry.left(now) if entry is not None else 0
        return entry if left > 0 or -left < self.options.stale.longest else None

    def may_refresh(self, entry: Entry, now: int) -> bool:
        """Whether whoever gets the stale *entry* at *now* is to look for a new one; if so, nobody else does meanwhile.

        Models coredns plugin/cache beginRefresh
        """
        stale = self.options.stale
        if stale.verify and not stale.recheck and not stale.patience:
            return True
        if entry.refreshing or now < entry.retry_after:
            return False
        entry.refreshing = True
        return True

    def refreshed(self, entry: Entry, good: bool, now: int) -> None:
        """The search for a new answer in the place of *entry* is over. Models coredns plugin/cache endRefresh"""
        entry.refreshing = False
        entry.retry_after = 0 if good else now + self.options.stale.recheck

    def keep(self, question: Question, answer: Answer, now: int, ends_no: bool = False) -> Answer:
        """Store *answer*, given at *now*; returns it as the asker gets it: with the time that it is kept.

        *ends_no*: a yes takes the place of a no. Models coredns plugin/cache ResponseWriter.WriteMsg
        """
        options, denied = self.options, _denial(question, answer)
        if answer.rcode == SERVFAIL:
            ttl = options.servfail
        elif denied:
            ttl = _bounded(answer, options.least_denial, options.denial)
        else:
            ttl = _bounded(answer, options.least_success, options.success)
        given = answer.with_ttl(ttl)
        apart = options.no_denial if denied else options.no_success
        if _kept(question, answer) and ttl > 0 and not any(within(zone, question.name) for zone in apart):
            entries = self.denials if denied else self.entries
            entries[_key(question)] = Entry(given, now, ttl)
            if ends_no and not denied:
                self.denials.pop(_key(question), None)
        return given


def _key(question: Question) -> tuple[str, str, str]:
    return question.name.lower(), question.type, question.klass


def acceptable(answer: Answer) -> bool:
    """Whether *answer* may take the place of a stale one: a yes, or a no that is sure (RFC 8767, section 4)."""
    return answer.rcode == NOERROR or (answer.rcode == NXDOMAIN and not answer.answer)


def _denial(question: Question, answer: Answer) -> bool:
    """A no: NXDOMAIN, nothing of this type with an SOA, or a failure. Models coredns plugin/cache cacheResponseType"""
    if answer.rcode in (NXDOMAIN, SERVFAIL):
        return True
    return answer.rcode == NOERROR and _soa(answer) and not answers(question, answer)


def _soa(answer: Answer) -> bool:
    return any(record.type == "SOA" for record in answer.authority)


def answers(question: Question, answer: Answer) -> bool:
    """Whether a record of the type is there, at the end of the aliases that begin at the name.

    Models coredns plugin/cache answerHasType
    """
    records = answer.answer if question.klass in ("IN", "ANY") else ()
    name, seen = question.name.lower(), set()
    while question.type not in ("CNAME", "ANY"):
        to = {r.data.lower() for r in records if r.type == "CNAME" and r.name.lower() == name}
        if not to:
            break
        seen.add(name)
        name = min(to)
        if len(to) > 1 or name in seen:
            return False
    of = [record for record in records if record.name.lower() == name]
    if question.type == "CNAME":
        return len({record.data.lower() for record in of if record.type == "CNAME"}) == 1
    return any(question.type in ("ANY", record.type) for record in of)


def _bounded(answer: Answer, least: int, most: int) -> int:
    """The smallest TTL in *answer*, between *least* and *most*; an answer without records is kept shortly."""
    ttls = [record.ttl for record in (*answer.answer, *answer.authority, *answer.additional)]
    return min(max(min(ttls, default=SHORTEST), least), most)


def _kept(question: Question, answer: Answer) -> bool:
    """Whether *answer* may be kept: it says yes with what was asked for, or it says for how long it says no.

    Models coredns plugin/cache key
    """
    if question.type in ("AXFR", "IXFR"):
        return False
    match answer.rcode:
        case "SERVFAIL":
            return True
        case "NXDOMAIN":
            return _soa(answer) and not answer.answer
        case "NOERROR":
            return _soa(answer) or not answer.answer or answers(question, answer)
    return False
