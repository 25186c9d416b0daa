"""Admission: plugins that look at every write, and may change it or refuse it. One file a plugin. Pure.

A plugin is a module of this folder with a `NAME` that Kubernetes gives it and one or both of
    admit(asked: Attributes) -> the object, changed or not, or an ApiError     first, before the rules of the kind
    validate(asked: Attributes) -> an ApiError or None                         last, before it is stored
    needs(asked: Attributes) -> the kinds of whose objects it must know        if it looks at others: asked.known
To add one, add a file. They run in the order of the real server's list, whatever their files are called.
What a plugin does beside judging (a quota that is charged, a webhook that is called) is done by ../admitting.py.
Models k/k pkg/kubeapiserver/options AllOrderedPlugins, k/apiserver pkg/admission chainAdmissionHandler.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from types import ModuleType

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, get
from kubemini.apiserver.decide.attributes import Attributes

# fmt: off
ORDER = (
    "AlwaysAdmit", "NamespaceAutoProvision", "NamespaceLifecycle", "NamespaceExists",
    "LimitPodHardAntiAffinityTopology", "LimitRanger", "ServiceAccount", "NodeRestriction",
    "TaintNodesByCondition", "AlwaysPullImages", "ImagePolicyWebhook", "PodSecurity",
    "PodNodeSelector", "Priority", "DefaultTolerationSeconds", "PodTolerationRestriction",
    "EventRateLimit", "ExtendedResourceToleration", "DefaultStorageClass",
    "StorageObjectInUseProtection", "PodGroupProtection", "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize", "RuntimeClass", "CertificateApproval", "CertificateSigning",
    "ClusterTrustBundleAttest", "CertificateSubjectRestriction", "DefaultIngressClass",
    "DenyServiceExternalIPs", "PodTopologyLabels", "NodeDeclaredFeatureValidator", "PodResizeValidator",
    "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook", "ResourceQuota", "AlwaysDeny",
)
# fmt: on


def forbid(asked: Attributes, why: str) -> ApiError:
    """403, in the words of a plugin; what has no name yet goes by its prefix.

    Models k/apiserver pkg/admission NewForbidden
    """
    meta = (asked.obj or {}).get("metadata") or {}
    name = asked.name or meta.get("name") or meta.get("generateName") or "Unknown"
    return errors.forbidden(asked.kind, name, why)


def newest_default(classes: Iterable[Obj], marks: Sequence[str]) -> str | None:
    """The name of the class that whoever names none is given: of those with one of the annotations *marks*.

    Of several the newest counts, of equally new ones the first by name.
    """
    marked = [one for one in classes if any(get(one, "metadata", "annotations", mark) == "true" for mark in marks)]
    marked.sort(key=lambda one: one["metadata"]["name"])
    marked.sort(key=lambda one: str(one["metadata"].get("creationTimestamp") or ""), reverse=True)
    return marked[0]["metadata"]["name"] if marked else None


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """The object after all plugins have changed it, or the first refusal."""
    for plugin in plugins("admit", asked.off):
        found = plugin.admit(asked)
        asked.witness("admit", asked.obj, found, plugin.NAME)
        if isinstance(found, ApiError):
            return found
        if found is not asked.obj:
            asked = replace(asked, obj=found)
    return asked.obj


def validate(asked: Attributes) -> ApiError | None:
    """The first refusal of the object as it will be stored, or None."""
    for plugin in plugins("validate", asked.off):
        refused: ApiError | None = plugin.validate(asked)
        asked.witness("judge", asked.obj, refused, plugin.NAME)
        if refused is not None:
            return refused
    return None


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The kinds of whose objects the plugins must know, each once."""
    return tuple(dict.fromkeys(kind for plugin in plugins("needs", asked.off) for kind in plugin.needs(asked)))


@cache
def plugins(half: str = "", off: tuple[str, ...] = ()) -> tuple[ModuleType, ...]:
    """Every plugin under this folder, in the order of the real server's list; a name that it lacks comes last.

    With *half*, a function's name: those that have it, without those whose names are in *off*.
    """
    if half:
        return tuple(plugin for plugin in plugins() if hasattr(plugin, half) and plugin.NAME not in off)
    names = [info.name for info in pkgutil.walk_packages(__path__, f"{__name__}.") if not info.ispkg]
    found = [module for module in map(importlib.import_module, names) if hasattr(module, "NAME")]
    return tuple(sorted(found, key=lambda plugin: (_place(plugin.NAME), plugin.NAME)))


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)
