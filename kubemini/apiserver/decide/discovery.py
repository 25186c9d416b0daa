"""What there is to ask for: groups, versions, resources, each with its names and verbs, singly or all at once. Pure.

    page("/apis/apps/v1", {}, lines())                  APIResourceList
    page("/apis", {"accept": AGGREGATED}, lines())      APIGroupDiscoveryList: everything in one answer, for kubectl

*lines* are those of resources.txt (api/schema): a resource of somebody's own is one line more.
Models k/apiserver pkg/endpoints/discovery NewAPIVersionHandler StorageVersionHash,
pkg/endpoints/discovery/aggregated resourceDiscoveryManager IsAggregatedDiscoveryGVK;
k/k pkg/controlplane/apiserver DefaultGenericAPIServicePriorities.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from kubemini.api import schema
from kubemini.api.errors import ApiError
from kubemini.api.schema import custom
from kubemini.apiserver.decide import checks
from kubemini.apiserver.decide.forms.media import JSON, SUPPORTED, Accepted, clauses, negotiated
from kubemini.apiserver.decide.forms.plain import Plain
from kubemini.apiserver.decide.forms.response import json_bytes

Lines = tuple[tuple[str, ...], ...]

AGGREGATED = f"{JSON};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
ALL = "create,delete,deletecollection,get,list,patch,update,watch"
OF_A_PART = "get,patch,update"
FIRST = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "storagemigration.k8s.io",
]  # the order in which they are told; others come after them, by name
STORED_AS = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "apiextensions.k8s.io/v1beta1",
    ("autoscaling", "HorizontalPodAutoscaler"): "autoscaling/v2",
    ("certificates.k8s.io", "ClusterTrustBundle"): "certificates.k8s.io/v1beta1",
    ("events.k8s.io", "Event"): "v1",
    ("resource.k8s.io", "DeviceTaintRule"): "resource.k8s.io/v1beta2",
    ("storagemigration.k8s.io", "StorageVersionMigration"): "storagemigration.k8s.io/v1beta1",
}
PARTS = {  # what is no part of the object itself: its group/version, kind and verbs
    "scale": ("autoscaling/v1", "Scale", OF_A_PART),
    "pods/attach": ("", "PodAttachOptions", "create,get"),
    "pods/binding": ("", "Binding", "create"),
    "pods/eviction": ("policy/v1", "Eviction", "create"),
    "pods/exec": ("", "PodExecOptions", "create,get"),
    "pods/log": ("", "Pod", "get"),
    "pods/portforward": ("", "PodPortForwardOptions", "create,get"),
    "pods/proxy": ("", "PodProxyOptions", "create,delete,get,patch,update"),
    "nodes/proxy": ("", "NodeProxyOptions", "create,delete,get,patch,update"),
    "services/proxy": ("", "ServiceProxyOptions", "create,delete,get,patch,update"),
    "namespaces/finalize": ("", "Namespace", "update"),
    "serviceaccounts/token": ("authentication.k8s.io/v1", "TokenRequest", "create"),
}


OTHERS = ("/apis", "/apis/", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version")
VERSION = {
    "major": "1",
    "minor": "37",
    "emulationMajor": "1",
    "emulationMinor": "37",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "36",
    "gitVersion": "v1.37.2",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.26.8",
    "compiler": "gc",
    "platform": "linux/amd64",
}


class Page(NamedTuple):
    """What stands at a path, in which form, and what its response says besides."""

    content: Any
    accepted: Accepted
    headers: tuple[tuple[str, str], ...] = ()


@cache
def lines() -> Lines:
    """Every resource that is known: of Kubernetes, and the custom ones that are simulated."""
    return tuple(tuple(words) for words in (*schema.resources(), *custom.resources()))


def page(path: str, headers: Mapping[str, str], lines: Lines) -> "Page | ApiError | None":
    """What stands at *path*; 406 if not in the form that is wanted; None if nothing does."""
    root = path.strip("/")
    if root in ("", "index.html"):
        return Page(Plain(json.dumps({"paths": paths(lines)}, indent=2), JSON), Accepted(JSON))
    if root in ("api", "apis") and _wants_all(headers):
        content, digest = _aggregated(root, lines)
        return Page(content, Accepted(AGGREGATED), (("Vary", "Accept"), ("ETag", f'"{digest}"')))
    found = VERSION if root == "version" else _one(path, lines)
    if found is None:
        return None
    accepted = negotiated(headers, {}, forms=())
    return accepted if isinstance(accepted, ApiError) else Page(found, accepted)


def paths(lines: Lines) -> list[str]:
    """What the page at ``/`` lists: every page that there is, but not those of the resources.

    Models k/apiserver pkg/server/routes IndexLister, k/kube-aggregator pkg/apiserver AddAPIService.
    """
    groups = {"/api": _groups(lines)[""]} | {f"/apis/{name}": of for name, of in _groups(lines).items() if name}
    versions = [f"{root}/{version}" for root, of in groups.items() for version in of]
    looked_at = [f"{page}/{check}" for page, of in checks.ORDER.items() for check in of]
    return sorted({*groups, *versions, *checks.PATHS, *looked_at, *OTHERS})


# -- one by one --------------------------------------------------------------------------------------------------------


def _one(path: str, lines: Lines) -> Any:
    """What stands at /api, /apis, /api/v1, /apis/GROUP and /apis/GROUP/VERSION; None if nothing is there."""
    parts = path.strip("/").split("/")
    groups = _groups(lines)
    match parts:
        case ["api"]:
            address = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}]
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g, groups[g]) for g in groups if g]}
        case ["api", version] if version in groups[""]:
            return {"kind": "APIResourceList", "groupVersion": version, "resources": _resources(lines, version)}
        case ["apis", group] if group and group in groups:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, groups[group])}
        case ["apis", group, version] if group and version in groups.get(group, ()):
            known = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/{version}"}
            return {**known, "resources": _resources(lines, f"{group}/{version}")}
    return None


def _groups(lines: Lines) -> dict[str, list[str]]:
    """group → its versions, the preferred one first; the groups in the order in which they are told."""
    found: dict[str, list[str]] = {}
    for api_version, *_ in lines:
        group, _, version = api_version.rpartition("/")
        versions = found.setdefault(group, [])
        if version not in versions:
            versions.append(version)
    order = {group: place for place, group in enumerate(FIRST)}
    return {group: found[group] for group in sorted(found, key=lambda group: (order.get(group, len(FIRST)), group))}


def _group(group: str, versions: list[str]) -> dict[str, Any]:
    told = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": told, "preferredVersion": told[0]}


def _resources(lines: Lines, api_version: str) -> list[dict[str, Any]]:
    """The resources of a version and their parts, by name."""
    found = []
    for words in lines:
        if words[0] == api_version:
            parts = _list(_facts(words).get("sub", ""))
            parts = parts if "defined" in _facts(words) else sorted(parts)
            found += [_resource(words), *(_part(words, sub) for sub in parts)]
    return sorted(found, key=lambda resource: resource["name"].partition("/")[0])


def _resource(words: tuple[str, ...]) -> dict[str, Any]:
    api_version, plural, kind, scope, *_ = words
    facts = _facts(words)
    told: dict[str, Any] = {
        "name": plural,
        "singularName": facts.get("singular", kind.lower()),
        "namespaced": scope == "namespaced",
        "kind": kind,
    }
    told["verbs"] = _list(facts.get("verbs", ALL))
    for key, fact in (("shortNames", "short"), ("categories", "categories")):
        if fact in facts:
            told[key] = _list(facts[fact])
    if "watch" in told["verbs"]:
        told["storageVersionHash"] = facts.get("hash") or storage_version_hash(api_version, kind)
    return told


def _part(words: tuple[str, ...], sub: str) -> dict[str, Any]:
    _, plural, kind, scope, *_ = words
    group_version, of, verbs = part_of(plural, kind, sub)
    group, _, version = group_version.rpartition("/")
    whose = {"group": group, "version": version} if version else {}
    name = f"{plural}/{sub}"
    return {"name": name, "singularName": "", "namespaced": scope == "namespaced", **whose, "kind": of, "verbs": verbs}


def part_of(plural: str, kind: str, sub: str) -> tuple[str, str, list[str]]:
    """group/version, kind and verbs of a part; most are the object itself."""
    group_version, of, verbs = PARTS.get(f"{plural}/{sub}") or PARTS.get(sub) or ("", kind, OF_A_PART)
    return group_version, of, _list(verbs)


def storage_version_hash(api_version: str, kind: str) -> str:
    """Which version of a kind etcd holds, as a hash: it changes when that does."""
    stored = STORED_AS.get((api_version.rpartition("/")[0], kind)) or api_version
    stored = stored if "/" in stored else f"/{stored}"
    return base64.b64encode(hashlib.sha256(f"{stored}/{kind}".encode()).digest()[:8]).decode()


def _facts(words: tuple[str, ...]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words[4:])


def _list(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


# -- all at once -------------------------------------------------------------------------------------------------------


def _wants_all(headers: Mapping[str, str]) -> bool:
    """Whether the first form that is wanted, and is to be had, is everything at once."""
    for clause in clauses(headers.get("accept", "")):
        asked = {key: clause.params.get(key) for key in ("g", "v", "as")}
        if asked == {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}:
            return True
        if not any(asked.values()) and f"{clause.type}/{clause.subtype}" in (*SUPPORTED, "*/*"):
            return False
    return False


@lru_cache(maxsize=32)
def _aggregated(root: str, lines: Lines) -> tuple[Any, str]:
    """Everything under ``api`` or ``apis``, and its digest."""
    groups = _groups(lines)
    items = [_all_of(group, groups[group], lines) for group in groups if bool(group) == (root == "apis")]
    whole = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    return whole, hashlib.sha512(json_bytes(whole)).hexdigest().upper()


def _all_of(group: str, versions: list[str], lines: Lines) -> dict[str, Any]:
    told = []
    for version in versions:
        api_version = f"{group}/{version}" if group else version
        ours = sorted((words for words in lines if words[0] == api_version), key=lambda words: words[1])
        told.append({"version": version, "resources": [_whole(words) for words in ours], "freshness": "Current"})
    return {"metadata": {"name": group} if group else {}, "versions": told}


def _whole(words: tuple[str, ...]) -> dict[str, Any]:
    """A resource with its parts."""
    one, plural, kind = _resource(words), words[1], words[2]
    told = {"resource": plural, "responseKind": _kind("", kind)}
    told |= {"scope": "Namespaced" if one["namespaced"] else "Cluster", "singularResource": one["singularName"]}
    told |= {key: one[key] for key in ("verbs", "shortNames", "categories") if key in one}
    parts = []
    for sub in sorted(_list(_facts(words).get("sub", ""))):
        group_version, of, verbs = part_of(plural, kind, sub)
        parts.append({"subresource": sub, "responseKind": _kind(group_version, of), "verbs": verbs})
    return told | ({"subresources": parts} if parts else {})


def _kind(group_version: str, kind: str) -> dict[str, str]:
    group, _, version = group_version.rpartition("/")
    return {"group": group, "version": version, "kind": kind}
