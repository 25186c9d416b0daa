"""What is true of a controller's loop now, in two sentences; and an object in a few words. Pure."""

from typing import Any

Facts = dict[str, Any] | None
Known = dict[tuple[str, str], Facts]  # by kind and namespace/name
OVER = ("Succeeded", "Failed")


def many(n: int, what: str) -> str:
    """``1 Pod``, ``2 Pods``."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def counts(pod: dict[str, Any]) -> bool:
    """Whether a pod counts for its ReplicaSet: it has not run to its end, and is not on its way out."""
    return not pod.get("deleting") and pod.get("phase") not in OVER


def pods_of(replicaset: str, known: Known) -> int:
    """How many pods of *replicaset* (namespace/name) are among the *known*."""
    mine = [said for (kind, name), said in known.items() if kind == "Pod" and name.rpartition("-")[0] == replicaset]
    return sum(said is not None and counts(said) for said in mine)


def facts(kind: str, said: Facts) -> str:
    """What the trace says of an object, in a few words; "" if there is none."""
    if said is None:
        return ""
    if kind == "Pod":
        return _pod(said)
    if "replicas" in said:
        return f"wants {said['replicas']}, {said['ready']} ready"
    return ", ".join(f"{name} {value}" for name, value in said.items() if value not in ("", None)) or "is there"


def _pod(said: dict[str, Any]) -> str:
    if said["phase"] in OVER:
        return "has ended"
    if said["deleting"]:
        return "is ending"
    if said["phase"] == "Running":
        return "runs, ready" if said["ready"] else "runs, not ready"
    return f"starts on {said['node']}" if said["node"] else "waits for a node"


def sentences(loop: Any, rows: list[list[Any]]) -> tuple[str, str, str]:
    """Level, what is true of the loop, and what that means. *loop*: a `loop.Loop`, with its *rows*."""
    if not loop.up:
        return "bad", "The controller-manager is down: its cache and its queue are gone", _is_and_wanted(loop)
    if not loop.informers:
        return (
            "warn",
            "The controller-manager runs, but does not hold the Lease yet: it has no cache",
            _is_and_wanted(loop),
        )
    if loop.paused:
        return "bad", "The controller-manager stands still", _is_and_wanted(loop)
    behind = [row for row in rows if row[4] != "same"]
    cut = [kind for kind, d in loop.informers.items() if d["state"] == "cut"]
    if cut:
        first = f"Its watch of {cut[0]}s is cut: its cache stands still"
        return ("bad" if behind else "warn"), first, _blind(loop, behind)
    broken = [d for d in loop.informers.values() if d["state"] in ("lists", "waits")]
    if broken:
        (one, *_) = broken
        does = "lists them" if one["state"] == "lists" else "waits before it tries again"
        return (
            "warn",
            f"It has no watch of {one['kind']}s, and {does}",
            one["why"] and f"The last one ended: {one['why']}",
        )
    return _at_work(loop, behind)


def _at_work(loop: Any, behind: list[list[Any]]) -> tuple[str, str, str]:
    if loop.queue["later"] and not loop.queue["working"]:
        key, failed = next(iter(loop.queue["failures"].items()), (next(iter(loop.queue["later"])), 0))
        words = f"failed {many(failed, 'time')} in a row" if failed else "is to be looked at again"
        return "warn", f"{key} {words} and waits", _is_and_wanted(loop)
    if behind:
        late = f"Its cache is {many(len(behind), 'change')} behind the store, for a moment"
        return "ok", late, "What it does not know yet will come: the watch is open"
    if loop.queue["working"]:
        return "ok", f"It looks at {loop.queue['working'][0]}", _is_and_wanted(loop)
    return "ok", "Its cache is as the store, and its queue is empty", _is_and_wanted(loop)


def _blind(loop: Any, behind: list[list[Any]]) -> str:
    """What a controller does that hears nothing."""
    if not behind:
        return "It does not know that; nothing has changed yet"
    failed = sum(loop.queue["failures"].values())
    if failed:
        return (
            f"It knows that much: it has looked {many(failed, 'time')}, and decides nothing until it sees what it wrote"
        )
    return f"{many(len(behind), 'object')} changed without its knowledge; nothing wakes it"


def _is_and_wanted(loop: Any) -> str:
    """What the store wants and has, of whatever counts replicas."""
    told = []
    store = {where: loop.is_now(where)[1] for where in loop.past}
    for (kind, name), said in store.items():
        if kind == "ReplicaSet" and said is not None:
            there = pods_of(name, store)
            short = name.removeprefix("default/")
            told.append(f"{short}: {said['replicas']} wanted, {there} there, {said['ready']} reported ready")
    return "; ".join(told)
