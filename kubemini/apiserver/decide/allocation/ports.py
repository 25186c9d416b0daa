"""Node ports of a Service: those that it asks for, and those that it is given, health checks' among them. Pure.

Invariant: a number is one Service's, whatever the protocol; within a Service ports of one number share a node port, as
DNS does over TCP and UDP.
Models k/k pkg/registry/core/service/storage initNodePorts Allocators.updateNodePorts
Models k/k pkg/registry/core/service/storage Allocators.allocHealthCheckNodePort
Models k/k pkg/registry/core/service/portallocator PortAllocator PortAllocationOperation calculateRangeOffset
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.objects import Obj, evolve_many
from kubemini.apiserver.decide.allocation.ranges import around, band
from kubemini.apiserver.rules.causes import invalid

WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
ALLOCATED, FULL = "provided port is already allocated", "range is full"
DUMMY = 32769  # the first that a dry run shows


class Refused(Exception):
    """A port cannot be had; the text says why."""


@dataclass(slots=True)
class Ports:
    """The node ports *low* … *high*, as one write sees them: *held* are its own, *taken* others', *avoid* probably."""

    low: int
    high: int
    held: Container[int]
    taken: Container[int]
    avoid: Container[int]
    rng: Any
    dry: bool = False
    given: list[int] = field(default_factory=list)

    def allocate(self, number: int) -> None:
        """This one. Raises Refused."""
        if not self.low <= number <= self.high:
            span = f"{self.low}-{self.high}"
            raise Refused(f"provided port is not in the valid range. The range of valid ports is {span}")
        if number in self.taken or number in self.given:
            raise Refused(ALLOCATED)
        self.given.append(number)

    def next(self) -> int:
        """Any; of the static band only if the rest is full. Raises Refused."""
        if self.dry:
            self.given.append(max(self.given, default=DUMMY - 1) + 1)
            return self.given[-1]
        dynamic = self.low + band(self.high - self.low + 1, most=128, step=32)
        for low, high in ((dynamic, self.high), (self.low, dynamic - 1)):
            begin = self._drawn(low, high) if low <= high else low
            found = next(filter(self._is_free, around(low, high, begin)), None)
            if found is not None:
                self.given.append(found)
                return found
        raise Refused(FULL)

    def _drawn(self, low: int, high: int) -> int:
        """Where the search begins: drawn from all ports until it is in this part."""
        while not low <= (drawn := int(self.rng.randint(self.low, self.high))) <= high:
            pass
        return drawn

    def _is_free(self, number: int) -> bool:
        return not any(number in some for some in (self.held, self.taken, self.avoid, self.given))


def wants_ports(spec: Obj) -> bool:
    """Whether ports that name no node port get one."""
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def wants_health_port(spec: Obj) -> bool:
    """Models k/k pkg/api/service NeedsHealthCheck"""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def numbers_of(spec: Obj) -> list[int]:
    """The node ports that a Service has, the health check's last."""
    ports = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    return ports + ([spec["healthCheckNodePort"]] if spec.get("healthCheckNodePort") else [])


def given(spec: dict[str, Any], before: Obj | None, ports: Ports) -> "list[FieldError] | ApiError | None":
    """Give *spec* the node ports that it needs, in the place of *before*; what is wrong if it cannot be."""
    if spec.get("type") in WITH_NODE_PORTS:
        wrong = _new(spec, ports) if before is None else _renewed(spec, before, ports)
        if wrong is not None:
            return wrong
    if wants_health_port(spec) and not (before is not None and wants_health_port(before)):
        return _health(spec, ports)
    return None


def _new(spec: dict[str, Any], ports: Ports) -> "list[FieldError] | ApiError | None":
    made: list[Obj] = []
    known: dict[int, int] = {}  # of each port number, its node port
    for number, port in enumerate(spec.get("ports") or ()):
        asked, shared = port.get("nodePort") or 0, known.get(port["port"], 0)
        if asked or wants_ports(spec):
            wanted = asked or shared or _requested(spec["ports"], port["port"])
            wrong = _asked(ports, wanted, number) if wanted and wanted != shared else None
            found = wanted or _any(ports)
            if wrong is not None:
                return wrong
            if isinstance(found, ApiError):
                return found
            known.setdefault(port["port"], found)
            port = evolve_many(port, (("nodePort",), found))
        made.append(port)
    spec["ports"] = made
    return None


def _requested(ports: Iterable[Obj], number: int) -> int:
    """The node port that one of the ports of that number asks for. Models findRequestedNodePort"""
    return next((port["nodePort"] for port in ports if port["port"] == number and port.get("nodePort")), 0)


def _renewed(spec: dict[str, Any], before: Obj, ports: Ports) -> "list[FieldError] | ApiError | None":
    was, made, seen = numbers_of(before), list[Obj](), list[tuple[str, int]]()
    for number, port in enumerate(spec.get("ports") or ()):
        asked = port.get("nodePort") or 0
        if not asked and not wants_ports(spec):
            made.append(port)
            continue
        if asked and asked not in was and asked not in ports.given:
            wrong = _asked(ports, asked, number)
            if wrong is not None:
                return wrong
        found = asked or _any(ports)
        if isinstance(found, ApiError):
            return found
        pair = (port.get("protocol", "TCP"), found)
        if pair in seen:
            return errors.failed(f"duplicate nodePort: {{{pair[0]} {pair[1]}}}")
        seen.append(pair)
        made.append(evolve_many(port, (("nodePort",), found)))
    spec["ports"] = made
    return None


def _asked(ports: Ports, wanted: int, number: int) -> list[FieldError] | None:
    try:
        ports.allocate(wanted)
    except Refused as refused:
        return [invalid(f"spec.ports[{number}].nodePort", wanted, str(refused))]
    return None


def _any(ports: Ports) -> "int | ApiError":
    try:
        return ports.next()
    except Refused as refused:
        return errors.internal(f"failed to allocate a nodePort: {refused}")


def _health(spec: dict[str, Any], ports: Ports) -> ApiError | None:
    asked = spec.get("healthCheckNodePort") or 0
    act: Callable[[], Any] = (lambda: ports.allocate(asked)) if asked else ports.next
    try:
        found = act()
    except Refused as refused:
        what = f"requested HealthCheck NodePort {asked}" if asked else "a HealthCheck NodePort 0"
        return errors.internal(f"failed to allocate {what}: {refused}")
    spec["healthCheckNodePort"] = asked or found
    return None
