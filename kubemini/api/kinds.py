"""The kinds of Kubernetes: group, version, names, scope, and where etcd keeps them. Which of them are simulated.

Every kind that this project will ever need is known here, from published discovery (``schema/resources.txt``), a custom
resource from its CRD (``schema/customresources.json``). Those that are *served* have a file of their own in
``apiserver/kinds/``; the files are read like plug-ins when somebody first asks, and each says `serve`. URLs, manifests
and kubectl's short names know only what is served, as a client's do.
Source: Kubernetes 1.37 discovery; storage prefixes as kube-apiserver writes them (nodes are still called minions there,
Services and Endpoints share a folder).
Simplified: one version a kind, but for HorizontalPodAutoscaler and Event.
"""

import difflib
import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.api import schema
from kubemini.api.schema import custom

FILES = "kubemini.apiserver.kinds"


@dataclass(frozen=True, slots=True)
class Kind:
    """What discovery says of a kind."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    namespaced: bool
    prefix: str
    categories: tuple[str, ...] = ()
    told_group: str | None = None  # the group that answers name, if not its own: events of events.k8s.io are events

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
        return f"{self.plural}.{self.said_group}" if self.said_group else self.plural

    @property
    def group_kind(self) -> str:
        """As texts of Invalid spell it: ``Pod``, ``Deployment.apps``."""
        return f"{self.kind}.{self.said_group}" if self.said_group else self.kind

    @property
    def said_group(self) -> str:
        """The group as texts and details of answers name it."""
        return self.group if self.told_group is None else self.told_group

    @property
    def structural(self) -> Mapping[str, Any] | None:
        """The structural schema of a custom resource; None: it is none."""
        return custom.of(self.api_version, self.kind)

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


@dataclass(frozen=True, slots=True)
class CustomKind(Kind):
    """A kind that a CustomResourceDefinition has brought to life, at one API server.

    ``listed``: the kind of its lists; ``schema``: its structural schema; ``rules``: what is special about it, as that
    server knows it (a ServedKind).
    """

    listed: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False)
    rules: Any = field(default=None, compare=False)

    @property
    def list_kind(self) -> str:
        return self.listed

    @property
    def structural(self) -> Mapping[str, Any] | None:
        return self.schema


def row(
    api_version: str, kind: str, plural: str, short: str = "", namespaced: bool = True, prefix: str = "", also: str = ""
) -> Kind:
    """A kind by its names; *short* and *also* (categories) are lists with commas, *prefix* lies under /registry."""
    group, _, version = api_version.rpartition("/")
    names, categories = tuple(filter(None, short.split(","))), tuple(filter(None, also.split(",")))
    where = f"/registry/{prefix or plural}"
    return Kind(group, version, kind, plural, kind.lower(), names, namespaced, where, categories)


def _known(words: list[str]) -> Kind:
    """A line of resources.txt."""
    api_version, plural, kind, scope, *rest = words
    facts = dict(word.split("=", 1) for word in rest)
    short, also = facts.get("short", ""), facts.get("categories", "")
    made = row(api_version, kind, plural, short, scope == "namespaced", facts.get("stored", ""), also)
    return replace(made, told_group="" if facts["told"] == "core" else facts["told"]) if "told" in facts else made


_LINES = (*schema.resources(), *custom.resources())
KNOWN: dict[tuple[str, str], Kind] = {(k.api_version, k.kind): k for k in map(_known, _LINES)}
_SERVED: dict[tuple[str, str], Kind] = {}
_BY_RESOURCE: dict[tuple[str, str, str], Kind] = {}
_ACTED_ON: dict[tuple[str, str], Kind] = {}
_NOT_SIMULATED: dict[tuple[str, str], tuple[str, ...]] = {}

POD = KNOWN["v1", "Pod"]
SERVICE = KNOWN["v1", "Service"]
ENDPOINTS = KNOWN["v1", "Endpoints"]
NAMESPACE = KNOWN["v1", "Namespace"]
CONFIG_MAP = KNOWN["v1", "ConfigMap"]
SECRET = KNOWN["v1", "Secret"]
NODE = KNOWN["v1", "Node"]
EVENT = KNOWN["v1", "Event"]
PERSISTENT_VOLUME_CLAIM = KNOWN["v1", "PersistentVolumeClaim"]
DEPLOYMENT = KNOWN["apps/v1", "Deployment"]
REPLICA_SET = KNOWN["apps/v1", "ReplicaSet"]
STATEFUL_SET = KNOWN["apps/v1", "StatefulSet"]
DAEMON_SET = KNOWN["apps/v1", "DaemonSet"]
CONTROLLER_REVISION = KNOWN["apps/v1", "ControllerRevision"]
JOB = KNOWN["batch/v1", "Job"]
CRON_JOB = KNOWN["batch/v1", "CronJob"]
ENDPOINT_SLICE = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
LEASE = KNOWN["coordination.k8s.io/v1", "Lease"]
NETWORK_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
CLUSTER_NETWORK_POLICY = KNOWN["policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy"]
INGRESS = KNOWN["networking.k8s.io/v1", "Ingress"]
INGRESS_CLASS = KNOWN["networking.k8s.io/v1", "IngressClass"]
SERVICE_CIDR = KNOWN["networking.k8s.io/v1", "ServiceCIDR"]
IP_ADDRESS = KNOWN["networking.k8s.io/v1", "IPAddress"]

_GATEWAY_API = "gateway.networking.k8s.io/v1"
GATEWAY_CLASS = KNOWN[_GATEWAY_API, "GatewayClass"]
GATEWAY = KNOWN[_GATEWAY_API, "Gateway"]
HTTP_ROUTE = KNOWN[_GATEWAY_API, "HTTPRoute"]
GRPC_ROUTE = KNOWN[_GATEWAY_API, "GRPCRoute"]
TLS_ROUTE = KNOWN[_GATEWAY_API, "TLSRoute"]
REFERENCE_GRANT = KNOWN[_GATEWAY_API, "ReferenceGrant"]
BACKEND_TLS_POLICY = KNOWN[_GATEWAY_API, "BackendTLSPolicy"]


def serve(kind: Kind, not_simulated: tuple[str, ...] = (), acted_on: bool = False) -> None:
    """From now on *kind* is served: said by its own file, once. *acted_on*: some program of a story acts on it."""
    if acted_on:
        _ACTED_ON[kind.api_version, kind.kind] = kind
    _SERVED[kind.api_version, kind.kind] = kind
    _BY_RESOURCE.setdefault((kind.group, kind.version, kind.plural), kind)
    _NOT_SIMULATED[kind.api_version, kind.kind] = not_simulated


def served() -> Mapping[tuple[str, str], Kind]:
    """The kinds that are simulated, by apiVersion and kind."""
    if FILES not in sys.modules:
        importlib.import_module(FILES)
    return _SERVED


def acted_on() -> list[Kind]:
    """The kinds that programs of a story act on: only these does a story's garbage collector watch, and empty a
    namespace of. The others are stored, judged and shown.
    """
    served()
    return list(_ACTED_ON.values())


def stored() -> list[Kind]:
    """All kinds that can be listed and watched: what is only answered, a review or a Binding, cannot."""
    unwatched = ("verbs=create", "verbs=get,list")  # questions, and what is only looked at
    answered = {(words[0], words[2]) for words in _LINES if any(word in unwatched for word in words)}
    found = {kind.prefix: kind for at, kind in served().items() if at not in answered}  # one version of each
    return list(found.values())


def not_simulated(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that have no effect here in objects of *obj*'s kind; see ``unsimulated.py``."""
    served()
    return _NOT_SIMULATED.get((obj.get("apiVersion", ""), obj.get("kind", "")), ())


def by_name(name: str) -> Kind:
    """The kind that kubectl users call *name*: Pod, pod, pods, po, deployments.apps. ValueError names the closest."""
    for kind in served().values():
        if name.lower() in (kind.kind.lower(), kind.plural, kind.resource, *kind.short_names):
            return kind
    close = difflib.get_close_matches(name.lower(), sorted({kind.singular for kind in served().values()}))
    hint = f"; close to it: {', '.join(close)}" if close else ""
    raise ValueError(f"no kind is called {name!r}{hint}; kubectl api-resources lists all")


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind a URL, or None."""
    found = _BY_RESOURCE.get((group, version, plural))
    if found is None or served().get((found.api_version, found.kind)) is not found:
        same = (k for k in served().values() if (k.group, k.version, k.plural) == (group, version, plural))
        found = next(same, None)
    return found


def by_gvk(api_version: str, kind: str) -> Kind | None:
    """The kind that a manifest names by ``apiVersion`` and ``kind``, or None."""
    return served().get((api_version, kind))


def kind_of(obj: Mapping[str, Any]) -> Kind:
    """The kind of an object that names it. ValueError lists the kinds."""
    found = by_gvk(obj.get("apiVersion", ""), obj.get("kind", ""))
    return found if found is not None else by_name(str(obj.get("kind", "")))


def object_path(obj: Mapping[str, Any], subresource: str = "") -> str:
    """The URL path of *obj* (namespace ``default`` unless it says otherwise)."""
    meta = obj["metadata"]
    return kind_of(obj).path(meta.get("namespace", "default"), meta["name"], subresource)


def collection_path(obj: Mapping[str, Any]) -> str:
    """The URL path that *obj* is POSTed to."""
    return kind_of(obj).path(obj["metadata"].get("namespace", "default"))
