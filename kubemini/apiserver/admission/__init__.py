"""Admission: what may come in at all, and what is written into it on the way. Pure, but for the luck of addresses.

NamespaceLifecycle (apiserver pkg/admission/plugin/namespace/lifecycle), DefaultTolerationSeconds (see `defaulting`),
cluster IPs and node ports (k/k pkg/registry/core/service/storage/alloc.go, --service-cluster-ip-range of kubeadm).
Simplified: the addresses in use are those of the Services that this server has heard of, so two servers that are asked
at the same instant could give one address twice.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import NAMESPACE, SERVICE, Kind
from kubemini.api.objects import Obj, evolve_many, freeze, get

if TYPE_CHECKING:
    from random import Random

SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
IMMORTAL = ("default", "kube-public", "kube-system")
NODE_PORTS = (30_000, 32_767)
NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # apimachinery util/rand: no vowels, so no words
LONGEST_BASE = 58


def may_come_in(kind: Kind, name: str, namespace: Obj | None, called: str) -> ApiError | None:
    """Why nothing new may be created in the namespace *called* so; *namespace* is None if there is none."""
    if namespace is None:
        return errors.not_found(NAMESPACE, called)
    if "deletionTimestamp" in namespace["metadata"]:
        return errors.namespace_terminating(kind, name, called)
    return None


def may_go(kind: Kind, name: str) -> ApiError | None:
    """Why it may not be deleted."""
    if kind == NAMESPACE and name in IMMORTAL:
        return errors.forbidden(kind, name, "this namespace may not be deleted")
    return None


def namespace(name: str) -> Obj:
    """A namespace that the server creates itself."""
    return freeze({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def generated(base: str, luck: "Random") -> str:
    """A name nobody has, most likely: *base* and five letters."""
    return base[:LONGEST_BASE] + "".join(luck.choices(NAME_LETTERS, k=5))


def uid(luck: "Random") -> str:
    """A random UUID (version 4)."""
    digits = f"{luck.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


# -- the addresses of a Service --------------------------------------------------------------------------------------
def allocate(service: Obj, others: Iterable[Obj], luck: "Random") -> "Obj | ApiError":
    """*service* with a cluster IP, and node ports if its type has some."""
    spec, others = service["spec"], list(others)
    if spec["type"] == "ExternalName":
        return service
    ips = [get(other, "spec", "clusterIP") for other in others]
    wanted = spec.get("clusterIP")
    if wanted and wanted != "None" and wanted in ips:
        return _taken(service, wanted)
    ip = wanted or _draw(lambda: f"10.{luck.randint(96, 111)}.{luck.randint(0, 255)}.{luck.randint(1, 254)}", ips)
    return evolve_many(
        service,
        (("spec", "clusterIP"), ip),
        (("spec", "clusterIPs"), [ip]),
        (("spec", "ports"), _ports(spec, others, luck)),
    )


def _taken(service: Obj, ip: str) -> ApiError:
    why = f'Invalid value: ["{ip}"]: failed to allocate IP {ip}: provided IP is already allocated'
    return errors.invalid(
        SERVICE, service["metadata"]["name"], [FieldError("FieldValueInvalid", "spec.clusterIPs", why)]
    )


def _ports(spec: Obj, others: list[Obj], luck: "Random") -> list[Obj]:
    if spec["type"] not in ("NodePort", "LoadBalancer"):
        return spec.get("ports", [])
    used = [port.get("nodePort") for other in others for port in get(other, "spec", "ports", default=())]
    ports = []
    for port in spec.get("ports", []):
        number = port.get("nodePort") or _draw(lambda: luck.randint(*NODE_PORTS), used)
        used.append(number)
        ports.append(evolve_many(port, (("nodePort",), number)))
    return ports


def _draw(draw: Callable[[], Any], used: list[Any]) -> Any:
    """The first that is not in use."""
    while (drawn := draw()) in used:
        pass
    return drawn
