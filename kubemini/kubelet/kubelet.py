"""The kubelet of one host: it makes the containers match the pods that the API assigns to it, and reports.

Invariant: containers belong to the host, not to the kubelet. When it dies they go on, and when it returns it takes them
over as it finds them; what runs without a pod is stopped, what should run and does not is started again.
A pod that is being deleted leaves the API only when its kubelet has confirmed that its containers are gone.
k/k pkg/kubelet/kubelet.go, pod_workers.go, status/status_manager.go.
Simplified: no static pods, no eviction under pressure; the end of a container is noticed at once (PLEG: within 1 s).
"""

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Informer, WorkQueue
from kubemini.client.client import code
from kubemini.host import Component, Host
from kubemini.host.linux.podnetwork import NoNetwork, own_addresses
from kubemini.kubelet.containers import EXITED, PROBED, Containers, Running
from kubemini.kubelet.decide import hooks, probes, sandboxes
from kubemini.kubelet.decide.podworker import (
    BEHAVIOUR,
    FINISHED,
    GONE,
    MOVES,
    PENDING,
    RUNNING,
    STOPPING,
    WAITING,
    PodWorker,
    behaviour,
    behaviour_time,
    forgiven,
    grace,
    ready_condition,
    remembered,
    restart_after_end,
    restarts_after,
    unreadable,
)
from kubemini.kubelet.decide.status import pod_status
from kubemini.kubelet.heartbeat import Heartbeat
from kubemini.kubelet.links import ServiceLinks
from kubemini.kubelet.serving.server import PORT, Server
from kubemini.sim import Sim, Steps
from kubemini.wire import Call, Network

UNKNOWN_END = 255  # the exit code of a container whose host died with it


class Kubelet(Component):
    """One kubelet process."""

    port = PORT

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.params = net.params
        self._draws: dict[str, int] = {}

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, f"system:node:{self.host.name}")
        self.containers = Containers.on(self.host, self.name, self.index)
        self.containers.listener = self._hear
        self.workers: dict[str, PodWorker] = {}  # by uid
        self.server = Server(self, self.client, self.containers, self.workers)
        self.reports = WorkQueue(self, self._report, workers=10, backoff=(self.params.pod_status_sync,) * 2)
        self.reports.start()
        self.pods = Informer(self.client, POD, self._pod_changed, fieldSelector=f"spec.nodeName={self.host.name}")
        self.pods.on_synced.append(self._stop_orphans)
        self.links = ServiceLinks(self.client, self.params.kubelet_service_links)
        self.links.start(self.pods.start)
        Heartbeat(self, self.client).start()

    def shutdown(self) -> None:
        """Nobody probes what runs here, until it is back."""
        self.containers.logs.probe_no_more()

    def handle(self, call: Call) -> Steps | None:
        """Somebody asks for a log, or a way into a container."""
        return self.server.handle(call)

    # -- what the API wants --------------------------------------------------------------------------------------------
    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and (new is None or old["metadata"]["uid"] != new["metadata"]["uid"]):
            self._forget(old)
        if new is not None:
            self._want(new)

    def _want(self, pod: Obj) -> None:
        """This is how the API wants *pod* to be."""
        worker = self.workers.get(pod["metadata"]["uid"])
        if worker is None:
            worker = self._admit(pod)
        else:
            before, worker.pod = worker.pod, pod
            if get(before, "metadata", "annotations") != get(pod, "metadata", "annotations"):
                self._probe(worker)
            self._correct(worker)
        if worker.deleting:
            self._stop(worker)

    def _admit(self, pod: Obj) -> PodWorker:
        """A pod this kubelet has not heard of: new, or left by an earlier incarnation, or lost with the power."""
        worker = self.workers[pod["metadata"]["uid"]] = remembered(pod, self.sim.now)
        worker.taken_up_at = self.sim.now
        self._remark(pod)
        running = self.containers.of_pod.get(worker.uid)
        if running is not None:
            self._adopt(worker, running)
        elif get(pod, "status", "phase") in ("Succeeded", "Failed"):
            worker.state = FINISHED
        elif not worker.deleting:
            if worker.last_started_at >= 0:  # it ran here, and went with the power
                worker.restarts, worker.exit_code, worker.finished_at = worker.restarts + 1, UNKNOWN_END, self.sim.now
            self._start(worker)
        return worker

    def _adopt(self, worker: PodWorker, running: Running) -> None:
        """Its containers are here already."""
        worker.ip, worker.ip2, worker.started_at = running.ip, running.ip2, running.started_at
        worker.ready = running.ready
        worker.killing = running.state == STOPPING and running.event == "killed"
        worker.state = RUNNING if running.state == EXITED or worker.killing else running.state
        if running.state == EXITED:
            self._container_event(worker.uid, "exited")
        self._probe(worker)
        self.reports.add(worker.uid)

    def _remark(self, pod: Obj) -> None:
        """Say once what of *pod* makes a difference and is not understood."""
        for text in hooks.strange(pod):
            self.sim.remark(self.name, f"a preStop hook is not understood and takes no time here: {text}")
        for name in unreadable(pod):
            found = f"{BEHAVIOUR}{name}: {behaviour(pod, name)}"
            self.sim.remark(self.name, f"the annotation {found} is no duration such as 3s: it does nothing")

    def _correct(self, worker: PodWorker) -> None:
        """If somebody else has written whether the pod is ready, say it again."""
        if worker.reported is None or int(worker.pod["metadata"]["resourceVersion"]) <= worker.version:
            return
        if ready_condition(worker.pod.get("status") or {}) != ready_condition(worker.reported):
            worker.reported = None
            self.reports.add(worker.uid)

    def _forget(self, pod: Obj) -> None:
        """The API has no such pod any more: nothing to report, but containers may have to end."""
        uid = pod["metadata"]["uid"]
        self.workers.pop(uid, None)
        if uid in self.containers.of_pod:
            self._stop_containers(uid, pod)

    def _stop_orphans(self) -> None:
        """What runs here without a pod in the API ends."""
        for uid in [uid for uid in self.containers.of_pod if uid not in self.workers]:
            self._stop_containers(uid, None)

    # -- what runs -----------------------------------------------------------------------------------------------------
    def _start(self, worker: PodWorker) -> None:
        took = self._draw(worker.pod["metadata"]["name"], self.params.pod_start)
        if worker.uid not in self.containers.of_pod:
            for number, text in enumerate(self.host.dns_complaints(worker.pod)):
                self._say(worker, sandboxes.DNS, text, number)
        try:
            running = self.containers.start(worker.pod, took, behaviour_time(worker.pod, "exit-after"))
        except NoNetwork as error:
            self._no_sandbox(worker, str(error))
            return
        self.links.tell(worker.pod, running)
        worker.become("start")
        worker.started = False
        worker.ip, worker.ip2 = running.ip, running.ip2
        if not worker.killing:
            self.reports.add(worker.uid)

    def _no_sandbox(self, worker: PodWorker, why: str) -> None:
        """No network, no sandbox, no container: say so, and try again in 10 to 15 s, as long as the pod is wanted."""
        namespace, name = worker.key
        message = sandboxes.message(why)
        self.sim.record(self.name, "sandbox", pod=f"{namespace}/{name}", message=message)
        self._say(worker, sandboxes.REASON, message)
        self.reports.add(worker.uid)
        delay = self._draw(f"{name}/sandbox", sandboxes.BACK_OFF)
        self.after(delay, self._try_again, worker)

    def _try_again(self, worker: PodWorker) -> None:
        if worker.state == PENDING and self.workers.get(worker.uid) is worker:
            self._start(worker)

    def _say(self, worker: PodWorker, reason: str, text: str, number: int = 0) -> None:
        """An Event is written once; if that fails, it is lost, as the real recorder's is after some tries.

        *number*: how many have been written of this pod at this instant.
        """

        def tell(event: Obj) -> Steps:
            yield from self.client.create(event)

        self.spawn(tell(sandboxes.event(worker.pod, reason, text, self.host.name, self.sim.now, number)))

    def _stop(self, worker: PodWorker) -> None:
        """Gracefully: preStop, SIGTERM, and SIGKILL in the end."""
        if worker.state in (STOPPING, GONE):
            return
        worker.become("stop")
        worker.killing = False
        worker.generation += 1
        if worker.uid in self.containers.of_pod:
            self._stop_containers(worker.uid, worker.pod)
        else:
            self._container_event(worker.uid, "stopped")

    def _stop_containers(self, uid: str, pod: Obj | None) -> None:
        """For good; None: of a pod that nobody knows any more."""
        running = self.containers.of_pod[uid]
        if running.state == EXITED:
            self._container_event(uid, "stopped")
            return
        default = self.params.termination_grace_period
        patience = grace(pod, default) if pod else default
        self.containers.stop(uid, hooks.pre_stop(pod) if pod else 0, self._exits_in(running, pod), patience)

    def _exits_in(self, running: Running, pod: Obj | None) -> int:
        """What the program will need after SIGTERM (µs)."""
        asked = behaviour_time(pod, "stop-after") if pod else None
        return self._draw(running.name, self.params.pod_stop) if asked is None else asked

    def _draw(self, name: str, bounds: tuple[int, int]) -> int:
        """A duration by chance; each pod has luck of its own."""
        number = self._draws[name] = self._draws.get(name, 0) + 1
        return self.sim.draws(f"pod/{name}").between(number, *bounds)

    def _hear(self, uid: str, event: str) -> None:
        """The container runtime has news: for later if this kubelet is paused, for nobody if it is dead."""
        self.guarded(self.incarnation, self._container_event, (uid, event))

    def _container_event(self, uid: str, event: str) -> None:
        worker, running = self.workers.get(uid), self.containers.of_pod.get(uid)
        if worker is None:
            if event == "stopped":
                self.containers.remove(uid)
            return
        if event == PROBED:
            self._probe(worker)
        if (worker.state, event) not in MOVES:
            return  # old news: heard after a pause
        if event == "started":
            assert running is not None
            worker.become("started")
            worker.started_at, worker.killing = running.started_at, False
            if probes.probes(worker.pod, probes.READINESS) or probes.probes(worker.pod, probes.STARTUP):
                worker.ready = False
            self.containers.say_ready(uid, worker.ready)
            self._probe(worker)
        else:
            self._ended(worker, running, event)
        self.reports.add(uid)

    def _ended(self, worker: PodWorker, running: Running | None, event: str) -> None:
        """The containers have ended: by themselves (exited), as asked (stopped), or for a probe's sake (killed)."""
        worker.generation += 1
        worker.started = False
        before = worker.finished_at
        if running is not None and running.finished_at > worker.finished_at:
            worker.last_started_at, worker.finished_at = running.started_at, running.finished_at
            worker.exit_code = running.exit_code
        policy = worker.pod["spec"].get("restartPolicy", "Always")
        again = policy != "Never" if event == "killed" else restarts_after(policy, worker.exit_code)
        if event == "stopped" or not again:
            worker.ready = worker.killing = False
            worker.become("stopped" if event == "stopped" else "finished")
        else:
            self._back_off(worker, event, before)

    def _back_off(self, worker: PodWorker, event: str, previous_end: int) -> None:
        worker.become(event)
        bounds = self.params.crash_loop_backoff
        if forgiven(worker.finished_at - worker.last_started_at, bounds):
            worker.crashes = 0
        killed = event == "killed"
        delay, worker.crashes = restart_after_end(worker.crashes, worker.finished_at, previous_end, killed, bounds)
        if killed and not delay:
            self._restart(worker, worker.restarts)
            return
        worker.ready = worker.killing = False
        worker.back_off = delay
        self.after(delay, self._restart, worker, worker.restarts)

    def _restart(self, worker: PodWorker, restarts: int) -> None:
        if worker.state == WAITING and worker.restarts == restarts:
            worker.restarts += 1
            self._start(worker)

    # -- probes --------------------------------------------------------------------------------------------------------
    def _probe(self, worker: PodWorker) -> None:
        """Something about the program inside may have changed: when will the probes know?"""
        worker.generation += 1
        self.containers.logs.probe(worker.uid, probes.checks(worker, self._well(worker), self.sim.now))
        if worker.state != RUNNING or worker.killing:
            return
        if not worker.started:
            self._probe_startup(worker)
        else:
            self._probe_readiness(worker)
            self._watch_over(worker, probes.LIVENESS, "liveness")

    def _probe_startup(self, worker: PodWorker) -> None:
        """Before this one has passed, no other is asked."""
        if behaviour(worker.pod, "startup") == "fail":
            if self._watch_over(worker, probes.STARTUP, "startup"):
                return
        now = self.sim.now
        at = probes.pod_verdict_at(worker.pod, probes.STARTUP, worker.taken_up_at, worker.started_at, now, True)
        if at is None:
            self._set_started(worker, worker.generation)
        else:
            self.after(at - now, self._set_started, worker, worker.generation)

    def _set_started(self, worker: PodWorker, generation: int) -> None:
        if worker.generation == generation:
            worker.started, worker.counts_as_started_at = True, self.sim.now
            self.reports.add(worker.uid)
            self._probe(worker)

    def _probe_readiness(self, worker: PodWorker) -> None:
        pod, now = worker.pod, self.sim.now
        well = behaviour(pod, "readiness") != "fail" and self._well(worker)
        at = probes.pod_verdict_at(pod, probes.READINESS, worker.counts_as_started_at, worker.started_at, now, well)
        if at is None:
            self._set_ready(worker, worker.generation, True)
        elif well != worker.ready:
            self.after(at - now, self._set_ready, worker, worker.generation, well)

    def _well(self, worker: PodWorker) -> bool:
        return worker.uid in self.containers.of_pod and self.containers.well(worker.uid)

    def _watch_over(self, worker: PodWorker, kind: str, name: str) -> bool:
        """If the probe of *kind* fails, it will cost the container its life; whether that is so."""
        if behaviour(worker.pod, name) != "fail":
            return False
        now = self.sim.now
        at = probes.pod_verdict_at(worker.pod, kind, worker.taken_up_at, worker.started_at, now, False)
        if at is not None:
            self.after(at - now, self._kill, worker, worker.generation, kind)
        return at is not None

    def _set_ready(self, worker: PodWorker, generation: int, ready: bool) -> None:
        if worker.generation == generation and worker.ready != ready:
            worker.ready = ready
            self.containers.say_ready(worker.uid, ready)
            self.reports.add(worker.uid)

    def _kill(self, worker: PodWorker, generation: int, kind: str) -> None:
        """Stop it as gracefully as any, hook and all; then it starts again."""
        if worker.generation != generation:
            return
        worker.generation += 1
        worker.killing = True
        pod, running = worker.pod, self.containers.of_pod[worker.uid]
        patience = probes.kill_grace(pod, kind, grace(pod, self.params.termination_grace_period))
        self.containers.stop(worker.uid, hooks.pre_stop(pod), self._exits_in(running, pod), patience, "killed")

    # -- what the API is told ------------------------------------------------------------------------------------------
    def _report(self, uid: str) -> Steps:
        """Send the status if it is news; then, for a pod that is gone, let it go. Anything but None: try again."""
        worker = self.workers.get(uid)
        if worker is None or worker.killing:
            return None
        status = pod_status(worker, own_addresses(self.host), self.sim.now)
        if status != worker.reported:
            namespace, name = worker.key
            body = {"metadata": {"uid": uid}, "status": status}
            reply = yield from self.client.patch(POD, name, namespace, body, "status")
            if not reply.ok and code(reply) != 404:
                return reply.error
            worker.reported = status
            worker.version = int(reply.value["metadata"]["resourceVersion"]) if reply.ok else worker.version
        return (yield from self._let_go(worker)) if worker.state == GONE else None

    def _let_go(self, worker: PodWorker) -> Steps:
        """Delete the pod for good: its containers are gone."""
        namespace, name = worker.key
        reply = yield from self.client.delete(
            POD, name, namespace, gracePeriodSeconds=0, preconditions={"uid": worker.uid}
        )
        if not reply.ok and code(reply) not in (404, 409):
            return reply.error
        self.containers.remove(worker.uid)
        return None
