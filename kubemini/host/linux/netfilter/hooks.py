"""One hook in one namespace: filter chains, conntrack and NAT in the kernel's order. Pure.

Models torvalds/linux net/netfilter/nf_nat_core.c nf_nat_inet_fn
Models torvalds/linux net/netfilter/nf_nat_core.c get_unique_tuple
Simplified: a translated source keeps its port if that is free, and takes the next free one if not
(the kernel with random-fully: any).
"""

from itertools import pairwise

from kubemini.host.linux.conntrack import (
    DESTINATION,
    SOURCE,
    Conntrack,
    Entry,
    Tracked,
    translated,
)
from kubemini.host.linux.netfilter.flight import Act, Flight, Step
from kubemini.host.linux.netfilter.ruleset import CONNTRACK, PRIORITIES, Ruleset

TRANSLATES = {
    "prerouting": DESTINATION,
    "output": DESTINATION,
    "input": SOURCE,
    "postrouting": SOURCE,
}
FIRST, LAST = -(1 << 31), 1 << 31
PORTS = (1024, 65535)


def run(rules: Ruleset, conntrack: Conntrack, hook: str, flight: Flight, own: str) -> Act | None:
    """The packet through *hook*; what ends it (drop, reject), or None: it goes on.

    *own* is the address that a masquerade would use. The flight's packet, mark and connection
    change as the rules say.
    """
    if not rules.tracks:
        return None
    flight.recent = rules.recent
    nat = PRIORITIES["dstnat"] if TRANSLATES.get(hook) == DESTINATION else PRIORITIES["srcnat"]
    bounds = [FIRST, CONNTRACK, nat - 1, nat, LAST]
    for at, (low, high) in enumerate(pairwise(bounds)):
        if at == 1 and hook in {"prerouting", "output"} and flight.tracked is None:
            flight.tracked = conntrack.look(flight.packet, flight.now)
        if at == 2 and hook in TRANSLATES:
            lost = _translate(rules, conntrack, hook, flight, own)
            if lost is not None:
                return lost
        for chain in rules.base(hook, low, high):
            if chain.kind != "nat":
                act = rules.run(chain, flight)
                if act is not None and act.kind == "notrack":
                    flight.tracked = Tracked(None, False, "UNTRACKED")
                elif act is not None and act.kind != "accept":
                    return act
    if hook in {"input", "postrouting"} and flight.tracked is not None:
        conntrack.confirm(flight.tracked, flight.packet, flight.now)
    return None


def _translate(rules: Ruleset, conntrack: Conntrack, hook: str, flight: Flight, own: str) -> Act | None:
    """Ask the NAT chains once for each end of a flow, then put the packet as its entry says."""
    tracked, end = flight.tracked, TRANSLATES[hook]
    if tracked is None or tracked.entry is None:
        return None
    if tracked.state == "NEW" and not tracked.is_reply and end not in tracked.entry.decided:
        tracked.entry.decided.add(end)
        lost = _decide(rules, conntrack, hook, flight, tracked.entry, own)
        if lost is not None:
            return lost
    flight.packet = translated(flight.packet, tracked, end)
    return None


def _decide(rules: Ruleset, conntrack: Conntrack, hook: str, flight: Flight, entry: Entry, own: str) -> Act | None:
    for chain in rules.base(hook, FIRST, LAST):
        act = rules.run(chain, flight) if chain.kind == "nat" else None
        if act is None or act.kind == "accept":
            continue
        if act.kind in {"drop", "reject"}:
            return act
        if act.kind == "dnat":
            protocol, _, port, source, sport = entry.reply
            entry.reply = (protocol, act.address or own, act.port or port, source, sport)
            return None
        return _source(conntrack, flight, entry, act, act.address or own)
    return None


def _source(conntrack: Conntrack, flight: Flight, entry: Entry, act: Act, address: str) -> Act | None:
    """Give the flow another source, with a port that no other flow to the same place has."""
    protocol, peer, peer_port, _, port = entry.reply
    low, high = act.ports or PORTS
    kept = [port] if act.ports is None or low <= port <= high else []
    for candidate in (*kept, *range(low, high + 1)):
        if conntrack.free((protocol, peer, peer_port, address, candidate)):
            entry.reply = (protocol, peer, peer_port, address, candidate)
            return None
    last = flight.steps[-1]
    text = f"{last.text} (no port of {low}-{high} is free)"
    flight.steps[-1] = Step(last.table, last.chain, text, "drop")
    return Act("drop")
