"""The pod garbage collector at work: a round every 20 s, as long as there is something that one may have to deal with.

Invariant: rounds keep their beat whether they are held or not; one that would find nothing is left out.
Models k/k pkg/controller/podgc PodGCController.discoverDeletedNodes
Simplified: the pods of one round go one after the other.
"""

from kubemini.api.kinds import NODE, POD
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Index, Informers
from kubemini.client.client import code
from kubemini.controllers.decide.actions import is_finished
from kubemini.controllers.decide.nodes import podgc
from kubemini.controllers.nodes.marking import patch_status
from kubemini.host import Timer
from kubemini.sim import Steps


class PodGarbageCollector:
    """Removes pods that nobody will ever end."""

    def __init__(self, client: ApiClient, informers: Informers, pods_on: Index):
        self.client, self.component, self.pods_on = client, client.component, pods_on
        self.params = self.component.net.params
        self.nodes, self.pods = informers.of(NODE), informers.of(POD)
        self.quarantine: dict[str, int] = {}  # node that is missing → when to ask for it (µs)
        self.ended: set[tuple[str, str]] = set()
        self._began: int | None = None
        self._next: Timer | None = None
        self.nodes.handlers.append(self._node_changed)
        self.pods.handlers.append(self._pod_changed)

    def start(self) -> None:
        """The caches are filled: begin."""
        self._began = self.component.sim.now
        self.component.spawn(self._round())

    # -- whether a round is needed -------------------------------------------------------------------------------------
    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        name = (new or old or {})["metadata"]["name"]
        self._look_at(self.pods_on.get(name))

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        pod = new or old or {}
        key = pod["metadata"]["namespace"], pod["metadata"]["name"]
        if new is not None and is_finished(new):
            self.ended.add(key)
        else:
            self.ended.discard(key)
        if new is not None:
            self._look_at([new])

    def _look_at(self, pods: list[Obj]) -> None:
        if self._began is not None and self._next is None and (self._too_many() or any(map(self._needed, pods))):
            period = self.params.pod_gc_period
            self._next = self.component.after(period - (self.component.sim.now - self._began) % period, self._begin)

    def _needed(self, pod: Obj) -> bool:
        return podgc.needed(pod, self._node)

    def _node(self, name: str) -> Obj | None:
        return self.nodes.get("", name)

    def _too_many(self) -> bool:
        return 0 < self.params.terminated_pod_gc_threshold < len(self.ended)

    def _begin(self) -> None:
        self.component.spawn(self._round())

    # -- the round -----------------------------------------------------------------------------------------------------
    def _round(self) -> Steps:
        pods = list(self.pods.values())
        for pod in podgc.excess(pods, self.params.terminated_pod_gc_threshold):
            yield from self._remove(pod)
        for pod in podgc.out_of_service(pods, self._node):
            yield from self._remove(pod)
        gone = yield from self._gone(pods)
        for pod in podgc.orphans(pods, gone):
            yield from self._remove(pod, orphaned=True)
        for pod in podgc.unscheduled(pods):
            yield from self._remove(pod)
        self._next = None
        self._look_at(list(self.pods.values()))

    def _gone(self, pods: list[Obj]) -> Steps:
        """The nodes that have been missing for long enough, and that the API server does not know."""
        now = self.component.sim.now
        missing = {name for pod in pods if (name := podgc.node_name(pod)) and self._node(name) is None}
        for name in sorted(missing):
            self.quarantine.setdefault(name, now + self.params.pod_gc_quarantine)
        gone = []
        for name in [name for name, due in self.quarantine.items() if due <= now]:
            del self.quarantine[name]
            if self._node(name) is None:
                reply = yield from self.client.get(NODE, name)
                gone += [name] if code(reply) == 404 else []
        return gone

    def _remove(self, pod: Obj, orphaned: bool = False) -> Steps:
        """Mark it Failed, if it has not ended, and delete it without grace."""
        marked = podgc.failed(pod, self.component.sim.wall, orphaned)
        if marked is not None:
            reply = yield from patch_status(self.client, pod, marked)
            if not reply.ok:
                return
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        yield from self.client.delete(POD, name, namespace, gracePeriodSeconds=0)
