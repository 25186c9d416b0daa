"""/log, /exec, /attach, /portforward and /proxy: which container, which node, which address; or why none. Pure.

All of these end at somebody else: a kubelet, or a program behind an address. What is decided here is who that is.
Models k/k pkg/registry/core/pod LogLocation streamLocation PortForwardLocation ResourceLocation validateContainer,
pkg/registry/core/node ResourceLocation, pkg/registry/core/service/storage REST.ResourceLocation, pkg/util/node
GetPreferredNodeAddress, pkg/apis/core/validation ValidatePodLogOptions; k/apimachinery pkg/util/net
SplitSchemeNamePort.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, NamedTuple

from kubemini.api import errors, gotime
from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD
from kubemini.api.names import host_port
from kubemini.api.objects import Obj, get
from kubemini.apiserver.decide.options import whole_number
from kubemini.apiserver.decide.request import first
from kubemini.apiserver.rules.causes import NEGATIVE, forbidden, invalid

KUBELET = 10250  # --kubelet-port
LOG_NUMBERS = ("tailLines", "limitBytes", "sinceSeconds")
POSITIVE = "must be greater than 0"
NOT_ALLOWED = "address not allowed"
BROADCAST = "255.255.255.255"


class Target(NamedTuple):
    """Whom a path names: ``https:web:8443`` is the scheme, the name and the port."""

    scheme: str
    name: str
    port: str


def target(text: str, what: str) -> "Target | ApiError":
    """The target that *text* names; *what* (pod, node, service) is for the refusal."""
    parts = text.split(":")
    found = {
        1: lambda: Target("", parts[0], ""),
        2: lambda: Target("", *parts),
        3: lambda: Target(*parts),
    }.get(len(parts))
    one = found() if found is not None else None
    if one is None or not one.name or one.scheme not in ("", "http", "https"):
        return errors.bad_request(f'invalid {what} request "{text}"')
    return one


# -- the containers of a pod -------------------------------------------------------------------------------------------


def wrong_log_options(name: str, query: Mapping[str, Any]) -> ApiError | None:
    """Why nobody can ask for a log so, or None."""
    numbers: dict[str, int] = {}
    for field in LOG_NUMBERS:
        text = first(query, field)
        number = whole_number(text) if text else None
        if isinstance(number, str):
            return errors.bad_request(number)
        if number is not None:
            numbers[field] = number
    since = first(query, "sinceTime")
    if since and gotime.problem(since, gotime.RFC3339):
        return errors.bad_request(gotime.problem(since, gotime.RFC3339))
    found = []
    if numbers.get("tailLines", 0) < 0:
        found.append(invalid("tailLines", numbers["tailLines"], NEGATIVE))
    if numbers.get("limitBytes", 1) < 1:
        found.append(invalid("limitBytes", numbers["limitBytes"], POSITIVE))
    if "sinceSeconds" in numbers and since:
        found.append(forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif numbers.get("sinceSeconds", 1) < 1:
        found.append(invalid("sinceSeconds", numbers["sinceSeconds"], POSITIVE))
    if first(query, "stream"):
        found.append(forbidden("stream", "may not be specified"))
    return errors.invalid(replace(POD, kind="PodLogOptions"), name, found) if found else None


def container(pod: Obj, asked: str) -> "str | ApiError":
    """The container that is meant: the one that is *asked* for, or the only one."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    everyone = [c["name"] for f in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(f) or ()]
    if asked:
        return asked if asked in everyone else errors.bad_request(f"container {asked} is not valid for pod {name}")
    if len(spec["containers"]) == 1:
        return str(spec["containers"][0]["name"])
    text = f"a container name must be specified for pod {name}"
    return errors.bad_request(f"{text}, choose one of: [{' '.join(everyone)}]" if spec["containers"] else text)


def no_host(pod: str) -> ApiError:
    """400: it runs nowhere yet."""
    return errors.bad_request(f"pod {pod} does not have a host assigned")


# -- addresses ---------------------------------------------------------------------------------------------------------


def of_node(node: Obj, preferred: Sequence[str]) -> "str | ApiError":
    """Address and port of the kubelet of *node*; *preferred*: types of addresses."""
    known = get(node, "status", "addresses", default=())
    port = get(node, "status", "daemonEndpoints", "kubeletEndpoint", "Port", default=0) or KUBELET
    for type in preferred:
        for address in known:
            if address["type"] == type:
                return host_port(address["address"], port)
    shown = " ".join(f"{{{address['type']} {address['address']}}}" for address in known)
    return errors.failed(f"no preferred addresses found; known addresses: [{shown}]")


def of_proxied_node(address: str, port: str) -> "str | ApiError":
    """Where a request for a node is passed on to, whose kubelet is at *address*: not to this server's own machine."""
    host = address.rpartition(":")[0].strip("[]")
    if (host[:1].isdigit() or ":" in host) and not is_routable(host):
        return errors.bad_request(NOT_ALLOWED)
    return host_port(host, port) if port else address


def proxied_path(path: str) -> str:
    """What is behind /proxy in *path*: "" is nothing at all, and no slash."""
    parts = path.split("/")
    rest = parts[8 if parts[3] == "namespaces" else 6 :]
    return "/" + "/".join(rest) if rest else ""


def of_pod(pod: Obj, port: str, scheme: str) -> "str | ApiError":
    """Address and port behind which a pod is."""
    addresses = get(pod, "status", "podIPs", default=()) or ()
    ip = addresses[0]["ip"] if addresses else get(pod, "status", "podIP", default="")
    if not is_routable(ip):
        return errors.bad_request(NOT_ALLOWED)
    ports = [p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports") or ()]
    return host_port(ip, port or (str(ports[0]) if ports else _default(scheme)))


def port_name(service: Obj, number: int) -> "str | ApiError":
    """The name of the port *number* of *service*."""
    for port in get(service, "spec", "ports", default=()):
        if port["port"] == number:
            return str(port.get("name", ""))
    name = service["metadata"]["name"]
    return errors.unavailable(f'no service port {number} found for service "{name}"')


def of_service(name: str, slices: Iterable[Obj], port: str) -> "str | ApiError":
    """Address and port of the first endpoint of a Service that is ready and has *port*."""
    ready = (address for conditions, address in _ends(slices, port) if conditions.get("ready", True))
    return next(ready, None) or errors.unavailable(f'no endpoints available for service "{name}"')


def behind_cluster_ip(slices: Iterable[Obj], port: str) -> str:
    """Where a kernel deals a connection to the cluster IP: somebody ready, or else on his way out; "" if nobody is.

    Models k/k pkg/proxy CategorizeEndpoints
    """
    ends = list(_ends(slices, port))
    ready = [address for conditions, address in ends if conditions.get("ready", True)]
    leaving = [address for conditions, address in ends if conditions.get("serving") and conditions.get("terminating")]
    return next(iter(ready or leaving), "")


def _ends(slices: Iterable[Obj], port: str) -> Iterator[tuple[Obj, str]]:
    """Conditions and address, with the port, of every endpoint that has *port*."""
    for slice in slices:
        for one in slice.get("ports") or ():
            if one.get("name", "") == port:
                for endpoint in slice.get("endpoints") or ():
                    yield get(endpoint, "conditions") or {}, host_port(endpoint["addresses"][0], one["port"])


def is_routable(address: str) -> bool:
    """Whether *address* is one of a machine among others: no loopback, no link's own, no group's."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or str(ip) == BROADCAST)


def number(port: str) -> int | None:
    """The number that *port* is, or None if it is a name."""
    return int(port) if re.fullmatch("[0-9]+", port) else None


def _default(scheme: str) -> str:
    return "443" if scheme == "https" else "80"


def refused(address: str) -> str:
    """The words of a connection that is refused."""
    return f"dial tcp {address}: connect: connection refused"
