"""The audit log of one server: an event for each stage of each request that its policy wants to hear of.

The events are records of the trace (`audit`), and there are none without a policy (--audit-policy-file). What is said
of a request is decided in ../decide/audit; here is who is asked, and when.
Invariant: what a request comes to is not changed by being told.
Models k/apiserver pkg/endpoints/filters WithAudit WithFailedAuthenticationAudit.
Simplified: annotations tell of rights, of deprecated kinds, of PodSecurity and of policies in CEL; those of webhooks,
tokens and layers that took long are left out. When a server ends the watch of a program of the simulation is not told.
"""

from typing import Any
from urllib.parse import urlencode

from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import identity, tables
from kubemini.apiserver.decide.access import attributes
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.audit import events, policy
from kubemini.apiserver.decide.audit.policy import COMPLETE, NONE, PANIC, RECEIVED, STARTED
from kubemini.apiserver.decide.forms import response
from kubemini.apiserver.decide.forms.plain import Passed
from kubemini.apiserver.decide.strategy import default
from kubemini.apiserver.gate.fairness import is_long

LOOPBACK = "127.0.0.1"  # where clients from outside come from


class Audited:
    """What is told of one request."""

    def __init__(self, core: Core, asked: Request, config: policy.Config, user: UserInfo):
        self.core, self.asked, self.config = core, asked, config
        self.annotations: dict[str, str] = {}
        self._long = asked.info.verb == "watch" or is_long(asked.info)
        self._over = False
        number = next((value for name, value in asked.answer_headers if name == "Audit-Id"), "")
        agent, ip = asked.headers.get("user-agent", ""), LOOPBACK if asked.method else ""
        number = number or identity.uid(core.audits)
        self._event = events.begun(config, number, asked.info, user, _uri(asked), agent, ip, core.sim.wall)

    def stage(self, stage: str) -> None:
        """It has come so far."""
        if stage not in self.config.omitted:
            event = events.at_stage(self._event, stage, self.core.sim.wall, self.annotations)
            self.core.sim.record(self.core.component.name, "audit", event=event)

    def annotate(self, key: str, value: str) -> None:
        """Somebody on the way has something to say."""
        self.annotations.setdefault(key, value)

    def decided(self, decision: attributes.Decision) -> None:
        """An authorizer has spoken."""
        self.annotations["authorization.k8s.io/decision"] = "allow" if decision.allowed else "forbid"
        self.annotations["authorization.k8s.io/reason"] = decision.reason

    def acts_as(self, user: UserInfo) -> None:
        """It is done for another."""
        self._event["impersonatedUser"] = user.shown()

    def sent(self, obj: Obj, kind: Kind | None = None) -> None:
        """This was sent, and could be read, as an object of *kind*; None: it says itself what it is."""
        if self.asked.info.verb != "patch":
            whole = default({**obj, "kind": kind.kind, "apiVersion": kind.api_version}, kind) if kind else obj
            self._event = events.with_request(self._event, self.config, response.as_typed(whole))

    def sent_patch(self, patch: Any) -> None:
        """This patch was sent."""
        self._event = events.with_patch(self._event, self.config, patch)

    def answered(self, code: int, answer: Any) -> None:
        """It has its answer; a watch goes on, and so does what somebody behind the server says."""
        asked = self.asked
        if isinstance(answer, dict):
            if asked.accepted.convert is not None:
                answer = tables.shown(answer, asked.accepted.convert, asked.query, self.core.sim.wall, asked.info.kind)
            answer = answer if isinstance(answer, ApiError) else response.as_typed(answer, asked.info.kind)
        self._event = events.with_response(self._event, self.config, code, answer)
        if self._long:
            self.stage(STARTED)
        goes_on = isinstance(answer, Passed) or (asked.info.verb == "watch" and code in (200, 101))
        if not goes_on:
            self.over()

    def over(self) -> None:
        """It is over; without an answer, its client has gone."""
        if not self._over:
            self._over = True
            self._event = events.ended(self._event)
            self.stage(COMPLETE)

    def panicked(self, what: str) -> None:
        """The server has failed on it."""
        if not self._over:
            self._over = True
            self._event = events.panicked(self._event, what)
            self.stage(PANIC)

    def refused(self, error: ApiError) -> None:
        """Nobody knows who it is."""
        self._event = events.with_response(self._event, self.config, error.code, error)
        self.stage(STARTED)


def begin(core: Core, asked: Request) -> Audited | None:
    """A request has come in; None: nobody wants to hear of it."""
    found = _made(core, asked, asked.user)
    if found is not None:
        found.stage(RECEIVED)
    return found


def refuse(core: Core, asked: Request, error: ApiError) -> None:
    """A request has come in with credentials of nobody."""
    found = _made(core, asked, UserInfo())
    if found is not None:
        found.refused(error)


def _made(core: Core, asked: Request, user: UserInfo) -> Audited | None:
    if core.flags.audit is None:
        return None
    config = policy.evaluate(core.flags.audit, attributes.of(asked.info, user))
    return None if config.level == NONE else Audited(core, asked, config, user)


def _uri(asked: Request) -> str:
    """The path with its query, as it was asked for."""
    if asked.uri:
        return asked.uri
    query = urlencode(asked.query, doseq=True)
    return f"{asked.path}?{query}" if query else asked.path
