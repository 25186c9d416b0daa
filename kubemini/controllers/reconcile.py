"""The loop that every controller shares: something changed → key into the queue → facts → plan → carry out.

Invariant: a plan is made from cached facts and carried out through the API alone; whatever fails, the key comes back.
What was asked for is expected to show up in the cache before the same key may ask for more (`expectations`), and a
ReplicaSet is not even looked at while a cache is older than what was written for it.
k/k pkg/controller/replicaset/replica_set.go and its siblings: all have this form.
Simplified: a resync concerns a controller's own kind; of the others, most handlers see that the version is the same.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import simpy

from kubemini.api.kinds import Kind, kind_of
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Discovery, Index, Informers, Recorder, WorkQueue
from kubemini.client.client import code
from kubemini.controllers.closeup import CloseUp
from kubemini.controllers.decide.actions import (
    Action,
    Create,
    Delete,
    Patch,
    Plan,
    Tell,
    Update,
    UpdateStatus,
    controller_uid,
    terminating,
)
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of
from kubemini.controllers.decide.dialogue import (
    Answer,
    Ask,
    Dialogue,
    End,
    Read,
    Refused,
    Step,
    Together,
    namespace_is_ending,
)
from kubemini.controllers.decide.dialogue import Steps as Part
from kubemini.controllers.decide.expectations import Expectations, Writes
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.wire import Reply
from kubemini.wire.rpc import happen

Request = Create | Update | UpdateStatus | Patch | Delete


def facts_of(informers: Informers, controllers: Iterable[Controller], discovery: Discovery) -> Facts:
    """What the caches of a program tell its *controllers*."""
    kinds = dict.fromkeys(
        kind for c in controllers for kind in (c.kind, *(watch.kind for watch in c.watches), *c.reads)
    )
    owned = {kind: Index(informers.of(kind), lambda obj: [controller_uid(obj)]) for kind in kinds}
    return Facts(
        get=lambda kind, key: informers.of(kind).objects.get(key),
        of_namespace=lambda kind, namespace: list(informers.of(kind).values(namespace)),
        owned_by=lambda kind, uid: owned[kind].get(uid),
        defined=lambda: [kind for kind in discovery.found.preferred if informers.of(kind).synced],
        every=lambda kind: list(informers.of(kind).values()),
    )


def execute(client: ApiClient, action: Request, of: Callable[[Obj], Kind] = kind_of) -> Steps:
    """Ask the API server for it; *of*: the kind of an object."""
    obj = action.obj
    match action:
        case Create():
            return client.post(of(obj).path(obj["metadata"].get("namespace", "default")), obj)
        case Update():
            return client.update(obj)
        case UpdateStatus():
            return client.update_status(obj)
        case Patch():
            namespace, name = key_of(obj)
            return client.patch(of(obj), name, namespace, action.body, action.subresource, action.type)
        case Delete():
            namespace, name = key_of(obj)
            uid = obj["metadata"].get("uid")
            options: dict[str, Any] = {"preconditions": {"uid": uid}} if uid else {}
            if action.grace is not None:
                options["gracePeriodSeconds"] = action.grace
            return client.delete(of(obj), name, namespace, propagationPolicy=action.policy, **options)


def is_done(action: Action, reply: Reply) -> bool:
    """Whether the world is as *action* wants it: to delete what is gone is no failure."""
    return reply.ok or (isinstance(action, Delete) and code(reply) == 404)


def tell(recorder: Recorder | None, step: Tell) -> None:
    """Give it to the *recorder* of who tells."""
    assert recorder is not None, f"{step.reason} is told by a controller that names no source"
    recorder.event(step.obj, step.type, step.reason, step.message, step.field_path)


def execute_all(
    client: ApiClient,
    actions: Iterable[Action],
    of: Callable[[Obj], Kind] = kind_of,
    recorder: Recorder | None = None,
) -> Steps:
    """Carry them out in order; returns the first error, or None."""
    for action in actions:
        if isinstance(action, Tell):
            tell(recorder, action)
            continue
        reply = yield from execute(client, action, of)
        if not is_done(action, reply):
            return reply.error
    return None


def side_by_side(component: Component, deeds: Sequence[Steps]) -> Steps:
    """Carry out each in a task of its own; returns what each of them came to, when all have ended."""
    ended: dict[int, Any] = {}
    all_ended = simpy.Event(component.sim)

    def carry_out(place: int, deed: Steps) -> Steps:
        ended[place] = yield from deed
        if len(ended) == len(deeds):
            happen(all_ended, None)

    for place, deed in enumerate(deeds):
        component.spawn(carry_out(place, deed))
    if deeds:
        yield all_ended
    return tuple(ended[place] for place in range(len(deeds)))


class Reconciler:
    """One controller at work: each key of its kind is brought a step closer to what is wanted."""

    def __init__(self, client: ApiClient, informers: Informers, facts: Facts, controller: Controller):
        self.client, self.facts, self.controller = client, facts, controller
        self.component = client.component
        self.cache = informers.of(controller.kind)
        self.informers = informers
        params = self.component.net.params
        workers = controller.workers or params.concurrent_syncs
        self.queue = WorkQueue(self.component, self.sync, workers, controller.backoff, controller.retries)
        self.expectations = Expectations(params.expectations_timeout)
        self.writes = Writes()
        self.recorder = Recorder(client, controller.source) if controller.source else None
        self.memory: dict[Key, Any] = {}  # what the last dialogue about each object left
        self.made = {watch.kind for watch in controller.watches if watch.made_here}
        self.close_up = self._in_close_up() if controller.source == params.close_up else None
        self.cache.handlers.append(self._changed)
        for watch in controller.watches:
            self._watch(watch)

    def _in_close_up(self) -> CloseUp:
        kinds = (self.controller.kind, *(watch.kind for watch in self.controller.watches))
        return CloseUp(self.component, self.controller.source, self.queue, self.informers, kinds)

    def start(self) -> None:
        """The caches are filled: begin."""
        if self.controller.leftovers is not None:
            for key in self.controller.leftovers(self.facts):
                self.queue.add(key)
        self.queue.start()
        self._resync_later()

    def _resync_later(self) -> None:
        """After a period that this run of the program keeps to, up to twice --min-resync-period."""
        low = self.component.net.params.min_resync_period
        draws = self.component.sim.draws(f"resync/{self.component.name}/{self.component.incarnation}")
        self.component.after(draws.between(0, low, 2 * low - 1), self._resync)

    def _resync(self) -> None:
        """Look at every object of its kind, though none has changed: what was missed is found, if late."""
        for key, obj in self.cache.objects.items():
            if self.controller.when(obj, obj):
                self.queue.add_after(key, self.controller.delay(obj, obj, self.component.sim.wall))
        self._resync_later()

    def watch_defined(self, kinds: Iterable[Kind]) -> None:
        """These have been defined: those that concern this controller wake it from now on."""
        if self.controller.defined is not None:
            for kind in kinds:
                self._watch(self.controller.defined(kind))

    def _watch(self, watch: Watch) -> None:
        def keys(obj: Obj | None) -> list[Key]:
            return watch.keys(obj, self.facts) if obj is not None else []

        def changed(old: Obj | None, new: Obj | None) -> None:
            concerned = (new or old,) if watch.latest else () if watch.change is not None else (old, new)
            for told in watch.tells(new or old or {}, self.facts):
                tell(self.recorder, told)
            for obj in concerned if watch.when(old, new) else ():
                for key in keys(obj):
                    self.queue.add_after(key, watch.delay)
            for key in watch.change(old, new, self.facts) if watch.change is not None else ():
                self.queue.add_after(key, watch.delay)
            for key in keys(new or old) if watch.made_here else ():
                self._observe(key, old, new)

        self.informers.of(watch.kind).handlers.append(changed)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        key = key_of(new or old or {})
        if new is None:
            self.writes.forget(key)
            self.memory.pop(key, None)
        if self.controller.when(old, new):
            self.queue.add_after(key, self.controller.delay(old, new, self.component.sim.wall))

    def _observe(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        """The cache has caught up with one of the deeds."""
        if old is None:
            self.expectations.created(key)
        if new is None or terminating(new):
            self.expectations.deleted(key, (new or old or {})["metadata"]["uid"])

    def sync(self, key: Key) -> Steps:
        """One look at one object; returns None, or the error that calls for another."""
        if self.close_up is None:
            return (yield from self._sync(key))
        unseen = not self.expectations.satisfied(key, self.component.sim.now)
        self.close_up.begins(key, self.expectations.of.get(key), unseen)
        error = yield from self._sync(key)
        self.close_up.ends(key, error)
        return error

    def _request(self, key: Key, action: Request) -> Steps:
        """Ask the API server for it; returns its reply."""
        reply = yield from execute(self.client, action)
        if self.close_up is not None:
            found = reply.value if reply.ok and not isinstance(action, Delete) else None
            self.close_up.asks(key, action, found, None if is_done(action, reply) else reply.error)
        return reply

    def _sync(self, key: Key) -> Steps:
        behind = self.writes.behind(key, lambda kind: self.informers.of(kind).version)
        if behind:
            name = "/".join(filter(None, key))
            self.component.sim.record(self.component.name, "log", text=f'sync "{name}" failed with {behind}')
            return behind
        obj = self.cache.objects.get(key)
        now = self.component.sim.wall
        if obj is None:
            self.expectations.forget(key)
            if self.controller.gone is None:
                return None
            plan, caught_up = self.controller.gone(key, self.facts), False
        else:
            facts = replace(self.facts, memory=self.memory.get(key), recall=self.memory.get)
            caught_up = self.expectations.satisfied(key, self.component.sim.now)
            plan = self.controller.decide(obj, facts, caught_up, now)
        if not isinstance(plan, Plan):
            if caught_up:
                self.expectations.forget(key)
            return (yield from self._converse(key, obj, plan))
        if plan.again_at is not None:
            self.queue.add_after(key, plan.again_at - now)
        return (yield from self._execute(key, plan.actions))

    def _converse(self, key: Key, obj: Obj | None, dialogue: Dialogue) -> Steps:
        """Carry out a dialogue step by step; returns None, or the error that calls for another look."""
        try:
            step = next(dialogue)
            while True:
                step = dialogue.send((yield from self._answer(key, step)))
        except StopIteration as stop:
            end: End = stop.value
        now = self.cache.objects.get(key)
        same = obj is not None and now is not None and now["metadata"]["uid"] == obj["metadata"]["uid"]
        if same and end.memory is not None:
            self.memory[key] = end.memory
        if end.again_at is not None:
            self.queue.add_after(key, end.again_at - self.component.sim.wall)
        return end.error

    def _answer(self, key: Key, step: Step) -> Steps:
        """Carry out one step of a dialogue; returns its `Answer`.

        What is refused will not show up; in a namespace that is going it is waited for, and so nobody tries again.
        """
        if isinstance(step, Read):
            namespace, name = step.key
            reply = yield from self.client.get(step.kind, name, namespace)
            return Answer(reply.value) if reply.ok else Answer(error=reply.error)
        if isinstance(step, Ask):
            reply = yield from self.client.request(step.verb, step.path, step.body, dict(step.query))
            return Answer(reply.value) if reply.ok else Answer(error=reply.error)
        if isinstance(step, Tell):
            tell(self.recorder, step)
            return Answer()
        if isinstance(step, Together):
            return Answer(parts=(yield from self._at_once(key, step.parts)))
        kind = kind_of(step.obj)
        if kind in self.made and isinstance(step, Create | Delete):
            doomed = [step.obj["metadata"]["uid"]] if isinstance(step, Delete) else []
            self.expectations.expect_more(key, isinstance(step, Create), doomed, self.component.sim.now)
        reply = yield from self._request(key, step)
        if not reply.ok:
            waited = kind not in self.made or (isinstance(step, Create) and namespace_is_ending(reply.error))
            self._give_up(key, () if waited else [step])
            return Answer(error=reply.error)
        if kind in self.controller.remembers and not isinstance(step, Delete):
            self.writes.wrote(key, kind, reply.value["metadata"]["resourceVersion"])
        return Answer(reply.value)

    def _at_once(self, key: Key, parts: Sequence[Part]) -> Steps:
        return (yield from side_by_side(self.component, [self._part(key, part) for part in parts]))

    def _part(self, key: Key, part: Part) -> Steps:
        """Carry out one; returns what it comes to, or why it was refused."""
        try:
            step = next(part)
            while True:
                step = part.send((yield from self._answer(key, step)))
        except StopIteration as stop:
            return Answer(stop.value)
        except Refused as refused:
            return Answer(error=refused.error)

    def _execute(self, key: Key, actions: Iterable[Action]) -> Steps:
        left = list(actions)
        creations = sum(isinstance(action, Create) for action in left)
        doomed = [action.obj["metadata"]["uid"] for action in left if isinstance(action, Delete)]
        self.expectations.expect(key, creations, doomed, self.component.sim.now)
        while left:
            if isinstance(left[0], Tell):
                tell(self.recorder, left[0])
                left.pop(0)
                continue
            reply = yield from self._request(key, left[0])
            if not is_done(left[0], reply):
                self._give_up(key, left)
                return reply.error
            if kind_of(left[0].obj) in self.controller.remembers and not isinstance(left[0], Delete):
                self.writes.wrote(key, kind_of(left[0].obj), reply.value["metadata"]["resourceVersion"])
            if isinstance(left[0], Delete) and not reply.ok:
                self._give_up(key, left[:1])
            left.pop(0)
        return None

    def _give_up(self, key: Hashable, left: Iterable[Action]) -> None:
        """These will not show up."""
        for action in left:
            if isinstance(action, Create):
                self.expectations.created(key)
            elif isinstance(action, Delete):
                self.expectations.deleted(key, action.obj["metadata"]["uid"])
