"""``kubectl debug``: a look into a pod, a copy of it, or a node.

Models k/kubectl pkg/cmd/debug DebugOptions.Run DebugOptions.waitForContainer DebugOptions.handleAttachPod
Simplified: no --custom and no --filename; a terminal (-t) is taken for -i.
"""

from typing import Any

from kubemini.sim.units import SECOND
from kubemini.users.decide.kubectl import targets, waiting
from kubemini.users.decide.kubectl.asking import STRATEGIC, Failed, Steps, fail
from kubemini.users.decide.kubectl.flags import Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making import debugging
from kubemini.users.decide.kubectl.targets import Info
from kubemini.users.decide.kubectl.verbs import inside

LONGEST = 10**9 * SECOND
TARGETING = (
    'Targeting container "{}". If you don\'t see processes from this container '
    "it may be because the container runtime doesn't support this feature."
)
STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def debug(line: Line, given: Given) -> Steps:
    """Look into each that is named; the exit status of the last session."""
    words = given.words if given.dash < 0 else given.words[: given.dash]
    arguments = given.words[len(words) :]
    debugging.check(given, arguments)
    if not words:
        raise fail("NAME or filename is required for debug")
    if given["profile"] == "legacy":
        line.screen.complain(debugging.LEGACY)
    if given["target"] and not given.on("quiet"):
        line.screen.line(TARGETING.format(given["target"]))
    given.values.setdefault("selector", "")
    status = 0
    for word in words:
        meant = yield from targets.meant(line, [word if "/" in word else f"pods/{word}"])
        (info,) = yield from targets.fetched_all(line, meant)
        pod, name = yield from _made(line, given, arguments, info)
        if name and (given.on("attach") or (given.on("stdin") and not given.has("attach"))):
            status = yield from _attach(line, given, pod, name)
    return status


def _made(line: Line, given: Given, arguments: list[str], info: Info) -> Steps:
    """The pod that one looks with, and the name of its container."""
    kind, seed = info.resource.name, f"{info.obj['metadata'].get('uid')}/{line.now}"
    if kind == "nodes":
        return (yield from _of_node(line, given, debugging.of_node(given, arguments, info.name, seed), info.name))
    if kind != "pods":
        gvk = f"{info.resource.group}/{info.resource.version}, Kind={info.resource.kind}"
        raise fail(f'"{gvk}" not supported by debug')
    if given["copy-to"]:
        return (yield from _copied(line, given, arguments, info, seed))
    name = given["container"] or debugging.new_name(info.obj, seed)
    _tell_name(line, given, name)
    made = debugging.container(given, arguments, name, debugging.EPHEMERAL)
    patch = debugging.added(info.obj, made, given["target"])
    pod = yield from line.send("PATCH", f"{info.path}/ephemeralcontainers", patch, type=STRATEGIC)
    return pod, name


def _tell_name(line: Line, given: Given, name: str) -> None:
    if name and not given["container"] and not given.on("quiet"):
        line.screen.line(f"Defaulting debug container name to {name}.")


def _of_node(line: Line, given: Given, made: Any, node: str) -> Steps:
    pods, container = (yield from line.known.find("pods")), made["spec"]["containers"][0]["name"]
    if not given.on("quiet"):
        name = made["metadata"]["name"]
        line.screen.line(f"Creating debugging pod {name} with container {container} on node {node}.")
    return (yield from line.send("POST", pods.path(line.namespace), made)), container


def _copied(line: Line, given: Given, arguments: list[str], info: Info, seed: str) -> Steps:
    made, name = debugging.copied(given, arguments, info.obj, seed)
    _tell_name(line, given, name)
    pod = yield from line.send("POST", info.resource.path(info.namespace), made)
    if given.on("replace"):
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        yield from line.send("DELETE", info.path, options)
    return pod, name


# -- the session -------------------------------------------------------------------------------------------------------
def _attach(line: Line, given: Given, pod: Any, name: str) -> Steps:
    """Wait until the container runs, and see what it says; if it is over by then, its log. The exit status."""
    meta = pod["metadata"]
    info = Info((yield from line.known.find("pods")), meta["namespace"], meta["name"])
    pod = yield from waiting.until(line, info, _Begun(line, given, name), line.now + LONGEST)
    if pod is None or (state := _state(pod, name)) is None:
        raise fail(f'error getting container status of container "{name}"')
    if "terminated" in state:
        yield from inside.print_log(line, pod, [("container", name)])
        return 0
    if not given.on("quiet"):
        line.screen.complain(inside.RECORDED)
    try:
        return (yield from inside.talk(line, given, pod, ("attach", name), []))
    except Failed as problem:
        why = str(problem).removeprefix("error: ")
        line.screen.complain(f"warning: couldn't attach to pod/{info.name}, falling back to streaming logs: {why}")
    yield from inside.print_log(line, pod, [("container", name)])
    return 0


class _Begun:
    """Whether a container runs, or has; it tells what keeps it from that."""

    def __init__(self, line: Line, given: Given, name: str):
        self.line, self.given, self.name = line, given, name

    def __call__(self, type: str, pod: Any) -> bool:
        if type == waiting.GONE:
            raise Failed(f'Error from server (NotFound):  "{pod["metadata"]["name"] if pod else ""}" not found')
        state = _state(pod, self.name) or {}
        message = (state.get("waiting") or {}).get("message")
        if message and not self.given.on("quiet"):
            self.line.screen.complain(f"Warning: container {self.name}: {message}")
        return "running" in state or "terminated" in state


def _state(pod: Any, name: str) -> Any:
    status = pod.get("status") or {}
    return next((one["state"] for kind in STATUSES for one in status.get(kind) or () if one["name"] == name), None)
