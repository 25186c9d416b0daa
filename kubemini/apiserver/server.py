"""The API server: the only door to etcd. It checks, stores, and tells all who watch.

What a request goes through stands in pipeline.py; what reads and writes it, in reading.py and writing.py; what they
share, in core.py. Here is the program: what it does first, and what it does now and then.
Invariant: the server keeps no state but what it can read in etcd again, so any number of them may run side by side.
Models k/k cmd/kube-apiserver/app CreateServerChain, k/apiserver pkg/server GenericAPIServer.
Simplified: no webhooks; events are kept for ever; each request takes the same time; there is no Service `kubernetes`.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import NAMESPACE, Kind
from kubemini.apiserver import pipeline, writing
from kubemini.apiserver.core import Core
from kubemini.apiserver.decide import identity
from kubemini.apiserver.watchcache import WatchCache
from kubemini.host import Component, Host
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call, Network


class ApiServer(Component):
    """kube-apiserver, talking to the etcd members at *etcd_endpoints*."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, etcd_endpoints: list[str]):
        super().__init__(sim, net, host, name)
        self.params, self.etcd_endpoints = net.params, etcd_endpoints

    def boot(self) -> None:
        self.core = Core(self, self.etcd_endpoints)
        self.spawn(self._create_system_namespaces())
        self.after(self.params.watch_bookmark_period, self._send_bookmarks)

    def _create_system_namespaces(self) -> Steps:
        cache = self.cache(NAMESPACE)
        while (yield from cache.wait()) is not None:
            pass
        for name in identity.SYSTEM_NAMESPACES:
            while cache.get("", name) is None:
                made = yield from writing.store_new(self.core, NAMESPACE, identity.namespace(name))
                if not isinstance(made, ApiError) or made.code == 409:
                    break
                yield self.timeout(SECOND)
        self.core.health.come_up()

    def cache(self, kind: Kind) -> WatchCache:
        """What this server has heard of the objects of *kind*."""
        return self.core.cache(kind)

    def _send_bookmarks(self) -> None:
        self.after(self.params.watch_bookmark_period, self._send_bookmarks)
        for cache in self.core.caches.values():
            cache.send_bookmarks()

    def handle(self, call: Call) -> Steps:
        """A request, or a watch: down the chain of handlers, and back to whoever asked."""
        answer = yield from pipeline.serve(self.core, pipeline.received(call))
        if isinstance(answer, ApiError):
            call.fail(answer)
        elif answer is not None:
            call.reply(answer)
