"""The API server: the only door to etcd. It checks, stores, and tells all who watch.

What a request goes through stands in pipeline.py; what reads and writes it, in reading.py and writing.py; what they
share, in core.py. Here is the program: what it does first, and what it does now and then.
Invariant: the server keeps no state but what it can read in etcd again, so any number of them may run side by side.
Models k/k cmd/kube-apiserver/app CreateServerChain, k/apiserver pkg/server GenericAPIServer,
preparedGenericAPIServer.RunWithContext.
A server that is told to stop fails /readyz and closes its door at once; it tells those who are connected to go
elsewhere (GOAWAY), and serves what is open to its end: a watch has none, so after 60 s it goes all the same.
Simplified: events are kept for ever; each request takes the same time; a server that finds no etcd waits for it,
where the real one exits after 20 s and its kubelet starts it again.
"""

import simpy

from kubemini.api import kinds
from kubemini.api.errors import ApiError
from kubemini.api.kinds import NAMESPACE, SERVICE, Kind
from kubemini.api.objects import Obj
from kubemini.api.patch.apply import UPDATE, Manager
from kubemini.api.timestamps import timestamp
from kubemini.apiserver import bootstrap, pipeline, served, servicecidrs, writing
from kubemini.apiserver.caching import WatchCache
from kubemini.apiserver.controlplane.reconciler import Reconciler
from kubemini.apiserver.core import Core
from kubemini.apiserver.decide import checks, identity, ownership
from kubemini.apiserver.decide.checks import ETCD
from kubemini.apiserver.flags import Flags
from kubemini.apiserver.storage import compact
from kubemini.etcd.client import EtcdClient
from kubemini.host import Component, Host
from kubemini.host.component import TOLD
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call, Network

KUBE_SYSTEM = "kube-system"


class ApiServer(Component):
    """kube-apiserver, talking to the etcd members at *etcd_endpoints*."""

    def __init__(
        self, sim: Sim, net: Network, host: Host, name: str, etcd_endpoints: list[str], flags: Flags | None = None
    ):
        super().__init__(sim, net, host, name)
        self.params, self.etcd_endpoints, self.flags = net.params, etcd_endpoints, flags or Flags()
        net.watchers.append(self._reachability_changed)

    def _reachability_changed(self) -> None:
        if self.up:
            self.after(0, self.core.health.look)

    @property
    def calm(self) -> bool:
        """Without a start, an end, or a look at itself under way."""
        return super().calm and (not self.up or self.core.health.settled)

    def boot(self) -> None:
        self.listens, self.ending = False, False
        self.core = Core(self, self.etcd_endpoints, self.flags)
        self._reconciler = Reconciler(self.core) if self.params.endpoint_reconciler_type == "lease" else None
        self._draws = self.sim.draws(f"apiserver/{self.name}/{self.incarnation}")
        self.spawn(self._begin())
        self.after(self.params.watch_bookmark_period, self._send_bookmarks)
        if self.flags.compaction:
            self.spawn(compact(self, EtcdClient(self, self.etcd_endpoints, "compact"), self.flags.compaction))

    def _takes(self, number: int, span: tuple[int, int]) -> simpy.Event:
        """The *number*-th piece of work of a start is done."""
        return self.timeout(self._draws.between(number, *span))

    def _begin(self) -> Steps:
        """From exec to ready: connect to etcd, listen, let the informers sync, run the hooks."""
        health, params = self.core.health, self.params
        yield self._takes(0, params.apiserver_boot)
        yield from health.etcd[ETCD].etcd.ready()
        for kind in kinds.served().values() if self.flags.watches_all else ():
            if not served.of(kind).observed:
                self.cache(kind)
        self.listens = True
        health.listen()
        hooks = self.sim.now + params.bootstrap_poll  # their first try
        yield self._takes(1, params.apiserver_sync)
        cache = self.cache(NAMESPACE)
        while (yield from cache.wait()) is not None:
            yield self.timeout(params.watch_cache_retry)
        for kind in self.core.access.kinds:
            while (yield from self.cache(kind).wait()) is not None:
                yield self.timeout(params.watch_cache_retry)
        health.authorizes = cache.get("", KUBE_SYSTEM) is not None  # the rules are there as well
        health.stage(checks.BOOTSTRAPPING)
        if self.flags.bootstraps:
            yield from servicecidrs.ensure_default(self.core)
        yield from self._create_system_namespaces()
        if self._reconciler is not None:
            self.spawn(self._reconciler.run())
        yield self.timeout(max(0, hooks - self.sim.now))
        health.stage(checks.LAST)
        yield self._takes(2, params.bootstrap_roles)
        if self.flags.authorization:
            yield from self._create_all()
        health.authorizes = True
        health.stage(())

    def _create_system_namespaces(self) -> Steps:
        cache = self.cache(NAMESPACE)
        for name in identity.SYSTEM_NAMESPACES:
            while cache.get("", name) is None:
                made = yield from writing.store_new(self.core, NAMESPACE, identity.namespace(name))
                if not isinstance(made, ApiError) or made.code == 409:
                    break
                yield self.timeout(SECOND)

    def _create_all(self) -> Steps:
        """The objects that every server makes sure of."""
        service = bootstrap.service(self.params.service_cluster_ip_range[0])
        for kind, obj in [*bootstrap.objects(), (SERVICE, service)]:
            cache, meta = self.cache(kind), obj["metadata"]
            while (yield from cache.wait()) is not None:
                yield self.timeout(self.params.watch_cache_retry)
            if cache.get(meta.get("namespace", ""), meta["name"]) is None:
                me = Manager(bootstrap.MANAGER, UPDATE, kind.api_version, "")
                owned = ownership.after_write(None, obj, me, True, self.sim.wall)
                yield from writing.store_new(self.core, kind, owned)
            if kind.kind == "FlowSchema":
                yield from self.core.storage.update(kind, "", meta["name"], self._known)

    def _known(self, schema: Obj) -> Obj:
        """A flow schema of ours, whose level is there."""
        return schema if schema.get("status") else bootstrap.found(schema, timestamp(self.sim.wall))

    # -- the end -----------------------------------------------------------------------------------
    def on_sigterm(self) -> None:
        """Fail /readyz, close the door, serve what is open to its end, then exit; a second signal ends it at once."""
        if self.ending or not self.listens:
            super().on_sigterm()
        else:
            self.ending = True
            self.spawn(self._end())

    def _end(self) -> Steps:
        self.core.health.stop()
        open_until = self.sim.now + self.params.shutdown_delay_duration
        if self._reconciler is not None:
            yield from self._leave(self._reconciler)
        yield self.timeout(max(0, open_until - self.sim.now))
        self.listens = False
        self.net.changed()
        for peer in list(self.rpc.accepted.values()):
            peer.go_away()
        self.after(self.params.request_timeout, self.exit, TOLD)  # whatever is still open then
        last = self.sim.now + self.params.http2_goaway_timeout
        yield self.rpc.drained()
        yield self.timeout(max(0, last - self.sim.now))
        self.exit(TOLD)

    def _leave(self, reconciler: Reconciler) -> Steps:
        """Let it take this server out, for twice its interval at the most: the end does not wait for ever."""
        over = simpy.Event(self.sim)

        def leave() -> Steps:
            yield from reconciler.stop()
            if not over.triggered:
                over.succeed()

        self.spawn(leave())
        timer = self.after(2 * self.params.endpoint_reconciler_interval, over.succeed)
        yield over
        timer.cancel()

    def cache(self, kind: Kind) -> WatchCache:
        """What this server has heard of the objects of *kind*."""
        return self.core.cache(kind)

    def _send_bookmarks(self) -> None:
        self.after(self.params.watch_bookmark_period, self._send_bookmarks)
        for cache in self.core.caches.values():
            cache.send_bookmarks()

    def handle(self, call: Call) -> None:
        """A request, or a watch. If its client gives up, it goes no further: what has not left for etcd never does."""
        call.on_cancel(self.spawn(self._serve(call)).cancel)

    def _serve(self, call: Call) -> Steps:
        """Down the chain of handlers, and back to whoever asked."""
        asked = pipeline.received(call)
        answer = yield from pipeline.serve(self.core, asked)
        if asked.audit is not None:
            created = 201 if asked.created or asked.info.verb == "create" else 200
            asked.audit.answered(answer.code if isinstance(answer, ApiError) else created, answer)
        if isinstance(answer, ApiError):
            call.fail(answer)
        elif answer is not None:
            call.reply(answer)
