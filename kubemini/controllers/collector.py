"""The driver of `decide.garbage`: news go into the graph, whom it suspects goes into a queue, and is looked at.

Kinds that are defined at run time are watched from when they are discovered until they are gone.
Invariant: the graph hears of each change once, in the order of its cache; nobody is looked at before all caches are
filled, so that who was not seen yet is not taken for gone.
"""

from collections.abc import Generator, Iterable
from typing import Any

from kubemini.api.kinds import Kind, by_gvk
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Discovery, Informers, WorkQueue
from kubemini.client.events import Recorder
from kubemini.controllers.decide.dialogue import Answer, Ask, Read, Step, Together
from kubemini.controllers.decide.garbage import collecting
from kubemini.controllers.decide.garbage.graph import Graph
from kubemini.controllers.reconcile import side_by_side, tell
from kubemini.sim import Steps

SOURCE = "garbage-collector-controller"


class GarbageCollector:
    """Watches all that can be owned."""

    def __init__(self, client: ApiClient, informers: Informers, discovery: Discovery):
        self.client, self.informers, self.discovery = client, informers, discovery
        params = client.component.net.params
        self.graph, self.recorder = Graph(), Recorder(client, SOURCE)
        self.suspects = WorkQueue(client.component, self._attempt, params.concurrent_gc_syncs)
        self.orphaners = WorkQueue(client.component, self._orphan, params.concurrent_gc_syncs)
        self.kinds: dict[tuple[str, str], Kind] = {}
        self._resync(collecting.kinds(params.all_controllers), ())
        discovery.listeners.append(self._resync)

    def start(self) -> None:
        """The caches are filled: begin."""
        self.suspects.start()
        self.orphaners.start()

    def _resync(self, came: Iterable[Kind], went: Iterable[Kind]) -> None:
        """Watch what there is now, and no more than that."""
        for kind in went:
            del self.kinds[kind.api_version, kind.kind]
        for kind in came:
            self.kinds[kind.api_version, kind.kind] = kind
            self.informers.of(kind).handlers.append(self._changed)

    # -- news ----------------------------------------------------------------------------------------------------
    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            self.graph.seen(old, new)
        elif old is not None:
            self.graph.gone(old)
        self._follow()

    def _follow(self) -> None:
        """Carry on what the graph asks for."""
        graph = self.graph
        for node in graph.suspects:
            self.suspects.add(node)
        for node in graph.orphaners:
            self.orphaners.add(node)
        for node in graph.later:
            self.suspects.retry(node)
        for said in graph.told:
            tell(self.recorder, said)
        for sent in (graph.suspects, graph.orphaners, graph.later, graph.told):
            sent.clear()

    # -- deeds ---------------------------------------------------------------------------------------------------
    def _attempt(self, node: Any) -> Steps:
        watched = lambda one: (one.api_version, one.kind) in self.kinds  # noqa: E731
        return self._converse(collecting.attempt(node, self.graph, self._find, watched))

    def _orphan(self, node: Any) -> Steps:
        return self._converse(collecting.orphan(node, self._find))

    def _find(self, api_version: str, kind: str) -> Kind | None:
        return by_gvk(api_version, kind) or self.discovery.find(api_version, kind)

    def _converse(self, look: Generator[Step, Answer, Any]) -> Steps:
        """Carry out a dialogue; returns None, or the error that calls for another look."""
        try:
            step = next(look)
            while True:
                step = look.send((yield from self._answer(step)))
        except StopIteration as stop:
            self._follow()
            return stop.value

    def _answer(self, step: Step) -> Steps:
        match step:
            case Read():
                reply = yield from self.client.get(step.kind, step.key[1], step.key[0])
            case Ask():
                reply = yield from self.client.request(step.verb, step.path, step.body, dict(step.query))
            case Together():
                deeds = [self._converse(part) for part in step.parts]
                errors = yield from side_by_side(self.client.component, deeds)
                return Answer(parts=tuple(Answer(error=error) for error in errors))
            case _:
                raise AssertionError(f"the garbage collector reads and asks, and this is neither: {step}")
        return Answer(reply.value) if reply.ok else Answer(error=reply.error)
