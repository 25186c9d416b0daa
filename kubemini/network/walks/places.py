"""Names of places, as readers write them: pod/NAME, svc/NAME:PORT, node/NAME, outside, an address. Pure.

Invariant: a name that means nothing is answered with those that do; a port that a Service does not have
is no mistake here (what happens to it is what one wants to see), only one without a number is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from kubemini.api.objects import Obj
from kubemini.network.walks.ground import OUTSIDE

FORMS = "pod/NAME, pod/NAMESPACE/NAME, node/NAME, outside, svc/NAME:PORT or ADDRESS:PORT"
DEFAULT_PORT = 80


@dataclass(frozen=True, slots=True)
class Place:
    """Where a packet starts, or goes: the namespace that holds it (senders), its address and port."""

    said: str
    namespace: str = ""
    ip: str = ""
    port: int = 0
    protocol: str = ""


@dataclass(slots=True)
class Places:
    """All that can be named: pods as ``namespace/name`` → address, nodes, Services."""

    pods: Mapping[str, str]
    nodes: Mapping[str, str]
    services: Mapping[str, Obj]
    homes: Mapping[str, str] = field(default_factory=dict)  # pod → its network namespace

    def sender(self, text: str) -> Place:
        """Where a packet starts. ValueError: it is none."""
        kind, _, name = text.partition("/")
        if text == OUTSIDE:
            return Place(text, OUTSIDE)
        if kind == "pod" and name:
            found = self._pod(name)
            return Place(f"pod/{found}", self.homes[found], self.pods[found])
        if kind == "node" and name:
            return Place(text, self._known("node", name, self.nodes), self.nodes[name])
        raise ValueError(f"a packet cannot start at {text!r}: say pod/NAME, node/NAME or outside")

    def target(self, text: str, outside: bool = False) -> Place:
        """Where a packet goes; a Service from *outside* by its outermost door. ValueError: nowhere."""
        kind, slash, rest = text.partition("/")
        if not slash:
            return self._address(text)
        name, colon, port = rest.partition(":")
        if kind in {"svc", "service"}:
            return self._service(text, name, port if colon else "", outside)
        number = self._number(port if colon else str(DEFAULT_PORT))
        if kind == "pod":
            found = self._pod(name)
            return Place(f"pod/{found}:{number}", "", self.pods[found], number)
        if kind == "node":
            return Place(text, "", self.nodes[self._known("node", name, self.nodes)], number)
        raise ValueError(f"{text!r} is no place: say {FORMS}")

    def _pod(self, name: str) -> str:
        """``namespace/name`` of a pod; the first of a Deployment's, if *name* is the Deployment's."""
        full = name if "/" in name else f"default/{name}"
        if full in self.pods:
            return full
        begun = [pod for pod in sorted(self.pods) if pod.startswith(f"{full}-")]
        return begun[0] if begun else self._known("pod", full, self.pods)

    def _known(self, kind: str, name: str, known: Mapping[str, Any]) -> str:
        if name in known:
            return name
        there = ", ".join(f"{kind}/{n.removeprefix('default/')}" for n in sorted(known))
        short = name.removeprefix("default/")
        raise ValueError(f"there is no {kind}/{short}; there are: {there or 'none'}")

    def _address(self, text: str) -> Place:
        """``10.0.0.1:80`` or ``[fd00::1]:80``."""
        address, colon, port = text.rpartition(":")
        try:
            ip_address(address.strip("[]"))
        except ValueError:
            raise ValueError(f"{text!r} is no place: say {FORMS}") from None
        return Place(text, "", address.strip("[]"), self._number(port if colon else ""))

    def _number(self, text: str) -> int:
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise ValueError(f"{text!r} is no port: give a number from 1 to 65535")
        return int(text)

    def _service(self, text: str, name: str, port: str, outside: bool) -> Place:
        full = name if "/" in name else f"default/{name}"
        spec = self.services[self._known("svc", full, self.services)].get("spec") or {}
        ports = spec.get("ports") or [{}]
        wanted = next((p for p in ports if port in (p.get("name"), str(p.get("port")))), None)
        if not port:
            wanted = ports[0]
        number = wanted["port"] if wanted and "port" in wanted else 0
        if not number:
            number = self._port_of(text, port, ports)
        protocol = (wanted or ports[0]).get("protocol", "TCP")
        ip, number = self._door(text, full, spec, wanted, number, outside)
        return Place(f"{text} ({ip}:{number})", "", ip, number, protocol)

    def _port_of(self, text: str, port: str, ports: Any) -> int:
        """A port that the Service does not have, by its number."""
        if port.isdigit():
            return self._number(port)
        names = ", ".join(str(p.get("name") or p.get("port")) for p in ports)
        raise ValueError(f"{text}: there is no port {port!r}; there are: {names}")

    def _door(self, text: str, full: str, spec: Any, wanted: Any, number: int, outside: bool) -> tuple[str, int]:
        """Address and port by which a Service is reached."""
        if spec.get("type") == "ExternalName":
            raise ValueError(f"{text} is an ExternalName: only a name, no address; ask DNS for it")
        if outside:
            status = self.services[full].get("status") or {}
            ingress = (status.get("loadBalancer") or {}).get("ingress") or ()
            for ip in [*(i.get("ip") for i in ingress), *(spec.get("externalIPs") or ())]:
                return ip, number
            if wanted and wanted.get("nodePort"):
                return next(iter(self.nodes.values())), wanted["nodePort"]
        ip = spec.get("clusterIP") or ""
        if ip in ("", "None"):
            raise ValueError(f"{text} is headless: it has no address; send to one of its pods")
        return ip, number
