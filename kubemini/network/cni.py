"""The CNI plugins of one host: bridge and host-local, and portmap behind them for a pod with host ports.

Invariant: whatever fails is undone with a DEL, as containerd does it; the files of host-local are on the disk, links
and rules in the kernel. A host that boots has none of its pods, and gives their addresses back.
Simplified: a call takes no time.
"""

import hashlib
from collections.abc import Container
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.host import Host
from kubemini.host.linux.podnetwork import NoNetwork, pod_cidrs
from kubemini.network.decide import cni

BRIDGE = {"cniVersion": "1.1.0", "name": "pods", "type": "bridge", "bridge": "cni0", "hairpinMode": True}
PORTMAP = {"cniVersion": "1.1.0", "name": "pods", "type": "portmap", "snat": True}
FILES = "cni"  # of the host's disk: {path: text}


class Plugins:
    """What the container runtime of *host* calls."""

    def __init__(self, host: Host):
        self.host = host
        self._refused = 0  # sandboxes that came to nothing

    @property
    def found(self) -> cni.Host:
        """The host as the plugins find it."""
        kernel = self.host.kernel
        if kernel.pod_network is None:
            files = self.host.disk.files.setdefault(FILES, {})
            kernel.pod_network = cni.Host(self.host.name, files=files, plugins=tuple(cni.PLUGINS))
        return kernel.pod_network

    def configuration(self) -> dict[str, Any]:
        """The network configuration of this host: its own range, and the way out through the bridge."""
        ipam = {"type": "host-local", "ranges": [[{"subnet": cidr}] for cidr in pod_cidrs(self.host)]}
        return BRIDGE | {"isDefaultGateway": True, "ipam": ipam}

    def add(self, pod: Obj) -> str:
        """ADD with bridge, then portmap: the pod's addresses. NoNetwork: in containerd's words."""
        uid, path = pod["metadata"]["uid"], _path(pod["metadata"]["uid"])
        self.found.pods[path] = cni.namespace(path)
        result: dict[str, Any] | None = None
        for config in self._chain(pod):
            code, answer = self._call("ADD", uid, config | ({"prevResult": result} if result else {}))
            if code:
                self.delete(pod)
                self._refused += 1
                said = f'plugin type="{config["type"]}" failed (add): {(answer or {})["msg"]}'
                raise NoNetwork(f'failed to setup network for sandbox "{_sandbox(uid, self._refused)}": {said}')
            result = answer
        return ",".join(str(ip["address"]).split("/")[0] for ip in (result or {})["ips"])

    def delete(self, pod: Obj) -> None:
        """DEL, the last plugin first; then the namespace goes."""
        uid = pod["metadata"]["uid"]
        for config in reversed(self._chain(pod)):
            self._call("DEL", uid, config)
        if _path(uid) in self.found.pods:
            self.found.remove_namespace(_path(uid))

    def collect(self, pods: Container[str]) -> None:
        """GC: addresses of pods that went with the power are free again."""
        held = [text.split()[0] for text in self.found.files.values() if "\r\n" in text]
        valid = [{"containerID": uid, "ifname": "eth0"} for uid in held if uid in pods]
        config = self.configuration() | {"cni.dev/valid-attachments": valid}
        cni.run("host-local", self.found, cni.Call("GC", config))

    def _chain(self, pod: Obj) -> list[dict[str, Any]]:
        ports = [
            port for c in pod["spec"]["containers"] for port in get(c, "ports", default=()) if port.get("hostPort")
        ]
        mappings = [
            {
                "hostPort": port["hostPort"],
                "containerPort": port["containerPort"],
                "protocol": port.get("protocol", "TCP").lower(),
                "hostIP": port.get("hostIP", ""),
            }
            for port in ports
        ]
        chained = [PORTMAP | {"runtimeConfig": {"portMappings": mappings}}] if mappings else []
        return [self.configuration(), *chained]

    def _call(self, command: str, uid: str, config: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        return cni.run(config["type"], self.found, cni.Call(command, config, uid, _path(uid)))


def _path(uid: str) -> str:
    return f"/var/run/netns/cni-{uid}"


def _sandbox(uid: str, number: int) -> str:
    """The id of a sandbox, another one at each try: 64 hexadecimal digits."""
    return hashlib.sha256(f"{uid}/{number}".encode()).hexdigest()
