"""Hooks of a container are carried out: by its program, by a request, or by sleeping.

A program that nobody knows carries a command out as `decide.hooks` reads it.
Models k/k pkg/kubelet/lifecycle handlerRunner.Run
"""

from typing import Any

from kubemini.api.objects import Obj
from kubemini.containers import Answer, CannotStart, Request
from kubemini.kubelet.decide import hooks
from kubemini.kubelet.decide.pods.probing import joined, port_of, refused
from kubemini.kubelet.decide.pods.runs import Run
from kubemini.kubelet.pods.shared import Attended
from kubemini.kubelet.runtime import doors
from kubemini.kubelet.runtime.life import Life
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

LONGEST = 365 * 86_400 * SECOND


def run_hook(worker: Attended, container: Obj, run: Run, hook: Obj) -> Steps:
    """None when it has done what it should, or what is wrong, in the kubelet's words."""
    sandbox = worker.shared.containers.of_pod.get(worker.uid)
    life = sandbox.lives.get(run.id) if sandbox is not None else None
    if life is None or life.over:
        return "its container is gone"
    if "sleep" in hook:
        yield worker.shared.component.timeout(int(hook["sleep"].get("seconds") or 0) * SECOND)
        return None
    if "exec" in hook:
        return (yield from _exec(worker, container, life, [str(word) for word in hook["exec"].get("command") or ()]))
    if "httpGet" in hook and not life.plain:
        return (yield from _get(worker, container, run, hook["httpGet"]))
    return None


def _exec(worker: Attended, container: Obj, life: "Life", command: list[str]) -> Steps:
    if life.plain:
        yield worker.shared.component.timeout(hooks.read({"exec": {"command": command}}).time)
        return None
    code, said = yield from execute(worker, life, command, LONGEST)
    if not code:
        return None
    line = " ".join(command)
    words = f"command '{line}' exited with {code}: "
    text = said.decode("utf-8", "replace").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    where = f'Container "{container["name"]}" in Pod "{worker.life.full_name}"'
    return f'Exec lifecycle hook ([{line}]) for {where} failed - error: {words}, message: "{text}"'


def execute(worker: Attended, life: "Life", command: list[str], timeout: int) -> Steps:
    """(exit code, what it wrote) of a command in a container; code None: it took longer than *timeout* µs."""
    said = bytearray()
    process: list[Any] = []

    def begin(come: Any) -> None:
        try:
            process.append(life.inside.exec(command, lambda stream, data: said.extend(data), come))
        except CannotStart as error:
            said.extend(str(error).encode())
            come(127)

    code = yield worker.shared.first_of(timeout, begin)
    if code is None and process:
        process[0].end(137)
    return code, bytes(said)


def _get(worker: Attended, container: Obj, run: Run, get: Obj) -> Steps:
    """Ask whoever listens in the pod by HTTP, and wait for what it says: only whether anybody answers well."""
    shared, port, path = worker.shared, port_of(container, get["port"]), get.get("path") or "/"
    sandbox = shared.containers.of_pod[worker.uid]

    def begin(come: Any) -> None:
        if not doors.ask(shared.containers, sandbox, port, Request("GET", path), come):
            come(refused(sandbox.ip, port))

    found = shared.first_of(LONGEST, begin)
    yield found | shared.when_ended(run.id)
    said = found.value if found.triggered else "EOF"
    if isinstance(said, Answer):
        return None if said.status < 400 else f"HTTP hook failed with status {said.status}"
    url = f"http://{joined(sandbox.ip, port)}{path}"
    return f'HTTP lifecycle hook ({path}) for Container "{container["name"]}" failed - error: Get "{url}": {said}'
