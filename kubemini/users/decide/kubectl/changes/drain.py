"""``kubectl drain``: cordon, then evict what runs there, as far as budgets allow, and wait until it is gone.

Theory of operation. Upstream every pod has a task of its own: evict, ask again in 5 s when a budget refuses, look every
second whether it is gone. Here one loop keeps an instant for each pod, and goes to the next that is due: pods that are
due together are served in their order.
Models k/kubectl pkg/drain Helper.GetPodsForDeletion Helper.evictPods filterPods waitForDelete shouldSkipPod;
pkg/cmd/drain DrainCmdOptions.RunDrain.
"""

from dataclasses import dataclass, field
from typing import Any

from kubemini.api.timestamps import instant
from kubemini.sim.units import SECOND
from kubemini.users.decide.kubectl import targets
from kubemini.users.decide.kubectl.asking import Ask, Failed, Pause, Refused, Steps, fail, fetched
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.changes.nodes import mark, meant
from kubemini.users.decide.kubectl.flags import BOOL, INT, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info

FLAGS = (
    *targets.SELECTOR,
    *targets.CHUNKS,
    *writing.DRY_RUN,
    Flag("delete-emptydir-data", kind=BOOL),
    Flag("disable-eviction", kind=BOOL),
    Flag("force", kind=BOOL),
    Flag("grace-period", kind=INT, default=-1),
    Flag("ignore-daemonsets", kind=BOOL),
    Flag("pod-selector"),
    Flag("skip-wait-for-delete-timeout", kind=INT),
    Flag("timeout", kind=TIME),
)
AGAIN, LOOK = 5 * SECOND, 1 * SECOND
MIRROR = "kubernetes.io/config.mirror"
OVER = ("Succeeded", "Failed")
DAEMON = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
DAEMON_IGNORED = "ignoring DaemonSet-managed Pods"
LOCAL = "Pods with local storage (use --delete-emptydir-data to override)"
UNMANAGED = "Pods that declare no controller (use --force to override)"
SKIPPED = 'pod "{}" has DeletionTimestamp older than {} seconds, skipping'
UNMANAGED_LOST = "deleting Pods that declare no controller"


@dataclass(slots=True)
class Leaving:
    """One pod on its way out: what is done at the instant *due* (µs)."""

    pod: Any
    due: int
    evicted: bool = False

    @property
    def path(self) -> str:
        meta = self.pod["metadata"]
        return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"


@dataclass(slots=True)
class Found:
    """The pods of a node: which go, and what is said of the others."""

    go: list[Any] = field(default_factory=list)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    fatal: dict[str, list[str]] = field(default_factory=dict)


class Stays(Failed):
    """Pods that do not go: each reason on a line of its own; *told*: all of them in one."""

    def __init__(self, reasons: list[str]):
        self.told = reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]"
        super().__init__("\n".join(reasons))


def run(line: Line, given: Given) -> Steps:
    """Drain each node that is meant."""
    infos = yield from meant(line, given, "drain")
    dry = writing.strategy(given)
    for info in infos:
        yield from mark(line, info, True, dry)
    left: list[tuple[str, Failed]] = []
    for info in infos:
        try:
            yield from _drain(line, given, info, dry)
        except Failed as problem:
            text = problem.told if isinstance(problem, Stays) else str(problem).removeprefix("error: ")
            line.screen.complain(
                f'error: unable to drain node "{info.name}" due to error: {text}, continuing command...'
            )
            left.append((info.name, problem))
            continue
        line.screen.line(f"node/{info.name} drained{writing.note(dry)}")
    if left:
        line.screen.complain("There are pending nodes to be drained:")
        for name, _ in left:
            line.screen.complain(f" {name}")
        raise left[0][1] if len(left) == 1 else Failed("\n".join(str(problem) for _, problem in left))


def _drain(line: Line, given: Given, info: Info, dry: str) -> Steps:
    found = yield from _pods(line, given, info)
    if found.fatal:
        raise Stays([f"cannot delete {why}: {', '.join(pods)}" for why, pods in found.fatal.items()])
    if found.warnings:
        told = "; ".join(f"{why}: {', '.join(pods)}" for why, pods in found.warnings.items())
        line.screen.complain(f"Warning: {told}")
    if dry != "none":
        for pod in found.go:
            line.screen.line(f"evicting pod {_placed(pod)}{writing.note(dry)}")
        return
    yield from _empty(line, given, info, found.go)


def _placed(pod: Any) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


# -- which pods --------------------------------------------------------------------------------------------------------
def _pods(line: Line, given: Given, info: Info) -> Steps:
    resource = yield from line.known.find("pods")
    query = [("fieldSelector", f"spec.nodeName={info.name}")]
    query += [("labelSelector", given["pod-selector"])] if given["pod-selector"] else []
    found = Found()
    for pod in (yield from line.list(resource, "", *query)):
        goes, warning, fatal = yield from _judged(line, given, pod)
        if goes:
            found.go.append(pod)
        if warning:
            found.warnings.setdefault(warning, []).append(_placed(pod))
        if fatal:
            found.fatal.setdefault(fatal, []).append(_placed(pod))
    return found


def _judged(line: Line, given: Given, pod: Any) -> Steps:
    """Whether *pod* goes, with what warning, or why nothing goes. Of several warnings the last one counts."""
    if _long_marked(line, given, pod):
        return False, "", ""
    meta = pod["metadata"]
    done = (pod.get("status") or {}).get("phase", "") in OVER
    owner = next((one for one in meta.get("ownerReferences") or [] if one.get("controller")), None)
    if owner is not None and owner["kind"] == "DaemonSet" and not done:
        path = f"/apis/apps/v1/namespaces/{meta['namespace']}/daemonsets/{owner['name']}"
        try:
            yield from fetched(Ask("GET", path))
        except Refused as problem:
            if problem.reason != "NotFound" or not given.on("force"):
                return False, "", problem.message
        else:
            ignored = given.on("ignore-daemonsets")
            return (False, DAEMON_IGNORED, "") if ignored else (False, "", DAEMON)
    if MIRROR in (meta.get("annotations") or {}):
        return False, "", ""
    local = any(one.get("emptyDir") is not None for one in pod["spec"].get("volumes") or [])
    if local and not done and not given.on("delete-emptydir-data"):
        return False, "", LOCAL
    if done or owner is not None:
        return True, "", ""
    return (True, UNMANAGED_LOST, "") if given.on("force") else (False, "", UNMANAGED)


def _long_marked(line: Line, given: Given, pod: Any) -> bool:
    """Whether *pod* should have ended longer ago than one waits for it."""
    patience, end = given["skip-wait-for-delete-timeout"] or 0, pod["metadata"].get("deletionTimestamp")
    return patience > 0 and bool(end) and (line.now - instant(end)) // SECOND > patience


# -- to let them go ----------------------------------------------------------------------------------------------------
def _empty(line: Line, given: Given, info: Info, pods: list[Any]) -> Steps:
    leaving = [Leaving(pod, line.now) for pod in pods]
    end = line.now + given["timeout"] if given["timeout"] else None
    errors: list[str] = []
    while leaving:
        one = min(leaving, key=lambda one: one.due)
        if one.due > line.now:
            yield Pause(one.due - line.now)
        if end is not None and line.now >= end and not one.evicted:
            errors.append(_late(one, given))
            leaving.remove(one)
            continue
        try:
            gone = yield from (_look(line, given, one) if one.evicted else _evict(line, given, one))
        except Failed as problem:
            errors.append(str(problem).removeprefix("error: "))
            gone = True
        if end is not None and line.now >= end and one.evicted and not gone:
            errors.append(_waited(one))
            gone = True
        if gone:
            leaving.remove(one)
    if errors:
        yield from _tell_pending(line, given, info, errors)


def _late(one: Leaving, given: Given) -> str:
    meta = one.pod["metadata"]
    timeout = f"{given['timeout'] // SECOND}s"
    where = f'pods/"{meta["name"]}" -n "{meta["namespace"]}"'
    return f"error when evicting {where}: global timeout reached: {timeout}"


def _waited(one: Leaving) -> str:
    meta = one.pod["metadata"]
    why = "context deadline exceeded"
    return f'error when waiting for pod "{meta["name"]}" in namespace "{meta["namespace"]}" to terminate: {why}'


def _tell_pending(line: Line, given: Given, info: Info, errors: list[str]) -> Steps:
    stays = Stays(errors)
    found = yield from _pods(line, given, info)
    if found.go:
        line.screen.complain(f'There are pending pods in node "{info.name}" when an error occurred: {stays.told}')
        for pod in found.go:
            line.screen.complain(f"pod/{pod['metadata']['name']}")
    raise stays


def _evict(line: Line, given: Given, one: Leaving) -> Steps:
    """Ask for one pod to go; whether it is gone at once."""
    meta = one.pod["metadata"]
    grace = {"gracePeriodSeconds": given["grace-period"]} if given["grace-period"] >= 0 else {}
    if given.on("disable-eviction"):
        try:
            yield from line.send("DELETE", one.path, {"kind": "DeleteOptions", "apiVersion": "v1", **grace})
        except Refused as problem:
            if problem.reason != "NotFound":
                raise fail(problem.message) from None
        one.evicted, one.due = True, line.now
        return False
    line.screen.line(f"evicting pod {_placed(one.pod)}")
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "deleteOptions": grace,
    }
    where = f'pods/"{meta["name"]}" -n "{meta["namespace"]}"'
    try:
        yield from line.send("POST", f"{one.path}/eviction", body)
    except Refused as problem:
        if problem.reason == "NotFound":
            return True
        if problem.reason != "TooManyRequests":
            raise fail(f"error when evicting {where}: {problem.message}") from None
        line.screen.complain(f"error when evicting {where} (will retry after 5s): {problem.message}")
        one.due = line.now + AGAIN
        return False
    one.evicted, one.due = True, line.now
    return False


def _look(line: Line, given: Given, one: Leaving) -> Steps:
    """Whether a pod that was evicted is gone."""
    try:
        there = yield from fetched(Ask("GET", one.path))
    except Refused as problem:
        if problem.reason != "NotFound":
            raise
        there = None
    if there is None or there["metadata"]["uid"] != one.pod["metadata"]["uid"]:
        word = "deleted" if given.on("disable-eviction") else "evicted"
        line.screen.line(f"pod/{one.pod['metadata']['name']} {word}")
        return True
    if _long_marked(line, given, there):
        patience = given["skip-wait-for-delete-timeout"]
        line.screen.line(SKIPPED.format(one.pod["metadata"]["name"], patience))
        return True
    one.due = line.now + LOOK
    return False
