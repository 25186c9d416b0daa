"""ServiceCIDR controller: says that a ServiceCIDR is ready, and keeps one that is deleted while addresses need it.

Invariant: the finalizer goes only when every address of the ServiceCIDR is in another one as well, or given back, and
10 s after the deletion, by when every API server has heard of it and gives no more.
Models k/k pkg/controller/servicecidrs Controller.sync, Controller.canDeleteCIDR
Simplified: a status is patched, not applied; no Event says that it could not be.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from kubemini.api.kinds import IP_ADDRESS, SERVICE_CIDR
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import Action, Patch, Plan, condition, terminating
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of
from kubemini.sim.units import SECOND

Net = IPv4Network | IPv6Network
FINALIZER = "networking.k8s.io/service-cidr-finalizer"
MANAGED_BY, ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
GRACE = 10 * SECOND  # deletionGracePeriod
READY = {"status": "True", "reason": "", "message": "Kubernetes Service CIDR is ready"}
IN_USE = {
    "status": "False",
    "reason": "Terminating",
    "message": "There are still IPAddresses referencing the ServiceCIDR, "
    "please remove them or create a new ServiceCIDR",
}


def decide(cidr: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """The next step of a ServiceCIDR."""
    finalizers = list(cidr["metadata"].get("finalizers") or ())
    if not terminating(cidr):
        protected = [] if FINALIZER in finalizers else [_with_finalizers(cidr, [*finalizers, FINALIZER])]
        return Plan((*protected, *_saying(cidr, READY, now)))
    if not can_go(cidr, facts.of_namespace(SERVICE_CIDR, ""), facts.of_namespace(IP_ADDRESS, "")):
        return Plan(tuple(_saying(cidr, IN_USE, now)))
    due = instant(cidr["metadata"]["deletionTimestamp"]) + GRACE
    if now < due:
        return Plan(again_at=due)
    left = [name for name in finalizers if name != FINALIZER]
    return Plan((_with_finalizers(cidr, left),) if left != finalizers else ())


def can_go(cidr: Obj, known: list[Obj], addresses: list[Obj]) -> bool:
    """Whether no address that the API servers gave would be left in no ServiceCIDR of those that are *known*."""
    others = [other for other in known if other["metadata"]["name"] != cidr["metadata"]["name"]]
    if all(any(_covers(other, own) for other in others) for own in _ranges(cidr)):
        return True
    given = (obj["metadata"]["name"] for obj in addresses if is_given(obj))
    return not any(_holds(cidr, ip) and not any(_holds(other, ip) for other in others) for ip in given)


def is_given(address: Obj) -> bool:
    """Whether an API server gave it to a Service."""
    return bool(get(address, "metadata", "labels", MANAGED_BY) == ALLOCATOR)


def _ranges(cidr: Obj) -> list[str]:
    return list(get(cidr, "spec", "cidrs") or ())


def _covers(cidr: Obj, wanted: str) -> bool:
    """Whether one of its ranges contains the whole range *wanted*. Models k/k pkg/api/servicecidr ContainsPrefix"""
    inner = ip_network(wanted)
    return any(_within(inner, outer) for outer in map(ip_network, _ranges(cidr)))


def _within(inner: Net, outer: Net) -> bool:
    """Whether *inner* is a part of *outer*, or all of it."""
    return inner.version == outer.version and inner.prefixlen >= outer.prefixlen and _share(inner, outer)


def _share(one: Net, other: Net) -> bool:
    """Whether two ranges have an address in common."""
    return one.version == other.version and one.overlaps(other)


def _holds(cidr: Obj, ip: str) -> bool:
    """Whether one of its ranges can give *ip*. Models k/k pkg/api/servicecidr ContainsAddress, PrefixContainsIP"""
    found = ip_address(ip)
    nets = [net for net in map(ip_network, _ranges(cidr)) if net.version == found.version]
    ends = [(net.network_address, net.broadcast_address if net.version == 4 else None) for net in nets]
    return any(found in net and found not in own for net, own in zip(nets, ends, strict=True))


def _with_finalizers(cidr: Obj, names: list[str]) -> Patch:
    return Patch(cidr, freeze({"metadata": {"finalizers": names}}))


def _saying(cidr: Obj, said: dict[str, str], now: int) -> list[Action]:
    """Its condition Ready, if it does not say so yet."""
    found = condition(cidr, "Ready")
    if found is not None and all(found.get(key, "") == value for key, value in said.items()):
        return []
    others = [other for other in get(cidr, "status", "conditions") or () if other["type"] != "Ready"]
    ready = {"type": "Ready", **said, "lastTransitionTime": timestamp(now)}
    return [Patch(cidr, freeze({"status": {"conditions": [*others, ready]}}), "status")]


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_address(address: Obj, facts: Facts) -> list[Key]:
    """The ServiceCIDRs that hold an address, which may be what keeps them."""
    if not is_given(address):
        return []
    known = facts.of_namespace(SERVICE_CIDR, "")
    return [key_of(cidr) for cidr in known if _holds(cidr, address["metadata"]["name"])]


def overlapping(cidr: Obj, facts: Facts) -> list[Key]:
    """Those that share addresses with *cidr*: they may go because it is there."""
    mine = [ip_network(own) for own in _ranges(cidr)]
    return [
        key_of(other)
        for other in facts.of_namespace(SERVICE_CIDR, "")
        if any(_share(net, own) for net in map(ip_network, _ranges(other)) for own in mine)
    ]


CONTROLLER = Controller(SERVICE_CIDR, decide, (Watch(IP_ADDRESS, of_address), Watch(SERVICE_CIDR, overlapping)))
