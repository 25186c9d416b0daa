"""Routing tables: where a packet goes next, and why. Pure.

Invariant: the first rule whose table knows the destination decides; in a table the longest prefix
wins, then the lowest metric.
Models torvalds/linux net/ipv4/fib_rules.c fib4_rule_action
Models torvalds/linux net/ipv4/fib_trie.c fib_table_lookup
Simplified: no multipath, no rules by mark or port; the cache of routes is not kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kubemini.host.linux.addresses import length, network, number, within

LOCAL, MAIN = "local", "main"
LINK, HOST, GLOBAL = "link", "host", "global"
ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass(frozen=True, slots=True)
class Route:
    """One line of ``ip route``; *kind* is unicast, local, blackhole, unreachable or prohibit."""

    destination: str
    via: str = ""
    device: str = ""
    kind: str = "unicast"
    source: str = ""
    metric: int = 0
    scope: str = GLOBAL

    def __str__(self) -> str:
        kind = "" if self.kind == "unicast" else f"{self.kind} "
        to = "default" if self.destination in ANYWHERE.values() else self.destination
        via = f" via {self.via}" if self.via else ""
        return f"{kind}{to}{via}{f' dev {self.device}' if self.device else ''}"

    def next_hop(self, destination: str) -> str:
        """Who gets the packet on the wire: the gateway, or the destination itself."""
        return self.via or destination


@dataclass(frozen=True, slots=True)
class Selector:
    """One line of ``ip rule``: which packets look into which table; empty fields match all."""

    priority: int
    table: str
    source: str = ""
    destination: str = ""
    incoming: str = ""

    def picks(self, destination: str, source: str, incoming: str) -> bool:
        """Whether a packet is looked up here."""
        return (
            (not self.source or (bool(source) and within(source, self.source)))
            and (not self.destination or within(destination, self.destination))
            and (not self.incoming or self.incoming == incoming)
        )


@dataclass(slots=True)
class Routes:
    """The tables of one namespace, and the rules that choose among them."""

    tables: dict[str, list[Route]] = field(default_factory=lambda: {LOCAL: [], MAIN: []})
    selectors: list[Selector] = field(default_factory=lambda: [Selector(0, LOCAL), Selector(32766, MAIN)])

    def add(self, route: Route, table: str = MAIN) -> None:
        """Put a route in; ValueError if the table has one to the same place as cheap."""
        there = self.tables.setdefault(table, [])
        same = (route.destination, route.metric)
        if any((r.destination, r.metric) == same for r in there):
            raise ValueError(f"{route}: File exists; delete the route to {route.destination} first")
        there.append(route)

    def delete(self, destination: str, table: str = MAIN) -> None:
        """Take the routes to *destination* out; ValueError if there is none."""
        kept = [r for r in self.tables[table] if r.destination != destination]
        if len(kept) == len(self.tables[table]):
            raise ValueError(f"{destination}: No such process; table {table} has no such route")
        self.tables[table] = kept

    def select(self, selector: Selector) -> None:
        """Add a rule; lower priorities are asked first."""
        self.selectors = sorted([*self.selectors, selector], key=lambda s: s.priority)

    def lookup(self, destination: str, source: str = "", incoming: str = "") -> Route | None:
        """The route of a packet, or None: the network is unreachable."""
        for selector in self.selectors:
            if selector.picks(destination, source, incoming):
                found = best(self.tables.get(selector.table, ()), destination)
                if found is not None:
                    return found
        return None

    def is_local(self, address: str) -> bool:
        """Whether *address* is one of this namespace's own (``fib daddr type local``)."""
        found = best(self.tables[LOCAL], address)
        return found is not None and found.kind == "local"


def best(routes: list[Route] | tuple[()], destination: str) -> Route | None:
    """The longest prefix that holds *destination*; of two as long, the cheaper."""
    fitting = list(_fitting(routes, destination))
    return max(fitting, key=lambda r: (length(r.destination), -r.metric)) if fitting else None


def _fitting(routes: list[Route] | tuple[()], destination: str) -> Iterator[Route]:
    version, value = number(destination)
    for route in routes:
        of, base, mask = network(route.destination)
        if of == version and value & mask == base:
            yield route
