"""Who owns whom, as the caches have told so far. Pure: news go in, and who is to be looked at comes out.

Theory of operation. Each object is a node, by its UID, that knows its owners and those it owns. A reference to an owner
that nobody has seen yet makes a *virtual* node, which is looked for on the API server: either its own cache tells of it
in a moment, or there is no such object, and those it would own follow. A reference may lie: it names the UID of an
object of another name, kind or namespace. So a node is found by its UID, but an owner counts as absent only under the
very coordinates that were asked for; what was found absent is kept in mind (`Absent`), for it cannot come back.
Whoever is to be looked at goes into `suspects` (may it stay?), `orphaners` (those it owns shall forget it) or `later`
(the same as the first, after a back-off); the driver empties them.
Invariant: nothing is deleted from here: the graph may be late, and only the API server knows.
Models k/k pkg/controller/garbagecollector GraphBuilder.processGraphChanges, GraphBuilder.addDependentToOwners
Models k/k pkg/controller/garbagecollector partitionDependents, getAlternateOwnerIdentity, ReferenceCache
"""

from collections.abc import Iterable
from typing import NamedTuple

from kubemini.api.objects import Obj, freeze
from kubemini.controllers.decide.actions import Tell, terminating

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
REMEMBERED = 500  # how many absent owners are kept in mind


class Identity(NamedTuple):
    """Which object, by what names it: the namespace is "" of one that stands in none."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        where = f"namespace: {self.namespace}, name: {self.name}, uid: {self.uid}"
        return f"[{self.api_version}/{self.kind}, {where}]"


class Node:
    """An object in the graph. *virtual*: it was only heard of. *waits*: it stays until those that block it are gone."""

    __slots__ = ("dependents", "identity", "leaving", "owners", "virtual", "waits")

    def __init__(self, identity: Identity, owners: tuple[Obj, ...] = (), virtual: bool = False):
        self.identity, self.owners, self.virtual = identity, owners, virtual
        self.dependents: dict[Node, None] = {}
        self.leaving = self.waits = False

    def copy(self, identity: Identity) -> "Node":
        """The same under another identity."""
        other = Node(identity, self.owners, self.virtual)
        other.dependents, other.leaving, other.waits = dict(self.dependents), self.leaving, self.waits
        return other

    def blocking(self) -> list["Node"]:
        """Those for which it waits."""
        uid = self.identity.uid
        held = lambda ref: ref["uid"] == uid and ref.get("blockOwnerDeletion")  # noqa: E731
        return [node for node in self.dependents if any(map(held, node.owners))]


class Absent:
    """The newest of the owners that were found not to be there."""

    def __init__(self) -> None:
        self._known: dict[Identity, None] = {}

    def add(self, identity: Identity) -> None:
        """It is not there."""
        self._known.pop(identity, None)
        self._known[identity] = None
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def __contains__(self, identity: Identity) -> bool:
        if identity not in self._known:
            return False
        self.add(identity)
        return True


def references(obj: Obj) -> tuple[Obj, ...]:
    """Its owner references."""
    return tuple(obj["metadata"].get("ownerReferences") or ())


def identity_of(obj: Obj) -> Identity:
    """That of an object as it is."""
    meta = obj["metadata"]
    return Identity(obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"], meta["uid"])


def referred(reference: Obj, namespace: str) -> Identity:
    """That which a *reference* of an object in *namespace* names."""
    return Identity(reference["apiVersion"], reference["kind"], namespace, reference["name"], reference["uid"])


def has(obj: Obj, finalizer: str) -> bool:
    """Whether it is held by that finalizer."""
    return finalizer in (obj["metadata"].get("finalizers") or ())


def waits(obj: Obj, finalizer: str) -> bool:
    """Whether *obj* is on its way out and asks this controller for what *finalizer* stands for."""
    return terminating(obj) and has(obj, finalizer)


def _fits(reference: Obj, identity: Identity) -> bool:
    """Whether a reference names those coordinates, wherever it stands."""
    return referred(reference, identity.namespace) == identity


class Graph:
    """All nodes, by UID."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.absent = Absent()
        self.suspects: list[Node] = []
        self.orphaners: list[Node] = []
        self.later: list[Node] = []
        self.told: list[Tell] = []

    # -- news ----------------------------------------------------------------------------------------------------
    def seen(self, old: Obj | None, new: Obj) -> None:
        """*new* has come, or was *old* before."""
        identity, owners = identity_of(new), references(new)
        node = self.nodes.get(identity.uid)
        if node is not None and node.virtual:
            node = self._observed(node, identity)
        if node is None:
            node = Node(identity, owners)
            node.leaving, node.waits = terminating(new), waits(new, FOREGROUND)
            self.nodes[identity.uid] = node
            self._under(node, owners)
        else:
            if owners != node.owners:
                self._owned_otherwise(node, owners)
            node.leaving = node.leaving or terminating(new)
        self._begins(node, old, new)

    def gone(self, obj: Obj) -> None:
        """It was deleted."""
        identity = identity_of(obj)
        node = self.nodes.get(identity.uid)
        if node is not None:
            if node.virtual:
                node = self._observed(node, identity)
            self._remove(node, identity)

    def not_there(self, identity: Identity) -> None:
        """The API server knows no such object."""
        node = self.nodes.get(identity.uid)
        if node is not None and not self._keeps(node, identity):
            self._remove(node, identity)

    # -- what follows --------------------------------------------------------------------------------------------
    def _observed(self, node: Node, identity: Identity) -> Node:
        """A virtual node is there after all; those that named it by other coordinates are looked at."""
        if node.identity != identity:
            for dependent in self._split(node, identity)[1]:
                if identity.namespace and dependent.identity.namespace != identity.namespace:
                    self._tell_elsewhere(dependent, identity.uid)
                self.suspects.append(dependent)
            node = node.copy(identity)
            self.nodes[identity.uid] = node
        node.virtual = False
        return node

    def _under(self, node: Node, owners: Iterable[Obj]) -> None:
        """*node* belongs to *owners* from now on."""
        doubtful = False
        for reference in owners:
            owner = self.nodes.get(reference["uid"])
            if owner is None:
                owner = Node(referred(reference, node.identity.namespace), virtual=True)
                self.nodes[reference["uid"]] = owner
                self.suspects.append(owner)
            elif not doubtful:
                doubtful = self._is_doubtful(node, reference, owner)
            owner.dependents[node] = None
        if doubtful:
            self.suspects.append(node)

    def _is_doubtful(self, node: Node, reference: Obj, owner: Node) -> bool:
        """Whether *owner* may not be what the reference says."""
        elsewhere = owner.identity.namespace != node.identity.namespace
        if owner.identity.namespace and elsewhere:
            if not owner.virtual:
                self._tell_elsewhere(node, owner.identity.uid)
            return True
        return not _fits(reference, owner.identity) or (elsewhere and owner.virtual)

    def _owned_otherwise(self, node: Node, owners: tuple[Obj, ...]) -> None:
        before, after = ({ref["uid"]: ref for ref in refs} for refs in (node.owners, owners))
        added = [ref for uid, ref in after.items() if uid not in before]
        for uid, reference in before.items():  # owners that it held back until now
            freed = uid not in after or not after[uid].get("blockOwnerDeletion")
            if reference.get("blockOwnerDeletion") and freed and uid in self.nodes:
                self.suspects.append(self.nodes[uid])
        node.owners = owners
        self._under(node, added)
        for uid in before:
            if uid not in after and uid in self.nodes:
                self.nodes[uid].dependents.pop(node, None)

    def _begins(self, node: Node, old: Obj | None, new: Obj) -> None:
        """It may have begun to wait: for those it owns to forget it, or to be gone."""
        if waits(new, ORPHAN) and not (old is not None and waits(old, ORPHAN)):
            self.orphaners.append(node)
        elif waits(new, FOREGROUND) and not (old is not None and waits(old, FOREGROUND)):
            node.waits = True
            self.suspects += [*node.dependents, node]

    def _keeps(self, node: Node, absent: Identity) -> bool:
        """Whether *node* stays although what was looked for under its UID is not there: others name it otherwise."""
        if not node.virtual and node.identity == absent:
            return False
        matching, others = self._split(node, absent)
        if node.virtual and not others:
            return False
        if matching:
            self.absent.add(absent)
            self.suspects += matching
        if node.virtual and node.identity == absent:
            other = _next_name(others, absent)
            if other is not None:
                self.nodes[absent.uid] = node.copy(other)
                self.later.append(self.nodes[absent.uid])
        return True

    def _remove(self, node: Node, identity: Identity) -> None:
        self.nodes.pop(node.identity.uid, None)
        for reference in node.owners:
            owner = self.nodes.get(reference["uid"])
            if owner is not None:
                owner.dependents.pop(node, None)
        if node.dependents:
            self.absent.add(identity)
            self.suspects += node.dependents
        for reference in node.owners:
            owner = self.nodes.get(reference["uid"])
            if owner is not None and owner.waits:
                self.suspects.append(owner)

    def _split(self, node: Node, identity: Identity) -> tuple[list[Node], list[Node]]:
        """Those that it owns by these coordinates, and those by others."""
        matching: list[Node] = []
        others: list[Node] = []
        for dependent in node.dependents:
            if identity.namespace and dependent.identity.namespace != identity.namespace:
                others.append(dependent)
                continue
            fits = {_fits(ref, identity) for ref in dependent.owners if ref["uid"] == identity.uid}
            matching += [dependent] * (True in fits)
            others += [dependent] * (False in fits)
        return matching, others

    def _tell_elsewhere(self, node: Node, uid: str) -> None:
        """The owner of that UID stands in another namespace."""
        reference = next((ref for ref in node.owners if ref["uid"] == uid), None)
        if reference is not None:
            here, mine = node.identity.namespace, node.identity
            meta = {"namespace": here, "name": mine.name, "uid": mine.uid}
            about = freeze({"apiVersion": mine.api_version, "kind": mine.kind, "metadata": meta})
            text = f'ownerRef {referred(reference, here)} does not exist in namespace "{here}"'
            self.told.append(Tell(about, "Warning", "OwnerRefInvalidNamespace", text))


def _next_name(dependents: Iterable[Node], absent: Identity) -> Identity | None:
    """Another name under which *dependents* know what is *absent*: the next one in order, or else the first."""
    found: dict[Identity, None] = {}
    for node in dependents:
        for reference in node.owners:
            if reference["uid"] != absent.uid:
                continue
            if _fits(reference, absent) and absent.namespace in ("", node.identity.namespace):
                continue
            same_kind = (reference["apiVersion"], reference["kind"]) == (absent.api_version, absent.kind)
            scoped = not absent.namespace and same_kind
            found[referred(reference, "" if scoped else node.identity.namespace)] = None
    order = sorted((one for one in found if one != absent), key=_order)
    return next((one for one in order if _order(one) > _order(absent)), order[0] if order else None)


def _order(identity: Identity) -> tuple[str, str, str, str]:
    return identity.kind, identity.api_version, identity.namespace, identity.name
