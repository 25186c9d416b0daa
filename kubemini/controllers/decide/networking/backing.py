"""Which pods stand behind a Service, at which addresses and ports, and which changes of a pod matter to it. Pure.

Invariant: a pod that has run to its end stands behind nothing, nor does one that has no address yet.
Models k/endpointslice util ShouldPodBeInEndpoints, ShouldSetHostname, GetPodUpdateProjectionKey, GetServicesToUpdate
Models k/endpointslice . FindPort, getEndpointAddresses, getAddressTypesForService
"""

from collections.abc import Iterable

from kubemini.api import labels
from kubemini.api.kinds import SERVICE
from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import is_finished, is_ready, terminating
from kubemini.controllers.decide.controller import Facts, Key, key_of

IPV4, IPV6 = "IPv4", "IPv6"
HEADLESS = "service.kubernetes.io/headless"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


def has_endpoints(service: Obj) -> bool:
    """Whether anybody but people says what stands behind it."""
    return bool(service["spec"].get("selector")) and service["spec"].get("type") != "ExternalName"


def behind(service: Obj, pods: Iterable[Obj]) -> list[Obj]:
    """Those of *pods* (of its namespace) that its selector picks, whatever their state."""
    wanted = service["spec"]["selector"]
    return [pod for pod in pods if labels.contains(pod["metadata"].get("labels"), wanted)]


def stands(pod: Obj, leaving_too: bool) -> bool:
    """Whether *pod* can be an endpoint; *leaving_too*: even while it is being deleted."""
    has_address = get(pod, "status", "podIP") or get(pod, "status", "podIPs")
    return bool(has_address) and not is_finished(pod) and (leaving_too or not terminating(pod))


def hostname(pod: Obj, service: Obj) -> str:
    """The name under which DNS knows the endpoint, if the pod's subdomain is the Service; "" for none."""
    own = get(pod, "spec", "hostname", default="")
    return own if get(pod, "spec", "subdomain") == service["metadata"]["name"] else ""


def addresses(pod: Obj, family: str) -> list[str]:
    """The addresses of *pod* in one family; a status that names but one says it all."""
    named = [entry["ip"] for entry in get(pod, "status", "podIPs") or ()] or [get(pod, "status", "podIP", default="")]
    return [ip for ip in named if ip and (":" in ip) == (family == IPV6)]


def families(service: Obj) -> tuple[str, ...]:
    """The families of its endpoints; where none is named, that of its cluster IP, or both."""
    spec = service["spec"]
    if spec.get("ipFamilies"):
        return tuple(spec["ipFamilies"])
    if has_cluster_ip(service):
        return (IPV6 if ":" in spec["clusterIP"] else IPV4,)
    return IPV4, IPV6


def has_cluster_ip(service: Obj) -> bool:
    """Whether the Service is not headless."""
    return service["spec"].get("clusterIP", "") not in ("", "None")


def target_port(port: Obj, pod: Obj) -> int | None:
    """The number of the pod's port behind a port of a Service; None if the pod has no port of that name."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    sidecars = [one for one in pod["spec"].get("initContainers") or () if one.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for offered in container.get("ports") or ():
            if offered.get("name") == target and _protocol(offered) == _protocol(port):
                return int(offered["containerPort"])
    return None


def _protocol(port: Obj) -> str:
    return str(port.get("protocol", "TCP"))


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The Services whose selector picks a pod."""
    here, carried = facts.of_namespace(SERVICE, pod["metadata"]["namespace"]), pod["metadata"].get("labels")
    chosen = ((found, found["spec"].get("selector")) for found in here)
    return [key_of(found) for found, selector in chosen if selector and labels.contains(carried, selector)]


def of_change(old: Obj | None, new: Obj | None, facts: Facts) -> list[Key]:
    """The Services that a change of a pod concerns: if its labels alone changed, those that pick it no more, or now."""
    if old is None or new is None:
        return of_pod(new or old or {}, facts)
    changed = any(look(old) != look(new) for look in (terminating, is_ready, _ips))
    if _labels(old) == _labels(new) and _identity(old) == _identity(new):
        return of_pod(new, facts) if changed else []
    before, after = of_pod(old, facts), of_pod(new, facts)
    both = dict.fromkeys([*before, *after])
    return list(both) if changed else [key for key in both if (key in before) != (key in after)]


def _labels(pod: Obj) -> Obj:
    return pod["metadata"].get("labels") or {}


def _identity(pod: Obj) -> tuple[str | None, str | None]:
    return get(pod, "spec", "hostname"), get(pod, "spec", "subdomain")


def _ips(pod: Obj) -> list[str]:
    return [*addresses(pod, IPV4), *addresses(pod, IPV6)]


def of_slice(slice: Obj, facts: Facts) -> list[Key]:
    """The Service that a slice says it belongs to; Endpoints have the same name."""
    name = get(slice, "metadata", "labels", SERVICE_NAME)
    return [(slice["metadata"]["namespace"], name)] if name else []
