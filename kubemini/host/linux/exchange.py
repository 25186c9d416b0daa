"""A question and its answer: what a client of a network gets to know. Pure.

A connection is a packet that finds a socket, and an answer that finds the client's: it comes from the
very address that was asked, or the client does not know it. Fates, in the words of the recordings:
connected; refused (a rule said so); closed (nobody listens); dropped (silence, a rule or a bridge);
lost (a black hole, nobody knew the way); lost return (the answer went astray, or came with another
address); too big, expired, unreachable (the sender was told so by ICMP).
A handshake of TCP has a third packet: if that is lost, no data ever arrives. It is shown only then.
Simplified: one packet each way after that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubemini.host.linux.netfilter.flight import Choose, Step
from kubemini.host.linux.netns import Namespaces
from kubemini.host.linux.packet import Packet
from kubemini.host.linux.walk import DELIVERED, Ending, Guard, Hop, Walk

CONNECTED, LOST_RETURN = "connected", "lost return"
RULES = {"connected": "dnat", "lost return": "dnat", "refused": "reject", "dropped": "drop"}
FIRST_PORT = 32768  # where a kernel begins to give ports to clients


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a connection ended and which rule decided.

    *step* is the rule as its place and text, if it was one; *rule* the same in words. *by* is who
    answered, *source* and *ttl* what that one saw.
    """

    fate: str
    rule: str
    step: Step | None = None
    by: str = ""
    source: str = ""
    ttl: int = 0
    told: str = ""  # what ICMP told the sender


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer: all hops of both, the rules that matched, and the verdict."""

    hops: tuple[Hop, ...]
    back: tuple[Hop, ...]
    steps: tuple[tuple[str, Step], ...]  # (namespace, rule) of the question
    verdict: Verdict


def connect(
    net: Namespaces, namespace: str, packet: Packet, choose: Choose, now: int = 0, guard: Guard | None = None
) -> Exchange:
    """Send *packet* from *namespace* and wait for the answer; *choose* settles picks.

    *now* is in µs; *guard* judges the question (walk.py). What the namespaces remember of the flow
    (conntrack, affinity) stays.
    """
    if packet.protocol == "TCP" and not packet.flags:
        packet = replace(packet, flags="S")
    if not packet.sport and packet.protocol != "ICMP":
        packet = replace(packet, sport=free_port(net, packet, now))
    walk = Walk(net, choose, now, guard)
    end = walk.run(namespace, packet)
    sent = walk.hops[0].before if walk.hops else packet
    if end.how != DELIVERED:
        return _stopped(net, walk, end, choose, now, namespace)
    return _answered(net, walk, end, sent, namespace, choose, now)


def free_port(net: Namespaces, packet: Packet, now: int) -> int:
    """The first port of a client that nobody on the way has a connection of to the same place."""
    taken = {
        (e.original[2], e.original[3], e.original[4])
        for here in net.values()
        for e in here.conntrack.entries()
        if e.until > now
    }
    port = FIRST_PORT
    while (port, packet.destination, packet.dport) in taken:
        port += 1
    return port


def _stopped(net: Namespaces, walk: Walk, end: Ending, choose: Choose, now: int, namespace: str) -> Exchange:
    """The question did not arrive; whether the sender learns of it depends on ICMP coming home."""
    back: tuple[Hop, ...] = ()
    fate, step, why = end.how, end.step, end.why
    told = end.error.flags if end.error else ""
    home = end.namespace == namespace
    if end.error is not None and not home:
        error = Walk(net, choose, now)
        arrived = error.run(end.namespace, end.error)
        back = tuple(error.hops)
        if arrived.how != DELIVERED or arrived.namespace != namespace:
            told = ""
            fate, step = "dropped", arrived.step or step
            why = f"{why}; and the ICMP error about it was {arrived.how}: {arrived.why}"
    rule = str(step) if step else why
    verdict = Verdict(fate, rule, step, told=told)
    return Exchange(tuple(walk.hops), back, tuple(walk.steps), verdict)


def _answered(
    net: Namespaces,
    walk: Walk,
    end: Ending,
    sent: Packet,
    namespace: str,
    choose: Choose,
    now: int,
) -> Exchange:
    """The question arrived: somebody answers, or the kernel says that nobody listens."""
    here, got = net[end.namespace], end.packet
    who = here.name if got.protocol == "ICMP" else None
    who = who or here.listener(got.protocol, got.destination, got.dport)
    reply = got.reply if who else _nobody(got)
    answer = Walk(net, choose, now)
    last = answer.run(end.namespace, reply)
    deciding = decided(CONNECTED, walk.steps)
    came = last.how == DELIVERED and last.namespace == namespace and _fits(last.packet, sent.reply)
    if not came:
        lost = last.why or (str(last.step) if last.step else f"it came as {last.packet}")
        rule = f"{deciding}; the answer" if deciding else "the answer"
        told = f"{rule} was {last.how}: {lost}"
        verdict = Verdict(LOST_RETURN, told, deciding, who or "", got.source, got.ttl)
    elif who is None:
        verdict = Verdict("closed", f"nothing listens on {got.dport} of {here.name}")
    else:
        rule = str(deciding) if deciding else f"no rule: {who} has the address itself"
        verdict = Verdict(CONNECTED, rule, deciding, who, got.source, got.ttl)
    hops = walk.hops
    if verdict.fate == CONNECTED and sent.flags == "S":
        third = Walk(net, choose, now)
        broken = third.run(namespace, replace(sent, flags="A"))
        if broken.how != DELIVERED:
            why = str(broken.step) if broken.step else broken.why
            verdict = Verdict("dropped", f"the handshake's third packet: {why}", broken.step)
            hops = [*hops, *third.hops]
    return Exchange(tuple(hops), tuple(answer.hops), tuple(walk.steps), verdict)


def _nobody(got: Packet) -> Packet:
    if got.protocol == "TCP":
        return replace(got.reply, flags="R", size=40)
    error = Packet("ICMP", got.destination, got.source, size=56, flags="port unreachable", df=False)
    return replace(error, about=got)


def _fits(came: Packet, expected: Packet) -> bool:
    """Whether an answer is for the socket that asked."""
    if came.about is not None:
        return came.about.ends == expected.reply.ends
    return came.ends == expected.ends


def decided(fate: str, steps: Sequence[tuple[str, Step]]) -> Step | None:
    """The rule that settled a flow: the first that did what its fate says."""
    wanted = RULES.get(fate)
    return next((step for _, step in steps if step.verdict == wanted), None)


# -- picks -----------------------------------------------------------------------------------------
def from_draws(draw: Callable[[], int]) -> Choose:
    """Picks settled by draws, uniform in [0, 2**64)."""

    def choose(weights: Sequence[float]) -> int:
        point = draw() / (1 << 64) * sum(weights)
        for index, weight in enumerate(weights):
            if point < weight:
                return index
            point -= weight
        return len(weights) - 1

    return choose


def all_picks(run: Callable[[Choose], Any]) -> Iterator[tuple[float, Any]]:
    """Every branch that picks leave open: (its probability, what *run* gave).

    *run* is called once a branch with a `Choose` and must begin from the same state each time.
    """
    pending: list[tuple[int, ...]] = [()]
    while pending:
        script = pending.pop()
        made: list[int] = []
        share = [1.0]

        def choose(
            weights: Sequence[float],
            script: tuple[int, ...] = script,
            made: list[int] = made,
            share: list[float] = share,
        ) -> int:
            at = len(made)
            if at < len(script):
                index = script[at]
            else:
                possible = [i for i, w in enumerate(weights) if w > 0]
                index = possible[0]
                pending.extend((*made, other) for other in reversed(possible[1:]))
            made.append(index)
            share[0] *= weights[index] / sum(weights)
            return index

        result = run(choose)
        yield share[0], result
