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
from kubemini.kubelet.decide.sandboxes import cannot_exec
from kubemini.kubelet.pods.shared import Attended
from kubemini.kubelet.runtime import doors
from kubemini.kubelet.runtime.life import Life
from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND

LONGEST = 365 * 86_400 * SECOND
ASKS = (0, 300 * MS)  # until a hook by HTTP asks: whether a program listens by then is chance; ours


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
    if "httpGet" in hook:
        return None if life.plain else (yield from _get(worker, container, run, hook["httpGet"]))
    return hooks.cannot_run(hook)


def _exec(worker: Attended, container: Obj, life: "Life", command: list[str]) -> Steps:
    if life.plain:
        yield worker.shared.component.timeout(hooks.read({"exec": {"command": command}}).time)
        return None
    line, said = " ".join(command), b""
    try:
        code, said = yield from execute(worker, life, command, LONGEST)
        error = f"command '{line}' exited with {code}: " if code else ""
    except CannotStart as wrong:
        error = str(wrong)
    where = worker.life.full_name
    return hooks.failed("Exec", f"[{line}]", container["name"], where, error, said) if error else None


def execute(worker: Attended, life: "Life", command: list[str], timeout: int) -> Steps:
    """(exit code, what it wrote) of a command in a container; code None: it took longer than *timeout* µs.

    CannotStart: it could not be started, in the kubelet's words.
    """
    said = bytearray()
    process: list[Any] = []

    def begin(come: Any) -> None:
        process.append(life.inside.exec(command, lambda stream, data: said.extend(data), come))

    try:
        code = yield worker.shared.first_of(timeout, begin)
    except CannotStart as error:
        raise CannotStart(cannot_exec(worker.shared.fresh_id(worker.key[1]), str(error))) from None
    if code is None:
        process[0].end(137)
    return code, bytes(said)


def _get(worker: Attended, container: Obj, run: Run, get: Obj) -> Steps:
    """Ask whoever listens in the pod by HTTP, and wait for what it says, whatever that is."""
    shared, path = worker.shared, get.get("path") or "/"
    sandbox = shared.containers.of_pod[worker.uid]
    yield shared.component.timeout(shared.draw(f"{worker.key[1]}/hook", ASKS))
    try:
        port = port_of(container, get["port"])
    except ValueError as error:
        return hooks.failed("HTTP", path, container["name"], worker.life.full_name, str(error))

    def begin(come: Any) -> None:
        if not doors.ask(shared.containers, sandbox, port, Request("GET", path), come):
            come(refused(sandbox.ip, port))

    found = shared.first_of(LONGEST, begin)
    yield found | shared.when_ended(run.id)
    said = found.value if found.triggered else "EOF"
    if isinstance(said, Answer):
        return None
    wrong = f'Get "http://{joined(sandbox.ip, port)}{path}": {said}'
    return hooks.failed("HTTP", path, container["name"], worker.life.full_name, wrong)
