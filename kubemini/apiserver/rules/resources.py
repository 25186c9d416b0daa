"""Amounts that are asked for and allowed: which names there are, and how requests and limits fit together.

Models k/k pkg/apis/core/validation ValidateContainerResourceRequirements, ValidateResourceQuantityValue.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from kubemini.api import names, quantity
from kubemini.apiserver.rules.causes import NEGATIVE, Wrong, each, forbidden, invalid, required

OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage")
COUNTED = (
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
    "pods",
)
_QUOTAS = ("storage", "requests.storage", "requests.ephemeral-storage", "limits.ephemeral-storage")
KNOWN = (*OF_CONTAINERS, *COUNTED, *_QUOTAS, "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
NEEDS_LIMIT = "Limit must be set for non overcommitable resources"


PAGES = "hugepages-"


def resources(value: Mapping[str, Any], path: str) -> Wrong:
    """The limits and requests of a container (or of a pod's overhead: limits only)."""
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    for name, amount in limits.items():
        yield from _resource(name, amount, f"{path}.limits[{name}]")
    for name, amount in requests.items():
        yield from _resource(name, amount, f"{path}.requests[{name}]")
        yield from _against_limit(name, amount, limits.get(name), path)
        yield from _whole_pages(name, amount, f"{path}.requests[{name}]")
    asked = {*limits, *requests}
    if not asked & {"cpu", "memory"} and any(name.startswith(PAGES) for name in asked):
        yield forbidden(path, "HugePages require cpu or memory")


def _resource(name: str, amount: Any, path: str) -> Wrong:
    yield from container_name(name, path)
    yield from amount_of(name, amount, path)
    if ".limits[" in path:
        yield from _whole_pages(name, amount, path)


def _whole_pages(name: str, amount: Any, path: str) -> Wrong:
    """Huge memory is had by the page. Models k/k pkg/apis/core/validation validateResourceQuantityHugePageValue"""
    try:
        page = quantity.parse(name.removeprefix(PAGES)).amount if name.startswith(PAGES) else 0
    except ValueError:
        page = 0
    asked = quantity.parse(quantity.text(amount))
    if page and asked.amount % page:
        yield invalid(path, str(asked), f"{asked} is not positive integer multiple of {name}")


def amount_of(name: str, amount: Any, path: str) -> Wrong:
    """An amount is not negative, and whole where pieces are counted."""
    asked = quantity.parse(quantity.text(amount))
    if asked.amount < 0:
        yield invalid(path, str(asked), NEGATIVE)
    if (name in COUNTED or not native(name)) and asked.amount.denominator != 1:
        yield invalid(path, str(asked), "must be an integer")


def name_of(name: str, path: str) -> Wrong:
    """A resource that Kubernetes knows, or one of somebody's own domain.

    Models k/k pkg/apis/core/validation validateResourceName
    """
    if wrong := names.qualified_name(name):
        yield from each(wrong, path, name)
    elif "/" not in name and name not in KNOWN and not huge(name):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def huge(name: str) -> bool:
    """Whether a resource is pages of memory; a quota limits what is requested of them."""
    return name.startswith(("hugepages-", "requests.hugepages-"))


def container_name(name: str, path: str) -> Wrong:
    """A resource that a container may ask for. Models k/k pkg/apis/core/validation ValidateContainerResourceName"""
    yield from name_of(name, path)
    if "/" not in name:
        if name not in OF_CONTAINERS and not name.startswith("hugepages-"):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not native(name) and (name.startswith("requests.") or names.qualified_name(f"requests.{name}")):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def native(name: str) -> bool:
    """Whether a resource is Kubernetes' own. Models k/k pkg/apis/core/helper IsNativeResource"""
    return "/" not in name or "kubernetes.io/" in name


def _against_limit(name: str, amount: Any, limit: Any, path: str) -> Wrong:
    """A request stays within its limit; what cannot be shared is requested exactly as it is limited."""
    shared = native(name) and not name.startswith("hugepages-")
    asked = quantity.parse(quantity.text(amount))
    if limit is None:
        if not shared:
            yield required(f"{path}.limits", NEEDS_LIMIT)
        return
    most = quantity.parse(quantity.text(limit))
    if asked.amount != most.amount and not shared:
        yield invalid(f"{path}.requests", str(asked), f"must be equal to {name} limit of {most}")
    elif asked.amount > most.amount:
        yield invalid(f"{path}.requests", str(asked), f"must be less than or equal to {name} limit of {most}")


def canonical(amounts: Mapping[str, Any]) -> dict[str, str]:
    """*amounts* as the API server writes them: ``0.5`` is ``500m``, and a thousandth is the least there is."""
    return {name: _stored(quantity.text(amount).strip()) for name, amount in amounts.items()}


def _stored(text: str) -> str:
    """Models k/k pkg/apis/core/v1 SetDefaults_ResourceList"""
    found = quantity.parse(text)
    if (found.amount * 1000).denominator == 1:
        return quantity.as_stored(text)
    return str(quantity.Quantity(Fraction(found.millis, 1000), found.form))
