"""Somebody with kubectl: everything goes to one server address, as a kubeconfig holds one.

Invariant: each object of an apply is tried on its own, in order; what became of it is recorded with what kubectl
prints, and the next one's turn comes whatever that was. A bootstrap is patient: it asks again while nobody answers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from kubemini.api import unsimulated
from kubemini.api.kinds import by_name, collection_path, object_path
from kubemini.api.objects import Obj, freeze
from kubemini.host import Host
from kubemini.sim import Sim, Steps
from kubemini.sim.units import MS, SECOND
from kubemini.users.decide import apply
from kubemini.users.etcdctl import EtcdUser
from kubemini.wire import Network, Reply

AGAIN = 500 * MS  # a bootstrap script waits so long
PATIENT = 20  # attempts, after which a bootstrap says that it waits, or takes an answer for final
CONFLICTS = 5  # maxPatchRetry
BACK_OFF = 1 * SECOND  # backOffPeriod; the first retry comes at once


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last request that an apply sent, its reply, and what kubectl prints."""

    verb: str
    path: str
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
        self.spawn(self._bootstrap())

    def at_start(self, objects: Iterable[Obj], source: str = "manifest") -> None:
        """Apply *objects* as soon as somebody answers."""
        self.first += [(obj, source) for obj in objects]

    def _bootstrap(self) -> Steps:
        """Patiently, in order: what a bootstrap script does."""
        yield from self._patiently(self._create_config)
        while self.first:
            yield from self._apply_recorded(*self.first[0], patient=True)
            self.first.pop(0)

    def _create_config(self) -> Steps:
        where = collection_path(CONFIG)
        reply = yield self.call_api("POST", where, CONFIG)
        return Outcome("POST", where, reply, apply.complaint(reply.error, "creating", "settings"))

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

    def call_api(self, verb: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        """One API request; yield it for the reply."""
        payload = {"verb": verb, "path": path, "query": query or {}, "body": body, "user": "kubernetes-admin"}
        return self.call(self.api_server, "request", payload, timeout=self.net.params.kubectl_request_timeout)

    def begin(self, kind: str, number: int, options: dict[str, Any]) -> None:
        if kind == "api_writes":
            body = {"data": {"count": str(number)}}
            self.spawn(self.request("PATCH", object_path(CONFIG), body, {"type": "merge"}))
        else:
            super().begin(kind, number, options)

    def request(self, verb: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Steps:
        """One recorded API request; the task returns nothing, the trace tells."""
        started, number = self.sim.now, self.number()
        reply = yield self.call_api(verb, path, body, query)
        self.record_request(number, "api", verb, path, [self.api_server], started, reply)

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
        started, number = self.sim.now, self.number()
        attempt = partial(self._apply, obj, source)
        done = yield from self._patiently(attempt) if patient else attempt()
        detail = {"said": done.said}
        self.record_request(number, "api", done.verb, done.path, [self.api_server], started, done.reply, detail)
        if done.reply.ok:
            self._note_unsimulated(obj)

    def _note_unsimulated(self, obj: Obj) -> None:
        """Say of each field that would change the outcome, and does not here, that it does not; once."""
        for path in unsimulated.fields(obj):
            text = f"{apply.called(obj)}: {path} is not simulated"
            if text not in self.noted:
                self.noted.append(text)
                self.note(text)

    def _apply(self, obj: Obj, source: str) -> Steps:
        """Look, then create what is not there, or change what is: an `Outcome`."""
        path, name = object_path(obj), apply.called(obj)
        found = yield self.call_api("GET", path)
        if not found.ok and getattr(found.error, "code", 0) == 404:
            where = collection_path(obj)
            made = yield self.call_api("POST", where, apply.with_annotation(obj), apply.STRICT)
            said = f"{name} created" if made.ok else apply.complaint(made.error, "creating", source)
            return Outcome("POST", where, made, said)
        if not found.ok:
            return Outcome("GET", path, found, apply.complaint(found.error, "", source))
        return (yield from self._patch(obj, found, path, source))

    def _patch(self, obj: Obj, found: Reply, path: str, source: str) -> Steps:
        """Change what is there; after a conflict look again."""
        name = apply.called(obj)
        for attempt in range(CONFLICTS + 1):
            patch, type = apply.patch_for(obj, found.value)
            if not patch:
                return Outcome("GET", path, found, f"{name} unchanged")
            reply = yield self.call_api("PATCH", path, patch, apply.STRICT | {"type": type})
            if reply.ok:
                return Outcome("PATCH", path, reply, f"{name} configured")
            if getattr(reply.error, "reason", "") != "Conflict":
                break
            if attempt:
                yield self.timeout(BACK_OFF)
            found = yield self.call_api("GET", path)
            if not found.ok:
                return Outcome("GET", path, found, apply.complaint(found.error, "", source))
        return Outcome("PATCH", path, reply, apply.complaint(reply.error, "patching", source))

    # -- more verbs --------------------------------------------------------------------------------
    def scale(self, deployment: str, replicas: int) -> None:
        """``kubectl scale``."""
        path = f"/apis/apps/v1/namespaces/default/deployments/{deployment}"
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
