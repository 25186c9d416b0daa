"""How an API server is: what its checks have found, and which hooks of its start are still to run.

Theory of operation.

/livez and /healthz have one check of etcd, /readyz two; each is a client of etcd of its own, with connections and luck
of its own, so they fail and recover apart. A check asks etcd for a key, which needs a majority, and waits 2 s. It asks
once a second at most: whoever comes meanwhile gets what the last question *begun* has found so far. So in the first
two seconds of an outage some are told that all is well, and later many are told "failed" at once. The two of /readyz
come one after the other: when etcd hangs, its answer takes 4 s, that of the others 2 s.

After a start the hooks run, stage by stage (decide/checks.py); the last are the roles of RBAC, a second or so after the
server has begun to listen. Told to stop, it fails /readyz at once and nothing else.

The trace shall say "ready" though nobody asks. So the trace has eyes of its own: they put the same question to etcd,
every 2 s, and tell no check what they have seen. They are open only while something is wrong: from the moment that
reachability changes until two looks in a row have found all well and every member would answer.
Models k/apiserver pkg/storage/storagebackend/factory newETCD3Check, newETCD3ProberMonitor, pkg/server/healthz
handleRootHealth.
Simplified: the eyes of the trace use the connections of the checks, so a request more goes over them.
"""

from collections.abc import Mapping
from typing import Any

import simpy

from kubemini.api.errors import ApiError
from kubemini.apiserver.decide import checks
from kubemini.apiserver.decide.checks import ETCD, ETCD_READINESS, READYZ, SHUTDOWN
from kubemini.apiserver.decide.forms.plain import Plain
from kubemini.etcd.client import EtcdClient
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.wire import Unreachable

KEY = "/registry/health"
NOT_YET = Unreachable("etcd client connection not yet established", definite=True)


class EtcdCheck:
    """One check of etcd, and what it has found."""

    def __init__(self, component: Component, etcd: EtcdClient, timeout: int):
        self.component, self.etcd, self.timeout = component, etcd, timeout
        self.found: Any = NOT_YET  # the error of the last question begun, of those that have ended; None: all was well
        self._begun = self._next = -1

    def ask(self) -> Steps:
        """The error, or None: of a question put to etcd now, or as found before if the last is less than 1 s ago."""
        now = self.component.sim.now
        if now < self._next or not self.etcd.connected:
            return self.found
        self._next = now + self.timeout // 2
        error = yield from self.probe()
        if now > self._begun:
            self._begun, self.found = now, error
        return error

    def probe(self) -> Steps:
        """Put the question to etcd: the error, or None."""
        return (yield from self.etcd.range(KEY, timeout=self.timeout)).error


class Health:
    """What one incarnation of an API server knows of itself."""

    def __init__(self, component: Component, etcd_endpoints: list[str]):
        self.component, self.params = component, component.net.params
        timeout = self.params.etcd_readycheck_timeout
        self.etcd = {
            name: EtcdCheck(component, EtcdClient(component, etcd_endpoints, name), timeout)
            for name in (ETCD, ETCD_READINESS)
        }
        self.starting: tuple[str, ...] = checks.SYNCING  # the hooks that have not run
        self.authorizes = False  # whether the rules of RBAC are known
        self.listening = self.stopping = False
        self._seen: dict[str, Any] = {}  # what the trace knows of each check: the error
        self._calm: dict[str, int] = {}  # of each check that is looked at: looks in a row that have found all well
        self._said: tuple[bool, str] | None = None
        self._waiting: list[simpy.Event] = []  # for it to be ready
        self._tell()

    # -- the life of the server --------------------------------------------------------------------------------------
    def listen(self) -> None:
        """From now on it can be asked."""
        self.listening = True
        self.look()

    def stage(self, starting: tuple[str, ...]) -> None:
        """These hooks are still to run."""
        self.starting = starting
        self._tell()

    def stop(self) -> None:
        """It has been told to stop."""
        self.stopping = True
        self._tell()

    @property
    def settled(self) -> bool:
        """Whether all is well, and stays so until reachability changes."""
        return self.listening and not self._calm and not self._failed(self._seen)

    @property
    def ready(self) -> bool:
        """Whether /readyz would be answered with 200, as far as is known."""
        return self.listening and not checks.failing(READYZ, self._failed(self._seen))

    def when_ready(self) -> simpy.Event:
        """Happens when it is, or at once."""
        event = simpy.Event(self.component.sim)
        self._waiting.append(event)
        self._tell()
        return event

    # -- those who ask -----------------------------------------------------------------------------------------------
    def answer(self, path: str, query: Mapping[str, Any]) -> Steps:
        """The page, or the ApiError 500 that shows it; None if *path* is neither a page nor a check of one."""
        wanted = checks.asked(path)
        if wanted is None:
            return None
        page, one = wanted
        yield from self._ask(page, one)
        failed = self._failed({name: check.found for name, check in self.etcd.items()})
        if one:
            return Plain("ok") if one not in failed else _failing(self.etcd[one].found if one in self.etcd else one)
        excluded = query.get("exclude") or ()
        names = [excluded] if isinstance(excluded, str) else [*excluded]
        well, text = checks.page(page, failed, "verbose" in query, names)
        return text if well else ApiError(500, "InternalError", text, plain=True)

    def _ask(self, path: str, one: str = "") -> Steps:
        """Let the checks of *path*, or that *one* alone, look at etcd, one after the other."""
        for name, check in self.etcd.items():
            if name in ([one] if one else checks.ORDER[path]):
                self._seen[name] = yield from check.ask()
                self._tell()

    def _failed(self, etcd: Mapping[str, Any]) -> list[str]:
        """All that fails, when the checks of *etcd* have found these errors."""
        failed = [name for name, error in etcd.items() if error is not None]
        return [*failed, *self.starting, *([SHUTDOWN] if self.stopping else [])]

    # -- the eyes of the trace ---------------------------------------------------------------------------------------
    def look(self) -> None:
        """Something has changed: look until all is well."""
        for name, check in self.etcd.items() if self.listening else ():
            if name not in self._calm:
                self.component.spawn(self._look(name, check))
            self._calm[name] = 0

    def _look(self, name: str, check: EtcdCheck) -> Steps:
        self._calm[name] = 0
        while self._calm[name] < 2:
            self._seen[name] = error = yield from check.probe()
            self._tell()
            self._calm[name] = self._calm[name] + 1 if error is None and check.etcd.well else 0
            yield self.component.timeout(self.params.etcd_readycheck_timeout)
        del self._calm[name]

    def _tell(self) -> None:
        """Into the trace, if it is news."""
        failed = checks.failing(READYZ, self._failed(self._seen))
        why = "starting" if self.starting else f"{', '.join(failed)} failed" if failed else "ok"
        if (not failed, why) != self._said:
            self._said = (not failed, why)
            self.component.sim.record(self.component.name, "ready", ready=not failed, why=why)
        while self._waiting and self.ready:
            self._waiting.pop().succeed()


def _failing(why: Any) -> ApiError:
    """What a check that is asked alone says when it fails."""
    return ApiError(500, "InternalError", f"internal server error: {why}", plain=True)
