"""Claims on devices: which a pod has, and which of them its containers use.

Models k/k pkg/apis/core/validation validatePodResourceClaims, validateResourceClaimNames
"""

from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, invalid, not_found, required
from kubemini.apiserver.rules.gostructs import internal

SOURCES = ("resourceClaimName", "resourceClaimTemplateName")
NONE = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
BOTH = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
STRANGE = "must be one of the names in pod.spec.resourceClaims"


def of_pod(claims: Sequence[Obj], path: str) -> Wrong:
    """Each has a name of its own, and says which claim it is, or of which template."""
    seen: list[str] = []
    for number, claim in enumerate(claims):
        where, name = f"{path}[{number}]", claim.get("name", "")
        if not name:
            yield required(f"{where}.name")
        elif name in seen:
            yield duplicate(f"{where}.name", name)
        else:
            yield from each(names.dns_label(name), f"{where}.name", name)
            seen.append(name)
        given = [field for field in SOURCES if claim.get(field) is not None]
        if len(given) != 1:
            yield invalid(where, internal(claim, "core.PodResourceClaim"), BOTH if given else NONE)
        for field in given:
            yield from each(names.dns_subdomain(claim[field]), f"{where}.{field}", claim[field])


def of_container(claims: Sequence[Obj], known: Sequence[str], path: str) -> Wrong:
    """Each is one that the pod has, *known* by name, used once, or one request of it."""
    seen: list[str] = []
    for number, claim in enumerate(claims):
        where, name, request = f"{path}[{number}]", claim.get("name", ""), claim.get("request", "")
        if not name:
            yield required(where)
            continue
        yield from _used(name, request, where, seen)
        if name not in known:
            listed = f": {', '.join(sorted(set(known)))}" if known else " which is empty"
            yield not_found(where, name, STRANGE + listed)


def _used(name: str, request: str, where: str, seen: list[str]) -> Wrong:
    if name in seen:
        yield duplicate(where, name)
        return
    key = f"{name}/{request}" if request else name
    yield from each(names.dns_label(request) if request else (), f"{where}.request", request)
    if key in seen:
        yield duplicate(where, key)
    elif not request:
        for other in sorted(set(seen)):
            if other.partition("/")[0] == name:
                yield duplicate(where, name)
    seen.append(key)
