"""ControllerRevisions: what a workload's template was, one object a template, so that it can be had again.

A revision is the patch that puts the template back; its name ends in a hash of that patch, and the same template has
the same name in every cluster. Its number says when it was last the newest: a template that comes back gets the next
number, not a new object.
Models k/k pkg/controller/history NewControllerRevision, HashControllerRevision, SortControllerRevisions
Models k/k pkg/controller/statefulset newRevision, ApplyRevision
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import CONTROLLER_REVISION
from kubemini.api.objects import EMPTY, Obj, evolve, freeze, get, without
from kubemini.controllers.decide.actions import Create, Update, owner_reference
from kubemini.controllers.decide.dialogue import Read, Refused, Steps, exists_already, must

HASH = "controller.kubernetes.io/hash"
LONGEST = 223  # characters of an owner's name that go into the names of its revisions
TEMPLATE = ("spec", "template")


def patch_of(owner: Obj) -> Obj:
    """The strategic merge patch that puts the template of *owner* back."""
    return freeze({"spec": {"template": _sorted({**owner["spec"]["template"], "$patch": "replace"})}})


def _sorted(value: Any) -> Any:
    """The same with the keys of all maps in order, as Go writes them: clients compare the bytes."""
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value


def template_of(revision: Obj) -> Obj:
    """The template that *revision* keeps."""
    return without(get(revision, "data", *TEMPLATE, default=EMPTY), ("$patch",))


def restored(owner: Obj, revision: Obj) -> Obj:
    """*owner* with the template of *revision*."""
    return evolve(owner, TEMPLATE, template_of(revision))


def hashed(data: Obj, collisions: int) -> str:
    """A short name of *data*: FNV-1 over it as Go writes JSON, and over the number of *collisions*."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    value = 0x811C9DC5
    for byte in (text + str(collisions)).encode():
        value = value * 0x01000193 & 0xFFFFFFFF ^ byte
    return names.safe_encoded(str(value))


def name_of(owner: Obj, data: Obj, collisions: int) -> str:
    """The name of the revision of *owner* with that *data*."""
    return f"{owner['metadata']['name'][:LONGEST]}-{hashed(data, collisions)}"


def in_order(revisions: Sequence[Obj]) -> list[Obj]:
    """*revisions* from the oldest number to the newest."""

    def rank(revision: Obj) -> tuple[int, str, str]:
        meta = revision["metadata"]
        return number(revision), meta.get("creationTimestamp", ""), meta["name"]

    return sorted(revisions, key=rank)


def number(revision: Obj) -> int:
    """Its number in the history."""
    return revision.get("revision", 0)


def snapshot(owner: Obj, revision: int, collisions: int) -> Obj:
    """The revision of the template that *owner* has now."""
    data, meta = patch_of(owner), owner["metadata"]
    labels: dict[str, Any] = {**(get(owner, *TEMPLATE, "metadata", "labels") or EMPTY)}
    labels[HASH] = hashed(data, collisions)
    about = {"name": name_of(owner, data, collisions), "namespace": meta["namespace"], "labels": labels}
    if meta.get("annotations"):
        about["annotations"] = meta["annotations"]
    return freeze(
        {
            "apiVersion": CONTROLLER_REVISION.api_version,
            "kind": CONTROLLER_REVISION.kind,
            "metadata": {**about, "ownerReferences": [owner_reference(owner)]},
            "data": data,
            "revision": revision,
        }
    )


def current(owner: Obj, known: Sequence[Obj]) -> Steps:
    """(the revision of the template of *owner*, collisions so far), *known* in order; made or renumbered if need be.

    Models k/k pkg/controller/statefulset defaultStatefulSetControl.getStatefulSetRevisions
    Raises Refused.
    """
    collisions = get(owner, "status", "collisionCount", default=0)
    following = number(known[-1]) + 1 if known else 1
    data = patch_of(owner)
    equal = [revision for revision in known if revision.get("data") == data]
    if equal and equal[-1].get("data") == known[-1].get("data"):
        return known[-1], collisions
    if equal:
        again = equal[-1]
        if number(again) == following:
            return again, collisions
        return (yield from must(Update(evolve(again, ("revision",), following)))), collisions
    return (yield from _created(owner, snapshot(owner, following, collisions), collisions))


def _created(owner: Obj, revision: Obj, collisions: int) -> Steps:
    """The same under the first name that nobody else has. Models k/k pkg/controller/history CreateControllerRevision"""
    data, namespace = revision["data"], owner["metadata"]["namespace"]
    while True:
        name = name_of(owner, data, collisions)
        answer = yield Create(evolve(revision, ("metadata", "name"), name))
        if answer.error is None:
            return answer.obj, collisions
        if not exists_already(answer.error):
            raise Refused(answer.error)
        there = yield from must(Read(CONTROLLER_REVISION, (namespace, name)))
        if there.get("data") == data:
            return there, collisions
        collisions += 1
