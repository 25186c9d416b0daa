"""The container runtime of one host: what really runs there, whoever manages it.

Invariant: containers live in the host's memory. They outlive the kubelet that started them, go on serving without it,
and end with the power. A pod listens on its IP from the moment its containers run until they are sent SIGTERM.
A pod of the host's own network (hostNetwork) has the host's address, and no CNI plugin hears of it.
containerd behind the CRI, and behind that the host's CNI plugins.
Simplified: a pod's containers are one unit; the sandbox is renewed with them, so a restart of the host gives a new IP;
of several pods of the host's network, the one that listened last is reached.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.kubelet.decide.pages import Page, container_of, ports
from kubemini.kubelet.decide.podworker import RUNNING, STARTING, STOPPING
from kubemini.kubelet.podlogs import PodLogs
from kubemini.sim.engine import TIMER
from kubemini.sim.units import SECOND

EXITED, PROBED = "exited", "probed"
KILLED, COMPLETED, CRASHED = 137, 0, 1
LEAST_GRACE = 2 * SECOND  # between SIGTERM and SIGKILL, whatever the hook has used up


@dataclass(slots=True)
class Running:
    """The containers of one pod, as the runtime knows them."""

    uid: str
    namespace: str
    name: str
    app: str
    ip: str
    pod: Obj  # as it was when its sandbox was made
    state: str = STARTING
    ready: bool = False  # what the kubelet last said; for the trace
    started_at: int = -1
    finished_at: int = -1
    exit_code: int = 0
    image: str = ""  # of its first container, without registry and tag
    life: int = 0  # which start this is: a timer of an earlier one does nothing
    environment: dict[str, str] = field(default_factory=dict)  # what it was told of Services when it started
    event: str = ""  # what the kubelet hears when a stop is over: stopped, or killed
    ip2: str = ""  # its address of the other family, if it has one

    @property
    def ips(self) -> tuple[str, ...]:
        """Its addresses."""
        return tuple(filter(None, (self.ip, self.ip2)))


class Containers:
    """Made once per power-on; *actor* is who the trace says did it."""

    def __init__(self, host: Host, actor: str, index: int):
        self.host, self.sim, self.actor = host, host.sim, actor
        self.of_pod: dict[str, Running] = {}
        self.listener: Callable[[str, str], None] | None = None  # the kubelet: (uid, event)
        self.logs = PodLogs(host)
        self._priority = TIMER + (index << 62) + (1 << 61)
        self._timers = 0

    @classmethod
    def on(cls, host: Host, actor: str, index: int) -> "Containers":
        """The runtime of *host*."""
        if host.kernel.containers is None:
            host.kernel.containers = cls(host, actor, index)
            if host.cni is not None:
                host.cni.collect(())
        return host.kernel.containers

    # -- what the kubelet asks for -----------------------------------------------------------------------------------
    def start(self, pod: Obj, took: int, exit_after: int | None) -> Running:
        """Start the containers of *pod*: they run after *took* µs, and exit by themselves *exit_after* µs later.

        podnetwork.NoNetwork: the pod has no sandbox yet, and cannot have one now.
        """
        uid = pod["metadata"]["uid"]
        running = self.of_pod.get(uid)
        if running is None:
            running = self.of_pod[uid] = self._sandbox(pod)
        running.life += 1
        running.state, running.ready = STARTING, False
        self.logs.begin(uid)
        self._record(running)
        self._later(running, took, self._started, exit_after)
        return running

    def _sandbox(self, pod: Obj) -> Running:
        meta = pod["metadata"]
        labels = meta.get("labels") or {}
        app = labels.get("app") or labels.get("app.kubernetes.io/name") or meta["name"]
        ip, _, ip2 = self._addresses(pod).partition(",")
        uid, namespace, name = meta["uid"], meta["namespace"], meta["name"]
        return Running(uid, namespace, name, app, ip, pod, image=image_of(pod), ip2=ip2)

    def _addresses(self, pod: Obj) -> str:
        """One address, or two with a comma between."""
        if _on_the_host(pod):
            return ",".join(podnetwork.own_addresses(self.host))
        if self.host.cni is None:
            raise podnetwork.NoNetwork("cni plugin not initialized")
        return self.host.cni.add(pod)

    def stop(self, uid: str, pre_stop: int, exits_in: int, grace: int, event: str = "stopped") -> None:
        """The preStop hook, SIGTERM, SIGKILL when *grace* is over; *exits_in*: what the program needs after SIGTERM.

        A hook that takes longer than *grace* is cut off, and two seconds are left all the same. The kubelet hears
        *event* at the end: stopped, or killed, if a probe has failed and it is to start again.
        """
        running = self.of_pod[uid]
        if running.state == STOPPING:
            running.event = "stopped" if event == "stopped" else running.event
        if running.state in (STOPPING, EXITED):
            return
        hook = min(pre_stop, grace) if running.state == RUNNING else 0
        left = max(grace - hook, LEAST_GRACE)
        linger = min(self._linger(running), left) if running.state == RUNNING else 0
        running.life += 1
        running.state, running.event = STOPPING, event
        running.ready = running.ready and event == "killed"
        self._record(running)
        self._later(running, hook + linger, self._told_to_end)
        exits_in = max(exits_in, linger)
        code = COMPLETED if exits_in <= left else KILLED
        self._later(running, hook + min(exits_in, left), self._stopped, code)

    def running(self, image: str) -> list[str]:
        """The pods whose containers of *image* run, or go on after SIGTERM."""
        return [uid for uid, pod in self.of_pod.items() if pod.image == image and pod.state in (RUNNING, STOPPING)]

    def well(self, uid: str) -> bool:
        """What the program inside says to a readiness probe; one that is not simulated is well."""
        program = self.host.images.get(self.of_pod[uid].image)
        return program is None or program.well

    def probe(self, image: str) -> None:
        """What the program of *image* would say to a probe may have changed."""
        for uid in self.running(image):
            self._tell(self.of_pod[uid], PROBED)

    def fail(self, uid: str) -> None:
        """The program inside has died of itself."""
        running = self.of_pod[uid]
        if running.state == RUNNING:
            running.life += 1
            self._exited(running, CRASHED, "exited")

    def remove(self, uid: str) -> None:
        """Forget a pod whose containers have ended."""
        gone = self.of_pod.pop(uid, None)
        self.logs.forget(uid)
        if gone is not None and not _on_the_host(gone.pod) and self.host.cni is not None:
            self.host.cni.delete(gone.pod)

    def say_ready(self, uid: str, ready: bool) -> None:
        """The kubelet's verdict, for the trace."""
        running = self.of_pod[uid]
        if running.ready != ready:
            running.ready = ready
            self._record(running)

    # -- what happens by itself ----------------------------------------------------------------------------------------
    def _later(self, running: Running, delay: int, act: Callable, *args: Any) -> None:
        self._timers += 1
        self.sim.occur(delay, self._priority + self._timers, self._due, running, running.life, act, args)

    def _due(self, running: Running, life: int, act: Callable, args: tuple) -> None:
        if self.host.kernel.containers is self and running.life == life and running.state != EXITED:
            act(running, *args)

    def _started(self, running: Running, exit_after: int | None) -> None:
        running.state, running.started_at = RUNNING, self.sim.now
        for ip in running.ips:
            podnetwork.listening(self.host)[ip] = running.name
        for program in self.host.in_pods:
            program.began(running.ip)
        if running.image in self.host.images:
            self.host.images[running.image].start()
        self._say_started(running)
        self._tell(running, "started")
        if not running.ready:  # else the kubelet has just said so
            self._record(running)
        if exit_after is not None:
            self._later(running, exit_after, self._exited, CRASHED, "exited")

    def _told_to_end(self, running: Running) -> None:
        """SIGTERM: a well-behaved server stops listening."""
        if self.logs.has_begun(running.uid):
            self.logs.say(running.uid, "SIGTERM: no new connections are taken")
        self._terminate(running)

    def _terminate(self, running: Running) -> None:
        """Nobody listens any more."""
        if podnetwork.pod_at(self.host, running.ip) == running.name:
            for ip in running.ips:
                del podnetwork.listening(self.host)[ip]
            for program in self.host.in_pods:
                program.told_to_end(running.ip)

    def _stopped(self, running: Running, code: int) -> None:
        self._exited(running, code, running.event)

    def _exited(self, running: Running, code: int, event: str) -> None:
        self._terminate(running)
        if code != KILLED and self.logs.has_begun(running.uid):  # who is killed says nothing
            self.logs.say(running.uid, f"exits with code {code}")
        self.logs.end(running.uid)
        running.state, running.ready = EXITED, False
        running.finished_at, running.exit_code = self.sim.now, code
        for program in self.host.in_pods:
            program.gone(running.ip)
        self._record(running, "gone" if event == "stopped" else EXITED)
        if running.image in self.host.images and not self.running(running.image):
            self.host.images[running.image].exit("its container has ended")
        self._tell(running, event)

    def _say_started(self, running: Running) -> None:
        for container in running.pod["spec"]["containers"]:
            name = container["name"]
            self.logs.say(running.uid, f"{container.get('image', '')} starts as process 1 of {name}", name)
        for port, name in ports(running.pod).items():
            self.logs.say(running.uid, f"listens on port {port}", name)

    def served(self, ip: str, port: int, method: str = "GET", path: str = "/", source: str = "127.0.0.1") -> None:
        """The program that listens on *port* of *ip* has answered a request of *source*."""
        running = self.at(ip)
        if running is not None:
            known = ports(running.pod)
            name = known.get(port) or next(iter(known.values()))
            self.logs.say(running.uid, f'{source} "{method} {path} HTTP/1.1" 200', name)

    def at(self, ip: str) -> Running | None:
        """The pod that has *ip*; of several on the host's own, the one that is reached there."""
        found = [one for one in self.of_pod.values() if ip in one.ips]
        named = podnetwork.pod_at(self.host, ip)
        return next((one for one in found if one.name == named), found[0] if found else None)

    def page(self, running: Running, port: int) -> Page | None:
        """What answers on *port* of a pod, if anything listens there."""
        name = ports(running.pod).get(port)
        if name is None or podnetwork.pod_at(self.host, running.ip) != running.name:
            return None
        return Page(running.name, container_of(running.pod, name).get("image", ""), self.host.name)

    def _linger(self, running: Running) -> int:
        """How long the program in it goes on answering after SIGTERM (µs); most stop at once."""
        program = self.host.images.get(running.image)
        return program.linger if program is not None else 0

    def _tell(self, running: Running, event: str) -> None:
        if self.listener is not None:
            self.listener(running.uid, event)

    def _record(self, running: Running, state: str = "") -> None:
        self.sim.record(
            self.actor,
            "pod",
            name=running.name,
            namespace=running.namespace,
            app=running.app,
            state=state or running.state,
            ready=running.ready,
            ip=running.ip,
        )


def _on_the_host(pod: Obj) -> bool:
    """Whether *pod* lives in the host's own network."""
    return bool(get(pod, "spec", "hostNetwork", default=False))


def image_of(pod: Obj) -> str:
    """The image of the first container, without registry and tag: ``coredns``."""
    image: str = pod["spec"]["containers"][0].get("image", "")
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]
