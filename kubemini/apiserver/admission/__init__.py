"""Admission: plugins that look at every asked, and may change it or refuse it. One file a plugin. Pure.

A plugin is a module of this folder with a `NAME` that Kubernetes gives it and one function:
    admit(asked: Attributes) -> the object, changed or not, or an ApiError
To add one, add a file. They run in the order of the real server's list, whatever their files are called.
Models k/k pkg/kubeapiserver/options AllOrderedPlugins, k/apiserver pkg/admission chainAdmissionHandler.
Simplified: one round, where the real server first lets all plugins change and, after validation, all refuse.
"""

import importlib
import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
# fmt: off
ORDER = (
    "AlwaysAdmit", "NamespaceAutoProvision", "NamespaceLifecycle", "NamespaceExists",
    "LimitPodHardAntiAffinityTopology", "LimitRanger", "ServiceAccount", "NodeRestriction",
    "TaintNodesByCondition", "AlwaysPullImages", "ImagePolicyWebhook", "PodSecurity",
    "PodNodeSelector", "Priority", "DefaultTolerationSeconds", "PodTolerationRestriction",
    "EventRateLimit", "ExtendedResourceToleration", "DefaultStorageClass",
    "StorageObjectInUseProtection", "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize", "RuntimeClass", "CertificateApproval", "CertificateSigning",
    "ClusterTrustBundleAttest", "CertificateSubjectRestriction", "DefaultIngressClass",
    "PodTopologyLabels", "DenyServiceExternalIPs", "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook",
    "ResourceQuota", "AlwaysDeny",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a plugin looks at. *obj* is None for a DELETE, *old* for a CREATE."""

    operation: str
    kind: Kind
    name: str
    obj: Obj | None = None
    old: Obj | None = None
    space: Obj | None = None  # the Namespace that it goes into
    classes: tuple[Obj, ...] = ()  # the IngressClasses, for an Ingress that is created
    toleration_seconds: int = 300


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """The object after all plugins have seen it, or the first refusal."""
    for plugin in plugins():
        found = plugin.admit(asked)
        if isinstance(found, ApiError):
            return found
        if found is not asked.obj:
            asked = replace(asked, obj=found)
    return asked.obj


@cache
def plugins() -> tuple[ModuleType, ...]:
    """Every module of this folder, in the order of the real server's list; a name that it lacks comes last."""
    found = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return tuple(sorted(found, key=lambda plugin: (_place(plugin.NAME), plugin.NAME)))


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)
