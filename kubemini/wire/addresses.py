"""Virtual addresses: names that belong to no host for good, and which host each client believes to have them.

A host takes an address and tells the net (gratuitous ARP); who can hear that sends there from then on.
Nobody checks: two hosts may hold one address, and a client may send to a host that has it no more. Such
packets find nobody. A client notices by silence alone: it believes in what it last knew to be right for
about half a minute, asks that host in vain, and then asks all (`Belief`).
What arrives at a host that holds the address, of a connection that it does not know, is answered with a
reset; so an address that moves breaks the connections that went to it, each when it is next used.
Invariant: nothing here happens by itself; a belief changes when somebody announces, or when it is used.
Linux net/core/neighbour.c: REACHABLE until base_reachable_time after the last confirmation, then 5 s
(delay_first_probe_time) and three probes a second apart; RFC 826; RFC 5227 section 3 (announcements).
A client was seen to send into the void for 47 s after a split had healed (tests/real/frontdoor).
Simplified: reachable_time is drawn once for each host (Linux: every five minutes); of several who answer a
question, the first host in order is believed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubemini.sim.units import SECOND

PROBING = 5 * SECOND + 3 * SECOND  # delay_first_probe_time, then ucast_solicit x retrans_time


@dataclass(slots=True)
class Belief:
    """That the address is at *host*: right as of *confirmed*, given up at *until* once it has been used in vain."""

    host: str
    confirmed: int
    until: int | None = None

    def used(self, now: int, right: bool, reachable_time: int) -> bool:
        """Whether it is still believed when it is used *now*."""
        if right:
            self.confirmed, self.until = now, None
        elif self.until is None:
            self.until = max(now, self.confirmed + reachable_time) + PROBING
        return self.until is None or now < self.until


class Addresses:
    """All virtual addresses of a network: who may serve them, who holds them, who believes what."""

    def __init__(self) -> None:
        self.doors: dict[str, dict[str, str]] = {}  # address → host → the program that listens there
        self.held: dict[str, list[str]] = {}  # address → hosts
        self.beliefs: dict[tuple[str, str], Belief] = {}  # (host of a client, address)

    def declare(self, address: str, host: str, program: str) -> None:
        """*program* listens on *host* to whatever comes for *address*, while that is there."""
        self.doors.setdefault(address, {})[host] = program
        self.held.setdefault(address, [])

    def take(self, address: str, host: str) -> None:
        """*host* has the address from now on, whoever else has it."""
        if host not in self.held[address]:
            self.held[address].append(host)

    def drop(self, address: str, host: str) -> None:
        """*host* has it no more."""
        if host in self.held[address]:
            self.held[address].remove(host)

    def announce(self, address: str, host: str, listeners: Iterable[str], now: int) -> None:
        """*host* tells *listeners*, the hosts that can hear it, that the address is there."""
        for listener in listeners:
            self.beliefs[listener, address] = Belief(host, now)

    def find(self, address: str, here: str, now: int, answers: Callable[[str], bool], reachable_time: int) -> str:
        """The program that packets from host *here* reach; empty if they reach nobody.

        *answers* says whether a host can be heard from *here* and hear it.
        """
        held = self.held[address]
        if here in held:
            return self.doors[address][here]
        belief = self.beliefs.get((here, address))
        right = belief is not None and belief.host in held and answers(belief.host)
        if belief is None or not belief.used(now, right, reachable_time):
            return self._ask(address, here, now, answers)
        return self.doors[address][belief.host] if right else ""

    def first(self, address: str) -> str:
        """The program that listens to it on the first of its hosts."""
        return next(iter(self.doors[address].values()))

    def until(self, address: str, here: str) -> int | None:
        """When *here* gives up what it believes, if it has used that in vain."""
        belief = self.beliefs.get((here, address))
        return belief.until if belief else None

    def _ask(self, address: str, here: str, now: int, answers: Callable[[str], bool]) -> str:
        """Who has the address, tell *here*."""
        self.beliefs.pop((here, address), None)
        for host, program in self.doors[address].items():
            if host in self.held[address] and answers(host):
                self.beliefs[here, address] = Belief(host, now)
                return program
        return ""
