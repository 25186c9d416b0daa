"""A node's own firewall: rules that somebody has put beside kube-proxy's into the netfilter of a host.

Invariant: they are text, as ``iptables -A`` takes it, and nothing else: a packet walk loads them with all others, and
whoever asks here whether a connection may begin runs the same text. They go with the power, as kube-proxy's do.
Models torvalds/linux net/ipv4/netfilter/iptable_filter.c iptable_filter_table_init
Simplified: of a connection its packets in one direction are asked, as those of a new one; who is rejected waits as
though he were dropped.
"""

from dataclasses import dataclass
from functools import lru_cache

from kubemini.host.linux import netfilter
from kubemini.host.linux.conntrack import Conntrack
from kubemini.host.linux.kernel import Kernel
from kubemini.host.linux.netfilter import hooks
from kubemini.host.linux.netfilter.flight import Flight
from kubemini.host.linux.packet import Packet

FORWARD, OUTPUT = "forward", "output"


@dataclass(frozen=True, slots=True)
class Nowhere:
    """A namespace that has no address of its own: these rules are asked of what passes."""

    def is_local(self, address: str) -> bool:
        """Never."""
        return False


def saved(kernel: Kernel) -> str:
    """The rules as iptables-save prints them; "" if there are none."""
    return _text(tuple(kernel.firewall))


def _text(rules: tuple[str, ...]) -> str:
    return "\n".join(("*filter", *(f"-A {rule}" for rule in rules), "COMMIT")) if rules else ""


@lru_cache(maxsize=64)
def _loaded(rules: tuple[str, ...]) -> netfilter.Ruleset:
    ruleset = netfilter.Ruleset()
    netfilter.load(ruleset, _text(rules))
    return ruleset


def add(kernel: Kernel, rule: str) -> None:
    """``iptables -A`` *rule*: ``FORWARD -p tcp --dport 8080 -j DROP``. ValueError: no tool would load it."""
    _loaded((*kernel.firewall, rule))
    kernel.firewall.append(rule)


def check(rule: str) -> None:
    """ValueError, in one sentence, if *rule* cannot be loaded."""
    _loaded((rule,))


def stopped(kernel: Kernel, packet: Packet, hook: str = FORWARD) -> str:
    """Which rule ends *packet* at *hook*, as ``filter FORWARD: …``; "" if none does."""
    if not kernel.firewall:
        return ""
    flight = Flight(packet, "", Nowhere(), lambda weights: 0, 0)
    act = hooks.run(_loaded(tuple(kernel.firewall)), Conntrack(), hook, flight, "")
    return str(flight.steps[-1]) if act is not None else ""
