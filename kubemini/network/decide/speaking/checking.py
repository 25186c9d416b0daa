"""Which nodes a cloud's load balancer asks, at which port, and what it makes of the answers. Pure.

By policy Local it asks a node at the Service's health check node port, else at kube-proxy's own: a node without a
kube-proxy is worth no packet, though its rules may still be right.
Invariant: a node is asked until it is said to be well, and left after so many bad answers in a row; if none is well,
all are tried: a balancer that knows nothing better guesses.
Models k/cloud-provider controllers/service listWithPredicates
cloud-provider-gcp pkg/l4lb healthchecks: every 8 s, well after one good answer, left after three bad ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubemini.api.objects import Obj
from kubemini.network.decide.services.health import HEALTHZ_PORT
from kubemini.network.decide.speaking.announcing import EXCLUDED, address_of, wants_address

LEAVING = "ToBeDeletedByClusterAutoscaler"  # a taint


@dataclass(frozen=True, slots=True)
class Place:
    """Where a balancer asks about one of its addresses: a node, and the port there."""

    address: str
    node: str
    port: int


def places(services: Iterable[Obj], nodes: Iterable[Obj]) -> list[Place]:
    """All that is to be asked; whether a node is Ready does not matter: its answers do."""
    names = sorted(node["metadata"]["name"] for node in nodes if _takes_part(node))
    found = []
    for service in services:
        address = address_of(service)
        if wants_address(service) and address:
            local = service["spec"].get("externalTrafficPolicy") == "Local"
            port = service["spec"].get("healthCheckNodePort") if local else HEALTHZ_PORT
            found += [Place(address, name, port or HEALTHZ_PORT) for name in names]
    return found


def _takes_part(node: Obj) -> bool:
    taints = node.get("spec", {}).get("taints") or ()
    return EXCLUDED not in (node["metadata"].get("labels") or ()) and all(taint["key"] != LEAVING for taint in taints)


@dataclass(slots=True)
class Opinion:
    """What a balancer thinks of a node: *well* after so many good answers in a row, not after so many bad ones."""

    good_needed: int
    bad_needed: int
    well: bool = False
    in_a_row: int = 0  # answers that speak against what it thinks
    asked: bool = False

    def hear(self, good: bool) -> bool:
        """An answer: whether it is the first, or changes the opinion."""
        first, self.asked = not self.asked, True
        self.in_a_row = 0 if good == self.well else self.in_a_row + 1
        if self.in_a_row < (self.bad_needed if self.well else self.good_needed):
            return first
        self.well, self.in_a_row = good, 0
        return True
