"""DeviceClasses: sorts of devices, by expressions that pick them.

Models k/k pkg/registry/resource/deviceclass strategy; k/k pkg/apis/resource/validation ValidateDeviceClass,
ValidateDeviceClassUpdate; k/k pkg/apis/core/v1/helper IsExtendedResourceName.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME
from kubemini.apiserver.kinds.devices import claims
from kubemini.apiserver.rules.causes import Wrong, invalid
from kubemini.apiserver.served import ServedKind, serve


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    yield from claims.slice_of(spec.get("selectors"), claims.MOST_SELECTORS, "spec.selectors", claims.selector)
    yield from claims.slice_of(spec.get("config"), claims.MOST_CONFIGS, "spec.config", claims.configuration)
    name = spec.get("extendedResourceName")
    if name is not None and "/" not in name:
        yield invalid("spec.extendedResourceName", name, claims.UNPREFIXED)
    elif name is not None and not _is_extended(name):
        yield invalid("spec.extendedResourceName", name, "must be a valid extended resource name")


def _is_extended(name: str) -> bool:
    native = "/" not in name or "kubernetes.io/" in name
    return not native and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


serve(
    ServedKind(
        KNOWN["resource.k8s.io/v1", "DeviceClass"],
        counted=True,
        returned=True,
        rules=rules,
        columns=(NAME, AGE),
        not_simulated=("spec",),
    )
)
