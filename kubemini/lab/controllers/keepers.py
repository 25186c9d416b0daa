"""Two programs that keep so many pods, for the cells of *Watch and controllers*: one counts events, one counts pods.

Both have an informer of their own, and hear of each change of a pod only with some luck. Both write through the API.
Invariant: they differ in nothing but what they do when they hear of a change.
"""

from dataclasses import replace
from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, freeze
from kubemini.client import ApiClient, Informer, WorkQueue
from kubemini.cluster import Cluster
from kubemini.host import Component
from kubemini.params import Params
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

READY = 3.5  # seconds: by then the API server answers
WANTED = 6
LABELS = {"app": "kept"}


def pod(name: str) -> Obj:
    """One to be kept."""
    containers = [{"name": "main", "image": "shop/web:1.0"}]
    meta = {"name": name, "namespace": "default", "labels": LABELS}
    return freeze({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers}})


class Keeper(Component):
    """It hears of a change with the chance 1 - *lost*, and keeps `WANTED` pods."""

    lost = 0.0
    resync = 0.0  # s; 0: never
    expects = True

    def __init__(self, sim: Any, net: Any, host: Any, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers, self.made, self.wanted = servers, 0, WANTED

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, "system:kube-controller-manager")
        self.draws, self.heard = self.sim.draws(f"lost/{self.incarnation}"), 0
        self.unseen: set[str] = set()
        self.pods = Informer(self.client, POD, self._changed, "default")
        self.queue = WorkQueue(self, self.look)
        self.pods.on_synced.append(self._begin)
        self.pods.start()

    def _begin(self) -> None:
        self.queue.start()
        self.queue.add("pods")
        self._again()

    def _again(self) -> None:
        if self.resync:
            self.queue.add("pods")
            self.after(round(self.resync * SECOND), self._again)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        self.unseen.discard((new or old or {})["metadata"]["name"])
        self.heard += 1
        if not self.draws.happens(self.heard, self.lost):
            self.hear(old, new)

    def hear(self, old: Obj | None, new: Obj | None) -> None:
        """A change has reached it."""
        raise NotImplementedError

    def look(self, key: str) -> Steps:
        """One look; returns None, or the error that calls for another."""
        raise NotImplementedError

    def create(self) -> Steps:
        """One pod more; returns the error, if any."""
        self.made += 1
        name = f"kept-{self.incarnation}-{self.made}"
        self.unseen.add(name)
        reply = yield from self.client.create(pod(name))
        return None if reply.ok else reply.error


class Level(Keeper):
    """It asks what is: however it was woken, it makes what is missing."""

    def hear(self, old: Obj | None, new: Obj | None) -> None:
        self.queue.add("pods")

    def look(self, key: str) -> Steps:
        there = len(self.pods.objects) + (len(self.unseen) if self.expects else 0)
        for _ in range(self.wanted - there):
            error = yield from self.create()
            if error is not None:
                return error
        return None


class Edge(Keeper):
    """It asks what has happened: a pod that is deleted is made up for."""

    def _begin(self) -> None:
        self.queue.start()
        for number in range(self.wanted if self.incarnation == 1 else 0):
            self.queue.add(f"first-{number}")

    def hear(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None:
            self.queue.add(f"for {old['metadata']['name']}")

    def look(self, key: str) -> Steps:
        return (yield from self.create())


KEEPERS = {"edge": Edge, "level": Level}


class Stage:
    """A cluster with nothing but an API server, and one keeper."""

    def __init__(self, which: str, seed: int = 1, **how: Any):
        """*how*: lost, resync, expects. Raises ValueError for another keeper."""
        if which not in KEEPERS:
            raise ValueError(f"keeper: {which!r:.60} is none of {', '.join(KEEPERS)}")
        quiet = replace(Params(), restart_policy="Never")
        self.cluster = Cluster.single(workers=0, seed=seed, params=quiet)
        self.cluster.run(READY)
        made = type("Keeper", (KEEPERS[which],), how)
        self.keeper = self.cluster.add("keeper", "cp-1", made)
        assert isinstance(self.keeper, Keeper)
        self.begun = self.cluster.sim.now

    def run(self, seconds: float) -> None:
        """Let so many *seconds* pass."""
        self.cluster.run(seconds)

    def delete(self, number: int) -> None:
        """Somebody deletes the pod that has the place *number* among those that are there, as far as there are any."""
        names = sorted(self.present())
        if names:
            self.cluster.kubectl.delete("pod", names[number % len(names)])

    def present(self) -> set[str]:
        """The pods that there are."""
        found: set[str] = set()
        for record in self.cluster.trace.of("object"):
            d = record.detail
            if d["kind"] == "Pod" and d["namespace"] == "default":
                (found.discard if d["verb"] == "DELETED" else found.add)(d["name"])
        return found

    def course(self) -> list[tuple[float, int]]:
        """(second, number of pods) from the begin on, whenever it changes."""
        found, there = [(0.0, 0)], 0
        for record in self.cluster.trace.of("object"):
            d = record.detail
            if d["kind"] == "Pod" and d["verb"] in ("ADDED", "DELETED"):
                there += 1 if d["verb"] == "ADDED" else -1
                found.append(((record.at - self.begun) / SECOND, there))
        return found


def lossy(
    which: str, lost: float = 0.3, seed: int = 1, deletions: int = 12, resync: float = 0
) -> list[tuple[float, int]]:
    """The course of a keeper to whom the share *lost* of all changes never comes; every 2 s a pod is deleted."""
    stage = Stage(which, seed, lost=lost, resync=resync)
    stage.run(2)
    for number in range(deletions):
        stage.delete(number * 7)
        stage.run(2)
    stage.run(4)
    return stage.course()


def away(which: str, minutes: float = 5, seed: int = 1) -> list[tuple[float, int]]:
    """The course of a keeper that is dead for so many *minutes*, while three pods are deleted."""
    stage = Stage(which, seed)
    stage.run(2)
    stage.keeper.crash()
    for number in range(3):
        stage.run(minutes * 60 / 4)
        stage.delete(number)
    stage.run(minutes * 60 / 4)
    stage.keeper.start()
    stage.run(5)
    return stage.course()


def blind(expects: bool, seconds: float = 3, seed: int = 1) -> int:
    """How many pods a level-triggered keeper makes when one more is wanted, while its watch says nothing.

    It looks every half a second; *expects*: it counts what it has asked for and not yet seen.
    """
    stage = Stage("level", seed, expects=expects, resync=0.5)
    stage.run(2)
    assert isinstance(stage.keeper, Keeper)
    stage.keeper.pods.cut()
    stage.keeper.wanted += 1
    before = stage.keeper.made
    stage.run(seconds)
    return stage.keeper.made - before
