"""A packet on its way through one namespace, with all that a rule may ask of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kubemini.host.linux.conntrack import Tracked
from kubemini.host.linux.packet import Packet

Choose = Callable[[Sequence[float]], int]  # weights → which one


class Here(Protocol):
    """The namespace, as a rule knows it."""

    def is_local(self, address: str) -> bool:
        """Whether an address is one of the namespace's own."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that matched: where it stands, how it reads, and what it did."""

    table: str
    chain: str
    text: str
    verdict: str

    def __str__(self) -> str:
        return f"{self.table} {self.chain}: {self.text}"


@dataclass(slots=True)
class Flight:
    """What travels: the packet, and what the kernel keeps with it (mark, connection).

    *choose* settles a pick: weights in, index out. *steps* are the rules that matched so far.
    """

    packet: Packet
    namespace: str
    here: Here
    choose: Choose
    now: int
    tracked: Tracked | None = None
    mark: int = 0
    recent: dict[tuple[str, str], int] = field(default_factory=dict)
    incoming: str = ""
    outgoing: str = ""
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Act:
    """What a rule wants: go somewhere, end the packet, or translate an end of it."""

    kind: str  # accept drop return jump goto reject dnat snat masquerade notrack
    to: str = ""
    address: str = ""
    port: int = 0
    ports: tuple[int, int] | None = None
    shown: str = ""  # the element of a map that decided


class NoMatch:
    """What a step of a rule says if the packet is not meant."""


NO = NoMatch()
Outcome = Act | NoMatch | None  # None: go on with the rule
Part = Callable[[Flight], Outcome]
