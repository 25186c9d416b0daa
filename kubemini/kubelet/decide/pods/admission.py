"""Whether a kubelet takes a pod that it is given, and what it says if not. Pure.

The scheduler has asked most of this before; who names a node by hand has not. A pod that is refused has failed.
Models k/k pkg/kubelet/lifecycle predicateAdmitHandler.Admit generalFilter InsufficientResourceError
Models k/k pkg/kubelet/sysctl patternAllowlist.Admit; k/k pkg/kubelet/eviction managerImpl.Admit
Models k/k pkg/kubelet/preemption CriticalPodAdmissionHandler.HandleAdmissionFailure, getPodsToPreempt
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.api.placement import nodeselection
from kubemini.api.placement.tolerations import untolerated
from kubemini.api.quantity import in_bytes, millicores
from kubemini.api.usage.pods import requests
from kubemini.kubelet.decide.pods.runs import inits, mains
from kubemini.kubelet.decide.pods.staticpods import is_static

CRITICAL = 2_000_000_000  # the priority from which a pod is critical
SAFE = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)


class Refusal(NamedTuple):
    """Why not. *short*: {resource: how much is missing}, if that is all that keeps it out."""

    reason: str
    message: str
    short: Mapping[str, int] = {}


class Place(NamedTuple):
    """Where a pod is to go: a node with *others*, its *pressures* (MemoryPressure …), unsafe *sysctls* it allows."""

    node: Obj
    others: Sequence[Obj]
    pressures: Sequence[str] = ()
    sysctls: Sequence[str] = ()
    going: bool = False  # the machine shuts down


def refusal(pod: Obj, place: Place) -> Refusal | None:
    """Why the kubelet at *place* does not take *pod*."""
    checks = (_pressed, _os, short_of, _selected, _ports, _tainted, _sysctl, _apparmor, _going)
    return next((found for check in checks if (found := check(pod, place)) is not None), None)


def _pressed(pod: Obj, place: Place) -> Refusal | None:
    if not place.pressures or is_critical(pod):
        return None
    if list(place.pressures) == ["MemoryPressure"]:
        best_effort = get(pod, "status", "qosClass") == "BestEffort"
        tolerated = any(one.get("key") == "node.kubernetes.io/memory-pressure" for one in tolerations(pod))
        if not best_effort or tolerated:
            return None
    return Refusal("Evicted", f"The node had condition: [{' '.join(place.pressures)}]. ")


def _os(pod: Obj, place: Place) -> Refusal | None:
    wanted = get(pod, "spec", "nodeSelector") or {}
    if "kubernetes.io/os" in wanted and wanted["kubernetes.io/os"] != "linux":
        text = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
        return Refusal("PodOSSelectorNodeLabelDoesNotMatch", text)
    if get(pod, "spec", "os", "name", default="linux") != "linux":
        return Refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
    return None


def short_of(pod: Obj, place: Place) -> Refusal | None:
    """Why *pod* does not fit beside the others, if it does not."""
    has = get(place.node, "status", "allocatable") or {}
    short: dict[str, tuple[int, int, int]] = {}
    if "pods" in has and len(place.others) + 1 > int(has["pods"]):
        short["pods"] = (1, len(place.others), int(has["pods"]))
    asked = amounts(pod)
    for name in asked:
        if name in has and asked[name]:
            used, capacity = sum(amounts(other).get(name, 0) for other in place.others), amount(name, has[name])
            if asked[name] > capacity - used:
                short[name] = (asked[name], used, capacity)
    if not short:
        return None
    name, (wanted, used, capacity) = next(iter(short.items()))
    text = f"Node didn't have enough resource: {name}, requested: {wanted}, used: {used}, capacity: {capacity}"
    missing = {name: wanted - (capacity - used) for name, (wanted, used, capacity) in short.items()}
    return Refusal(f"OutOf{name}", text, missing)


def amounts(pod: Obj) -> dict[str, int]:
    """What *pod* asks for, in the units of `amount`."""
    return {name: amount(name, str(value)) for name, value in requests(pod).items()}


def amount(name: str, text: str) -> int:
    """Thousandths of cpu, and whole units of all else."""
    return millicores(text) if name == "cpu" else in_bytes(text)


def _selected(pod: Obj, place: Place) -> Refusal | None:
    if nodeselection.matches(pod, place.node):
        return None
    return Refusal("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")


def _ports(pod: Obj, place: Place) -> Refusal | None:
    taken = [port for other in place.others for port in _host_ports(other)]
    if not any(_clash(mine, theirs) for mine in _host_ports(pod) for theirs in taken):
        return None
    text = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
    return Refusal("NodePorts", text)


def _host_ports(pod: Obj) -> list[tuple[str, str, int]]:
    containers = [*mains(pod), *(one for one in inits(pod) if one.get("restartPolicy") == "Always")]
    found = (port for one in containers for port in one.get("ports") or () if port.get("hostPort"))
    return [(port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", port["hostPort"]) for port in found]


def _clash(mine: tuple[str, str, int], theirs: tuple[str, str, int]) -> bool:
    return mine[1:] == theirs[1:] and (mine[0] == theirs[0] or "0.0.0.0" in (mine[0], theirs[0]))


def _tainted(pod: Obj, place: Place) -> Refusal | None:
    if untolerated(get(place.node, "spec", "taints") or (), tolerations(pod), ("NoExecute",)) is None:
        return None
    text = "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
    return Refusal("TaintToleration", text)


def tolerations(pod: Obj) -> Sequence[Obj]:
    """What taints it puts up with."""
    return tuple(get(pod, "spec", "tolerations") or ())


def _sysctl(pod: Obj, place: Place) -> Refusal | None:
    for one in get(pod, "spec", "securityContext", "sysctls") or ():
        name = one["name"].replace("/", ".")
        if name not in (*SAFE, *place.sysctls):
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted')
    return None


def _apparmor(pod: Obj, place: Place) -> Refusal | None:
    """The simulated hosts have no AppArmor."""
    contexts = [get(pod, "spec", "securityContext"), *(one.get("securityContext") for one in mains(pod))]
    profiles = [get(one, "appArmorProfile", "type", default="Unconfined") for one in contexts if one]
    if all(type in ("Unconfined", "RuntimeDefault") for type in profiles):
        return None
    return Refusal("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")


def _going(pod: Obj, place: Place) -> Refusal | None:
    text = "Pod was rejected as the node is shutting down."
    return Refusal("NodeShutdown", text) if place.going else None


def is_critical(pod: Obj) -> bool:
    """Whether others may have to go for it. Models k/k pkg/kubelet/types IsCriticalPod"""
    return is_static(pod) or int(get(pod, "spec", "priority") or 0) >= CRITICAL


def victims(pod: Obj, short: Mapping[str, int], others: Sequence[Obj]) -> list[Obj]:
    """Which of *others* must end so that critical *pod* has what it is *short* of; none if that would not help.

    Those of the lowest kind first: BestEffort, Burstable, Guaranteed; of one kind the smallest that are enough.
    """
    classes = ("BestEffort", "Burstable", "Guaranteed")
    left, found = dict(short), list[Obj]()
    ours = int(get(pod, "spec", "priority") or 0)
    lower = [one for one in others if int(get(one, "spec", "priority") or 0) < ours and not is_critical(one)]
    for kind in classes:
        mine = [one for one in lower if get(one, "status", "qosClass", default="BestEffort") == kind]
        while mine and any(missing > 0 for missing in left.values()):
            best = min(mine, key=lambda one: _distance(one, left))
            mine.remove(best)
            found.append(best)
            given = amounts(best) | {"pods": 1}
            left = {name: missing - given.get(name, 0) for name, missing in left.items()}
    return found if all(missing <= 0 for missing in left.values()) else []


def _distance(pod: Obj, short: Mapping[str, int]) -> float:
    given = amounts(pod) | {"pods": 1}
    parts = (max(0, missing - given.get(name, 0)) / missing for name, missing in short.items() if missing > 0)
    return sum(part * part for part in parts)
