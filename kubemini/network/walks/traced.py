"""A walk told: hop by hop, what was in the header before and after, and why it ended as it did. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.host.linux.exchange import Exchange
from kubemini.host.linux.walk import Hop

FATES = {
    "connected": "connected: {by} answered, and saw {source} with a TTL of {ttl}",
    "refused": "refused: a rule sends an ICMP error, and the client has “connection refused” at once",
    "closed": "refused: nobody listens there, and the kernel of the other end says so",
    "dropped": "dropped: the packet is gone without a word, and the client waits",
    "lost": "lost: nobody on the way knew where to send it, and the client waits",
    "lost return": "lost return: it arrived, but the answer does not come home as one, and the client waits",
    "too big": "too big: it must not be cut, and does not fit; the sender is told which size would",
    "expired": "expired: its TTL ended on the way",
    "unreachable": "unreachable: the sender is told that there is no way",
}


@dataclass(frozen=True, slots=True)
class Traced:
    """One connection from *sender* to *target*, walked: ``print`` it, or read `hops` and `verdict`.

    *others* are the answers that other picks would have given: (probability, fate, who).
    *ruleset* is what is loaded on each node, as its tool lists it.
    """

    sender: str
    target: str
    mode: str
    exchange: Exchange
    others: tuple[tuple[float, str, str], ...] = ()
    flows: dict[str, list[str]] | None = None
    ruleset: dict[str, str] | None = None

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The way there."""
        return self.exchange.hops

    @property
    def back(self) -> tuple[Hop, ...]:
        """The way of the answer, or of the ICMP error."""
        return self.exchange.back

    @property
    def fate(self) -> str:
        """How it ended, in one or two words."""
        return self.exchange.verdict.fate

    @property
    def rule(self) -> str:
        """The rule that decided."""
        return self.exchange.verdict.rule

    def row(self) -> dict[str, Any]:
        """All of it as plain values, for a widget."""
        verdict = self.exchange.verdict
        return {
            "from": self.sender,
            "to": self.target,
            "mode": self.mode,
            "hops": [hop.row() for hop in self.hops],
            "back": [hop.row() for hop in self.back],
            "steps": [{"at": at, "rule": str(s), "did": s.verdict} for at, s in self.exchange.steps],
            "fate": verdict.fate,
            "why": self._fate(),
            "rule": verdict.rule,
            "others": [list(other) for other in self.others],
            "flows": self.flows or {},
            "ruleset": self.ruleset or {},
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__  # what a notebook shows

    def _lines(self) -> Iterator[str]:
        yield f"{self.sender} → {self.target}, kube-proxy in {self.mode} mode"
        yield ""
        yield from table(self.hops)
        if self.back:
            yield ""
            yield "and back"
            yield from table(self.back)
        yield ""
        yield self._fate()
        yield f"decided by: {self.rule}"
        yield from self._picks()

    def _fate(self) -> str:
        verdict = self.exchange.verdict
        told = FATES[verdict.fate].format(by=verdict.by, source=verdict.source, ttl=verdict.ttl)
        return f"{told} ({verdict.told})" if verdict.told and verdict.fate != "refused" else told

    def _picks(self) -> Iterator[str]:
        shares: dict[str, float] = {}
        for share, fate, who in self.others:
            shares[who or fate] = shares.get(who or fate, 0) + share
        if len(shares) > 1:
            told = ", ".join(f"{what} {share:.0%}" for what, share in shares.items())
            yield f"what a new connection may get: {told}"


def table(hops: Sequence[Hop]) -> Iterator[str]:
    """Hops as lines: place, what, header, and below it the rule."""
    places = [f"{hop.namespace}/{hop.device}" if hop.device else hop.namespace for hop in hops]
    wide = max(map(len, places), default=0)
    kinds = max((len(hop.what) for hop in hops), default=0)
    for number, (place, hop) in enumerate(zip(places, hops), 1):
        before, after = str(hop.before), str(hop.after)
        header = after if before == after else f"{before} ⇒ {after}"
        ttl = f"{hop.ttl}" if hop.before.ttl == hop.ttl else f"{hop.before.ttl} ⇒ {hop.ttl}"
        yield f"{number:3}  {place:{wide}}  {hop.what:{kinds}}  {header}  ttl {ttl}, mtu {hop.mtu}"
        if hop.rule:
            yield f"{'':{wide + 7}}{hop.rule}"
