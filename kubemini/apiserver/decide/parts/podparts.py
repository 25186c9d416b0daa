"""/resize and /ephemeralcontainers: the two places where what runs in a pod may still change. Pure.

A write through one of them changes that part and nothing else; all else of what is sent is dropped in silence.
Models k/k pkg/registry/core/pod podResizeStrategy podEphemeralContainersStrategy, pkg/apis/core/validation
ValidatePodResize ValidatePodEphemeralContainersUpdate validateEphemeralContainers.
Simplified: resources of the pod as a whole are not resized.
"""

from kubemini.api.objects import Obj, evolve, freeze, get, without
from kubemini.apiserver.rules import podspec
from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid
from kubemini.apiserver.rules.gostructs import difference
from kubemini.apiserver.rules.pods import volumes as ofpods
from kubemini.apiserver.rules.pods.ephemeral import ephemeral_containers
from kubemini.apiserver.served import Part

MIRROR = "kubernetes.io/config.mirror"
RESIZED = ("resources", "resizePolicy")
MUTABLE = ("cpu", "memory")
ONLY_AMOUNTS = "only cpu and memory resources are mutable"


# -- resize ------------------------------------------------------------------------------------------------------------


def _resized(new: Obj, old: Obj) -> Obj:
    """*old* with the resources of *new*; *new* as it is if containers were added, renamed or moved."""
    spec = old["spec"]
    for field in ("containers", "initContainers"):
        wanted, there = new["spec"].get(field) or (), old["spec"].get(field) or ()
        if [one["name"] for one in wanted] != [one["name"] for one in there]:
            return evolve(old, ("spec",), {**old["spec"], field: wanted})
        if there:
            spec = evolve(spec, (field,), [_with_amounts(was, now) for was, now in zip(there, wanted, strict=True)])
    return evolve(old, ("spec",), spec)


def _with_amounts(was: Obj, now: Obj) -> Obj:
    kept = {key: value for key, value in was.items() if key not in RESIZED}
    return freeze({**kept, **{key: now[key] for key in RESIZED if key in now}})


def _wrong_resize(new: Obj, old: Obj) -> Wrong:
    if MIRROR in (old["metadata"].get("annotations") or {}):
        yield forbidden("[]", "static pods cannot be resized")
        return
    before, after = (podspec.qos_class(pod["spec"]) for pod in (old, new))
    if get(old, "status", "qosClass", default=before) != after:
        shown_class = get(new, "status", "qosClass", default=before)
        yield invalid("spec", shown_class, "Pod QOS Class may not change as a result of resizing")
    if not _supported(old):
        yield forbidden("spec", "Pod running on node without support for resize")
    moved = [*_moved(new, old)]
    yield from moved
    if not moved:
        for field in ("initContainers", "containers"):
            for number, was in enumerate(old["spec"].get(field) or ()):
                yield from _removed(new["spec"][field][number], was, f"spec.{field}[{number}].resources")
        yield from _immutable(new, old)


def _supported(pod: Obj) -> bool:
    """Whether the node that runs it tells of resources; one that runs nothing may."""
    for status in get(pod, "status", "containerStatuses", default=()):
        if get(status, "state", "running") is not None:
            return "resources" in status
    return True


def _moved(new: Obj, old: Obj) -> Wrong:
    for field in ("containers", "initContainers"):
        now, was = new["spec"].get(field) or (), old["spec"].get(field) or ()
        if len(now) != len(was):
            yield forbidden(f"spec.{field}", f"{field} may not be added or removed on resize")
            continue
        for number, (one, other) in enumerate(zip(now, was, strict=True)):
            if one["name"] != other["name"]:
                where = f"spec.{field}[{number}].name"
                yield forbidden(where, f"{field} may not be renamed or reordered on resize")


def _removed(now: Obj, was: Obj, path: str) -> Wrong:
    for part in ("requests", "limits"):
        before, after = (get(one, "resources", part) or {} for one in (was, now))
        if any(name not in after for name in before):
            yield forbidden(f"{path}.{part}", f"resource {part} cannot be removed")


def _immutable(new: Obj, old: Obj) -> Wrong:
    """All but cpu and memory."""
    for number, was in enumerate(old["spec"]["containers"]):
        if _bare(new["spec"]["containers"][number]) != _bare(was):
            yield forbidden("spec", ONLY_AMOUNTS)
    for number, was in enumerate(old["spec"].get("initContainers") or ()):
        now, where = new["spec"]["initContainers"][number], f"spec.initContainers[{number}]"
        if _bare(now) != _bare(was):
            yield forbidden(where, "only cpu and memory resources for init or sidecar containers are mutable")
        restarts = any(policy.get("restartPolicy") == "RestartContainer" for policy in now.get("resizePolicy") or ())
        if now != was and now.get("restartPolicy") != "Always" and restarts:
            text = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
            yield forbidden(where, text)


def _bare(container: Obj) -> Obj:
    """*container* without the amounts that may change."""
    for part in ("requests", "limits"):
        amounts = get(container, "resources", part)
        if amounts is not None:
            rest = {name: amount for name, amount in amounts.items() if name not in MUTABLE}
            container = evolve(container, ("resources", part), rest)
            container = container if rest else without(container, ("resources", part))
    return container


# -- ephemeral containers ----------------------------------------------------------------------------------------------


def _debugged(new: Obj, old: Obj) -> Obj:
    """*old* with the ephemeral containers of *new*."""
    wanted = new["spec"].get("ephemeralContainers")
    field = ("spec", "ephemeralContainers")
    return evolve(old, field, wanted) if wanted else without(old, field)


def _wrong_debugging(new: Obj, old: Obj) -> Wrong:
    if MIRROR in (old["metadata"].get("annotations") or {}):
        yield forbidden("[]", "static pods do not support ephemeral containers")
        return
    path, wanted = "spec.ephemeralContainers", new["spec"].get("ephemeralContainers") or ()
    others = [one for field in ("containers", "initContainers") for one in new["spec"].get(field) or ()]
    volumes, _ = ofpods.volumes(new["spec"].get("volumes"), "spec.volumes")
    yield from ephemeral_containers(wanted, path, others, podspec.around(new["spec"], volumes))
    named = {one["name"]: one for one in wanted}
    for was in old["spec"].get("ephemeralContainers") or ():
        if was["name"] not in named:
            yield forbidden(path, f'existing ephemeral containers "{was["name"]}" may not be removed\n')
        elif named[was["name"]] != was:
            told = difference(was, named[was["name"]], "core.EphemeralContainer")
            yield forbidden(path, f'existing ephemeral containers "{was["name"]}" may not be changed{told}')


PARTS = {"resize": Part(_resized, _wrong_resize), "ephemeralcontainers": Part(_debugged, _wrong_debugging)}
