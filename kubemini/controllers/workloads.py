"""The controllers of workloads, wired: which facts each decider is given, and whose changes wake it."""

from collections.abc import Iterable

from kubemini.api import labels
from kubemini.api.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, REPLICA_SET, SERVICE, Kind
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Index, Informers
from kubemini.controllers.decide import deployment, endpointslice, replicaset
from kubemini.controllers.decide.actions import Plan, controller_of, controller_uid
from kubemini.controllers.reconcile import Key, Reconciler, key_of


class Workloads:
    """Deployment, ReplicaSet and EndpointSlice controllers over one set of caches."""

    def __init__(self, client: ApiClient, informers: Informers):
        self.deployments, self.replicasets = informers.of(DEPLOYMENT), informers.of(REPLICA_SET)
        self.pods, self.services, self.slices = informers.of(POD), informers.of(SERVICE), informers.of(ENDPOINT_SLICE)
        self.replicasets_of = Index(self.replicasets, _owner_uid)
        self.pods_of = Index(self.pods, _owner_uid)
        for_deployments = Reconciler(client, informers, DEPLOYMENT, self.decide_deployment)
        for_deployments.watch(REPLICA_SET, lambda rs: owner_key(rs, DEPLOYMENT), made_here=True)
        for_deployments.watch(POD, self.deployments_of_pod)
        for_replicasets = Reconciler(client, informers, REPLICA_SET, self.decide_replicaset)
        for_replicasets.watch(POD, self.replicasets_of_pod, made_here=True)
        for_services = Reconciler(client, informers, SERVICE, self.decide_service)
        for_services.watch(POD, self.services_of_pod)
        for_services.watch(ENDPOINT_SLICE, _service_key, made_here=True)
        self.reconcilers = (for_deployments, for_replicasets, for_services)

    def start(self) -> None:
        """The caches are filled: begin."""
        for reconciler in self.reconcilers:
            reconciler.start()

    # -- facts ---------------------------------------------------------------------------------------------------
    def decide_deployment(self, obj: Obj, settled: bool, now: int) -> Plan:
        """The next step of a Deployment."""
        mine = self.replicasets_of.get(obj["metadata"]["uid"])
        return deployment.plan(obj, mine, self.pods_of_all(mine), settled, now)

    def decide_replicaset(self, obj: Obj, settled: bool, now: int) -> Plan:
        """What makes a ReplicaSet true."""
        owner = controller_uid(obj)
        siblings = self.replicasets_of.get(owner) if owner else [obj]
        candidates = [*self.pods_of.get(obj["metadata"]["uid"]), *self.orphans(obj["metadata"]["namespace"])]
        return replicaset.plan(obj, candidates, self.pods_of_all(siblings), settled, now)

    def decide_service(self, obj: Obj, settled: bool, now: int) -> Plan:
        """What makes the slices of a Service true."""
        namespace = obj["metadata"]["namespace"]
        return endpointslice.plan(obj, self.pods.values(namespace), self.slices.values(namespace), settled, now)

    def pods_of_all(self, owners: Iterable[Obj]) -> list[Obj]:
        """The pods of several ReplicaSets."""
        return [pod for owner in owners for pod in self.pods_of.get(owner["metadata"]["uid"])]

    def orphans(self, namespace: str) -> list[Obj]:
        """The pods of a namespace that nobody manages."""
        return [pod for pod in self.pods_of.get("") if pod["metadata"]["namespace"] == namespace]

    # -- who is woken --------------------------------------------------------------------------------------------
    def replicasets_of_pod(self, pod: Obj) -> list[Key]:
        """The ReplicaSet that manages a pod, or those that might adopt it."""
        if controller_of(pod) is not None:
            return owner_key(pod, REPLICA_SET)
        here = self.replicasets.values(pod["metadata"]["namespace"])
        return [key_of(rs) for rs in here if replicaset.selects(rs, pod)]

    def services_of_pod(self, pod: Obj) -> list[Key]:
        """The Services whose selector picks a pod."""
        here, carried = self.services.values(pod["metadata"]["namespace"]), pod["metadata"].get("labels")
        chosen = ((s, s["spec"].get("selector")) for s in here)
        return [key_of(s) for s, selector in chosen if selector and labels.contains(carried, selector)]

    def deployments_of_pod(self, pod: Obj) -> list[Key]:
        """The Deployment that waits for its old pods to be gone (Recreate), if there is one."""
        for key in owner_key(pod, REPLICA_SET):
            for owner in owner_key(self.replicasets.objects.get(key), DEPLOYMENT):
                found = self.deployments.objects.get(owner)
                return [owner] if found is not None and deployment.strategy(found) == "Recreate" else []
        return []


def owner_key(obj: Obj | None, kind: Kind) -> list[Key]:
    """The key of the controller that manages *obj*, if it is of *kind*."""
    reference = controller_of(obj) if obj is not None else None
    if obj is None or reference is None or reference["kind"] != kind.kind:
        return []
    return [(obj["metadata"]["namespace"], reference["name"])]


def _owner_uid(obj: Obj) -> list[str]:
    return [controller_uid(obj)]


def _service_key(slice: Obj) -> list[Key]:
    name = get(slice, "metadata", "labels", endpointslice.SERVICE_NAME)
    return [(slice["metadata"]["namespace"], name)] if name else []
