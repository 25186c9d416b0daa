"""What an API server says of the programs around it: a ComponentStatus. Pure.

The two programs are looked for at this server's own machine, at their usual ports, wherever they run; etcd is one,
however many members it has.
Models k/k pkg/registry/core/componentstatus REST.getComponentStatus HttpServer.DoServerCheck EtcdServer.DoServerCheck;
k/k pkg/registry/core/rest componentStatusStorage.serversToValidate
"""

from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.objects import Obj, freeze

PORTS = {"controller-manager": 10257, "scheduler": 10259}  # program → where it tells of its health
ETCD = "etcd-0"
NAMES = (*PORTS, ETCD)
OK, REFUSED = "ok", "connect: connection refused"
TOO_LATE = "net/http: TLS handshake timeout"
NOT_READY, NO_ANSWER = "etcd grpc connection not ready: context deadline exceeded", "context deadline exceeded"


def of_program(name: str, reached: bool, refused: bool) -> Obj:
    """The status of one that was *reached*; if not, *refused* says whether nobody listens there."""
    if reached:
        return _status(name, True, message=OK)
    address = f"127.0.0.1:{PORTS[name]}"
    why = f"dial tcp {address}: {REFUSED}" if refused else TOO_LATE
    return _status(name, False, message=f'Get "https://{address}/healthz": {why}')


def of_etcd(connected: bool, error: Any) -> Obj:
    """The status of etcd; *error*: what came of a read, None if all is well; *connected*: to some member at all."""
    if error is None:
        return _status(ETCD, True, message=OK)
    return _status(ETCD, False, error=NO_ANSWER if connected else NOT_READY)


def _status(name: str, healthy: bool, **said: str) -> Obj:
    condition = {"type": "Healthy", "status": str(healthy), **said}
    head = {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name}}
    return freeze({**head, "conditions": [condition]})


def listed(items: list[Obj]) -> Obj:
    """A list of *items*, which is of no revision."""
    return freeze({"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {}, "items": items})


def no_such_program(name: str) -> ApiError:
    """Nobody is called so."""
    about = freeze({"name": name, "kind": "componentstatus"})
    return ApiError(404, "NotFound", f'componentstatus "{name}" not found', about)
