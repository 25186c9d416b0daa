"""kube-controller-manager: stands for election, and when it holds the Lease runs all controllers.

Invariant: only the holder has caches and queues; a standby asks for the Lease every few seconds and does nothing else.
k/k cmd/kube-controller-manager/app/controllermanager.go.
Simplified: of about forty controllers, those that the book's chapters need; the one of ServiceCIDRs only where it is
asked for: a cluster that never touches them is spared two watches.
"""

from collections.abc import Iterable
from typing import Any

from kubemini.api.kinds import POD, Kind
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Discovery, Elector, Index, Informers, Recorder
from kubemini.client.decide.throttle import Throttle
from kubemini.controllers.collector import GarbageCollector
from kubemini.controllers.decide.autoscaling import horizontal
from kubemini.controllers.decide.autoscaling.replicas import Patience
from kubemini.controllers.decide.controller import Controller
from kubemini.controllers.decide.disruption import budget, stale
from kubemini.controllers.decide.further import (
    aggregation,
    resourcequota,
    rootca,
    serviceaccount,
    tokens,
)
from kubemini.controllers.decide.networking import endpoints, endpointslice, mirroring, servicecidr
from kubemini.controllers.decide.nodes import ttl
from kubemini.controllers.decide.storage import attributes, claims, protection, volumes
from kubemini.controllers.decide.workloads import replicaset, replicationcontroller, ttlafterfinished
from kubemini.controllers.decide.workloads.cronjob import controller as cronjob
from kubemini.controllers.decide.workloads.daemonset import controller as daemonset
from kubemini.controllers.decide.workloads.deployment import controller as deployment
from kubemini.controllers.decide.workloads.job import controller as job
from kubemini.controllers.decide.workloads.job import orphans
from kubemini.controllers.decide.workloads.statefulset import controller as statefulset
from kubemini.controllers.namespaces import NamespaceController
from kubemini.controllers.nodes import NodeLifecycle, PodGarbageCollector, TaintEviction
from kubemini.controllers.reconcile import Reconciler, facts_of
from kubemini.host import Component, Host
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network

USER = "system:kube-controller-manager"
LEASE_NAME = "kube-controller-manager"
DEFAULT_KEY = b"kubemini"  # that of API servers who are given none (apiserver/flags.py)
CONTROLLERS = (deployment.CONTROLLER, replicaset.CONTROLLER, servicecidr.CONTROLLER)


class ControllerManager(Component):
    """One copy of the program; *servers* are the API servers it may use."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.root_ca = ""  # --root-ca-file: its content
        self.service_account_key = DEFAULT_KEY  # --service-account-private-key-file
        net.watchers.append(self._changed_around)

    def _changed_around(self) -> None:
        if self.up:
            self.discovery.news()

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, USER)
        self.informers: Informers | None = None  # of the holder of the Lease alone
        self.discovery = Discovery(self.client)
        teller = Recorder(self.client, LEASE_NAME)
        self.elector = Elector(self.client, LEASE_NAME, self.lead, recorder=teller)
        self.elector.start()

    @property
    def reconciled(self) -> tuple[Controller, ...]:
        """The controllers of the common form that run (--controllers)."""
        params = self.net.params
        batch = params.endpointslice_updates_batch_period
        slices = endpointslice.controller(params.max_endpoints_per_slice, batch)
        if not params.all_controllers:
            off = () if params.service_cidr_controller else (servicecidr.CONTROLLER,)
            return (*(one for one in CONTROLLERS if one not in off), slices)
        more = (
            serviceaccount.CONTROLLER,
            tokens.controller(self.root_ca, self.service_account_key),
            rootca.publisher(self.root_ca),
            aggregation.CONTROLLER,
        )
        return (
            *CONTROLLERS,
            slices,
            endpoints.controller(batch),
            mirroring.controller(),
            *more,
            replicationcontroller.CONTROLLER,
            resourcequota.controller(params.resource_quota_sync_period),
            statefulset.CONTROLLER,
            ttl.CONTROLLER,
            daemonset.CONTROLLER,
            budget.CONTROLLER,
            stale.CONTROLLER,
            claims.controller(params.pvclaimbinder_sync_period),
            volumes.CONTROLLER,
            protection.CLAIMS,
            protection.VOLUMES,
            attributes.CONTROLLER,
            job.CONTROLLER,
            orphans.CONTROLLER,
            ttlafterfinished.CONTROLLER,
            horizontal.controller(autoscaling(params)),
            cronjob.CONTROLLER,
        )

    def _client(self, controller: Controller) -> ApiClient:
        """Its own client, which may ask only so often: on the connection of all, unless it is somebody of its own."""
        params = self.net.params
        client = ApiClient(self, self.servers, controller.user) if controller.user else self.client
        return client.throttled(Throttle(SECOND // params.kube_api_qps, params.kube_api_burst))

    def lead(self) -> None:
        """The Lease is ours: fill the caches, then begin."""
        informers = self.informers = Informers(self.client)
        pods_on = Index(informers.of(POD), node_name)
        reconciled = self.reconciled
        facts = facts_of(informers, reconciled, self.discovery)
        controllers: list[Any] = [
            *(Reconciler(self._client(one), informers, facts, one) for one in reconciled),
            NodeLifecycle(self.client, informers, pods_on),
            TaintEviction(self.client, informers, pods_on),
            PodGarbageCollector(self.client, informers, pods_on),
            NamespaceController(self.client, informers),
            GarbageCollector(self.client, informers, self.discovery),
        ]
        reconcilers = [one for one in controllers if isinstance(one, Reconciler)]

        def resync(came: Iterable[Kind], went: Iterable[Kind]) -> None:
            for kind in went:
                informers.drop(kind)
            for reconciler in reconcilers:
                reconciler.watch_defined(came)
            informers.start_new()

        def begin() -> None:
            for controller in controllers:
                controller.start()
            self.discovery.listeners.append(resync)
            self.discovery.start()

        informers.start(begin)


def node_name(pod: Obj) -> list[str]:
    """The node a pod is bound to, if any; for an index."""
    name = get(pod, "spec", "nodeName")
    return [name] if name else []


def autoscaling(params: Params) -> horizontal.Settings:
    """The flags --horizontal-pod-autoscaler-…"""
    return horizontal.Settings(
        params.horizontal_pod_autoscaler_sync_period,
        params.horizontal_pod_autoscaler_downscale_stabilization,
        params.horizontal_pod_autoscaler_tolerance,
        Patience(
            params.horizontal_pod_autoscaler_cpu_initialization_period,
            params.horizontal_pod_autoscaler_initial_readiness_delay,
        ),
    )
