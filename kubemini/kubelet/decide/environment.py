"""What a container is told of Services when it starts, as environment variables: older than DNS, and fixed then. Pure.

Models k/k pkg/kubelet/envvars FromServices
Models k/k pkg/kubelet Kubelet.getServiceEnvVarMap
"""

from collections.abc import Iterable

from kubemini.api.objects import Obj

MASTER = ("default", "kubernetes")  # every pod is told of it


def environment(services: Iterable[Obj], namespace: str, links: bool = True) -> dict[str, str]:
    """The variables of a container of *namespace* that starts while these *services* exist.

    *links* is the pod's enableServiceLinks: without it only the API server's Service is told.
    """
    found: dict[str, str] = {}
    for service in services:
        meta, spec = service["metadata"], service["spec"]
        where = meta.get("namespace", "default")
        told = (where, meta["name"]) == MASTER or (links and where == namespace)
        if told and spec.get("clusterIP") not in (None, "", "None"):
            found |= _of(meta["name"], spec)
    return found


def _of(name: str, spec: Obj) -> dict[str, str]:
    host, ports, prefix = spec["clusterIP"], spec["ports"], _variable(name)
    found = {f"{prefix}_SERVICE_HOST": host, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            found[f"{prefix}_SERVICE_PORT_{_variable(port['name'])}"] = str(port["port"])
    for number, port in enumerate(ports):
        protocol = (port.get("protocol") or "TCP").lower()
        link = f"{protocol}://{f'[{host}]' if ':' in host else host}:{port['port']}"
        if not number:
            found[f"{prefix}_PORT"] = link
        one = f"{prefix}_PORT_{port['port']}_{protocol.upper()}"
        parts = {"_PROTO": protocol, "_PORT": str(port["port"]), "_ADDR": host}
        found |= {one: link} | {one + part: value for part, value in parts.items()}
    return found


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
