"""How the kernel picks an endpoint for a new connection. Pure.

Invariant: each endpoint gets one n-th of all new connections, whatever became of the ones before;
only session affinity remembers, by client address and Service port, whichever way the client came.
Models k/k pkg/proxy/iptables Proxier.writeServiceToEndpointRules
Models k/k pkg/proxy/nftables Proxier.writeServiceToEndpointRules
"""

from collections.abc import MutableMapping, Sequence
from typing import Any, TypeVar

from kubemini.network.decide.services import verdict
from kubemini.network.decide.services.hooks import Chosen
from kubemini.network.decide.services.ports import Endpoint
from kubemini.network.decide.services.verdict import Header, Way
from kubemini.network.decide.services.world import World
from kubemini.sim.units import SECOND

WHOLE = 1 << 64  # draws are uniform below this
Recent = MutableMapping[Any, tuple[Any, int]]  # client and Service port → address of its endpoint, when
T = TypeVar("T")


def pick(endpoints: Sequence[T], draw: int) -> T:
    """Walk the chain: rule i of n applies with probability 1/(n-i), so that each endpoint gets 1/n."""
    for left in range(len(endpoints), 1, -1):
        if draw * left < WHOLE:
            return endpoints[-left]
        draw = (draw * left - WHOLE) // (left - 1)
    return endpoints[-1]


def pick_by_number(endpoints: Sequence[T], draw: int) -> T:
    """One number for all: ``numgen random mod n map``."""
    return endpoints[draw * len(endpoints) // WHOLE]


def picked(chosen: Chosen, client: str, mode: str, draw: int, recent: Recent, now: int) -> Endpoint:
    """The endpoint of a new connection of *client*; with affinity *recent* is read, and written.

    The time runs from the last new connection: each renews it (xt_recent; measured).
    """
    choose = pick_by_number if mode == "nftables" else pick
    port = chosen.port
    if port is None or not port.affinity_s:
        return choose(chosen.endpoints, draw)
    key = (client, port.id, port.protocol, port.family)
    address, at = recent.get(key, ("", 0))
    fresh = now - at < port.affinity_s * SECOND
    known = next((e for e in chosen.endpoints if fresh and e.address == address), None)
    endpoint = known or choose(chosen.endpoints, draw)
    recent[key] = (endpoint.address, now)
    return endpoint


def connect(
    world: World, node: str, packet: Header, draw: int, recent: Recent, now: int
) -> tuple[Chosen | None, Way | None]:
    """One new connection: what the rules chose (None: no rule did), and the way to the endpoint picked.

    *draw* is uniform in [0, 2**64), *now* in µs; *recent* is read and written where affinity asks.
    """
    meeting, chosen = verdict.meet(world, node, packet)
    if chosen is None or chosen.fate != "dnat":
        return chosen, None
    mode = meeting.table.config.mode
    endpoint = picked(chosen, packet.source, mode, draw, recent, now)
    return chosen, verdict.way(world, meeting, chosen, endpoint)
