"""The kubelet of one host: it makes the containers match the pods that the API assigns to it, and reports.

Theory of operation.

A kubelet is a worker for each pod (`pods.worker`), a container runtime that it asks and that tells it of every end
(`runtime`), and what the workers share: statuses, probes, images, back-offs (`pods.shared`). Here everything comes in:
pods from the API or from files, news of the runtime, requests of clients; and each wakes the worker of its pod.

Invariant: containers belong to the host, not to the kubelet. When it dies they go on, and when it returns it takes them
over as it finds them; what runs without a pod is stopped, what should run and does not is started again.
A pod that is being deleted leaves the API only when its kubelet has confirmed that its containers are gone.
Models k/k pkg/kubelet Kubelet.HandlePodAdditions Kubelet.syncLoopIteration Kubelet.rejectPod
Simplified: the end of a container is noticed at once (PLEG: within 1 s).
"""

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Informer
from kubemini.host import Component, Host, Timer
from kubemini.kubelet.configuration import Configuration
from kubemini.kubelet.decide import hooks
from kubemini.kubelet.decide.behaviour import BEHAVIOUR, behaviour, unreadable
from kubemini.kubelet.decide.pods import staticpods
from kubemini.kubelet.decide.pods.admission import Place
from kubemini.kubelet.decide.pods.images import Registry
from kubemini.kubelet.decide.pods.probing import READINESS, STARTUP
from kubemini.kubelet.decide.pods.relists import RELIST
from kubemini.kubelet.decide.pods.runs import mains
from kubemini.kubelet.decide.pods.table import SYNCING, TERMINATING
from kubemini.kubelet.decide.pods.told.phases import ENDED
from kubemini.kubelet.heartbeat import Heartbeat
from kubemini.kubelet.links import ServiceLinks
from kubemini.kubelet.pods.admitting import admit
from kubemini.kubelet.pods.evicting import Evicting
from kubemini.kubelet.pods.probes.probing import Probing
from kubemini.kubelet.pods.shared import Shared
from kubemini.kubelet.pods.static import Static
from kubemini.kubelet.pods.statuses import Statuses
from kubemini.kubelet.pods.worker import PodWorker
from kubemini.kubelet.runtime.containers import DIED, PROBED, RUNTIME, STARTED, Containers
from kubemini.kubelet.serving.server import PORT, Server
from kubemini.kubelet.shuttingdown import ShuttingDown
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call, Network

RUNTIME_SILENCE = 30 * SECOND  # maxWaitForContainerRuntime
RUNTIME_DOWN = "container runtime is down"


class Kubelet(Component):
    """One kubelet process."""

    port = PORT

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.params = net.params
        self.configuration = Configuration()
        self.registry = Registry()  # what its node knows of images
        self.drawn: dict[str, int] = {}  # how much luck each pod has had

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, f"system:node:{self.host.name}")
        self.containers = Containers.on(self.host, self.name, self.index)
        self.containers.listener = self._hear
        self.workers: dict[str, PodWorker] = {}  # by uid
        self.links = ServiceLinks(self.client, self.params.kubelet_service_links)
        parts = (self.links, self.configuration, self.registry, self.drawn)
        self.shared = Shared(self, self.client, self.containers, *parts)
        self.shared.place, self.shared.room = self._place, self._room
        self.statuses, self.probing = Statuses(self.shared, self.workers), Probing(self.shared)
        self.server = Server(self, self.client, self.containers, self.workers)
        self.static = Static(self.shared, self.statuses, self.workers, self._make)
        self.shared.reconcile, self.statuses.over = self.static.reconcile, self.static.over
        self.static.look()
        self.pods = Informer(self.client, POD, self._pod_changed, fieldSelector=f"spec.nodeName={self.host.name}")
        self.pods.on_synced.append(self._stop_orphans)
        self.links.start(self.pods.start)
        self.heartbeat = Heartbeat(self, self.client, self.shared.recorder, self.configuration)
        self.heartbeat.start()
        workers = self.workers.values
        self.evicting = Evicting(self.shared, self.configuration, workers, self.heartbeat.press)
        self.evicting.start()
        self.shutting_down = ShuttingDown(self.shared, self.configuration, workers, self.heartbeat.trouble)
        self._silence: Timer | None = None  # until the runtime is missed
        self._unheard: list[tuple[str, str, str]] = []  # what the runtime will tell when it is back

    def shutdown(self) -> None:
        """Nobody probes what runs here, until it is back."""
        self.containers.logs.probe_no_more()

    def handle(self, call: Call) -> Steps | None:
        """Somebody asks for a log, or a way into a container."""
        return self.server.handle(call)

    # -- what the API wants --------------------------------------------------------------------------------------------
    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        if staticpods.mirrored(new or old or {}):
            self.static.changed(old, new)
            return
        if old is not None and (new is None or old["metadata"]["uid"] != new["metadata"]["uid"]):
            self._forget(old)
        if new is not None:
            self._want(new)

    def _want(self, pod: Obj) -> None:
        """This is how the API wants *pod* to be."""
        worker = self.workers.get(pod["metadata"]["uid"])
        if worker is not None:
            worker.update(pod)
            return
        self._take_up(pod)

    def _take_up(self, pod: Obj) -> None:
        """A pod this kubelet has not heard of: new, or left by an earlier incarnation, or lost with the power."""
        worker = self._make(pod)
        self._remark(pod)
        if self.params.kubelet_details:
            self.evicting.start()
        others = self._others(worker.uid)
        if worker.life.why_end() or not self.params.kubelet_details:
            worker.wake()
        else:
            self.spawn(admit(worker, self._place(worker.uid), others))

    def _make(self, pod: Obj) -> PodWorker:
        worker = self.workers[pod["metadata"]["uid"]] = PodWorker(self.shared, self.statuses, self.probing, pod)
        return worker

    def look_at_files(self) -> None:
        """A manifest of its host was written or removed."""
        if self.up:
            self.after(RELIST, self.static.look)

    def _others(self, uid: str) -> list[PodWorker]:
        """Who has a claim on what the node has, but for one."""
        return [one for one in self.workers.values() if one.life.state in (SYNCING, TERMINATING) and one.uid != uid]

    def _place(self, uid: str) -> Place | None:
        """The node as this kubelet knows it, with all pods but one."""
        node = self.heartbeat.node
        pods = [one.pod for one in self._others(uid)]
        if node is None:
            return None
        pressures, sysctls = self.heartbeat.pressures, self.configuration.sysctls
        return Place(node, pods, pressures, sysctls, self.shutting_down.going)

    def _room(self) -> None:
        """A pod has ended: who waits for room tries again."""
        for worker in list(self.workers.values()):
            worker.resizing.retry()

    def _remark(self, pod: Obj) -> None:
        """Say once what of *pod* makes a difference and is not understood."""
        for text in hooks.strange(pod):
            self.sim.remark(self.name, f"a preStop hook is not understood and takes no time here: {text}")
        for name in unreadable(pod):
            found = f"{BEHAVIOUR}{name}: {behaviour(pod, name)}"
            self.sim.remark(self.name, f"the annotation {found} is no duration such as 3s: it does nothing")

    def _forget(self, pod: Obj) -> None:
        """The API has no such pod any more: nothing to report, but containers may have to end."""
        worker = self.workers.pop(pod["metadata"]["uid"], None)
        if worker is not None:
            worker.orphan()

    def _stop_orphans(self) -> None:
        """What runs here without a pod in the API ends."""
        static = self.static.of_file.values()
        for uid in [uid for uid in self.containers.of_pod if uid not in (*self.workers, *static)]:
            PodWorker(self.shared, self.statuses, self.probing, self.containers.of_pod[uid].pod).orphan()

    # -- what the runtime says -----------------------------------------------------------------------------------------
    def _hear(self, uid: str, event: str, run: str) -> None:
        """The container runtime has news: for later if this kubelet is paused, for nobody if it is dead."""
        self.guarded(self.incarnation, self._news, (uid, event, run))

    def _news(self, uid: str, event: str, run: str) -> None:
        if event == RUNTIME:
            self._runtime_changed()
            return
        if self.containers.down and event != PROBED:
            self._unheard.append((uid, event, run))
            return
        worker = self.workers.get(uid)
        if worker is not None:
            self._tell(worker, event)
        if event == DIED:
            self.shared.has_ended(run)

    def _runtime_changed(self) -> None:
        """Models k/k pkg/kubelet Kubelet.updateRuntimeUp runtimeState.runtimeErrors"""
        if self.containers.down:
            self._silence = self.after(RUNTIME_SILENCE, self._runtime_is_silent)
            return
        if self._silence is not None:
            self._silence.cancel()
        self.shared.skips = False
        if RUNTIME_DOWN in self.heartbeat.troubles:
            self.heartbeat.trouble(RUNTIME_DOWN, False)
        unheard, self._unheard = self._unheard, []
        for news in unheard:
            self._news(*news)
        self.shared.serves_again()

    def _runtime_is_silent(self) -> None:
        self.shared.skips = True
        self.heartbeat.trouble(RUNTIME_DOWN, True)

    def _tell(self, worker: PodWorker, event: str) -> None:
        if event == PROBED:
            self.probing.look(worker, changed=True)
        elif event == STARTED:
            self._has_started(worker)
            if self.params.kubelet_details:
                worker.wake_later()
        else:
            self.probing.look(worker, changed=self.params.kubelet_details)
            if worker.life.state == SYNCING:
                worker.wake_later()

    def _has_started(self, worker: PodWorker) -> None:
        """A pod that nobody probes is ready as soon as it serves."""
        sandbox = self.containers.of_pod[worker.uid]
        probed = any(one.get(kind) for one in mains(worker.pod) for kind in (READINESS, STARTUP))
        ended = get(worker.pod, "status", "phase") in ENDED
        if sandbox.listens and not probed and not ended and not worker.life.deleting:
            self.containers.say_ready(worker.uid, True)
