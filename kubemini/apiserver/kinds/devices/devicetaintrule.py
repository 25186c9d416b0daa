"""DeviceTaintRules: taints of many devices at once.

Models k/k pkg/registry/resource/devicetaintrule strategy; k/k pkg/apis/resource/validation ValidateDeviceTaintRule,
validateDeviceTaintSelector; defaults: k/k pkg/apis/resource/v1 SetDefaults_DeviceTaint;
columns: k/k pkg/printers/internalversion printDeviceTaint.
Simplified: a new effect does not renew the time of its taint.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.columns import AGE, NAME, Column, at, since
from kubemini.apiserver.kinds.devices.resourceslice import pool_name, taint
from kubemini.apiserver.rules.causes import Wrong, each
from kubemini.apiserver.rules.volumes.sources import driver_name
from kubemini.apiserver.served import ServedKind, serve

ADDED = ("spec", "taint", "timeAdded")


def begun(obj: Obj, now: int) -> Obj:
    """*obj* with when its taint was added."""
    return obj if get(obj, *ADDED) is not None else evolve(obj, ADDED, timestamp(now))


def prepare(new: Obj, old: Obj) -> Obj:
    """The time of a taint stays, if it is left out."""
    was = get(old, *ADDED)
    return new if get(new, *ADDED) is not None or was is None else evolve(new, ADDED, was)


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    picked, path = get(obj, "spec", "deviceSelector") or {}, "spec.deviceSelector"
    if picked.get("driver") is not None:
        yield from driver_name(picked["driver"], f"{path}.driver")
    if picked.get("pool") is not None:
        yield from pool_name(picked["pool"], f"{path}.pool")
    if picked.get("device") is not None:
        yield from each(names.dns_label(picked["device"], "bytes"), f"{path}.device", picked["device"])
    yield from taint(get(obj, "spec", "taint") or {}, "spec.taint")


serve(
    ServedKind(
        KNOWN["resource.k8s.io/v1", "DeviceTaintRule"],
        subresources=("status",),
        counted=True,
        begun=begun,
        prepare=prepare,
        rules=rules,
        first_status=lambda obj: {},
        columns=(
            NAME,
            *(Column(word.title(), at("spec", "taint", word, default="")) for word in ("key", "value", "effect")),
            Column("TimeAdded", since(*ADDED)),
            AGE,
        ),
        not_simulated=("spec",),
    )
)
