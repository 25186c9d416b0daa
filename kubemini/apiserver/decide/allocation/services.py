"""Which addresses a Service holds, and a Service with all that it needs. Pure, but for the rng that is passed in.

    claims(object, now)           etcd keys of its cluster IPs and node ports, and what stands there: one key an address
    allocated(service, before, pool)    with addresses of its families and node ports, or the refusal

Models k/k pkg/registry/core/service/storage Allocators.allocateCreate Allocators.allocateUpdate Allocators.allocIPs
Models k/k pkg/registry/core/service/ipallocator Allocator.createIPAddress
Simplified: of several ranges that are ready, each is as likely to be tried first.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import IP_ADDRESS, SERVICE
from kubemini.api.objects import Obj, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.decide import identity
from kubemini.apiserver.decide.allocation import families, ports, ranges
from kubemini.apiserver.decide.allocation.cidrs import Known
from kubemini.apiserver.decide.allocation.families import EXTERNAL, HEADLESS, IPS, ips
from kubemini.apiserver.rules.causes import invalid

IP_KEY, PORT_KEY = IP_ADDRESS.key(), "/registry/ranges/servicenodeports/"
FAMILY, MANAGED_BY = "ipaddress.kubernetes.io/ip-family", "ipaddress.kubernetes.io/managed-by"
ALLOCATOR = "ipallocator.k8s.io"
ALLOCATED, ELSEWHERE = "provided IP is already allocated", "the provided network does not match the current range"


# -- which a Service holds ---------------------------------------------------------------------------------------------


def keys(obj: Obj) -> list[str]:
    """The etcd keys of the addresses that *obj* holds; none for other kinds."""
    if obj["kind"] != SERVICE.kind:
        return []
    spec = obj.get("spec") or {}
    held = [IP_KEY + canonical(ip) for ip in ips(spec) or [spec.get("clusterIP") or ""] if ip not in ("", HEADLESS)]
    return list(dict.fromkeys([*held, *(f"{PORT_KEY}{number}" for number in ports.numbers_of(spec))]))


def canonical(ip: str) -> str:
    """An address as its IPAddress is named."""
    return str(ip_address(ip))


def claims(obj: Obj, now: int) -> dict[str, Obj]:
    """etcd key → what stands there, for each address that *obj* holds; *now* in µs."""
    return {key: _stored(obj, key, now) for key in keys(obj)}


def holder(service: Obj) -> dict[str, str]:
    """Who stands at its keys as the one who has them."""
    meta = service["metadata"]
    return {"resource": "services", "namespace": meta["namespace"], "name": meta["name"]}


def _stored(service: Obj, key: str, now: int) -> Obj:
    """The IPAddress of a cluster IP; of a node port, whose it is."""
    meta, parent = service["metadata"], holder(service)
    if not key.startswith(IP_KEY):
        return freeze({"spec": {"parentRef": parent}})
    name = key.removeprefix(IP_KEY)
    labels = {FAMILY: ranges.family(name), MANAGED_BY: ALLOCATOR}
    made = {"uid": identity.derived_uid(meta["uid"], name), "creationTimestamp": timestamp(now)}
    kind = {"apiVersion": IP_ADDRESS.api_version, "kind": IP_ADDRESS.kind}
    return freeze({**kind, "metadata": {"name": name, **made, "labels": labels}, "spec": {"parentRef": parent}})


# -- what it is given --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pool:
    """What there is to give: of which ranges; keys that were just found to be others', and that probably are."""

    known: Known
    node_ports: tuple[int, int]
    rng: Any
    taken: Container[str] = ()
    avoid: Container[str] = ()
    dry: bool = False

    def is_free(self, ip: str) -> bool:
        """Whether an address may be drawn."""
        return IP_KEY + ip not in self.taken and IP_KEY + ip not in self.avoid

    def ports(self, held: Iterable[int]) -> ports.Ports:
        """Its node ports, for a Service that has some already."""
        low, high = self.node_ports
        return ports.Ports(low, high, tuple(held), _Numbers(self.taken), _Numbers(self.avoid), self.rng, self.dry)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The node ports among some keys."""

    keys: Container[str]

    def __contains__(self, number: object) -> bool:
        return f"{PORT_KEY}{number}" in self.keys


def allocated(service: Obj, before: Obj | None, pool: Pool) -> "Obj | ApiError":
    """*service*, in the place of *before*, with every address it needs; or why it cannot have them."""
    spec, name = dict(service.get("spec") or {}), service["metadata"].get("name") or ""
    old = before.get("spec") or {} if before is not None else None
    if old is None and spec.get("clusterIP") and not ips(spec):
        spec["clusterIPs"] = [spec["clusterIP"]]
    full = families.filled_in(spec, old, pool.known.families)
    wrong = full if isinstance(full, list) else _given_ips(full, old, name, pool)
    if wrong is None and isinstance(full, dict):
        wrong = ports.given(full, old, pool.ports(ports.numbers_of(old or {})))
    if isinstance(wrong, list):
        return errors.invalid(SERVICE, name, wrong)
    return wrong or evolve_many(service, (("spec",), full))


def _given_ips(full: dict[str, Any], old: Obj | None, name: str, pool: Pool) -> "list[FieldError] | ApiError | None":
    """Give *full* the cluster IPs that it lacks, or say why not."""
    for place in _lacking(full, old):
        several = [*ips(full), *[""] * (place + 1 - len(ips(full)))]
        cidrs = pool.known.ready(full["ipFamilies"][place])
        if several[place]:
            why = _refused(several[place], cidrs, pool)
            if why:
                text = f"failed to allocate IP {several[place]}: {why}"
                return [invalid(IPS, several, text)]
        else:
            found = _any(cidrs, pool)
            if found is None:
                return errors.internal(f'failed to allocate a serviceIP for Service "{name}": range is full')
            several[place] = found
        full |= {"clusterIPs": several, "clusterIP": several[0]}
    return None


def _lacking(full: Obj, old: Obj | None) -> Iterator[int]:
    """Which of its families must get an address: all of a new Service, the second of one that is widened."""
    if full.get("type") == EXTERNAL or families.is_headless(full):
        return
    if old is None or old.get("type") == EXTERNAL:
        yield from range(len(full["ipFamilies"]))
    elif not families.is_headless(old) and len(families.families(old)) == 1 < len(families.families(full)):
        yield 1


def _refused(ip: str, cidrs: list[str], pool: Pool) -> str:
    """Why an address that was asked for cannot be had, "" if it can."""
    if pool.dry and cidrs and not ranges.contains(cidrs[0], ip):
        return f"the provided IP ({ip}) is not in the valid range. The range of valid IPs is {cidrs[0]}"
    if not any(ranges.contains(cidr, ip) for cidr in cidrs):
        return ELSEWHERE
    return ALLOCATED if IP_KEY + canonical(ip) in pool.taken and not pool.dry else ""


def _any(cidrs: list[str], pool: Pool) -> str | None:
    """An address of any of the ranges, or None; a dry run names the range."""
    if pool.dry and cidrs:
        return str(ip_network(cidrs[0]).network_address)
    if len(cidrs) > 1:
        cidrs = pool.rng.sample(cidrs, len(cidrs))
    return next(filter(None, (ranges.free_in(cidr, pool.is_free, pool.rng) for cidr in cidrs)), None)
