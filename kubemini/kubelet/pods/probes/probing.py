"""The probes of one kubelet: they ask the programs, and wake the workers.

Theory of operation.

Each probe of each container is a `Prober` (decide/pods/probing) with at most one timer, set to the next tick that may
change anything. `look` sets them anew; it is called whenever a container starts or ends, a status changes, or a program
says that a probe may hear something else. What a probe has found is kept by run: a new run begins with nothing known.

Invariant: a probe whose answer holds, and has counted, sets no timer.
Models k/k pkg/kubelet/prober manager.AddPod manager.UpdatePodStatus prober.runProbe
Models k/k pkg/probe/http DoHTTPProbe; k/k pkg/probe/tcp DoTCPProbe; k/k pkg/probe/exec execProber.Probe
"""

from functools import partial

from kubemini.host import Timer
from kubemini.kubelet.decide.pods.probing import (
    INITIAL,
    LIVENESS,
    NEVER,
    READINESS,
    STARTUP,
    TITLES,
    Outcome,
    Prober,
    complaint,
    probers,
)
from kubemini.kubelet.decide.pods.runs import RUNNING, Run, find, is_sidecar
from kubemini.kubelet.decide.pods.told import status
from kubemini.kubelet.decide.pods.told.containerstatus import container_id
from kubemini.kubelet.pods.probes.asking import ask
from kubemini.kubelet.pods.probes.checks import checks
from kubemini.kubelet.pods.shared import WARNING, Attended, Shared
from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND

HEARS = (0, 200 * MS)  # until a prober that is told to ask at once does so: ours
RESTART_GRACE = 10 * SECOND  # containers older than that at the start of the kubelet keep their status


class Probing:
    """Of one incarnation of a kubelet."""

    def __init__(self, shared: Shared):
        self.shared = shared
        self.probers: dict[str, list[Prober]] = {}  # by uid
        self.results: dict[str, dict[str, bool | None]] = {STARTUP: {}, READINESS: {}, LIVENESS: {}}  # by run
        self._timers: dict[int, tuple[Timer, int]] = {}  # by prober: its timer, and when it is due
        self._workers: dict[str, Attended] = {}

    def add(self, worker: Attended) -> None:
        """The pod is to be probed, from when its kubelet took it up."""
        if worker.uid not in self.probers:
            self.probers[worker.uid] = probers(worker.pod, worker.life.taken_up_at)
            self._workers[worker.uid] = worker
        self.look(worker)

    def forget(self, uid: str) -> None:
        """It is over."""
        for prober in self.probers.pop(uid, ()):
            self._drop(prober)
        self._workers.pop(uid, None)

    def stop_but_readiness(self, uid: str) -> None:
        """The pod ends: only readiness goes on being probed."""
        if uid in self.probers:
            for prober in self.probers[uid]:
                if prober.kind != READINESS:
                    self._drop(prober)
            self.probers[uid] = [one for one in self.probers[uid] if one.kind == READINESS]

    def _drop(self, prober: Prober) -> None:
        if id(prober) in self._timers:
            self._timers.pop(id(prober))[0].cancel()

    def verdict(self, kind: str, run: str) -> bool | None:
        """What is known of a run by a kind of probe."""
        return self.results[kind].get(run)

    # -- what statuses ask ---------------------------------------------------------------------------------------------
    def of(self, worker: Attended) -> "Found":
        """What has been found of one pod."""
        return Found(self, worker)

    def has(self, uid: str, name: str, kind: str) -> bool:
        """Whether the container is probed so."""
        return any((one.name, one.kind) == (name, kind) for one in self.probers.get(uid, ()))

    def is_old(self, started_at: int) -> bool:
        """Whether a container that started then is older than 10 s at the start of this kubelet."""
        return self.shared.own(started_at) < self.shared.began - RESTART_GRACE

    def at_once(self, uid: str, name: str) -> None:
        """Ask for readiness now, and count the periods from now on."""
        for prober in self.probers.get(uid, ()):
            if (prober.name, prober.kind) == (name, READINESS) and not prober.asking:
                prober.clock, prober.begun = self.shared.now, True
                self._set(self._workers[uid], prober, self.shared.now)

    # -- ticks ---------------------------------------------------------------------------------------------------------
    def look(self, worker: Attended, changed: bool = False) -> None:
        """Set the timers of a pod's probes anew; *changed*: its programs may say something else."""
        mine = self.probers.get(worker.uid)
        if not mine:
            return
        view = self.shared.view(worker.uid)
        for prober in mine:
            run = view.latest(prober.name)
            if changed:
                prober.until = 0
            if run is not None and run.state == RUNNING and run.id != prober.run:
                self._meet(prober, run)
                self._begin_anew(worker, prober)
            elif run is not None and run.state != RUNNING and run.id == prober.run:
                self.results[prober.kind][run.id] = False
            running = run is not None and run.state == RUNNING
            self._arm(worker, prober, running)
        if worker.uid in self.shared.containers.of_pod:
            checks(worker, mine)

    def _meet(self, prober: Prober, run: Run) -> None:
        self.results[prober.kind].pop(prober.run, None)
        prober.meet(run.id, self.shared.own(run.started_at))
        if not self.is_old(run.started_at):
            self.results[prober.kind][run.id] = INITIAL[prober.kind]

    def _begin_anew(self, worker: Attended, prober: Prober) -> None:
        """What was told of a run by an earlier kubelet holds no more, unless the run is old."""
        told = status.by_name(worker.life.status).get(prober.name, {})
        key = {STARTUP: "started", READINESS: "ready"}.get(prober.kind, "")
        same = told.get("containerID") == container_id(prober.run)
        if same and told.get(key) and not self.results[prober.kind].get(prober.run, True):
            self._tell(worker, prober, False)

    def _arm(self, worker: Attended, prober: Prober, running: bool) -> None:
        if running and self._timers.get(id(prober), (None, NEVER))[1] <= self.shared.now:
            return  # it is about to ask
        self._drop(prober)
        if not running:
            return
        known = self.results[prober.kind].get(prober.run)
        counts = self.shared.recorder.on
        at = prober.next_look(self.shared.now, self._started(worker, prober), known, counts)
        if at < NEVER:
            self._set(worker, prober, at)

    def _set(self, worker: Attended, prober: Prober, at: int) -> None:
        self._drop(prober)
        delay = max(0, at - self.shared.now)
        self._timers[id(prober)] = self.shared.component.after(delay, self._tick, worker, prober), at

    def _started(self, worker: Attended, prober: Prober) -> bool:
        told = status.by_name(worker.life.status).get(prober.name, {})
        return bool(told.get("started")) and told.get("containerID", "").endswith(prober.run)

    def _tick(self, worker: Attended, prober: Prober) -> None:
        self._timers.pop(id(prober), None)
        skip = self._started(worker, prober) == (prober.kind == STARTUP)
        if skip or prober.on_hold or self.shared.now < prober.started_at + prober.delay:
            self.look(worker)
            return
        prober.asking = True
        self.shared.component.spawn(self._ask(worker, prober, prober.run))

    def _ask(self, worker: Attended, prober: Prober, run: str) -> Steps:
        outcome = yield from ask(worker, prober)
        prober.asking = False
        if outcome is None or prober.run != run or prober not in self.probers.get(worker.uid, ()):
            self.look(worker)
            return
        self._hear(worker, prober, outcome)

    def _hear(self, worker: Attended, prober: Prober, outcome: Outcome) -> None:
        if not outcome.passed:
            self.shared.event(worker.pod, WARNING, "Unhealthy", complaint(prober.kind, outcome), prober.name)
        elif outcome.warning:
            text = f"{TITLES[prober.kind]} probe warning: {outcome.warning}"
            self.shared.event(worker.pod, WARNING, "ProbeWarning", text, prober.name)
        verdict = None if outcome.errored else prober.hear(outcome)
        results = self.results[prober.kind]
        if verdict is not None and results.get(prober.run, prober) != verdict:
            results[prober.run] = verdict
            self._tell(worker, prober, verdict)
        self.look(worker)

    def _tell(self, worker: Attended, prober: Prober, verdict: bool) -> None:
        """A verdict is another: the status, and the worker, hear of it."""
        if prober.kind == READINESS and worker.life.status is not None:
            found = status.with_readiness(worker.pod, worker.life.status, prober.name, verdict, self.shared.wall)
            worker.statuses.set(worker, found)
        elif prober.kind == STARTUP and worker.life.status is not None:
            worker.statuses.set(worker, status.with_startup(worker.life.status, prober.name, verdict))
        if prober.kind != LIVENESS or not verdict:
            worker.wake()


class Found:
    """What the probes have found of one pod, as its status asks for it."""

    def __init__(self, probing: Probing, worker: Attended):
        self.probing, self.worker = probing, worker

    def started(self, name: str, run: str, was: bool) -> bool:
        """Whether a run counts as started; *was*: as it was told last."""
        known = self.probing.results[STARTUP]
        if run in known:
            return known[run] is True
        return was or not self._is_probed(name, STARTUP)

    def ready(self, name: str, run: str, was: bool) -> bool:
        """Whether it is ready; if nobody knows, the probe asks at once."""
        if self.probing.results[READINESS].get(run) is True:
            return True
        if not self._is_probed(name, READINESS):
            return True
        if was and not self.probing.has(self.worker.uid, name, READINESS):  # a kubelet that has just begun
            return True
        shared = self.probing.shared
        hears = shared.draw(f"{self.worker.key[1]}/{name}/asked", HEARS) if shared.params.kubelet_details else 0
        shared.component.after(hears, partial(self.probing.at_once, self.worker.uid, name))
        view = shared.view(self.worker.uid).latest(name)
        return (
            was
            and view is not None
            and run not in self.probing.results[READINESS]
            and self.probing.is_old(view.started_at)
        )

    def _is_probed(self, name: str, kind: str) -> bool:
        container = find(self.worker.pod, name)
        main = any(one["name"] == name for one in self.worker.pod["spec"]["containers"])
        return bool(container.get(kind)) and (main or is_sidecar(container))


__all__ = ["Found", "Probing"]
