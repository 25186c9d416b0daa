"""Garbage collection: an object whose owners are all gone goes too; and what DELETE does to those it owns. Pure.

    Background   the owner goes at once, those it owns follow                         (what nobody asks for, and gets)
    Foreground   finalizer ``foregroundDeletion``: it waits until those that block it are gone
    Orphan       finalizer ``orphan``: those it owns forget it, then it goes

Each look at a node is a dialogue, for only the API server says what is there: the graph may lag, and an owner of the
same name with another UID is another object. It ends with the error for which it is looked at again, after a back-off.
Invariant: nothing is deleted while one of its owners is there and does not wait for those that block it.
Models k/k pkg/controller/garbagecollector GarbageCollector.attemptToDeleteItem, GarbageCollector.isDangling
Models k/k pkg/controller/garbagecollector GarbageCollector.attemptToOrphanWorker, GarbageCollector.removeFinalizer
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple

from kubemini.api.kinds import Kind, stored
from kubemini.api.kinds import acted_on as of_a_story
from kubemini.api.objects import Obj, freeze
from kubemini.controllers.decide.actions import terminating
from kubemini.controllers.decide.dialogue import Answer, Ask, Read, Step, at_once, not_found
from kubemini.controllers.decide.garbage.graph import (
    FOREGROUND,
    ORPHAN,
    Graph,
    Identity,
    Node,
    has,
    references,
    referred,
)

NETWORKING = "networking.k8s.io"  # and gateway.networking.k8s.io, policy.networking.k8s.io
TRIES = 4  # retry.DefaultBackoff
UNSEEN = "item hasn't been observed via informer yet"
Find = Callable[[str, str], Kind | None]  # by apiVersion and kind
Look = Generator[Step, Answer, Any]  # returns None, or the error that calls for another look


def kinds(every: bool = False) -> list[Kind]:
    """The kinds whose objects may be owned, as discovery tells them; *every*: not only those of a story.

    Simplified: Leases own nothing, and whose they were is not asked; in a story no more are kinds of networking groups.
    """
    found = [kind for kind in (stored() if every else of_a_story()) if kind.kind not in ("Event", "Lease")]
    return found if every else [kind for kind in found if not kind.group.endswith(NETWORKING)]


class Sorted(NamedTuple):
    """The owner references of an object, by what became of the owners: there, gone, or waiting for those they own."""

    solid: list[Obj]
    dangling: list[Obj]
    waiting: list[Obj]


class _Failed(Exception):
    """The API server could not say; *error* calls for another look, None does not."""

    def __init__(self, error: Any):
        super().__init__(error)
        self.error = error


def _unknown(kind: str, api_version: str) -> _Failed:
    return _Failed(f"unable to get REST mapping for {api_version}/{kind}.")


def attempt(node: Node, graph: Graph, find: Find, watched: Callable[[Identity], bool]) -> Look:
    """Whether *node* may stay. *find*: the kinds that there are; *watched*: whether its cache will tell of it."""
    if node.virtual:
        known = graph.nodes.get(node.identity.uid)
        if known is None or not known.virtual:
            return None
    if node.leaving and not node.waits:
        return None
    try:
        yield from _attempt(node, graph, find)
    except _Failed as failed:
        return failed.error
    still = graph.nodes.get(node.identity.uid) is node and node.virtual
    return UNSEEN if still and watched(node.identity) else None


def _attempt(node: Node, graph: Graph, find: Find) -> Generator[Step, Answer, None]:
    kind = _kind_of(node.identity, find)
    answer = yield Read(kind, _key(kind, node.identity.namespace, node.identity.name))
    latest = _answered(answer)
    if latest is None or latest["metadata"]["uid"] != node.identity.uid:
        graph.not_there(node.identity)
        raise _Failed(None)
    if node.waits:
        yield from _finish(node, kind, graph)
        return
    if not references(latest):
        return
    found = yield from _sorted(node, references(latest), graph, find)
    uid = node.identity.uid
    if found.solid:
        forgotten = [ref["uid"] for ref in (*found.dangling, *found.waiting)]
        if forgotten:
            yield from _patch(node, kind, _forgetting(uid, forgotten), lambda now: _left(now, forgotten))
    elif found.waiting and node.dependents:
        if any(dependent.waits for dependent in node.dependents):
            # the two wait for each other: then it holds nobody back any more
            freed = [{**ref, "blockOwnerDeletion": False} for ref in node.owners if ref.get("blockOwnerDeletion")]
            body = {"metadata": {"uid": uid, "ownerReferences": freed}}
            every = [{**ref, "blockOwnerDeletion": False} for ref in node.owners]
            yield from _patch(node, kind, body, lambda now: _guarded(now, ownerReferences=every))
        yield from _delete(node, kind, graph, latest, "Foreground")
    else:
        policy = "Orphan" if has(latest, ORPHAN) else "Foreground" if has(latest, FOREGROUND) else "Background"
        yield from _delete(node, kind, graph, latest, policy)


def _kind_of(identity: Identity, find: Find) -> Kind:
    kind = find(identity.api_version, identity.kind)
    if kind is None:
        raise _unknown(identity.kind, identity.api_version)
    if kind.namespaced and not identity.namespace:
        raise _Failed(None)  # who stands in no namespace cannot be owned by who does
    return kind


def _key(kind: Kind, namespace: str, name: str) -> tuple[str, str]:
    return namespace if kind.namespaced else "", name


def _answered(answer: Answer) -> Obj | None:
    """What was asked for; None if it is not there."""
    if answer.error is not None and not not_found(answer.error):
        raise _Failed(answer.error)
    return answer.obj


# -- its owners --------------------------------------------------------------------------------------------------------
def _sorted(node: Node, refs: Iterable[Obj], graph: Graph, find: Find) -> Generator[Step, Answer, Sorted]:
    found = Sorted([], [], [])
    for reference in refs:
        owner = yield from _owner(node, reference, graph, find)
        if owner is None:
            found.dangling.append(reference)
        elif terminating(owner) and has(owner, FOREGROUND):
            found.waiting.append(reference)
        else:
            found.solid.append(reference)
    return found


def _owner(node: Node, reference: Obj, graph: Graph, find: Find) -> Generator[Step, Answer, Obj | None]:
    """The owner that *reference* names; None if there is none, as far as that is known or the API server says."""
    namespace = node.identity.namespace
    if referred(reference, "") in graph.absent or referred(reference, namespace) in graph.absent:
        return None
    kind = find(reference["apiVersion"], reference["kind"])
    if kind is None:
        raise _unknown(reference["kind"], reference["apiVersion"])
    if kind.namespaced and not namespace:
        raise _Failed(None)
    answer = yield Read(kind, _key(kind, namespace, reference["name"]))
    owner = _answered(answer)
    if owner is not None and owner["metadata"]["uid"] == reference["uid"]:
        return owner
    graph.absent.add(referred(reference, namespace if kind.namespaced else ""))
    return None


# -- deeds -------------------------------------------------------------------------------------------------------------
def _finish(node: Node, kind: Kind, graph: Graph) -> Generator[Step, Answer, None]:
    """It waits for those that block it: it may go when there are none."""
    blocking = node.blocking()
    if not blocking:
        yield from _release(node, kind, FOREGROUND)
    graph.suspects += [dependent for dependent in blocking if not dependent.waits]


def orphan(owner: Node, find: Find) -> Look:
    """Those it owns forget it, all at once; then it may go."""
    answers = yield from at_once(_forgotten(dependent, owner.identity.uid, find) for dependent in owner.dependents)
    if failed := [answer.error for answer in answers if answer.error is not None]:
        return failed[0]
    try:
        yield from _release(owner, _kind_of(owner.identity, find), ORPHAN)
    except _Failed as error:
        return error.error
    return None


def _forgotten(dependent: Node, owner: str, find: Find) -> Look:
    try:
        yield from _forget(dependent, owner, find)
    except _Failed as failed:
        return failed.error
    return None


def _forget(dependent: Node, owner: str, find: Find) -> Generator[Step, Answer, None]:
    body = _forgetting(dependent.identity.uid, [owner])
    yield from _patch(dependent, _kind_of(dependent.identity, find), body, lambda latest: _left(latest, [owner]))


def _release(node: Node, kind: Kind, finalizer: str) -> Generator[Step, Answer, None]:
    """Take the finalizer off."""
    answer = Answer()
    for _ in range(TRIES):
        read = yield Read(kind, _key(kind, node.identity.namespace, node.identity.name))
        obj = _answered(read)
        if obj is None or not has(obj, finalizer):
            return
        left = [found for found in obj["metadata"]["finalizers"] if found != finalizer]
        meta = {"resourceVersion": obj["metadata"]["resourceVersion"], "finalizers": left or None}
        answer = yield _patched(node, kind, {"metadata": meta}, "merge")
        if getattr(answer.error, "code", 0) != 409:
            break
    if answer.error is not None:
        raise _Failed(answer.error)


def _delete(node: Node, kind: Kind, graph: Graph, latest: Obj, policy: str) -> Generator[Step, Answer, None]:
    """Delete it, as it was seen; or as it is now, if its owners are the same."""
    path = kind.path(*_key(kind, node.identity.namespace, node.identity.name))
    uid, version = node.identity.uid, latest["metadata"]["resourceVersion"]
    for guard in ({"uid": uid, "resourceVersion": version}, {"uid": uid}):
        body = freeze({"preconditions": guard, "propagationPolicy": policy})
        answer = yield Ask(path, verb="DELETE", body=body)
        if getattr(answer.error, "code", 0) != 409 or "resourceVersion" not in guard:
            break
        read = yield Read(kind, _key(kind, node.identity.namespace, node.identity.name))
        if read.error is not None:
            answer = read if not_found(read.error) else answer
            break
        if read.obj is None or not _is_as_it_was(read.obj, latest):
            break
    if not_found(answer.error):
        graph.not_there(node.identity)
    elif answer.error is not None:
        raise _Failed(answer.error)


def _is_as_it_was(obj: Obj, before: Obj) -> bool:
    """Whether it has changed in nothing that matters here."""
    metas = obj["metadata"], before["metadata"]
    changed = metas[0]["resourceVersion"] != metas[1]["resourceVersion"]
    return changed and metas[0]["uid"] == metas[1]["uid"] and references(obj) == references(before)


def _patch(node: Node, kind: Kind, body: Any, other: Callable[[Obj], Any]) -> Generator[Step, Answer, None]:
    """A strategic merge patch; where that is not known, of kinds defined at run time, an *other* of what is there."""
    answer = yield _patched(node, kind, body, "strategic")
    if getattr(answer.error, "code", 0) == 415:
        read = yield Read(kind, _key(kind, node.identity.namespace, node.identity.name))
        answer = read if read.obj is None else (yield _patched(node, kind, other(read.obj), "merge"))
    if answer.error is not None and not not_found(answer.error):
        raise _Failed(answer.error)


def _patched(node: Node, kind: Kind, body: Any, type: str) -> Ask:
    path = kind.path(*_key(kind, node.identity.namespace, node.identity.name))
    return Ask(path, {"type": type}, "PATCH", freeze(body))


def _forgetting(uid: str, owners: Iterable[str]) -> dict[str, Any]:
    """The patch by which the object of *uid* forgets *owners*."""
    return {"metadata": {"uid": uid, "ownerReferences": [{"$patch": "delete", "uid": owner} for owner in owners]}}


def _left(obj: Obj, owners: Sequence[str]) -> dict[str, Any]:
    left = [reference for reference in references(obj) if reference["uid"] not in owners]
    return _guarded(obj, ownerReferences=left or None)


def _guarded(obj: Obj, **parts: Any) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"], **parts}}
