"""The ServiceCIDRs that an API server knows of, and the ranges that they let it give. Pure.

Invariant: an address is given only by a ServiceCIDR that is Ready and not being deleted; one that nobody has judged yet
counts as Ready. Two ServiceCIDRs with the same range are one: it is ready if either is.
Models k/k pkg/registry/core/service/ipallocator MetaAllocator isReady
Models k/k pkg/controlplane/controller/defaultservicecidr Controller
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.kinds import SERVICE_CIDR
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.decide.allocation.ranges import family

DEFAULT_NAME = "kubernetes"
READY = "Kubernetes default Service CIDR is ready"


@dataclass(frozen=True, slots=True)
class Known:
    """What one server knows: *flag* is its --service-cluster-ip-range; *found* by key, as of *revision* (0: never)."""

    flag: tuple[str, ...]
    found: Mapping[str, Obj] = field(default_factory=dict)
    revision: int = 0

    @property
    def families(self) -> tuple[str, ...]:
        """The families of the cluster, the first is the default."""
        return tuple(family(cidr) for cidr in self.flag)

    def ready(self, of_family: str) -> list[str]:
        """The ranges of that family that give addresses, each once."""
        objects = self.found.values() if self.found else (default(self.flag, 0),)
        ready = [cidr for obj in objects if is_ready(obj) for cidr in get(obj, "spec", "cidrs") or ()]
        return [cidr for cidr in dict.fromkeys(ready) if family(cidr) == of_family]


def is_ready(obj: Obj) -> bool:
    """Whether a ServiceCIDR gives addresses."""
    conditions = get(obj, "status", "conditions") or ()
    said = next((condition["status"] for condition in conditions if condition["type"] == "Ready"), "True")
    return said == "True" and "deletionTimestamp" not in obj["metadata"]


def default(flag: tuple[str, ...], now: int) -> Obj:
    """The ServiceCIDR that every API server sees to, from its flag; *now* in µs."""
    condition: dict[str, Any] = {"type": "Ready", "status": "True", "lastTransitionTime": timestamp(now)}
    return freeze(
        {
            "apiVersion": SERVICE_CIDR.api_version,
            "kind": SERVICE_CIDR.kind,
            "metadata": {"name": DEFAULT_NAME},
            "spec": {"cidrs": list(flag)},
            "status": {"conditions": [{**condition, "reason": "", "message": READY}]},
        }
    )
