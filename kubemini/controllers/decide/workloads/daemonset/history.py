"""The ControllerRevisions of a DaemonSet: one of each template, the newest with the highest number.

Models k/k pkg/controller/daemon DaemonSetsController.constructHistory, DaemonSetsController.snapshot
Models k/k pkg/controller/daemon DaemonSetsController.dedupCurHistories, DaemonSetsController.cleanupHistory
"""

from collections.abc import Sequence

from kubemini.api.kinds import CONTROLLER_REVISION, DAEMON_SET
from kubemini.api.objects import EMPTY, Obj, evolve, evolve_many, freeze, get
from kubemini.controllers.decide.actions import Create, Delete, Patch, Update, UpdateStatus, owner_reference
from kubemini.controllers.decide.claims import claimed
from kubemini.controllers.decide.controller import Facts, key_of
from kubemini.controllers.decide.dialogue import Read, Refused, Steps, exists_already, must
from kubemini.controllers.decide.workloads.daemonset.nodes import HASH
from kubemini.controllers.decide.workloads.deployment import templates
from kubemini.controllers.decide.workloads.revisions import in_order, number, patch_of


def found(daemon: Obj, facts: Facts, pods: Sequence[Obj]) -> Steps:
    """(the hash of the template of now, the revisions of others); what lacks is made. Raises Refused."""
    meta = daemon["metadata"]
    kind = CONTROLLER_REVISION
    candidates = [*facts.owned_by(kind, meta["uid"]), *facts.orphans(kind, meta["namespace"])]
    mine = yield from claimed(daemon, candidates)
    data = patch_of(daemon)
    current: list[Obj] = []
    old: list[Obj] = []
    for revision in mine:
        if not get(revision, "metadata", "labels", HASH):
            where = ("metadata", "labels", HASH)
            revision = yield from must(Update(evolve(revision, where, revision["metadata"]["name"])))
        (current if revision.get("data") == data else old).append(revision)
    following = max(map(number, old), default=0) + 1
    if not current:
        return _hash_of((yield from _snapshot(daemon, following))), old
    kept = yield from _only_one(in_order(current), pods)
    if number(kept) < following:
        yield from must(Update(evolve(kept, ("revision",), following)))
    return _hash_of(kept), old


def _hash_of(revision: Obj) -> str:
    return str(get(revision, "metadata", "labels", HASH, default=""))


def _only_one(current: Sequence[Obj], pods: Sequence[Obj]) -> Steps:
    """The newest of several revisions of one template; the others go, and their pods are relabelled first."""
    kept = current[-1]
    for pod in pods if len(current) > 1 else ():
        if get(pod, "metadata", "labels", HASH) != _hash_of(kept):
            yield from must(Patch(pod, freeze({"metadata": {"labels": {HASH: _hash_of(kept)}}})))
    for revision in current[:-1]:
        yield from must(Delete(revision))
    return kept


def _snapshot(daemon: Obj, following: int) -> Steps:
    """A revision of the template of now. Raises Refused, also when the name was taken: the next look has another."""
    collisions, meta = get(daemon, "status", "collisionCount"), daemon["metadata"]
    template = daemon["spec"]["template"]
    hashed = templates.hashed(template, collisions)
    labels = {**(get(template, "metadata", "labels") or EMPTY), HASH: hashed}
    about = {"name": f"{meta['name']}-{hashed}", "namespace": meta["namespace"], "labels": labels}
    notes = {"annotations": meta["annotations"]} if meta.get("annotations") else {}
    revision = freeze(
        {
            "apiVersion": CONTROLLER_REVISION.api_version,
            "kind": CONTROLLER_REVISION.kind,
            "metadata": {**about, **notes, "ownerReferences": [owner_reference(daemon)]},
            "data": patch_of(daemon),
            "revision": following,
        }
    )
    answer = yield Create(revision)
    if answer.error is None:
        return answer.obj
    if not exists_already(answer.error):
        raise Refused(answer.error)
    there = yield from must(Read(CONTROLLER_REVISION, key_of(revision)))
    if there.get("data") == revision["data"]:
        return there
    fresh = yield from must(Read(DAEMON_SET, key_of(daemon)))
    if get(fresh, "status", "collisionCount") == collisions:
        edit = ("status", "collisionCount"), (collisions or 0) + 1
        yield from must(UpdateStatus(evolve_many(fresh, edit)))
    raise Refused(answer.error)


def forgotten(daemon: Obj, old: Sequence[Obj], pods: Sequence[Obj]) -> Steps:
    """Beyond ``revisionHistoryLimit``, the oldest that no pod has go. Raises Refused."""
    surplus = len(old) - daemon["spec"].get("revisionHistoryLimit", 10)
    live = {get(pod, "metadata", "labels", HASH) for pod in pods}
    past = [revision for revision in in_order(old) if _hash_of(revision) not in live]
    for revision in past[: max(0, surplus)]:
        yield from must(Delete(revision))
