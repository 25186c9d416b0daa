"""IPAddresses that do not tell the truth any more, since somebody has made, changed or deleted one by hand. Pure.

Invariant: each cluster IP of a Service has an IPAddress that names the Service; one that an API server made and that
names no Service which has the address goes, but not while that Service may still be on its way. Each repair is told.
Models k/k pkg/registry/core/service/ipallocator/controller RepairIPAddress.syncService, RepairIPAddress.syncIPAddress
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from kubemini.api.kinds import EVENT
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.timestamps import EPOCH, instant, micro_timestamp
from kubemini.apiserver.decide.allocation import services
from kubemini.apiserver.decide.allocation.ranges import family
from kubemini.apiserver.decide.allocation.services import ALLOCATOR, FAMILY, IP_KEY, MANAGED_BY
from kubemini.sim.units import MINUTE, SECOND

PERIOD = 3 * MINUTE  # RepairServicesInterval
YOUNG = MINUTE  # an address whose Service may still be on its way
CHANGING = 5 * SECOND  # an address that a Service may be about to have
SOURCE = "ipallocator-repair-controller"


class Said(NamedTuple):
    """A Warning about a Service or an IPAddress."""

    about: Obj
    reason: str
    action: str
    message: str


class Repair(NamedTuple):
    """What is to be done about one key: *wanted* is to stand there, None: nothing; now there is *found*, or nothing."""

    key: str
    wanted: Obj | None
    found: Obj | None


class Found(NamedTuple):
    """What is wrong: what is to be done, and what is to be told."""

    repairs: list[Repair]
    said: list[Said]


def wrong(
    known: Sequence[Obj], addresses: Mapping[str, Obj], ranges: Iterable[str], now: int, looked_at: bool = True
) -> Found:
    """What sets the *addresses* (by key) right for the Services that are *known*; *ranges*: all ServiceCIDRs'.

    *looked_at*: whether it is the Services' turn too, which comes every 3 min.
    """
    found = Found([], [])
    nets = [ip_network(cidr) for cidr in ranges]
    by_name = {_name(service): service for service in known}
    for service in known if looked_at else ():
        for key, wanted in services.claims(service, now).items():
            if key.startswith(IP_KEY):
                _held(service, key, wanted, addresses.get(key), by_name, nets, found)
    mended = {repair.key for repair in found.repairs}
    for key, obj in addresses.items():
        if key not in mended and get(obj, "metadata", "labels", MANAGED_BY) == ALLOCATOR:
            _leaked(key, obj, by_name, now, found)
    return found


def _name(service: Obj) -> tuple[str, str]:
    return service["metadata"]["namespace"], service["metadata"]["name"]


def _parent(address: Obj) -> tuple[str, str]:
    """The namespace and name of the Service that it names; nothing of the sort if it names something else."""
    parent = get(address, "spec", "parentRef", default={})
    if parent.get("group") or parent.get("resource") != "services":
        return "", ""
    return parent.get("namespace", ""), parent.get("name", "")


def _has(service: Obj | None, ip: str) -> bool:
    return service is not None and ip in (
        services.canonical(one) for one in services.ips(service["spec"]) if one != "None"
    )


def _held(
    service: Obj,
    key: str,
    wanted: Obj,
    there: Obj | None,
    by_name: Mapping[tuple[str, str], Obj],
    nets: Iterable[IPv4Network | IPv6Network],
    found: Found,
) -> None:
    """One address of a Service."""
    ip, of = key.removeprefix(IP_KEY), "/".join(_name(service))
    told = f"[{family(ip)}]: {ip}"

    def say(what: str, message: str) -> None:
        found.said.append(Said(service, f"ClusterIP{what}", "ClusterIPAllocation", message))

    if not any(ip_address(ip) in net for net in nets):
        say("OutOfRange", f"Cluster IP {told} is not within any configured Service CIDR; please recreate service")
    elif there is None:
        say("NotAllocated", f"Cluster IP {told} is not allocated; repairing")
        found.repairs.append(Repair(key, wanted, None))
    elif _parent(there) != _name(service) and _parent(there) not in by_name:
        say("NotAllocated", f"the ClusterIP {told} for Service {of} has a wrong reference; repairing")
        found.repairs.append(Repair(key, wanted, there))
    else:
        if _parent(there) != _name(service) and _has(by_name[_parent(there)], ip):
            multiple = "was assigned to multiple services; please recreate service"
            say("AlreadyAllocated", f"Cluster IP [{family(ip)}]:{ip} {multiple}")
        labels = [get(there, "metadata", "labels", name) for name in (FAMILY, MANAGED_BY)]
        if labels != [family(ip), ALLOCATOR]:
            found.repairs.append(Repair(key, wanted, there))


def _leaked(key: str, obj: Obj, by_name: Mapping[tuple[str, str], Obj], now: int, found: Found) -> None:
    """One address that an API server made: does its Service have it?"""
    ip, parent, age = key.removeprefix(IP_KEY), _parent(obj), now - instant(obj["metadata"]["creationTimestamp"])
    service, of = by_name.get(parent), "/".join(parent)
    if _has(service, ip):
        return
    reason, early = "NotAllocated", YOUNG
    if parent == ("", ""):
        named = " ".join(get(obj, "spec", "parentRef", part, default="") for part in ("group", "resource"))
        text, early = f"IPAddress {ip} appears to have been modified, not referencing a Service &{{{named}", 0
        parts = (get(obj, "spec", "parentRef", part, default="") for part in ("namespace", "name"))
        text = f"{text} {' '.join(parts)}}}: cleaning up"
    elif service is None:
        text = f"IPAddress: {ip} for Service {of} appears to have leaked: cleaning up"
    else:
        reason, text = "WrongReference", f"IPAddress: {ip} for Service {of} has a wrong reference; cleaning up"
        later = instant(obj["metadata"]["creationTimestamp"]) > instant(service["metadata"]["creationTimestamp"])
        early = YOUNG if service["spec"].get("type") == "ExternalName" else CHANGING if later else 0
    if age >= early:
        found.said.append(Said(obj, f"IPAddress{reason}", "IPAddressAllocation", text))
        found.repairs.append(Repair(key, None, obj))


def event(said: Said, instance: str, now: int, number: int) -> Obj:
    """What is told, as an Event of events.k8s.io is stored; *number*: which of this instant's."""
    meta, moment = said.about["metadata"], 1000 * (EPOCH + now) + number
    fields = ("name", "namespace", "uid", "resourceVersion")
    about = {field: meta[field] for field in fields if meta.get(field)}
    place = {"name": f"{meta['name']}.{moment:x}", "namespace": meta.get("namespace") or "default"}
    of = {"apiVersion": said.about["apiVersion"], "kind": said.about["kind"], **about}
    spoken = {"reason": said.reason, "action": said.action, "message": said.message, "type": "Warning"}
    by = {"eventTime": micro_timestamp(now), "reportingComponent": SOURCE, "reportingInstance": instance}
    kind = {"apiVersion": EVENT.api_version, "kind": EVENT.kind}
    return freeze({**kind, "metadata": place, "involvedObject": of, **spoken, **by, "source": {}})
