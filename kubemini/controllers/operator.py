"""An operator: a program that a reader writes, as one function, and that keeps a kind of its own true.

    def reconcile(desired, observed):              the object as the cache has it, and what there is of it
        return [Create(…), Patch(…), Delete(…)]    what is to be written, in order; [] when all is as it should be

    operator = Operator.of(reconcile, SITE, owns=[DEPLOYMENT])     cluster.add("operator-1", "worker-1", operator)

*observed* has a list for each kind it owns, by the kind's name, of those whose controller the object is; "outside":
the names of what the provider keeps; "now": the time as objects write it, by the operator's own clock.
Invariant: the function is told *that* something has changed, never what. So whatever is lost, or comes twice, or in
another order, is made up for by the next look: it decides from what is there.
Like its kin of Kubernetes it has informers and a work queue, and with a *lease* only the holder of it acts. What it
does stands in the trace (the word "log"). A function that raises is called again, after a back-off.
Models k/client-go util/workqueue Typed.Add; its shape is that of sigs.k8s.io/controller-runtime pkg/internal/controller
Simplified: it is a program of a host, not of a pod; the provider answers at once and never refuses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.api.kinds import Kind, kind_of
from kubemini.api.objects import Obj, evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.client import ApiClient, Elector, Index, Informers, WorkQueue
from kubemini.controllers.decide.actions import (
    Create,
    Delete,
    Patch,
    controller_uid,
    owner_reference,
)
from kubemini.controllers.decide.controller import key_of, owner_key
from kubemini.controllers.reconcile import execute, is_done
from kubemini.host import Component, Host
from kubemini.ranges import shown
from kubemini.sim import Sim, Steps
from kubemini.wire import Network


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the provider, which is outside of the cluster: *verb* is create or delete, *name* what is meant."""

    verb: str
    name: str


Write = Create | Patch | Delete | Call
Reconcile = Callable[[Obj, Mapping[str, Any]], Sequence[Write]]


class Provider:
    """Somebody outside of the cluster who keeps things by name, and whom no garbage collector knows."""

    def __init__(self) -> None:
        self.things: dict[str, None] = {}
        self.calls: list[Call] = []

    def do(self, call: Call) -> None:
        """Carry out *call*; to create what is there, or delete what is gone, changes nothing."""
        self.calls.append(call)
        if call.verb == "create":
            self.things[call.name] = None
        else:
            self.things.pop(call.name, None)


class Operator(Component):
    """One copy of the program; *servers*: the API servers it may use, or the balancer before them."""

    def __init__(
        self,
        sim: Sim,
        net: Network,
        host: Host,
        name: str,
        servers: list[str],
        reconcile: Reconcile,
        kind: Kind,
        owns: Iterable[Kind] = (),
        provider: Provider | None = None,
        lease: str = "",
    ):
        super().__init__(sim, net, host, name)
        self.servers, self.reconcile, self.kind, self.owns = servers, reconcile, kind, tuple(owns)
        self.provider, self.lease = provider or Provider(), lease

    @classmethod
    def of(cls, reconcile: Reconcile, kind: Kind, **options: Any) -> Callable[..., "Operator"]:
        """What `Cluster.add` makes the program with; *options*: owns, provider, lease."""

        def make(sim: Sim, net: Network, host: Host, name: str, servers: list[str]) -> "Operator":
            return cls(sim, net, host, name, servers, reconcile, kind, **options)

        return make

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, f"system:serviceaccount:default:{self.name}")
        self.elector: Elector | None = None
        if self.lease:
            self.elector = Elector(self.client, self.lease, self.lead, "default", releases=True)
            self.elector.start()
        else:
            self.lead()

    def on_sigterm(self) -> None:
        """Told to stop: give the Lease back first."""
        if self.elector is not None:
            self.elector.resign()
        else:
            super().on_sigterm()

    def lead(self) -> None:
        """Fill the caches, then begin."""
        informers = Informers(self.client)
        self.cache = informers.of(self.kind)
        self.queue = WorkQueue(self, self.sync)
        self.cache.handlers.append(lambda old, new: self.queue.add(key_of(new or old or {})))
        self.owned = {kind: Index(informers.of(kind), lambda obj: [controller_uid(obj)]) for kind in self.owns}
        for kind in self.owns:
            informers.of(kind).handlers.append(self._owned_changed)
        informers.start(self.queue.start)

    def _owned_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Whose is it? It is looked at, whatever has happened."""
        for key in (*owner_key(old, self.kind), *owner_key(new, self.kind)):
            self.queue.add(key)

    def observed(self, obj: Obj) -> dict[str, Any]:
        """What there is of *obj*, as the caches, the provider and the clock have it."""
        mine = {kind.kind: index.get(obj["metadata"]["uid"]) for kind, index in self.owned.items()}
        return {**mine, "outside": list(self.provider.things), "now": timestamp(self.sim.wall)}

    def sync(self, key: Any) -> Steps:
        """One look at one object; returns None, or why there must be another."""
        obj = self.cache.get(*key)
        if obj is None:
            return None
        try:
            writes = _checked(self.reconcile(obj, self.observed(obj)))
        except Exception as raised:  # by a reader's function: that is what a log is for
            self.say(f"reconcile of {'/'.join(key)} failed: {type(raised).__name__}: {raised}")
            return raised
        for write in writes:
            error = yield from self.carry_out(write)
            if error is not None:
                self.say(f"reconcile of {'/'.join(key)} failed: {error}")
                return error
        return None

    def carry_out(self, write: Write) -> Steps:
        """Ask the API server, or the provider, for it; returns None, or what went wrong."""
        self.say(told(write))
        if isinstance(write, Call):
            self.provider.do(write)
            return None
        reply = yield from execute(self.client, write, self._kind_of)
        return None if is_done(write, reply) else reply.error

    def _kind_of(self, obj: Obj) -> Kind:
        mine = (obj["apiVersion"], obj["kind"]) == (self.kind.api_version, self.kind.kind)
        return self.kind if mine else kind_of(obj)

    def say(self, text: str) -> None:
        """A line of its log."""
        self.sim.record(self.name, "log", text=text)


def owned_by(owner: Obj, obj: Obj) -> Obj:
    """*obj* in the namespace of *owner*, which is its controller: when *owner* goes, the garbage collector takes it."""
    placed = evolve(freeze(obj), ("metadata", "namespace"), owner["metadata"]["namespace"])
    return evolve(placed, ("metadata", "ownerReferences"), [owner_reference(owner)])


def _checked(writes: Any) -> list[Write]:
    right = isinstance(writes, list | tuple) and all(isinstance(one, Create | Patch | Delete | Call) for one in writes)
    if not right:
        raise ValueError(f"reconcile returned {shown(writes)}; return a list of Create, Patch, Delete and Call, or []")
    return [_frozen(one) for one in writes]


def _frozen(write: Write) -> Write:
    match write:
        case Create():
            return Create(freeze(write.obj))
        case Patch():
            return Patch(write.obj, freeze(write.body), write.subresource)
        case _:
            return write


def told(write: Write) -> str:
    """*write* in a line of a log: ``patches Site default/shop status``."""
    if isinstance(write, Call):
        return f"calls the provider: {write.verb} {write.name}"
    what = f"{write.obj['kind']} {'/'.join(key_of(write.obj))}"
    match write:
        case Create():
            return f"creates {what}"
        case Patch():
            return f"patches {what} {write.subresource}".rstrip()
        case Delete():
            return f"deletes {what}"


__all__ = ["Call", "Create", "Delete", "Operator", "Patch", "Provider", "Reconcile", "Write", "owned_by"]
