"""Who has applied an object from the client's side, and now applies it on the server's, owns his fields there.

Models k/client-go util/csaupgrade UpgradeManagedFieldsPatch upgradedManagedFields FindFieldsOwners; k/kubectl
pkg/cmd/apply ApplyOptions.saveLastApplyAnnotationIfNecessary ApplyOptions.migrateToSSAIfNecessary.
"""

from typing import Any

from kubemini.users.decide.apply import LAST_APPLIED
from kubemini.users.decide.kubectl.asking import APPLY, JSON_PATCH, Refused, Steps
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing.gotext import as_json
from kubemini.users.decide.kubectl.targets import Info

KEEPER = "kubectl-last-applied"  # who owns the annotation from then on
TRIES = 5


def migrated(line: Line, info: Info, made: Any, manager: str, default: str) -> Steps:
    """Whether fields have changed their owner; *made*: the object as it has just been applied by *manager*."""
    if manager == default:
        made = yield from _keep_annotation(line, info, made)
    owners = [one["manager"] for one in _owners(made, "Update")]
    for _ in range(TRIES):
        before = made["metadata"].get("managedFields") or []
        after = before
        for name in dict.fromkeys(owners):
            after = _moved(after, name, manager)
        if after == before:
            return False
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": after},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": made["metadata"]["resourceVersion"]},
        ]
        try:
            yield from line.send("PATCH", info.path, patch, (("fieldManager", manager),), JSON_PATCH)
        except Refused as problem:
            if problem.reason != "Conflict":
                raise
            made = yield from line.get(info.resource, info.name, info.namespace)
            continue
        return True
    return False


def _keep_annotation(line: Line, info: Info, made: Any) -> Steps:
    """What was applied last stays written, whoever applies."""
    text = (made["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if text is None or _owners(made, "Apply"):
        return made
    meta = {"name": info.name, "annotations": {LAST_APPLIED: text}}
    meta |= {"namespace": info.namespace} if info.namespace else {}
    body = as_json({"apiVersion": made["apiVersion"], "kind": made["kind"], "metadata": meta})
    return (yield from line.send("PATCH", info.path, body, (("fieldManager", KEEPER),), APPLY))


def _owners(obj: Any, operation: str) -> list[Any]:
    """Those who own the annotation."""
    found = []
    for one in obj["metadata"].get("managedFields") or []:
        notes = ((one.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:annotations") or {}
        if one.get("operation") == operation and f"f:{LAST_APPLIED}" in notes:
            found.append(one)
    return found


def _moved(entries: list[Any], old: str, new: str) -> list[Any]:
    """*entries* in which *new*, who applies, owns what *old* has written."""
    entries = list(entries)

    def place(name: str, operation: str) -> int:
        keys = ((one.get("manager"), one.get("operation"), one.get("subresource", "")) for one in entries)
        return next((number for number, key in enumerate(keys) if key == (name, operation, "")), -1)

    at = place(new, "Apply")
    if at < 0:
        at = place(old, "Update")
        if at < 0:
            return entries
        entries[at] = {**entries[at], "operation": "Apply", "manager": new}
    written = [one for one in entries if _is_update(one, old)]
    for one in written:
        if one.get("apiVersion") == entries[at].get("apiVersion"):
            entries[at] = {**entries[at], "fieldsV1": _union(entries[at].get("fieldsV1") or {}, one["fieldsV1"])}
            break
    return [one for one in entries if not _is_update(one, old)]


def _is_update(one: Any, name: str) -> bool:
    return (one.get("manager"), one.get("operation"), one.get("subresource", "")) == (name, "Update", "")


def _union(one: Any, other: Any) -> Any:
    """Fields that either owns."""
    return {
        key: _union(one.get(key) or {}, other.get(key) or {}) for key in [*one, *(k for k in other if k not in one)]
    }
