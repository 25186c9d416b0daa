"""Where the API servers of a cluster are: the Endpoints and the EndpointSlice `kubernetes`, by their leases. Pure.

Invariant: it says of no server that it is gone which still has a lease. Who has none is not named; when nobody is left
to be named, the objects stay, and are empty.
Models k/k pkg/controlplane/reconcilers leaseEndpointReconciler.doReconcile
Models k/k pkg/controlplane/reconcilers EndpointsAdapter.EnsureEndpointSliceFromEndpoints
"""

from collections.abc import Iterable, Sequence
from typing import Any

from kubemini.api.kinds import ENDPOINT_SLICE, ENDPOINTS
from kubemini.api.labels import SERVICE_NAME, SKIP_MIRROR
from kubemini.api.objects import Obj, evolve, evolve_many, freeze, get, without
from kubemini.apiserver.bootstrap import NAME, NAMESPACE, SECURE_PORT

LEASES = "/registry/masterleases/"
PORTS = freeze([{"name": "https", "port": SECURE_PORT, "protocol": "TCP"}])


def lease_key(address: str) -> str:
    """Where the server at *address* says that it is there."""
    return f"{LEASES}{address}"


def lease(address: str, before: Obj | None) -> Obj:
    """What it writes there, in the place of *before*: it counts, so that it is another value each time."""
    count = get(before or {}, "metadata", "generation", default=0) + 1
    subset = {"addresses": [{"ip": address}]}
    return freeze({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"generation": count}, "subsets": [subset]})


def holders(keys: Iterable[str]) -> list[str]:
    """The addresses that have a lease."""
    return [key.removeprefix(LEASES) for key in keys]


def endpoints(addresses: Sequence[str], before: Obj | None) -> Obj:
    """The Endpoints with *addresses*, in the place of *before*. Ports that somebody has changed stay as they are."""
    found = before or _new(ENDPOINTS.api_version, ENDPOINTS.kind)
    subsets = get(found, "subsets") or ()
    ports = next(iter(subsets)).get("ports") if len(subsets) == 1 else PORTS
    there = [{"ip": address} for address in sorted(addresses)]
    labels = {**(get(found, "metadata", "labels") or {}), SKIP_MIRROR: "true"}
    labelled = evolve(found, ("metadata", "labels"), freeze(labels))
    if not there:
        return without(labelled, ("subsets",))
    return evolve(labelled, ("subsets",), freeze([{"addresses": there, "ports": ports}]))


def endpoint_slice(source: Obj, before: Obj | None) -> Obj:
    """The EndpointSlice that says the same as the Endpoints *source*, in the place of *before*."""
    subset: Obj = next(iter(get(source, "subsets") or ()), {})
    addresses = [one["ip"] for one in subset.get("addresses", ())]
    said = {
        "addressType": "IPv6" if addresses and ":" in addresses[0] else "IPv4",
        "endpoints": [{"addresses": [one], "conditions": {"ready": True}} for one in addresses] or None,
        "ports": subset.get("ports"),
    }
    made = before or _new(ENDPOINT_SLICE.api_version, ENDPOINT_SLICE.kind)
    labels = freeze({SERVICE_NAME: NAME})
    return evolve_many(made, (("metadata", "labels"), labels), *(((key,), freeze(one)) for key, one in said.items()))


def _new(version: str, kind: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": NAME, "namespace": NAMESPACE}}
