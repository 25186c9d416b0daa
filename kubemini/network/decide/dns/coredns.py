"""CoreDNS as a pure machine: a question goes down the plugins of its server block until one answers.

Theory of operation. `CoreDNS.serve` is a generator. It yields `Ask` whenever a server outside must be asked, is sent
that server's answer (None: none came in time), and returns the answer. It yields `Aside` for what must be found out
beside that, while whoever asked may have an old answer already. Whoever drives it supplies the wire and the time; a
test supplies a function. The order is that of CoreDNS' plugin.cfg: rewrite, cache, kubernetes, forward.
Invariant: an alias that leads out of the zone asks this same server anew, caches included.
coredns core/dnsserver, plugin/forward, plugin/pkg/upstream.
Simplified: several upstreams are asked in their order (policy sequential; the real default is random); without
max_concurrent, `SOCKETS` questions may be under way to them.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from kubemini.network.decide.dns import backend
from kubemini.network.decide.dns.cache import Cache, Entry, acceptable, cache_options
from kubemini.network.decide.dns.corefile import (
    CorefileError,
    Directive,
    ServerBlock,
    kubernetes_options,
    lameduck,
    read_corefile,
)
from kubemini.network.decide.dns.kubernetes import Records
from kubemini.network.decide.dns.message import REFUSED, SERVFAIL, Answer, Question, whole, within, zone_of
from kubemini.network.decide.dns.rewrite import rewrite_rules, rewritten
from kubemini.network.decide.dns.store import Store

DEEPEST = 10  # aliases out of the zone and back
SOCKETS = 1000  # that a process may have open


@dataclass(frozen=True, slots=True)
class Ask:
    """A server outside is to be asked."""

    server: str
    question: Question
    tcp: bool


@dataclass(frozen=True, slots=True)
class Aside:
    """*steps* go their own way; whoever yields this waits for what they find at most *wait* µs (0: not at all)."""

    steps: "Finding"
    wait: int


@dataclass(slots=True)
class Forward:
    """One stanza of *forward*: which names go to which servers, and how many at once.

    Models coredns plugin/forward parseForward
    """

    zone: str
    to: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    tcp: bool = False
    most: int = 0
    under_way: int = 0

    def takes(self, name: str) -> bool:
        """Whether *name* is forwarded."""
        return within(self.zone, name) and not any(within(zone, name) for zone in self.ignored)

    def serve(self, question: Question) -> "Steps":
        """Ask one server after the other. Models coredns plugin/forward Forward.ServeDNS"""
        most = self.most or SOCKETS
        self.under_way += 1
        try:
            if self.under_way > most:
                return Answer(REFUSED, rule=f"forward: concurrent queries exceeded maximum {most}")
            for address in self.to:
                said = yield Ask(address, question, self.tcp or question.tcp)
                if said is not None:
                    return said
            return Answer(SERVFAIL, rule=f"forward: no answer from {', '.join(self.to)}")
        finally:
            self.under_way -= 1


Steps = Generator[Ask | Aside, Answer | None, Answer]
Finding = Generator[Ask | Aside, Answer | None, Answer | None]


class Block:
    """One server block, ready to serve."""

    def __init__(self, block: ServerBlock, resolv_conf: tuple[str, ...]):
        self.zones = block.zones
        self.rewrites = rewrite_rules(block)
        self.kubernetes = kubernetes_options(block)
        options = cache_options(block)
        self.cache = Cache(options) if options else None
        self.forwards = [_forward(line, resolv_conf) for line in block.plugins if line.name == "forward"]
        loop = block.plugin("loop")
        self.loop = (loop.args or block.zones)[0] if loop else ""

    def serve(self, server: "CoreDNS", question: Question, depth: int) -> Steps:
        """The answer of this block."""
        made = rewritten(self.rewrites, question)
        if made.question is None:
            return Answer(SERVFAIL, rule=f"rewrite: {question.name} becomes what is no name")
        answer = yield from self._from_cache_on(server, made.question, depth)
        return made.restore(answer)

    def _from_cache_on(self, server: "CoreDNS", question: Question, depth: int) -> Steps:
        """Models coredns plugin/cache Cache.ServeDNS"""
        kept = self.cache if self.cache is not None and self.cache.serves(question.name) else None
        if kept is None:
            answer = yield from self._beyond_cache(server, question, depth)
            return answer
        entry = kept.find(question, server.now)
        if entry is None:
            answer = yield from self._beyond_cache(server, question, depth)
            return kept.keep(question, answer, server.now)
        if entry.left(server.now) > 0:
            return entry.given(server.now)
        old = entry.stale(kept.options.stale)
        if kept.may_refresh(entry, server.now):
            fresh = yield from self._renewed(server, question, depth, kept, entry)
            return fresh or old
        return old

    def _renewed(self, server: "CoreDNS", question: Question, depth: int, kept: Cache, entry: Entry) -> Finding:
        """What takes the place of the stale *entry*, if whoever asks waits for it and it comes in time."""
        stale = kept.options.stale
        if stale.verify and not stale.patience:
            return (yield from self._refresh(server, question, depth, kept, entry))
        by = (
            question if stale.verify else replace(question, tcp=True)
        )  # no client waits whose packet would be too small
        fresh = yield Aside(self._refresh(server, by, depth, kept, entry), stale.patience)
        return fresh if stale.verify else None

    def _refresh(self, server: "CoreDNS", question: Question, depth: int, kept: Cache, entry: Entry) -> Finding:
        """Ask anew for the stale *entry*: what it is now, or None if nothing better is to be had.

        Models coredns plugin/cache verifyStaleResponseWriter.WriteMsg
        """
        stale = kept.options.stale
        answer = yield from self._beyond_cache(server, question, depth)
        good = acceptable(answer)
        kept.refreshed(entry, good, server.now)
        if not good:
            return None
        return kept.keep(question, answer, server.now, ends_no=not stale.verify or stale.patience > 0)

    def _beyond_cache(self, server: "CoreDNS", question: Question, depth: int) -> Steps:
        answer = yield from self._of_cluster(server, question, depth)
        if answer is not None:
            return answer
        forward = next((f for f in self.forwards if f.takes(question.name)), None)
        if forward is None:
            return Answer(REFUSED, rule="no plugin of this block answers")
        answer = yield from forward.serve(question)
        return answer

    def _of_cluster(self, server: "CoreDNS", question: Question, depth: int) -> Finding:
        """What the plugin *kubernetes* says; an alias out of the zone asks this server again."""
        options = self.kubernetes
        zone = zone_of(options.zones, question.name) if options else ""
        if options is None or not zone:
            return None
        steps = backend.serve(question, zone, Records(options, server.store))
        try:
            outside = next(steps)
            while True:
                refused = depth >= DEEPEST
                again = Answer(SERVFAIL) if refused else (yield from server.serve(outside, depth + 1))
                outside = steps.send(again)
        except StopIteration as done:
            answer: Answer | None = done.value
            return answer


class CoreDNS:
    """One CoreDNS process: its blocks, their caches, and what it knows of the cluster.

    *now* (µs) and *store* are set by whoever drives it, before it is asked.
    """

    def __init__(self, corefile: str, resolv_conf: tuple[str, ...] = (), port: int = 53):
        blocks = [block for block in read_corefile(corefile) if block.port == port]
        if not blocks:
            raise CorefileError(f"no server block of this Corefile listens on port {port}; write one, such as .:{port}")
        self.blocks = [Block(block, resolv_conf) for block in blocks]
        self.lameduck = lameduck(tuple(blocks))
        self.ready = any(block.plugin("ready") for block in blocks)
        self.store = Store()
        self.now = 0

    def serve(self, question: Question, depth: int = 0) -> Steps:
        """The answer to *question*: of the block with the longest zone that holds its name.

        Models coredns core/dnsserver Server.ServeDNS
        """
        if question.klass != "IN" and not any(block.forwards for block in self.blocks):
            return Answer(REFUSED, rule=f"the class {question.klass}: without forward only IN is served")
        zones = tuple(zone for block in self.blocks for zone in block.zones)
        zone = zone_of(zones, question.name)
        block = next((block for block in self.blocks if zone and zone in block.zones), None)
        if block is None:
            return Answer(REFUSED, rule="no server block holds this name")
        answer = yield from block.serve(self, question, depth)
        return answer

    def ask(self, question: Question, upstream: Callable[[Ask], Answer | None]) -> Answer:
        """The answer to *question* where *upstream* answers at once."""
        answer = _run(self.serve(question), upstream)
        assert answer is not None
        return answer


def _run(steps: Steps | Finding, upstream: Callable[[Ask], Answer | None]) -> Answer | None:
    """What *steps* find where *upstream* answers at once, and what goes aside is done before all else."""
    try:
        wanted = next(steps)
        while True:
            said = upstream(wanted) if isinstance(wanted, Ask) else _run(wanted.steps, upstream)
            wanted = steps.send(said)
    except StopIteration as done:
        answer: Answer | None = done.value
        return answer


def _forward(line: Directive, resolv_conf: tuple[str, ...]) -> Forward:
    if len(line.args) < 2:
        raise CorefileError("plugin/forward: write forward FROM TO..., such as forward . /etc/resolv.conf")
    zone, *to = line.args
    servers = [server for name in to for server in (resolv_conf if name.startswith("/") else (name,))]
    ignored: tuple[str, ...] = ()
    tcp, most = False, 0
    for option in line.body:
        match option.name, option.args:
            case "except", zones if zones:
                ignored = tuple(whole(name.lower()) for name in zones)
            case "force_tcp", ():
                tcp = True
            case "prefer_udp", ():
                tcp = False
            case "max_concurrent", (number,) if number.isdecimal():
                most = int(number)
            case "policy" | "max_fails" | "expire" | "health_check", (_,):
                pass  # which first: see Simplified
            case _:
                said = " ".join((option.name, *option.args))
                raise CorefileError(f"plugin/forward: {said!r} is not known here; leave it out")
    if not servers:
        raise CorefileError("plugin/forward: no server to forward to; name one, such as 198.51.100.53")
    return Forward(whole(zone.lower()), tuple(servers), ignored, tcp, most)
