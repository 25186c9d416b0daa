"""The Node and Lease of one host, as its kubelet writes them. Pure.

Models k/k pkg/kubelet/nodestatus ReadyCondition
Models k/k pkg/kubelet Kubelet.initialNode
Simplified: every worker has the same size; the kubelet writes podCIDR, which really is the controller-manager's work.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api.kinds import LEASE, NODE
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.quantity import in_bytes
from kubemini.api.timestamps import micro_timestamp, timestamp
from kubemini.sim.units import SECOND

CAPACITY = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "40Gi"}  # ours
KUBELET = 10250  # the port of its server
FEATURES = ["ExtendWebSocketsToKubelet", "RestartAllContainersOnContainerExits"]  # of those of a kubelet 1.37
Thresholds = Mapping[str, int | str]  # of eviction; signal: an amount, a quantity, or a share such as 10%
HARD: Thresholds = {  # evictionHard by default, pkg/kubelet/eviction defaults_linux.go
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
}
INODE = 16 << 10  # bytes of a disk for each of its inodes: mke2fs.conf inode_ratio
PIDS = 32768  # kernel.pid_max of a small machine
PRESSED = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    "PIDPressure": ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}
BEGINNING = (  # Events of a kubelet that starts
    ("Normal", "Starting", "Starting kubelet."),
    ("Warning", "InvalidDiskCapacity", "invalid capacity 0 on image filesystem"),
)
ENFORCED = ("Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")
LEASE_NAMESPACE = "kube-node-lease"
PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def node(
    name: str,
    zone: str,
    pod_cidrs: Sequence[str],
    addresses: Sequence[str],
    now: int,
    capacity: Mapping[str, str],
    kept: Thresholds = HARD,
    troubles: Sequence[str] = (),
) -> Obj:
    """The Node that a new host registers; *addresses* are its own, one of each family of its pods' ranges."""
    machine = {"os": "linux", "arch": "amd64"}
    labels = {f"{beta}kubernetes.io/{what}": value for beta in ("", "beta.") for what, value in machine.items()}
    labels |= {"kubernetes.io/hostname": name} | ({"topology.kubernetes.io/zone": zone} if zone else {})
    return freeze(
        {
            "apiVersion": NODE.api_version,
            "kind": NODE.kind,
            "metadata": {"name": name, "labels": labels},
            "spec": {"podCIDR": pod_cidrs[0], "podCIDRs": list(pod_cidrs)},
            "status": status(name, addresses, {}, now, capacity, troubles=troubles, kept=kept),
        }
    )


def status(
    name: str,
    addresses: Sequence[str],
    before: Obj,
    now: int,
    capacity: Mapping[str, str],
    pressures: Sequence[str] = (),
    troubles: Sequence[str] = (),
    kept: Thresholds = HARD,
) -> dict[str, Any]:
    """``node.status`` of a host; *before* is the status the API server has, *pressures* are those that hold.

    *troubles*: what keeps it from being ready; *kept*: what hard eviction keeps free.
    """
    return {
        "capacity": capacity,
        "allocatable": allocatable(capacity, kept),
        "conditions": [
            *(_condition(before, *_pressure(pressed, pressures), now) for pressed in PRESSURES),
            _condition(before, "Ready", *_readiness(troubles), now),
        ],
        "addresses": [
            *({"type": "InternalIP", "address": address} for address in addresses),
            {"type": "Hostname", "address": name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET}},
        "nodeInfo": _info(name),
        "declaredFeatures": FEATURES,
    }


def _readiness(troubles: Sequence[str]) -> tuple[str, str, str]:
    """status, reason and message of Ready. Models k/apimachinery pkg/util/errors aggregate.Error"""
    if not troubles:
        return "True", "KubeletReady", "kubelet is posting ready status"
    return "False", "KubeletNotReady", troubles[0] if len(troubles) == 1 else f"[{', '.join(troubles)}]"


def allocatable(capacity: Mapping[str, str], kept: Thresholds = HARD) -> dict[str, str]:
    """What is left for pods: less what hard eviction keeps free, usually 100Mi of memory and a tenth of the disk."""
    left = dict(capacity)
    for signal, name in (("memory.available", "memory"), ("nodefs.available", "ephemeral-storage")):
        size = in_bytes(capacity[name])
        left[name] = str(size - least(kept.get(signal, 0), size))
    return left | {"memory": f"{int(left['memory']) // 1024}Ki"}


def least(threshold: int | str, whole: int) -> int:
    """The amount that a threshold of eviction stands for, where there is *whole* of it."""
    if isinstance(threshold, str) and threshold.endswith("%"):
        return int(whole * float(threshold[:-1]) / 100)
    return threshold if isinstance(threshold, int) else in_bytes(threshold)


def _pressure(usual: tuple[str, str, str], pressures: Sequence[str]) -> tuple[str, str, str, str]:
    """type, status, reason and message of one of `PRESSURES`."""
    type, reason, message = usual
    return (type, "True", *PRESSED[type]) if type in pressures else (type, "False", reason, message)


def words(pressures: Sequence[str]) -> list[str]:
    """What Events call the conditions."""
    found = []
    for type, reason, _ in PRESSURES:
        found.append("Node" + (PRESSED[type][0] if type in pressures else reason).removeprefix("Kubelet"))
    return found


def reference(name: str) -> Obj:
    """A Node as an Event of its kubelet names it."""
    return freeze({"apiVersion": NODE.api_version, "kind": NODE.kind, "metadata": {"name": name, "uid": name}})


def _condition(before: Obj, type: str, status: str, reason: str, message: str, now: int) -> dict[str, str]:
    same = [c for c in get(before, "conditions") or () if c["type"] == type and c["status"] == status]
    stamp = timestamp(now)
    return {
        "type": type,
        "status": status,
        "lastHeartbeatTime": stamp,
        "lastTransitionTime": same[0].get("lastTransitionTime", stamp) if same else stamp,
        "reason": reason,
        "message": message,
    }


def _info(name: str) -> dict[str, str]:
    return {
        "machineID": name,
        "systemUUID": name,
        "bootID": name,
        "kernelVersion": "6.12",
        "osImage": "kubemini",
        "containerRuntimeVersion": "containerd://2.1.0",
        "kubeletVersion": "v1.37.0",
        "kubeProxyVersion": "v1.37.0",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }


def is_ready(node: Obj) -> bool:
    """Whether the API says that the node is ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in get(node, "status", "conditions") or ())


def lease(name: str, duration: int, now: int) -> Obj:
    """The Lease that is a node's heartbeat."""
    return freeze(
        {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": name, "namespace": LEASE_NAMESPACE},
            "spec": {
                "holderIdentity": name,
                "leaseDurationSeconds": duration // SECOND,
                "renewTime": micro_timestamp(now),
            },
        }
    )
