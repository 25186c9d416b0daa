"""A node that runs out of memory or disk ends pods to help itself: which, and what it says. Pure.

Who uses more than he asked for goes first, then who matters less, then who is furthest above what he asked for. One pod
at a time, and then a look whether that was enough.
Models k/k pkg/kubelet/eviction rankMemoryPressure rankDiskPressureFunc evictionMessage
managerImpl.localStorageEviction
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.api.quantity import in_bytes
from kubemini.kubelet.decide.pods.admission import is_critical
from kubemini.kubelet.decide.pods.runs import inits, mains

STORAGE, INODES, PROCESSES = "ephemeral-storage", "inodes", "pids"
SIGNALS = {  # what is reclaimed; in the order in which that is tried
    "memory.available": "memory",
    "nodefs.available": STORAGE,
    "imagefs.available": STORAGE,
    "nodefs.inodesFree": INODES,
    "imagefs.inodesFree": INODES,
    "pid.available": PROCESSES,
}
PRESSURES = dict.fromkeys(SIGNALS, "DiskPressure") | {
    "memory.available": "MemoryPressure",
    "pid.available": "PIDPressure",
}
BY_CONTAINER = ("memory", STORAGE)  # resources of which it is told what each container uses
REASON = "Evicted"
AT_ONCE = 1  # immediateEvictionGracePeriodSeconds
UNITS = ("", "Ki", "Mi", "Gi", "Ti")


class Using(NamedTuple):
    """What a pod uses of something, in bytes: by container, and in its volumes."""

    pod: Obj
    containers: Mapping[str, int]
    volumes: Mapping[str, int] = {}

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.containers.values()) + sum(self.volumes.values())


def asked(pod: Obj, resource: str) -> int:
    """Bytes that the containers of *pod* ask for."""
    return sum(in_bytes(get(one, "resources", "requests", resource)) for one in (*mains(pod), *inits(pod)))


def ranked(pods: Sequence[Using], resource: str) -> list[Using]:
    """Who goes first; critical pods never."""

    def rank(one: Using) -> tuple[bool, int, int, str]:
        above = one.total - asked(one.pod, resource)
        if resource == PROCESSES:
            return False, int(get(one.pod, "spec", "priority") or 0), -one.total, one.pod["metadata"]["uid"]
        return above <= 0, int(get(one.pod, "spec", "priority") or 0), -above, one.pod["metadata"]["uid"]

    return sorted((one for one in pods if not is_critical(one.pod)), key=rank)


def message(one: Using, signal: str, threshold: int, available: int) -> str:
    """Why a pod is evicted."""
    resource = SIGNALS[signal]
    said = f"The node was low on resource: {resource}. "
    number = shown if resource in BY_CONTAINER else str
    said += f"Threshold quantity: {number(threshold)}, available: {number(available)}. "
    for container in (*mains(one.pod), *inits(one.pod)) if resource in BY_CONTAINER else ():
        uses = one.containers.get(container["name"], 0)
        wanted = get(container, "resources", "requests", resource)
        if uses > in_bytes(wanted):
            said += f"Container {container['name']} was using {shown(uses)}, request is {wanted or 0}, "
            said += f"has larger consumption of {resource}. "
    return said


def shown(size: int) -> str:
    """Bytes as a quantity in powers of 1024."""
    power = 0
    while size and size % 1024 == 0 and power < len(UNITS) - 1:
        size, power = size // 1024, power + 1
    if not power:
        size, power = -(-size // 1024), 1
    return f"{size}{UNITS[power]}"


def on_disk(pod: Obj) -> set[str]:
    """The volumes of *pod* that count as its use of the disk. Models k/k pkg/volume/util IsLocalEphemeralVolume"""
    volumes = get(pod, "spec", "volumes") or ()
    of_disk = [one for one in volumes if get(one, "emptyDir") is not None and not get(one, "emptyDir", "medium")]
    return {one["name"] for one in (*of_disk, *(one for one in volumes if one.get("configMap")))}


def over_limit(one: Using) -> str:
    """Why a pod must go whose volumes or containers hold more than they may; "" if none do."""
    for volume in get(one.pod, "spec", "volumes") or ():
        limit = get(volume, "emptyDir", "sizeLimit")
        if limit and one.volumes.get(volume["name"], 0) > in_bytes(limit):
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
    limits = [get(one, "resources", "limits", "ephemeral-storage") for one in mains(one.pod)]
    total = sum(in_bytes(limit) for limit in limits)
    if all(limits) and one.total > total:
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {shown(total)}. "
    for container in mains(one.pod):
        limit = get(container, "resources", "limits", "ephemeral-storage")
        if limit and one.containers.get(container["name"], 0) > in_bytes(limit):
            return f'Container {container["name"]} exceeded its local ephemeral storage limit "{limit}". '
    return ""


def grace(pod: Obj, hard: bool, most: int) -> int:
    """Seconds that an evicted pod gets: *most* is evictionMaxPodGracePeriod, which counts for soft thresholds."""
    if hard:
        return AT_ONCE
    own = get(pod, "spec", "terminationGracePeriodSeconds")
    return most if own is None else min(most, int(own))
