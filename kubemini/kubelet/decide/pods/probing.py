"""Probes: when each asks, and what comes of the answers. Pure.

Theory of operation.

A prober of one kind ticks every period. Its clock begins when the kubelet takes the pod up, whatever its container
does; a tick with nothing to ask (no running container, before ``initialDelaySeconds``, before `started`) passes. Only
readiness is asked once more as soon as the container is seen running, and its clock begins anew then. An answer counts
when *threshold* in a row say the same. A liveness or startup probe that has come to its end rests until there is
another run of the container.

An answer that says how long it holds (`Outcome.until`) and that changes nothing any more needs no further tick before
then: a probe of what is well costs nothing (`next_look`).
Models k/k pkg/kubelet/prober worker.doProbe manager.isContainerStarted
Simplified: probes that begin within the first period after the start of a kubelet do not wait for a random moment.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from kubemini.api.objects import Obj
from kubemini.kubelet.decide.pods.runs import is_sidecar
from kubemini.sim.units import NEVER, SECOND

STARTUP, READINESS, LIVENESS = "startupProbe", "readinessProbe", "livenessProbe"
KINDS = (STARTUP, READINESS, LIVENESS)
TITLES = {STARTUP: "Startup", READINESS: "Readiness", LIVENESS: "Liveness"}
INITIAL = {STARTUP: None, READINESS: False, LIVENESS: True}  # what counts before the first answer
NAMES = {STARTUP: "startup", READINESS: "readiness", LIVENESS: "liveness"}


class Outcome(NamedTuple):
    """What one probe found: *text* is the failure's; it would be the same before *until*.

    *errored*: nothing, for it could not ask; that counts for nothing.
    """

    passed: bool
    text: str = ""
    until: int = NEVER
    warning: str = ""
    errored: bool = False


@dataclass(slots=True)
class Prober:
    """One probe of one container; times in µs. *run*: the run that it has met last."""

    name: str
    kind: str
    spec: Obj
    clock: int
    run: str = ""
    started_at: int = 0
    on_hold: bool = False
    begun: bool = False  # of readiness: it has been asked for once, and its clock counts from there
    asking: bool = False  # an answer is on its way
    last: bool | None = None
    count: int = 0  # answers in a row that said so
    until: int = 0  # before then the next answer would be the same

    @property
    def period(self) -> int:
        """Between two ticks."""
        return int(self.spec.get("periodSeconds") or 10) * SECOND

    @property
    def timeout(self) -> int:
        """How long it waits for an answer."""
        return int(self.spec.get("timeoutSeconds") or 1) * SECOND

    @property
    def delay(self) -> int:
        """How long a container is left alone."""
        return int(self.spec.get("initialDelaySeconds") or 0) * SECOND

    def threshold(self, passed: bool) -> int:
        """How many answers in a row count."""
        key, usual = ("successThreshold", 1) if passed else ("failureThreshold", 3)
        return int(self.spec.get(key) or usual)

    def meet(self, run: str, started_at: int) -> None:
        """There is another run of its container."""
        self.run, self.started_at, self.on_hold, self.begun = run, started_at, False, self.kind != READINESS
        self.until = 0

    def hear(self, outcome: Outcome) -> bool | None:
        """An answer: the verdict, once there are enough that say so; else None."""
        passed, self.until = outcome.passed, outcome.until
        self.count = self.count + 1 if self.last == passed else 1
        self.last = passed
        if self.count < self.threshold(passed):
            return None
        if self.kind == STARTUP or (self.kind == LIVENESS and not passed):
            self.on_hold, self.count = True, 0
        return passed

    def tick_from(self, instant: int) -> int:
        """The first tick at *instant* or later."""
        return self.clock + max(0, -(-(instant - self.clock) // self.period)) * self.period

    def next_look(self, now: int, started: bool, verdict: bool | None, counts_failures: bool) -> int:
        """The next tick that may change anything; NEVER: none before something else happens.

        *started*: its container counts as started, *verdict*: what is known by this probe; *counts_failures*: somebody
        wants to hear of each.
        """
        if not self.run or not self.begun or self.on_hold or self.asking or started == (self.kind == STARTUP):
            return NEVER
        settled = self.last is not None and self.last == verdict and self.count >= self.threshold(self.last)
        if settled and self.until > now and (self.last or not counts_failures):
            return NEVER if self.until >= NEVER else self.tick_from(self.until)
        return self.tick_from(max(now + 1, self.started_at + self.delay))


def probers(pod: Obj, clock: int) -> list[Prober]:
    """Those of all containers of *pod* that are probed; *clock*: when they begin to tick."""
    sidecars = [one for one in pod["spec"].get("initContainers") or () if is_sidecar(one)]
    containers = [*pod["spec"]["containers"], *sidecars]
    return [Prober(one["name"], kind, one[kind], clock) for one in containers for kind in KINDS if one.get(kind)]


# -- texts of failures -------------------------------------------------------------------------------------------------
def port_of(container: Obj, port: Any) -> int:
    """A port by number, or by the name that the container gives it. ValueError: there is none, in the kubelet's words.

    Models k/k pkg/probe ResolveContainerPort
    """
    if not isinstance(port, str):
        return int(port)
    named = [one["containerPort"] for one in container.get("ports") or () if one.get("name") == port]
    if not named and not port.isdigit():
        raise ValueError(f'strconv.Atoi: parsing "{port}": invalid syntax')
    return int(named[0] if named else port)


def complaint(kind: str, outcome: Outcome) -> str:
    """The Event of a probe of that kind that has not passed, or could not ask."""
    what = "errored and resulted in unknown state" if outcome.errored else "failed"
    return f"{TITLES[kind]} probe {what}: {outcome.text}"


def refused(ip: str, port: int) -> str:
    """Nobody listens."""
    return f"dial tcp {joined(ip, port)}: connect: connection refused"


def joined(ip: str, port: int) -> str:
    """An address and a port, as Go writes them."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def http_failed(url: str, status: int | None, why: str) -> str:
    """The text of a failed HTTP probe: of its answer's *status*, or of what else happened."""
    return f"HTTP probe failed with statuscode: {status}" if status is not None else f'Get "{url}": {why}'


NO_TLS = "http: server gave HTTP response to HTTPS client"
TOO_SLOW = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


def exec_timed_out(command: list[str], timeout: int) -> str:
    """The command of an exec probe took too long."""
    return f'command timed out: "{" ".join(command)}" timed out after {timeout // SECOND}s'


def grpc_failed(ip: str, port: int, status: str | None, timeout: int) -> str:
    """A gRPC probe: *status* of the health service, "" if it does not know the service, None: nobody answered."""
    if status is None:
        where = joined(ip, port)
        return f'timeout: failed to connect service "{where}" within {timeout // SECOND}s: context deadline exceeded'
    if not status:
        return "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"
    return f'service unhealthy (responded with "{status}")'
