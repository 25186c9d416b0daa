"""Somebody with kubectl: everything goes to one server address, as a kubeconfig holds one.

Each request is a program of its own with a fresh connection, so a balancer may give it another server than the last.
kubectl never gives up by itself, but for what nobody answers: the limits are those of the server.

Invariant: each object of an apply is tried on its own, in order; what became of it is recorded with what kubectl
prints, and the next one's turn comes whatever that was. A bootstrap is patient: it asks again while nobody answers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

import simpy

from kubemini.api import unsimulated
from kubemini.api.kinds import by_name, collection_path, object_path
from kubemini.api.objects import Obj, freeze
from kubemini.client.transport import Transport
from kubemini.host import Host
from kubemini.sim import Sim, Steps
from kubemini.sim.units import MS, SECOND
from kubemini.users.decide import apply
from kubemini.users.etcdctl import EtcdUser
from kubemini.wire import Network, Reply
from kubemini.wire.rpc import happen

AGAIN = 500 * MS  # a bootstrap script waits so long
PATIENT = 20  # attempts, after which a bootstrap says that it waits, or takes an answer for final
LIVEZ = "/livez"
CONFLICTS = 5  # maxPatchRetry
BACK_OFF = 1 * SECOND  # backOffPeriod; the first retry comes at once


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last request that an apply sent, who was asked, its reply, and what kubectl prints."""

    verb: str
    path: str
    via: list[str]
    reply: Reply
    said: str


class User(EtcdUser):
    """kubectl, and etcdctl too; what is to be applied *first* is created as soon as somebody answers."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str], members: list[str]):
        super().__init__(sim, net, host, name, members)
        self.api_server = servers[0]
        self.first: list[tuple[Obj, str]] = []
        self.noted: list[str] = []

    def boot(self) -> None:
        super().boot()
        self.has_settings = False
        self.spawn(self._bootstrap())

    def at_start(self, objects: Iterable[Obj], source: str = "manifest") -> None:
        """Apply *objects* as soon as somebody answers."""
        self.first += [(obj, source) for obj in objects]

    def _bootstrap(self) -> Steps:
        """Patiently, in order: what a bootstrap script does. kubeadm too begins with a wait for /livez."""
        yield from self._patiently(self._look)
        yield from self._patiently(self._create_config)
        self.has_settings = True
        while self.first:
            yield from self._apply_recorded(*self.first[0], patient=True)
            self.first.pop(0)

    def _look(self) -> Steps:
        via: list[str] = []
        reply = yield self.call_api("GET", LIVEZ, None, None, via)
        said = apply.complaint(reply.error, "", "", self._as_go_says("GET", LIVEZ))
        return Outcome("GET", LIVEZ, via, reply, said)

    def _create_config(self) -> Steps:
        where = collection_path(CONFIG)
        via: list[str] = []
        reply = yield self.call_api("POST", where, CONFIG, None, via)
        said = apply.not_created(reply.error, "configmap", self._as_go_says("POST", where))
        return Outcome("POST", where, via, reply, said)

    def _as_go_says(self, verb: str, path: str) -> str:
        return apply.asked_of(self.api_server, verb, path)

    def _patiently(self, attempt: Callable[[], Steps]) -> Steps:
        """The outcome of *attempt*, which is made again while nobody answers, or a server is in trouble."""
        for number in count(1):
            done = yield from attempt()
            if done.reply.ok or not apply.worth_another_try(done.reply.error):
                return done
            if number >= PATIENT and apply.stays_refused(done.reply.error):
                return done
            if number == PATIENT:
                self.note(f"kubectl goes on asking until it is answered: {done.said}")
            yield self.timeout(AGAIN)

    def call_api(
        self,
        verb: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        via: list[str] | None = None,
    ) -> simpy.Event:
        """One API request on a fresh connection; yield it for the reply; *via* is told who was asked."""
        payload = {"verb": verb, "path": path, "query": query or {}, "body": body, "user": "kubernetes-admin"}
        answered = simpy.Event(self.sim)
        self.spawn(self._call_api(payload, answered, [] if via is None else via))
        return answered

    def _call_api(self, payload: dict[str, Any], answered: simpy.Event, via: list[str]) -> Steps:
        transport = Transport(self, [self.api_server], kept=False)
        limit = self.net.params.kubectl_request_timeout or None
        reply = yield from transport.request(payload, limit)
        via[:] = transport.path
        transport.close()
        happen(answered, reply)

    def begin(self, kind: str, number: int, options: dict[str, Any]) -> None:
        """As an etcdctl user; *api_writes* change the settings, once there are any."""
        if kind != "api_writes":
            super().begin(kind, number, options)
        elif self.has_settings:
            body = {"data": {"count": str(number)}}
            self.spawn(self.request("PATCH", object_path(CONFIG), body, {"type": "merge"}))

    def request(self, verb: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Steps:
        """One recorded API request; the task returns nothing, the trace tells."""
        started, number = self.sim.now, self.number("api", verb, path)
        via: list[str] = []
        reply = yield self.call_api(verb, path, body, query, via)
        self.record_request(number, "api", verb, path, via, started, reply)

    # -- apply -------------------------------------------------------------------------------------
    def apply(self, objects: Iterable[Obj], source: str = "manifest") -> None:
        """``kubectl apply -f`` *source*, which holds *objects*."""
        objects = list(objects)
        if self.up:
            self.spawn(self._apply_all(objects, source))
        else:
            self.at_start(objects, source)

    def _apply_all(self, objects: list[Obj], source: str) -> Steps:
        for obj in objects:
            yield from self._apply_recorded(obj, source, patient=False)

    def _apply_recorded(self, obj: Obj, source: str, patient: bool) -> Steps:
        """Apply one object; while nobody answers, a *patient* user tries again."""
        started, number = self.sim.now, self.number("api", "PATCH", object_path(obj))
        attempt = partial(self._apply, obj, source)
        done = yield from self._patiently(attempt) if patient else attempt()
        detail = {"said": done.said}
        self.record_request(number, "api", done.verb, done.path, done.via, started, done.reply, detail)
        if done.reply.ok:
            self._note_unsimulated(obj)

    def _note_unsimulated(self, obj: Obj) -> None:
        """Say of each field that would change the outcome, and does not here, that it does not; once."""
        for path in unsimulated.fields(obj, self.net.params.all_controllers):
            text = f"{apply.called(obj)}: {path} is not simulated"
            if text not in self.noted:
                self.noted.append(text)
                self.note(text)

    def _apply(self, obj: Obj, source: str) -> Steps:
        """Look, then create what is not there, or change what is: an `Outcome`."""
        found = yield from self._asking("GET", object_path(obj))
        if not found.reply.ok and getattr(found.reply.error, "code", 0) == 404:
            where, name = collection_path(obj), apply.called(obj)
            made = yield from self._asking("POST", where, apply.with_annotation(obj), apply.STRICT)
            return self._said(made, f"{name} created", "creating", source)
        if not found.reply.ok:
            return self._said(found, "", "", source)
        return (yield from self._patch(obj, found, source))

    def _patch(self, obj: Obj, found: Outcome, source: str) -> Steps:
        """Change what is there; after a conflict look again."""
        name = apply.called(obj)
        for attempt in range(CONFLICTS + 1):
            patch, type = apply.patch_for(obj, found.reply.value)
            if not patch:
                return self._said(found, f"{name} unchanged", "", source)
            done = yield from self._asking("PATCH", found.path, patch, apply.STRICT | {"type": type})
            if getattr(done.reply.error, "reason", "") != "Conflict":
                break
            if attempt:
                yield self.timeout(BACK_OFF)
            found = yield from self._asking("GET", found.path)
            if not found.reply.ok:
                return self._said(found, "", "", source)
        return self._said(done, f"{name} configured", "patching", source)

    def _asking(self, verb: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Steps:
        """One request of an apply, of which nothing has been said yet."""
        via: list[str] = []
        reply = yield self.call_api(verb, path, body, query, via)
        return Outcome(verb, path, via, reply, "")

    def _said(self, done: Outcome, success: str, doing: str, source: str) -> Outcome:
        """*done*, with what kubectl prints: *success*, or what went wrong in *doing* it."""
        asked = self._as_go_says(done.verb, done.path)
        return replace(done, said=success if done.reply.ok else apply.complaint(done.reply.error, doing, source, asked))

    # -- more verbs --------------------------------------------------------------------------------
    def scale(self, deployment: str, replicas: int) -> None:
        """``kubectl scale``; *deployment* in the namespace default, or ``namespace/name``."""
        namespace, _, name = deployment.rpartition("/")
        path = f"/apis/apps/v1/namespaces/{namespace or 'default'}/deployments/{name}"
        self.spawn(self.request("PATCH", path, {"spec": {"replicas": replicas}}, {"type": "merge"}))

    def delete(self, kind: str, name: str) -> None:
        """``kubectl delete``."""
        found = by_name(kind)
        path = object_path({"apiVersion": found.api_version, "kind": found.kind, "metadata": {"name": name}})
        self.spawn(self.request("DELETE", path))


CONFIG: Obj = freeze(
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"},
        "data": {"count": "0"},
    }
)
