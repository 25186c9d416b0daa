"""The one table of kinds: group, version, names, scope, and where etcd keeps them.

A new kind is one row of ``TABLE``. Everything that must know kinds reads it: URLs, storage keys, error texts,
manifests, kubectl's short names.
Source: Kubernetes 1.37 ``kubectl api-resources``; storage prefixes as kube-apiserver writes them (nodes are still
called minions there, Services and Endpoints share a folder).
Simplified: one version a kind; no custom resources.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    namespaced: bool
    prefix: str
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """As manifests spell it: ``v1``, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def list_kind(self) -> str:
        """The kind of a list of these: ``PodList``."""
        return f"{self.kind}List"

    @property
    def resource(self) -> str:
        """As error texts spell it: ``pods``, ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def group_kind(self) -> str:
        """As texts of Invalid spell it: ``Pod``, ``Deployment.apps``."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of its sub-resource; no namespace means all of them."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if namespace and self.namespaced:
            root += f"/namespaces/{namespace}"
        return "/".join([root, self.plural] + [part for part in (name, subresource) if part])

    def key(self, namespace: str = "", name: str = "") -> str:
        """The etcd key of one object; without *name* (or *namespace*) the prefix of all of them, ending in a slash."""
        assert not name or bool(namespace) == self.namespaced, f"a {self.kind} key needs a namespace: {self.namespaced}"
        return "/".join([self.prefix] + [part for part in (namespace if self.namespaced else "", name) if part]) + (
            "" if name else "/"
        )


def _row(
    api_version: str, kind: str, plural: str, short: str = "", namespaced: bool = True, prefix: str = "", sub: str = ""
) -> Kind:
    group, _, version = api_version.rpartition("/")
    names, subresources = tuple(short.split()), tuple(sub.split())
    where = f"/registry/{prefix or plural}"
    return Kind(group, version, kind, plural, kind.lower(), names, namespaced, where, subresources)


TABLE: tuple[Kind, ...] = (
    _row("v1", "Pod", "pods", "po", sub="status binding"),
    _row("v1", "Service", "services", "svc", prefix="services/specs", sub="status"),
    _row("v1", "Endpoints", "endpoints", "ep", prefix="services/endpoints"),
    _row("v1", "Namespace", "namespaces", "ns", namespaced=False, sub="status finalize"),
    _row("v1", "ConfigMap", "configmaps", "cm"),
    _row("v1", "Secret", "secrets"),
    _row("v1", "Node", "nodes", "no", namespaced=False, prefix="minions", sub="status"),
    _row("v1", "Event", "events", "ev"),
    _row("apps/v1", "Deployment", "deployments", "deploy", sub="status scale"),
    _row("apps/v1", "ReplicaSet", "replicasets", "rs", sub="status scale"),
    _row("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
    _row("coordination.k8s.io/v1", "Lease", "leases"),
)

BY_KIND: dict[str, Kind] = {row.kind: row for row in TABLE}
_BY_RESOURCE: dict[tuple[str, str, str], Kind] = {(row.group, row.version, row.plural): row for row in TABLE}
_BY_GVK: dict[tuple[str, str], Kind] = {(row.api_version, row.kind): row for row in TABLE}
_BY_NAME: dict[str, Kind] = {
    name: row for row in TABLE for name in (row.kind.lower(), row.plural, row.singular, row.resource, *row.short_names)
}

POD = BY_KIND["Pod"]
SERVICE = BY_KIND["Service"]
ENDPOINTS = BY_KIND["Endpoints"]
NAMESPACE = BY_KIND["Namespace"]
CONFIG_MAP = BY_KIND["ConfigMap"]
SECRET = BY_KIND["Secret"]
NODE = BY_KIND["Node"]
EVENT = BY_KIND["Event"]
DEPLOYMENT = BY_KIND["Deployment"]
REPLICA_SET = BY_KIND["ReplicaSet"]
ENDPOINT_SLICE = BY_KIND["EndpointSlice"]
LEASE = BY_KIND["Lease"]


def by_name(name: str) -> Kind:
    """The kind that kubectl users call *name*: Pod, pod, pods, po, deployments.apps. ValueError lists the kinds."""
    found = _BY_NAME.get(name.lower())
    if found is None:
        raise ValueError(f"no kind is called {name!r}; known are " + ", ".join(row.singular for row in TABLE))
    return found


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind a URL, or None."""
    return _BY_RESOURCE.get((group, version, plural))


def by_gvk(api_version: str, kind: str) -> Kind | None:
    """The kind that a manifest names by ``apiVersion`` and ``kind``, or None."""
    return _BY_GVK.get((api_version, kind))


def kind_of(obj: Mapping[str, Any]) -> Kind:
    """The kind of an object that names it. ValueError lists the kinds."""
    found = _BY_GVK.get((obj.get("apiVersion", ""), obj.get("kind", "")))
    return found if found is not None else by_name(str(obj.get("kind", "")))


def object_path(obj: Mapping[str, Any], subresource: str = "") -> str:
    """The URL path of *obj* (namespace ``default`` unless it says otherwise)."""
    meta = obj["metadata"]
    return kind_of(obj).path(meta.get("namespace", "default"), meta["name"], subresource)


def collection_path(obj: Mapping[str, Any]) -> str:
    """The URL path that *obj* is POSTed to."""
    return kind_of(obj).path(obj["metadata"].get("namespace", "default"))
