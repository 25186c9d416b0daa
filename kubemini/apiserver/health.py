"""/livez, /readyz and /healthz: whether etcd answers a read that needs a majority, within 2 s.

Invariant: "ok" means that etcd has served this server within the last second, or does so now. One question is under way
at a time. In etcd's absence every watch of this server waits here: they share one connection, dialled again by one.
Besides those who ask, the server looks every 2 s, unless its own requests have told it meanwhile; so the trace says
`ready` soon after the fact. Models k/apiserver
pkg/storage/storagebackend/factory newETCD3ProberMonitor, pkg/server/healthz InstallPathHandler.
Simplified: livez fails exactly when readyz does, once the server has come up; other checks always pass.
"""

from typing import Any

import simpy

from kubemini.api.errors import ApiError
from kubemini.etcd.client import EtcdClient
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.sim.units import MS
from kubemini.wire.rpc import DEADLINE

PATHS = ("/livez", "/readyz", "/healthz")
KEY = "/registry/health"
# codes of etcd that speak of etcd, not of the request
UNWELL = ("UNAVAILABLE", "UNKNOWN", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
FIRST_PAUSE, LONGEST_PAUSE = 250 * MS, 1000 * MS  # between questions while etcd is away


class EtcdHealth:
    """What one incarnation of an API server knows about etcd."""

    def __init__(self, component: Component, etcd: EtcdClient):
        self.component, self.etcd, self.params = component, etcd, component.net.params
        self.ready: bool | None = None  # as the trace says; None: not said yet
        self.started = False  # the namespaces of the system exist
        self.problem: Any = None  # the last error of etcd, if that was its last word
        self._proof = -self.params.etcd_readycheck_timeout  # when etcd last served
        self._asking: simpy.Event | None = None
        self._recovering = False
        self._recovered: list[simpy.Event] = []
        component.after(self.params.etcd_readycheck_timeout, self._look)

    # -- what the server's own requests tell -------------------------------------------------------------------------
    def heard(self, error: Any) -> None:
        """Something that needed a majority has ended, with *error* or None."""
        if error is None or getattr(error, "code", "UNAVAILABLE") not in UNWELL:
            self._proof, self.problem = self.component.sim.now, None
            self._tell()
        else:
            self.suspect()

    def suspect(self) -> None:
        """Something is wrong with etcd: ask until it answers."""
        if not self._recovering:
            self._recovering = True
            self.component.spawn(self._recover())

    def come_up(self) -> None:
        """What a server does first is done."""
        self.started = True
        self._tell()

    # -- those who ask -----------------------------------------------------------------------------------------------
    def answer(self, path: str) -> Steps:
        """ "ok", or the ApiError 500 that says which check failed."""
        if self._is_stale():
            yield from self._ask()
        failed = ["etcd"] if self.problem is not None else []
        if path == "/readyz" and failed:
            failed.append("etcd-readiness")
        if path != "/livez" and not self.started:
            failed.append("poststarthook/start-system-namespaces-controller")
        return ApiError(500, "InternalError", _text(path, failed)) if failed else "ok"

    def wait(self, patience: int) -> Steps:
        """Until etcd answers, or *patience* µs have passed."""
        self.suspect()
        event = simpy.Event(self.component.sim)
        self._recovered.append(event)
        timer = self.component.after(patience, self._give_up, event)
        yield event
        timer.cancel()

    def _give_up(self, event: simpy.Event) -> None:
        if event in self._recovered:
            self._recovered.remove(event)
            event.succeed()

    # -- asking etcd -------------------------------------------------------------------------------------------------
    def _is_stale(self) -> bool:
        return self.component.sim.now - self._proof > self.params.etcd_readycheck_timeout // 2

    def _ask(self) -> Steps:
        """One read that needs a majority; whoever comes meanwhile shares the answer."""
        if self._asking is not None:
            yield self._asking
            return
        asking = self._asking = simpy.Event(self.component.sim)
        reply = yield from self.etcd.range(KEY, timeout=self.params.etcd_readycheck_timeout)
        self._asking = None
        if reply.ok:
            self._proof = self.component.sim.now
        self.problem = reply.error
        self._tell()
        if not reply.ok:
            self.suspect()
        asking.succeed()

    def _recover(self) -> Steps:
        pause = FIRST_PAUSE
        while True:
            yield from self._ask()
            if self.problem is None:
                break
            yield self.component.timeout(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self._recovering = False
        recovered, self._recovered = self._recovered, []
        for event in recovered:
            event.succeed()

    def _look(self) -> None:
        """The look at itself, every 2 s."""
        self.component.after(self.params.etcd_readycheck_timeout, self._look)
        if self._is_stale() and self._asking is None:
            self.component.spawn(self._ask())

    def _tell(self) -> None:
        """Into the trace, if it is news."""
        ready = self.started and self.problem is None
        if ready != self.ready and (self.started or self.problem is not None):
            self.ready = ready
            why = "ok" if ready else f"etcd failed: {_why(self.problem)}" if self.problem else "starting"
            self.component.sim.record(self.component.name, "ready", ready=ready, why=why)


def _why(problem: Any) -> str:
    return "context deadline exceeded" if problem == DEADLINE else str(problem)


def _text(path: str, failed: list[str]) -> str:
    """The page that a failing check shows."""
    checks = ["ping", "log", "etcd", *(["etcd-readiness"] if path == "/readyz" else [])]
    checks.append("poststarthook/start-system-namespaces-controller")
    lines = [f"[-]{check} failed: reason withheld" if check in failed else f"[+]{check} ok" for check in checks]
    return "\n".join([*lines, f"{path[1:]} check failed"])
