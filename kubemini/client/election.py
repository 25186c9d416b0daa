"""Leader election over a Lease: of several copies of a program one acts, the others stand by.

Invariant: a holder that cannot renew gives up (10 s after its last attempt began) before anybody else may take over
(15 s after they last saw it renew), if all clocks run at the same rate and the holder runs at all. Nobody compares a
clock with another's: a standby measures the time since *it* saw the record change.
A holder that loses the Lease exits, and its supervisor starts it afresh: nothing half-done can go on acting.
Who *releases* writes nobody's name on a Lease that it gives up, told to stop or having lost it, so that the next one
need not wait for it to run out. The scheduler does; the controller-manager does not (its gate is off), and is waited
for even after a clean stop. Two requests of 5 s at most: a scheduler whose API server hangs exits so much later.
A paused holder that wakes up still believes; it acts until its next renewal fails. There is no fencing.
Simplified: a program that exits is started again by us after the time a container takes, not by the kubelet.

Models k/client-go tools/leaderelection LeaderElector.tryAcquireOrRenew, LeaderElector.release
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.api.kinds import LEASE
from kubemini.api.objects import EMPTY, Obj, evolve, freeze, get
from kubemini.api.timestamps import micro_timestamp
from kubemini.client.client import ApiClient, code
from kubemini.client.events import Recorder
from kubemini.host.component import TOLD
from kubemini.sim import Steps
from kubemini.sim.engine import TIMER
from kubemini.sim.units import SECOND
from kubemini.wire import Reply


@dataclass(slots=True)
class Observed:
    """The Lease as this candidate last saw it, and when *it* saw it change, by its own clock."""

    lease: Obj | None = None
    at: int = 0

    def see(self, lease: Obj, now: int) -> None:
        """A look at the Lease; only a change counts."""
        if self.lease is None or self.lease.get("spec") != lease.get("spec"):
            self.at = now
        self.lease = lease

    def valid(self, now: int, duration: int) -> bool:
        """Whether its holder may still count on it."""
        return self.lease is not None and self.at + duration > now

    @property
    def holder(self) -> str:
        """Whoever holds it, or nobody."""
        return get(self.lease, "spec", "holderIdentity", default="") if self.lease else ""


def record(observed: Obj | None, identity: str, duration: int, now: int) -> dict[str, Any]:
    """The ``spec`` of the Lease that *identity* wants to write: taken over, or kept and renewed."""
    spec: Obj = observed.get("spec", EMPTY) if observed else EMPTY  # a Lease need not have one
    kept = spec.get("holderIdentity") == identity
    stamp = micro_timestamp(now)
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": duration // SECOND,
        "acquireTime": spec.get("acquireTime", stamp) if kept else stamp,
        "renewTime": stamp,
        "leaseTransitions": spec.get("leaseTransitions", 0) + (1 if spec and not kept else 0),
    }


def released(observed: Obj, now: int) -> dict[str, Any]:
    """The ``spec`` of a Lease that its holder gives up."""
    stamp, transitions = micro_timestamp(now), observed["spec"].get("leaseTransitions", 0)
    times = {"leaseDurationSeconds": 1, "acquireTime": stamp, "renewTime": stamp}
    return {"holderIdentity": "", **times, "leaseTransitions": transitions}


class Elector:
    """One candidate. *on_started* is called once, when it has won; when it loses, the component exits."""

    def __init__(
        self,
        client: ApiClient,
        lease: str,
        on_started: Callable[[], None],
        namespace: str = "kube-system",
        releases: bool = False,
        recorder: Recorder | None = None,
    ):
        self.component = client.component
        self.params = self.component.net.params
        self.client = client.limited(self.params.leader_elect_renew_deadline // 2)
        self.lease, self.namespace, self.on_started = lease, namespace, on_started
        self.identity = f"{self.component.name}_{self.component.incarnation}"
        self.observed = Observed()
        self.releases, self.recorder = releases, recorder
        self.leading = self.resigning = False
        self._draws = self.component.sim.draws(f"election/{self.identity}")
        self._drawn = 0

    def start(self) -> None:
        """Stand for election."""
        self.component.spawn(self._run())

    def _run(self) -> Steps:
        while not (yield from self._try()):
            yield self.component.timeout(self._jittered())
        self.leading = True
        self.component.sim.record(self.component.name, "holder", lease=self.lease, holder=self.component.name)
        if self.recorder is not None and self.observed.lease is not None:
            said = f"{self.identity} became leader"
            self.recorder.event(self.observed.lease, "Normal", "LeaderElection", said)
        self.on_started()
        while (yield from self._renew()):
            yield self.component.timeout(self.params.leader_elect_retry_period)
        if not self.resigning:
            if self.releases:
                yield from self._release()
            self._exit()

    def resign(self) -> None:
        """The program has been told to stop: act no more, release the Lease if it is ours, and end in peace."""
        if not self.resigning:
            self.resigning = True
            self.component.spawn(self._resign())

    def _resign(self) -> Steps:
        held, self.leading = self.leading, False
        if held and self.releases:
            yield from self._release()
        self.component.exit(TOLD)

    def _release(self) -> Steps:
        """Write nobody's name on our Lease; it is tried once."""
        self.client.deadline = None
        reply = yield from self.client.get(LEASE, self.lease, self.namespace)
        if reply.ok and reply.value["spec"].get("holderIdentity") == self.identity:
            spec = released(reply.value, self.component.sim.wall)
            yield from self.client.update(evolve(reply.value, ("spec",), spec))

    def _jittered(self) -> int:
        """The retry period, and up to 1.2 times as much again by chance."""
        self._drawn += 1
        period = self.params.leader_elect_retry_period
        return self._draws.between(self._drawn, period, round(period * (1 + self.params.leader_elect_jitter)))

    def _renew(self) -> Steps:
        """Try every 2 s (at once if the last try took longer) until it works or the renew deadline has passed."""
        began, period = self.component.sim.now, self.params.leader_elect_retry_period
        deadline, tick = began + self.params.leader_elect_renew_deadline, 0
        while not (yield from self._try(deadline)):
            passed = (self.component.sim.now - began) // period
            if passed == tick:
                yield self.component.timeout(min(began + (tick + 1) * period, deadline) - self.component.sim.now)
                passed += 1
            tick = passed
            if self.component.sim.now >= deadline:
                return False
        return True

    def _try(self, deadline: int | None = None) -> Steps:
        """Acquire or renew the Lease: True if this candidate holds it now."""
        if self.resigning:
            return False
        duration = self.params.leader_elect_lease_duration
        if self.leading and self.observed.valid(self.component.sim.now, duration):
            if (yield from self._write(self.observed.lease, deadline)):
                return True
        self.client.deadline = deadline
        reply = yield from self.client.get(LEASE, self.lease, self.namespace)
        if code(reply) == 404:
            return (yield from self._write(None, deadline))
        if not reply.ok:
            return False
        now = self.component.sim.now
        self.observed.see(reply.value, now)
        held = self.observed.holder not in ("", self.identity) and self.observed.valid(now, duration)
        return False if held else (yield from self._write(reply.value, deadline))

    def _write(self, old: Obj | None, deadline: int | None) -> Steps:
        self.client.deadline = deadline
        date = self.component.sim.wall
        spec = record(old, self.identity, self.params.leader_elect_lease_duration, date)
        if old is None:
            reply: Reply = yield from self.client.create(self._new(spec))
        else:
            reply = yield from self.client.update(evolve(old, ("spec",), spec))
        if reply.ok:
            self.observed.see(reply.value, self.component.sim.now)
        return reply.ok

    def _new(self, spec: dict[str, Any]) -> Obj:
        return freeze(
            {
                "apiVersion": LEASE.api_version,
                "kind": LEASE.kind,
                "metadata": {"name": self.lease, "namespace": self.namespace},
                "spec": spec,
            }
        )

    def _exit(self) -> None:
        """The Lease is lost: die at once, and be started afresh, if there is somebody who does that."""
        component = self.component
        component.sim.record(component.name, "note", text=f"leader election lost: {self.lease}; the program exits")
        component.crash()
        if self.params.restart_policy == "Always":
            low, high = self.params.pod_start
            component.sim.occur(self._draws.between(0, low, high), TIMER + (component.index << 62), component.start)
