"""What `kubectl get pods` shows: how many containers are ready, the one word for how the pod is, its restarts.

The word follows what the containers say: the first init container that has not done its work, else the first container
that waits or has ended, else the pod's own reason or phase.
Models k/k pkg/printers/internalversion printPod.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import human, instant
from kubemini.apiserver.columns import AGE, NAME, NONE, WIDE, Column, text_at

ENDED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
UNREACHABLE = "NodeLost"  # the reason that the node controller writes
GATED = "SchedulingGated"


@dataclass(frozen=True, slots=True)
class Told:
    """The three cells that follow from the containers. *last*: when the latest restart was, "" if unknown."""

    ready: int
    word: str
    restarts: int
    last: str = ""


def told(pod: Obj) -> Told:
    """What the containers of *pod* make it show."""
    sidecars = _sidecars(pod)
    begun = list(_through_init(pod, sidecars))
    word = next((word for _, _, word in begun if word), "")
    ready = sum(is_ready for _, is_ready, _ in begun)
    if word and not _has(pod, "Initialized"):
        before = [status for status, _, _ in begun]
        return Told(ready, word, _restarts(before), _latest(before))
    main = get(pod, "status", "containerStatuses") or ()
    kept = [status for status, _, _ in begun if status.get("name") in sidecars]
    running = sum(1 for status in main if _runs(status))
    word = _word(pod, main, word or _first_word(pod))
    return Told(ready + running, word, _restarts([*kept, *main]), _latest([*kept, *main]))


def _sidecars(pod: Obj) -> set[str]:
    """The init containers that stay."""
    init = get(pod, "spec", "initContainers") or ()
    return {container["name"] for container in init if container.get("restartPolicy") == "Always"}


def _first_word(pod: Obj) -> str:
    """Before anybody looks at containers."""
    if any(c.get("type") == "PodScheduled" and c.get("reason") == GATED for c in _conditions(pod)):
        return GATED
    return get(pod, "status", "reason") or get(pod, "status", "phase") or ""


def _conditions(pod: Obj) -> Sequence[Obj]:
    return get(pod, "status", "conditions") or ()


def _has(pod: Obj, type: str) -> bool:
    """Whether the pod's first condition of that *type* is true."""
    return next((c.get("status") == "True" for c in _conditions(pod) if c.get("type") == type), False)


def _through_init(pod: Obj, sidecars: set[str]) -> Iterator[tuple[Obj, bool, str]]:
    """(status, whether it counts as ready, word) of the init containers, up to the first that holds the others up."""
    total = len(get(pod, "spec", "initContainers") or ())
    for number, status in enumerate(get(pod, "status", "initContainerStatuses") or ()):
        ended, waits = get(status, "state", "terminated"), get(status, "state", "waiting")
        if ended is not None and not ended.get("exitCode"):
            yield status, False, ""
        elif status.get("name") in sidecars and status.get("started"):
            yield status, bool(status.get("ready")), ""
        else:
            word = f"{number}/{total}"
            if ended is not None:
                word = _end(ended)
            elif waits is not None and waits.get("reason") not in (None, "", "PodInitializing"):
                word = waits["reason"]
            yield status, False, f"Init:{word}"
            return


def _end(ended: Mapping[str, Any]) -> str:
    """How a container ended, in a word."""
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


def _runs(status: Obj) -> bool:
    """Whether it counts as ready: ready and running, and nothing speaks against it."""
    state = status.get("state") or {}
    waits = (state.get("waiting") or {}).get("reason")
    return not waits and state.get("terminated") is None and bool(status.get("ready")) and "running" in state


def _word(pod: Obj, main: Sequence[Obj], word: str) -> str:
    """The word after the containers have been asked, the last one first."""
    failed = ""
    for status in reversed(main):
        state = status.get("state") or {}
        waits, ended = (state.get("waiting") or {}).get("reason"), state.get("terminated")
        if waits:
            word = waits
        elif ended is not None:
            word = _end(ended)
            failed = word if ended.get("exitCode") else failed
    if word != "Completed":
        return word
    running = any(_runs(status) for status in main)
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in _conditions(pod))
    if running and ready:
        return "Running"
    return failed or ("NotReady" if running else word)


def _restarts(statuses: Sequence[Obj]) -> int:
    return sum(status.get("restartCount", 0) for status in statuses)


def _latest(statuses: Sequence[Obj]) -> str:
    ends = [get(status, "lastState", "terminated", "finishedAt") for status in statuses]
    return max((end for end in ends if end), key=instant, default="")


# -- the cells -----------------------------------------------------------------------------------------


def ready(pod: Obj, now: int) -> str:
    """``1/2``: containers that are ready, of those that stay."""
    total = len(get(pod, "spec", "containers") or ()) + len(_sidecars(pod))
    return f"{told(pod).ready}/{total}"


def status(pod: Obj, now: int) -> str:
    """The one word."""
    phase = get(pod, "status", "phase")
    if "deletionTimestamp" not in pod["metadata"]:
        return told(pod).word
    if get(pod, "status", "reason") == UNREACHABLE:
        return "Unknown"
    return told(pod).word if phase in ENDED else "Terminating"


def restarts(pod: Obj, now: int) -> str:
    """``3 (5m ago)``."""
    found = told(pod)
    if not found.restarts or not found.last:
        return str(found.restarts)
    return f"{found.restarts} ({human(now - instant(found.last))} ago)"


def _address(pod: Obj, now: int) -> str:
    return get(pod, "status", "podIPs", 0, "ip") or NONE


def _gates(pod: Obj, now: int) -> str:
    """How many of the conditions that somebody else gives are true."""
    gates = get(pod, "spec", "readinessGates") or ()
    met = sum(1 for gate in gates if _has(pod, gate.get("conditionType", "")))
    return f"{met}/{len(gates)}" if gates else NONE


def marks(pod: Obj) -> list[dict[str, str]]:
    """What a row says beside its cells: that the pod has run its course."""
    phase = get(pod, "status", "phase")
    if phase not in ENDED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": ENDED[phase]}]


COLUMNS = (
    NAME,
    Column("Ready", ready, description="The aggregate readiness state of this pod for accepting traffic."),
    Column("Status", status, description="The aggregate status of the containers in this pod."),
    Column("Restarts", restarts),
    AGE,
    Column("IP", _address, priority=WIDE),
    Column("Node", text_at("spec", "nodeName"), priority=WIDE),
    Column("Nominated Node", text_at("status", "nominatedNodeName"), priority=WIDE),
    Column("Readiness Gates", _gates, priority=WIDE),
)
