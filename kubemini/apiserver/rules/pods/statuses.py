"""What may be said of how a pod is.

Models k/k pkg/apis/core/validation ValidatePodStatusUpdate, validatePodConditions, ValidateContainerStateTransition,
validatePodIPs, validateHostIPs; defaults: k/k pkg/apis/core/v1 SetDefaults_PodStatus.
Simplified: what is said of claims for devices, of users and of the health of volumes is not judged.
"""

from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.rules import causes
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, each, forbidden, invalid

SYSTEM = ("PodScheduled", "Ready", "Initialized")
NOT_COUNTED = "must be a non-negative integer"
BOUND = "may not be set on pods that are already bound to a node"
NOT_AGAIN = "may not be transitioned to non-terminated state"
BOTH = "podIP and podIPs must either both be set or both be unset"
ONE_EACH = "may specify no more than one IP for each IP family"


def status(new: Obj, old: Obj) -> Wrong:
    """The status of *new* as successor of that of *old*."""
    now, was = new.get("status") or {}, old.get("status") or {}
    yield from _conditions(now.get("conditions") or ())
    yield from _nominated(now.get("nominatedNodeName", ""), was.get("nominatedNodeName", ""), old)
    if now.get("observedGeneration", 0) < 0:
        yield invalid("status.observedGeneration", now["observedGeneration"], NOT_COUNTED)
    if now.get("qosClass", "") != was.get("qosClass", ""):
        yield invalid("status.qosClass", now.get("qosClass", ""), IMMUTABLE)
    for field, containers in (("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")):
        yield from _transitions(now.get(field) or (), was.get(field) or (), old["spec"], field, containers)
    yield from _pod_addresses(now, was)
    yield from _host_addresses(now, was)


def _conditions(conditions: Sequence[Obj]) -> Wrong:
    for number, condition in enumerate(conditions):
        where, type = f"status.conditions[{number}]", condition.get("type", "")
        if condition.get("observedGeneration", 0) < 0:
            yield invalid(f"{where}.observedGeneration", condition["observedGeneration"], NOT_COUNTED)
        if type not in SYSTEM:
            yield from each(names.qualified_name(type), f"{where}.Type", type)


def _nominated(now: str, was: str, old: Obj) -> Wrong:
    if now and now != was:
        yield from each(names.dns_subdomain(now), "status.nominatedNodeName", now)
        if get(old, "spec", "nodeName"):
            yield forbidden("status.nominatedNodeName", BOUND)


def _transitions(now: Sequence[Obj], was: Sequence[Obj], spec: Obj, field: str, containers: str) -> Wrong:
    """What has ended begins again only where it should."""
    if _all_may_restart(spec):
        return
    known = {container["name"]: container for container in spec.get(containers) or ()}
    for number, old in enumerate(was):
        ended = get(old, "state", "terminated")
        new = next((status for status in now if status.get("name") == old.get("name")), None)
        if ended is None or new is None or get(new, "state", "terminated") is not None:
            continue
        container = known.get(old.get("name", ""))
        first = containers == "initContainers"
        if container is None or not _may_restart(container, spec, ended.get("exitCode", 0), first):
            yield forbidden(f"status.{field}[{number}].state", NOT_AGAIN)


def _all_may_restart(spec: Obj) -> bool:
    rules = [
        rule
        for field in ("initContainers", "containers")
        for container in spec.get(field) or ()
        for rule in container.get("restartPolicyRules") or ()
    ]
    return any(rule.get("action") == "RestartAllContainers" for rule in rules)


def _may_restart(container: Obj, spec: Obj, code: int, first: bool) -> bool:
    """Models k/k pkg/api/v1/pod ContainerShouldRestart"""
    policy = container.get("restartPolicy")
    if policy is not None and any(_meant(rule, code) for rule in container.get("restartPolicyRules") or ()):
        return True
    policy = policy or spec.get("restartPolicy", "")
    return policy == "Always" or (policy == "OnFailure" and code != 0) or (first and policy != "Never" and code != 0)


def _meant(rule: Obj, code: int) -> bool:
    codes = rule.get("exitCodes") or {}
    return (code in (codes.get("values") or ())) == (codes.get("operator") == "In")


def _pod_addresses(now: Obj, was: Obj) -> Wrong:
    ips, before = _ips(now, "podIPs"), _ips(was, "podIPs")
    yield from _valid(ips, before, "status.podIPs")
    first = now.get("podIP", "")
    if bool(first) != bool(ips):
        yield invalid("status.podIPs", now.get("podIPs"), BOTH)
    elif ips and first != ips[0]:
        yield invalid("status.podIPs[0].ip", ips[0], "must be equal to `podIP`")


def _host_addresses(now: Obj, was: Obj) -> Wrong:
    ips = _ips(now, "hostIPs")
    if ips and now.get("hostIP", "") != ips[0]:
        yield invalid("status.hostIPs[0].ip", ips[0], "must be equal to `hostIP`")
    yield from _valid(ips, _ips(was, "hostIPs"), "status.hostIPs")


def _ips(status: Obj, field: str) -> list[str]:
    return [entry.get("ip", "") for entry in status.get(field) or ()]


def _valid(ips: Sequence[str], before: Sequence[str], path: str) -> Wrong:
    """Addresses, one of each family at most."""
    for number, ip in enumerate(ips):
        if ip not in before:
            yield from causes.ip(ip, f"{path}[{number}]")
    families = [getattr(causes.address(ip), "version", None) for ip in ips]
    if len(ips) > 1 and (len(ips) > 2 or families[0] == families[1]):
        yield invalid(path, [{"IP": ip} for ip in ips], ONE_EACH)


def in_step(obj: Obj) -> Obj:
    """*obj* whose one address and list of addresses say the same; the one is right."""
    one, ips = get(obj, "status", "podIP", default=""), _ips(obj.get("status") or {}, "podIPs")
    if one and (not ips or ips[0] != one):
        return evolve(obj, ("status", "podIPs"), [{"ip": one}])
    return evolve(obj, ("status", "podIP"), ips[0]) if ips and not one else obj
