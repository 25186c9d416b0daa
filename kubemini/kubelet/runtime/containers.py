"""The container runtime of one host: what really runs there, whoever manages it.

Invariant: containers live in the host's memory. They outlive the kubelet that started them, go on serving without it,
and end with the power; what the runtime knew of them lies on the disk, so after a boot they have all ended.
A pod of the host's own network (hostNetwork) has the host's address, and no CNI plugin hears of it.
containerd behind the CRI, and behind that the host's CNI plugins.
As containerd's CRI server stops containers, and recovers those that have no task after a boot.
Simplified: an image has no layers and a sandbox no process of its own.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from kubemini.api.objects import Obj
from kubemini.containers import CannotStart, Program, Setting
from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.kubelet.decide.pages import container_of, ports
from kubemini.kubelet.decide.pods.runs import EXITED, RUNNING, PodView, Run
from kubemini.kubelet.podlogs import PodLogs
from kubemini.kubelet.runtime import termination
from kubemini.kubelet.runtime.life import KILLED, OOM_KILLED, Life
from kubemini.kubelet.runtime.sandbox import (
    ENDED,
    GONE,
    STARTING,
    STOPPING,
    UP,
    PodSandbox,
    bare,
    image_of,
    on_the_host,
)
from kubemini.sim.defects import told
from kubemini.sim.engine import TIMER

RUNTIME = "runtime"  # the runtime itself is gone, or is back
PROBED = "probed"  # what a probe would hear may be another
STARTED, DIED, SANDBOX = "started", "died", "sandbox"  # what the kubelet hears of a container, or of the sandbox
CRASHED, CANNOT_START, LOST = 1, 128, 255
FILES = "containerd"  # of the disk


class Containers:
    """Made once per power-on; *actor* is who the trace says did it."""

    def __init__(self, host: Host, actor: str, index: int):
        self.host, self.actor = host, actor
        self.listener: Callable[[str, str, str], None] | None = None  # the kubelet: (uid, event, run)
        self.down = False  # its process has ended: containers go on, and nobody can ask of them
        self.logs = PodLogs(host)
        self._priority = TIMER + (index << 62) + (1 << 61)
        self._timers = self._made = 0
        self.of_pod: dict[str, PodSandbox] = host.disk.files.setdefault(FILES, {})
        for sandbox in self.of_pod.values():
            self._lose(sandbox)

    @classmethod
    def on(cls, host: Host, actor: str, index: int) -> "Containers":
        """The runtime of *host*."""
        if host.kernel.containers is None:
            host.kernel.containers = cls(host, actor, index)
            if host.cni is not None:
                host.cni.collect(())
        return host.kernel.containers

    def _lose(self, sandbox: PodSandbox) -> None:
        """The power went, and with it all that ran."""
        sandbox.lives.clear()
        sandbox.view.ready = sandbox.ready = sandbox.listens = sandbox.leaving = False
        sandbox.state = ENDED
        for run in sandbox.view.runs:
            if run.state != EXITED:
                run.state, run.exit_code, run.reason, run.finished_at = EXITED, LOST, "Unknown", self.host.sim.wall

    # -- sandboxes -----------------------------------------------------------------------------------------------------
    def run_sandbox(self, pod: Obj) -> PodSandbox:
        """A new sandbox for *pod*, with an address: it is there, but not ready yet. Raises podnetwork.NoNetwork."""
        ip, _, ip2 = self._addresses(pod).partition(",")
        sandbox = self.of_pod.get(pod["metadata"]["uid"])
        if sandbox is None:
            sandbox = self._new(pod, ip)
        sandbox.ip, sandbox.ip2, sandbox.pod = ip, ip2, pod
        sandbox.view.attempt += 1
        self.begins(sandbox.uid)
        return sandbox

    def _new(self, pod: Obj, ip: str) -> PodSandbox:
        meta = pod["metadata"]
        labels = meta.get("labels") or {}
        app = labels.get("app") or labels.get("app.kubernetes.io/name") or meta["name"]
        made = PodSandbox(meta["uid"], meta["namespace"], meta["name"], app, ip, pod, image=image_of(pod))
        self.of_pod[made.uid] = made
        return made

    def _addresses(self, pod: Obj) -> str:
        """One address, or two with a comma between."""
        if on_the_host(pod):
            return ",".join(podnetwork.own_addresses(self.host))
        if self.host.cni is None:
            raise podnetwork.NoNetwork("cni plugin not initialized")
        return self.host.cni.add(pod)

    def sandbox_is_ready(self, uid: str) -> None:
        """It has been made."""
        sandbox = self.of_pod[uid]
        sandbox.view.ready = True
        sandbox.view.ips = sandbox.ips

    def stop_sandbox(self, uid: str) -> None:
        """Nothing runs in it any more: its network goes."""
        sandbox = self.of_pod[uid]
        if sandbox.view.attempt >= 0 and not on_the_host(sandbox.pod) and self.host.cni is not None:
            self.host.cni.delete(sandbox.pod)
        sandbox.view.ready, sandbox.view.ips = False, ()

    def kill_sandbox(self, uid: str) -> None:
        """Its first process is killed from outside, and with it all that runs in it."""
        sandbox = self.of_pod[uid]
        sandbox.view.ready = False
        self._tell(sandbox, SANDBOX, "")

    def serve(self, serves: bool) -> None:
        """Its process ends, or comes back."""
        if self.down == serves:
            self.down = not serves
            if self.listener is not None:
                self.listener("", RUNTIME, "")

    def view(self, uid: str) -> PodView:
        """What there is of a pod, as it is now."""
        sandbox = self.of_pod.get(uid)
        return sandbox.view.snapshot() if sandbox is not None else PodView()

    def remove(self, uid: str) -> None:
        """Forget a pod of which nothing runs."""
        gone = self.of_pod.pop(uid, None)
        self.logs.forget(uid)
        if gone is not None and gone.view.ready:
            self.of_pod[uid] = gone
            self.stop_sandbox(uid)
            del self.of_pod[uid]

    # -- containers ----------------------------------------------------------------------------------------------------
    def create(
        self,
        uid: str,
        container: Obj,
        attempt: int,
        program: Program,
        setting: Setting,
        image: tuple[str, str],
        plain: bool = False,
    ) -> Run:
        """A container that does not run yet; *image*: its name and what it was resolved to.

        *plain*: whatever its program is, it only serves until it is told to end.
        """
        sandbox, name = self.of_pod[uid], container["name"]
        run = Run(self._identity(sandbox, name), name, attempt, sandbox.view.attempt, *image)
        run.created_at, run.spec = self.host.sim.wall, container
        run.resources = container.get("resources")
        ended, say = partial(self._ended, sandbox, run), partial(self._said, sandbox, name)
        changed, resolv_conf = partial(self._changed, sandbox, run), self.host.resolv_conf(sandbox.pod)
        sandbox.view.keep(run)
        failed = partial(self._failed, sandbox, name)
        life = Life(self, program, setting, resolv_conf, ended, say, changed, failed)
        life.plain = life.plain or plain or bare(run.image) in self.host.images
        sandbox.lives = {one.id: sandbox.lives[one.id] for one in sandbox.view.runs if one.id in sandbox.lives}
        sandbox.lives[run.id] = life
        return run

    def _identity(self, sandbox: PodSandbox, name: str) -> str:
        """What the runtime calls a container: 64 digits."""
        self._made += 1
        draws = self.host.sim.draws(f"containerd/{self.host.name}/{sandbox.uid}/{name}")
        number = 4 * (self.host.sim.now + self._made)
        return "".join(f"{draws.u(number + part):016x}" for part in range(4))

    def start(self, uid: str, run: Run, exit_after: int | None, exit_code: int = CRASHED, lag: int = 0) -> None:
        """Run it; a plain program ends by itself after *exit_after* µs, any other acts after *lag* µs.

        CannotStart: it has ended with 128.
        """
        sandbox = self.of_pod[uid]
        self.logs.begin(uid, run.name)
        life = sandbox.lives[run.id]
        try:
            run.state, run.started_at = RUNNING, self.host.sim.wall
            life.start(exit_after, exit_code, lag)
        except CannotStart as error:
            run.state, run.started_at, run.finished_at = EXITED, -1, self.host.sim.wall
            run.exit_code, run.reason, run.message = CANNOT_START, "StartError", str(error)
            life.over = True
            self._tell(sandbox, DIED, run.id)
            raise
        if life.plain:
            self._say_started(sandbox, run.name)
        if run.state == RUNNING and run.name in sandbox.names and sandbox.serves():
            self._serve(sandbox)
        self._tell(sandbox, STARTED, run.id)
        if sandbox.state == UP:
            self._record(sandbox)

    def _serve(self, sandbox: PodSandbox) -> None:
        """All of it runs: it listens."""
        sandbox.state, sandbox.listens = UP, True
        for ip in sandbox.ips:
            podnetwork.listening(self.host)[ip] = sandbox.name
        for program in self.host.in_pods:
            program.began(sandbox.ip)
        if sandbox.image in self.host.images:
            self.host.images[sandbox.image].start()

    def stop(self, uid: str, run: Run, grace: int, exits_in: int) -> None:
        """SIGTERM, and SIGKILL after *grace* µs; a plain program needs *exits_in* µs."""
        sandbox = self.of_pod[uid]
        life = sandbox.lives.get(run.id)
        if life is None or life.over:
            return
        linger = min(self._linger(sandbox), grace)
        self.later(linger, self._told_to_end, sandbox, run)
        life.terminate(max(exits_in, linger) if life.plain else min(exits_in, grace // 2))
        self.later(grace, life.end)

    def _told_to_end(self, sandbox: PodSandbox, run: Run) -> None:
        """SIGTERM: a well-behaved server stops listening."""
        if run.name in sandbox.main_names and sandbox.listens:
            if sandbox.lives[run.id].plain and self.logs.has_begun(sandbox.uid, run.name):
                self.logs.say(sandbox.uid, "SIGTERM: no new connections are taken", run.name)
            self._terminate(sandbox)

    def resize(self, uid: str, run: str, amounts: Any) -> None:
        """Its cgroup has other amounts."""
        for one in self.of_pod[uid].view.runs:
            if one.id == run:
                one.resources = amounts

    def kill(self, uid: str, run: Run) -> None:
        """SIGKILL."""
        life = self.of_pod[uid].lives.get(run.id)
        if life is not None:
            life.end()

    def remove_run(self, uid: str, run: Run) -> None:
        """Forget a run that has ended."""
        sandbox = self.of_pod[uid]
        sandbox.view.runs = [one for one in sandbox.view.runs if one.id != run.id]
        sandbox.lives.pop(run.id, None)

    # -- what its programs do ------------------------------------------------------------------------------------------
    def _ended(self, sandbox: PodSandbox, run: Run, code: int, reason: str) -> None:
        if run.state == EXITED:
            return
        if sandbox.lives[run.id].plain and code != KILLED and self.logs.has_begun(sandbox.uid, run.name):
            self.logs.say(sandbox.uid, f"exits with code {code}", run.name)  # who is killed says nothing
        self.logs.end(sandbox.uid, run.name)
        run.state, run.finished_at, run.exit_code = EXITED, self.host.sim.wall, code
        run.reason = OOM_KILLED if reason == OOM_KILLED else "Error" if code else "Completed"
        kept = self.logs.of(sandbox.uid, run.name)
        log = kept.current if kept is not None else None
        run.message = termination.message(run.spec, sandbox.lives[run.id].left(), log, code)
        if run.name in sandbox.main_names:
            self._terminate(sandbox)
            if not any(one.name in sandbox.main_names for one in sandbox.view.running()):
                self._all_ended(sandbox)
        self._tell(sandbox, DIED, run.id)

    def _all_ended(self, sandbox: PodSandbox) -> None:
        for program in self.host.in_pods:
            program.gone(sandbox.ip)
        sandbox.state, sandbox.ready = ENDED, False
        self._record(sandbox, GONE if sandbox.leaving else ENDED)
        if sandbox.image in self.host.images and not self.running(sandbox.image):
            self.host.images[sandbox.image].exit("its container has ended")

    def _terminate(self, sandbox: PodSandbox) -> None:
        """Nobody listens any more."""
        sandbox.listens = False
        if podnetwork.pod_at(self.host, sandbox.ip) == sandbox.name:
            for ip in sandbox.ips:
                del podnetwork.listening(self.host)[ip]
            for program in self.host.in_pods:
                program.told_to_end(sandbox.ip)

    def _said(self, sandbox: PodSandbox, name: str, data: bytes) -> None:
        self.logs.write(sandbox.uid, data, name)

    def _failed(self, sandbox: PodSandbox, name: str, program: str, error: Exception) -> None:
        of = {"pod": f"{sandbox.namespace}/{sandbox.name}", "container": name, "program": program}
        self.host.sim.record(self.actor, "defect", **of, **told(error))

    def _changed(self, sandbox: PodSandbox, run: Run) -> None:
        self._tell(sandbox, PROBED, run.id)

    def later(self, delay: int, act: Callable[..., None], *args: Any) -> None:
        """``act(*args)`` in *delay* µs, unless the power goes."""
        self._timers += 1
        self.host.sim.occur(delay, self._priority + self._timers, self._due, act, args)

    def _due(self, act: Callable[..., None], args: tuple[Any, ...]) -> None:
        if self.host.kernel.containers is self:
            act(*args)

    # -- components that live in containers ----------------------------------------------------------------------------
    def running(self, image: str) -> list[str]:
        """The pods whose containers of *image* run, or go on after SIGTERM."""
        return [uid for uid, pod in self.of_pod.items() if pod.image == image and pod.state in (UP, STOPPING)]

    def well(self, uid: str) -> bool:
        """What the component inside says to a readiness probe; where there is none, all is well."""
        program = self.host.images.get(self.of_pod[uid].image)
        return program is None or program.well

    def probe(self, image: str) -> None:
        """What the component of *image* would say to a probe may have changed."""
        for uid in self.running(image):
            self._tell(self.of_pod[uid], PROBED, "")

    def fail(self, uid: str) -> None:
        """The component inside has died of itself."""
        sandbox = self.of_pod[uid]
        for run in sandbox.view.running():
            if sandbox.state == UP:
                sandbox.lives[run.id].end(CRASHED)

    def _linger(self, sandbox: PodSandbox) -> int:
        """How long the component in it goes on answering after SIGTERM (µs); most stop at once."""
        program = self.host.images.get(sandbox.image)
        return program.linger if program is not None else 0

    # -- what others see -----------------------------------------------------------------------------------------------
    def begins(self, uid: str) -> None:
        """Its main containers are about to start."""
        sandbox = self.of_pod[uid]
        sandbox.state, sandbox.ready, sandbox.leaving = STARTING, False, False
        self._record(sandbox)

    def leaves(self, uid: str, for_good: bool) -> None:
        """It is being stopped: for good, or because a probe has failed and it is to start again."""
        sandbox = self.of_pod[uid]
        sandbox.leaving = sandbox.leaving or for_good
        if sandbox.state in (STARTING, UP, STOPPING):
            sandbox.ready = sandbox.ready and not for_good
            if sandbox.state != STOPPING:
                sandbox.state = STOPPING
                self._record(sandbox)

    def say_ready(self, uid: str, ready: bool) -> None:
        """The kubelet's verdict, for the trace."""
        sandbox = self.of_pod[uid]
        if sandbox.ready != ready:
            sandbox.ready = ready
            self._record(sandbox)

    def _say_started(self, sandbox: PodSandbox, name: str) -> None:
        image = container_of(sandbox.pod, name).get("image", "") if name in sandbox.main_names else ""
        self.logs.say(sandbox.uid, f"{image} starts as process 1 of {name}", name)
        for port, where in ports(sandbox.pod).items():
            if where == name:
                self.logs.say(sandbox.uid, f"listens on port {port}", name)

    def served(self, ip: str, port: int, method: str = "GET", path: str = "/", source: str = "127.0.0.1") -> None:
        """The program that listens on *port* of *ip* has answered a request of *source*."""
        sandbox = self.at(ip)
        if sandbox is not None:
            known = ports(sandbox.pod)
            name = known.get(port) or next(iter(known.values()))
            self.logs.say(sandbox.uid, f'{source} "{method} {path} HTTP/1.1" 200', name)

    def at(self, ip: str) -> PodSandbox | None:
        """The pod that has *ip*; of several on the host's own, the one that is reached there."""
        found = [one for one in self.of_pod.values() if ip in one.ips]
        named = podnetwork.pod_at(self.host, ip)
        return next((one for one in found if one.name == named), found[0] if found else None)

    def _tell(self, sandbox: PodSandbox, event: str, run: str) -> None:
        if self.listener is not None:
            self.listener(sandbox.uid, event, run)

    def _record(self, sandbox: PodSandbox, state: str = "") -> None:
        shown = (state or sandbox.state, sandbox.ready)
        if shown == sandbox.shown:
            return
        sandbox.shown = shown
        self.host.sim.record(
            self.actor,
            "pod",
            name=sandbox.name,
            namespace=sandbox.namespace,
            app=sandbox.app,
            state=shown[0],
            ready=shown[1],
            ip=sandbox.ip,
        )
