"""The same flows through our walk and through the kernel: what may be answered, and what was.

A flow is (sender, protocol, source or "", address, port). Our side says every answer that is possible;
the kernel is asked until all of them were seen, and an answer that is not among them ends it at once.
"""

from kubemini.host.linux.exchange import all_picks, connect
from kubemini.host.linux.packet import Packet
from tests.real.kernel.probes import PATIENCE, SILENT, ask

AT_ONCE, ROUNDS = 12, 30  # each flow so often in a round, until all answers were seen
WORDS = {"connected": "connected", "refused": "refused", "closed": "refused", "too big": "too big"}


def possible(net, flow):
    """Every answer that our walk finds possible."""
    sender, protocol, source, address, port = flow
    packet = Packet(protocol, source, address, 0, port)

    def run(choose):
        for here in net.values():
            here.conntrack.flows.clear()
            here.rules.recent.clear()
        return connect(net, sender, packet, choose)

    return {_said(flow, exchange) for _, exchange in all_picks(run)}


def _said(flow, exchange):
    verdict, sender = exchange.verdict, flow[0]
    if verdict.fate == "connected":
        return told(flow, ("connected", verdict.by, verdict.source, verdict.ttl))
    left = any(hop.namespace != sender or (hop.device == "lo" and hop.what != "sent") for hop in exchange.hops)
    if flow[1] == "UDP" and not left and verdict.fate in {"refused", "dropped"}:
        return ("forbidden",)  # what a rule of OUTPUT stops, sendto() itself is told
    return (WORDS.get(verdict.fate, SILENT),)


def told(flow, answer):
    """An answer as far as it is compared: TCP does not say which TTL came."""
    word, by, source, ttl = answer
    if word == "connected":
        return (word, by, source) if flow[1] == "TCP" else (word, by, source, ttl)
    return (word,)


def differences(mirror, wanted, patience=PATIENCE):
    """{flow: (seen, possible)} where the kernel did something else; *wanted* {flow: possible answers}."""
    seen = {flow: set() for flow in wanted}
    for _ in range(ROUNDS):
        left = [flow for flow in wanted if seen[flow] != wanted[flow]]
        asked = [flow for flow in left for _ in range(1 if len(wanted[flow]) == 1 else AT_ONCE)]
        for flow, answer in zip(asked, ask(mirror, asked, patience)):
            if answer[0] != SILENT or (SILENT,) in wanted[flow]:
                seen[flow].add(told(flow, answer))
        if wrong := {flow: (seen[flow], wanted[flow]) for flow in left if seen[flow] - wanted[flow]}:
            return wrong
    return {flow: (seen[flow], wanted[flow]) for flow in wanted if seen[flow] != wanted[flow]}
