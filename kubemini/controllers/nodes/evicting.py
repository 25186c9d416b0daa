"""The taint eviction controller at work: a timer for each pod that may stay for a while, a task for each that may not.

Invariant: of one pod there is one eviction at a time, one that waits or one that is under way.
Models k/k pkg/controller/tainteviction Controller.handleNodeUpdate
Models k/k pkg/controller/tainteviction addConditionAndDeletePod
Models k/k pkg/controller/tainteviction TimedWorkerQueue.AddWork
"""

from kubemini.api.kinds import NODE, POD
from kubemini.api.objects import Obj, freeze, get
from kubemini.client import ApiClient, Index, Informers
from kubemini.client.events import Recorder
from kubemini.controllers.decide.controller import Key, key_of
from kubemini.controllers.decide.nodes import tainteviction
from kubemini.controllers.nodes.marking import patch_status
from kubemini.host import Timer
from kubemini.sim import Steps
from kubemini.sim.units import MS

TRIES, PAUSE = 5, 10 * MS


class TaintEviction:
    """Pods leave nodes that have NoExecute taints."""

    def __init__(self, client: ApiClient, informers: Informers, pods_on: Index):
        self.client, self.component, self.pods_on = client, client.component, pods_on
        self.recorder = Recorder(client, tainteviction.CONTROLLER)
        self.pods = informers.of(POD)
        self.tainted: dict[str, list[Obj]] = {}  # node → its NoExecute taints
        self.waiting: dict[Key, tuple[int, Timer]] = {}  # pod → since when
        self.under_way: dict[Key, None] = {}
        self._before: list[Key] = []  # found to be evicted before the start
        self._running = False
        informers.of(NODE).handlers.append(self._node_changed)
        self.pods.handlers.append(self._pod_changed)

    def start(self) -> None:
        """The caches are filled: begin."""
        self._running = True
        before, self._before = self._before, []
        for key in before:
            self.component.spawn(self._evict(key))

    # -- what wakes it -------------------------------------------------------------------------------------------------
    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        before, after = tainteviction.no_execute(old), tainteviction.no_execute(new)
        name = (new or old or {})["metadata"]["name"]
        if new is None:
            self.tainted.pop(name, None)
        elif before != after:
            self.tainted[name] = after
            if not after:
                del self.tainted[name]
            for pod in self.pods_on.get(name):
                self._consider(pod, after)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            self._cancel(key_of(old or {}))
        elif old is None or any(get(old, *path) != get(new, *path) for path in CONCERNS):
            taints = self.tainted.get(get(new, "spec", "nodeName", default=""))
            if taints is not None:
                self._consider(new, taints)

    # -- plans ---------------------------------------------------------------------------------------------------------
    def _consider(self, pod: Obj, taints: list[Obj]) -> None:
        """Plan, keep or cancel the eviction of one pod."""
        key, now = key_of(pod), self.component.sim.now
        since = self.waiting[key][0] if key in self.waiting else None
        move = tainteviction.plan(pod, taints, since, now)
        if move.cancel:
            self._cancel(key)
        if move.since is None or move.at is None or key in self.waiting or key in self.under_way:
            return
        if move.at > move.since:
            self.waiting[key] = move.since, self.component.after(move.at - move.since, self._time_is_up, key)
        else:
            self._begin(key)

    def _cancel(self, key: Key) -> None:
        waits = self.waiting.pop(key, None)
        if waits is not None:
            waits[1].cancel()
            self._say(key, tainteviction.staying(*key))

    def _time_is_up(self, key: Key) -> None:
        del self.waiting[key]
        self._begin(key)

    def _begin(self, key: Key) -> None:
        self.under_way[key] = None
        if self._running:
            self.component.spawn(self._evict(key))
        else:
            self._before.append(key)

    # -- and deeds -----------------------------------------------------------------------------------------------------
    def _evict(self, key: Key) -> Steps:
        """Say so, then say why on the pod, then delete it."""
        self._say(key, tainteviction.going(*key))
        for _ in range(TRIES):
            gone = yield from self._mark_and_delete(key)
            if gone:
                break
            yield self.component.timeout(PAUSE)
        del self.under_way[key]

    def _mark_and_delete(self, key: Key) -> Steps:
        namespace, name = key
        reply = yield from self.client.get(POD, name, namespace)
        if not reply.ok:
            return False
        pod = reply.value
        marked = tainteviction.doomed(pod, self.component.sim.wall)
        if marked["status"] != pod["status"]:
            reply = yield from patch_status(self.client, pod, marked)
            if not reply.ok:
                return False
        reply = yield from self.client.delete(POD, name, namespace)
        return reply.ok

    def _say(self, key: Key, message: str) -> None:
        """An Event about a pod that is known by its name alone."""
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": key[0], "name": key[1]}}
        self.recorder.event(freeze(pod), "Normal", tainteviction.SAID, message)


CONCERNS = (("spec", "tolerations"), ("spec", "nodeName"))
