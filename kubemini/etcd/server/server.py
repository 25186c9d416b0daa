"""What a member does for its clients, above Raft: requests, their deadlines, leases, and who leads.

Invariant: a request is answered once, and "ok" to a write only after the member has applied it. A write waits while
there is no leader; one that is handed to a leader that dies is lost, and its client hears so 7 s later.
etcd 3.7 server/etcdserver/v3_server.go, server.go. Linearizable reads are in `reads.py`, watches in `watch.py`.
Changes of the members are judged in `reconfigure.py`, what is full in `quota.py`.
Models etcd server/etcdserver EtcdServer.processInternalRaftRequestOnce, EtcdServer.revokeExpiredLeases.
Simplified: no authentication.
"""

from collections import deque
from typing import Any, NamedTuple

from kubemini.etcd.errors import (
    DEADLINE_EXCEEDED,
    NO_LEADER,
    NO_SPACE,
    NO_SPACE_LEFT,
    NOT_FOR_LEARNERS,
    TIMEOUT,
    TIMEOUT_LEADER_FAILURE,
    EtcdError,
)
from kubemini.etcd.raft.messages import LEADER
from kubemini.etcd.server import reconfigure, transfer
from kubemini.etcd.server.driver import Driver
from kubemini.etcd.server.membership import change
from kubemini.etcd.server.reads import Reads
from kubemini.etcd.server.watch import Watches
from kubemini.etcd.store import quota, shapes
from kubemini.etcd.store import request as requests
from kubemini.etcd.store.mvcc import Answer, Request, Store
from kubemini.host import Timer
from kubemini.params import PINNED
from kubemini.sim import Steps
from kubemini.wire import Call

WRITES = ("put", "delete_range", "txn", "compact", "lease_grant", "lease_revoke", "alarm")


class Proposal(NamedTuple):
    """What travels through the log: *number* is known to the *member* whose client asked, in that incarnation."""

    member: str
    incarnation: int
    number: int
    method: str
    request: Request


class Waiting:
    """A write whose client waits. *accepted*: a leader was known and it is on its way; *command*: what Raft carries."""

    __slots__ = ("accepted", "call", "command", "proposal", "started")

    def __init__(self, call: Call, proposal: Proposal, command: Any, started: int):
        self.call, self.proposal, self.command, self.started = call, proposal, command, started
        self.accepted = False


class Server:
    """The memory of one incarnation of a member, besides Raft's."""

    def __init__(self, member: Driver, store: Store):
        self.member, self.store = member, store
        self.lessor = store.lessor
        self.lessor.demote()
        self.reads = Reads(member, self._answer_read)
        self.watches = Watches(member, store)
        self.reconfiguration = reconfigure.Reconfiguration(member, self.propose, self.ask_leader)
        self.waiting: dict[int, Waiting] = {}
        self.elected_at: int | None = None  # when this member last became leader
        self._blocked: deque[Waiting] = deque()  # for want of a leader
        self._full: list[Proposal] = []  # applied, and answered when the alarm they raise is
        self._deadlines: deque[Waiting] = deque()  # all have the same timeout: oldest first
        self._next = 0
        self._booted = member.sim.now
        self._expiry_timer: Timer | None = None
        self._expiry_check = 0
        self._revoking: set[int] = set()

    # -- requests ----------------------------------------------------------------------------------------------------
    def handle(self, call: Call) -> Steps | None:
        """Answer *call*, now or later."""
        request = call.payload = call.payload or {}
        misfit = shapes.check(call.method, request)
        if misfit:
            call.fail(misfit)
            return None
        if request.get("require_leader") and not self.member.lead:
            call.fail(NO_LEADER)
            return None
        if self.member.learner and not requests.for_learners(call.method, request):
            call.fail(NOT_FOR_LEARNERS)
            return None
        if not self._has_room(call.method, request):
            self.propose(call, self._no_space(), method="alarm")
            return None
        error = requests.check(call.method, request, self.member.params)
        if error:
            call.fail(error)
        elif call.method == "watch":
            self.watches.open(call)
        elif requests.is_read(call.method, request):
            if requests.is_serializable(call.method, request):
                self._answer_read(call)
            else:
                self.reads.ask(call)
        elif call.method in WRITES:
            self.propose(call, request)
        elif call.method in reconfigure.METHODS:
            return self.reconfiguration.handle(call)
        elif call.method == "move_leader":
            return transfer.move_leader(self.member, call)
        elif call.method == "member_list" and request.get("linearizable"):
            self.reads.ask(call)
        elif call.method in ("lease_keepalive", "lease_time_to_live"):
            return self._lease_time(call)
        else:
            self._answer_about_itself(call)
        return None

    def _has_room(self, method: str, request: Request) -> bool:
        """Whether what *request* might add fits into this member's file."""
        more = quota.cost(method, request)
        return not more or self.store.backend.has_room(more, self.member.params.etcd_quota_backend_bytes)

    def _no_space(self) -> Request:
        return {"action": "ACTIVATE", "memberID": self.member.id, "alarm": "NOSPACE"}

    def _answer_read(self, call: Call) -> None:
        if call.method == "member_list":
            self._answer_about_itself(call)
        else:
            self._answer(call, self.store.apply(call.method, call.payload))

    def _answer(self, call: Call, answer: Answer | EtcdError) -> None:
        if isinstance(answer, EtcdError):
            call.fail(answer)
        else:
            answer["header"].update(raft_term=self.member.term, member=self.member.name)
            call.reply(answer)

    def _answer_about_itself(self, call: Call) -> None:
        """What needs no other member."""
        member = self.member
        answer: Answer = {"header": {"revision": self.store.revision}}
        match call.method:
            case "status":
                answer.update(self._status())
            case "hash_kv":
                hash = self.store.hash(call.payload.get("revision", 0))
                if isinstance(hash, EtcdError):
                    call.fail(hash)
                    return
                answer.update(hash=hash)
            case "snapshot":
                answer["image"] = member.data.image()
            case "defragment":
                self.store.backend.defragment()
                self.member.tracing.room()
            case "member_list":
                answer["members"] = member.membership.answer()
            case "watch_progress":
                self.watches.progress(call)
                return
            case "lease_leases":
                answer["leases"] = [{"ID": id} for id in sorted(self.lessor.leases)]
            case _:
                call.fail(EtcdError("UNIMPLEMENTED", f"unknown method {call.method}"))
                return
        self._answer(call, answer)

    def _status(self) -> Answer:
        member, raft, backend = self.member, self.member.raft, self.store.backend
        return {
            "version": PINNED["etcd"],
            "leader": member.leader,
            "raftTerm": member.term,
            "raftIndex": raft.commit,
            "raftAppliedIndex": member.data.applied,
            "dbSize": backend.size,
            "dbSizeInUse": backend.in_use,
            "isLearner": member.learner,
            "errors": [*([] if member.lead else [NO_LEADER.message]), *member.data.alarms.errors()],
        }

    # -- writes ------------------------------------------------------------------------------------------------------
    def propose(self, call: Call, request: Request, patient: bool = False, method: str = "") -> None:
        """Bring a write to the leader; *patient*: its client alone decides how long to wait.

        *method* is what is proposed if not what *call* asks for: then *call* is refused when that is done.
        """
        self._next += 1
        if call.method == "lease_grant" and not request.get("ID"):
            request = {**request, "ID": (self.member.id << 48) + (self.member.incarnation << 32) + self._next}
        proposal = Proposal(self.member.name, self.member.incarnation, self._next, method or call.method, request)
        command = change(call.method, request, proposal) if call.method in reconfigure.METHODS else proposal
        waiting = self.waiting[self._next] = Waiting(call, proposal, command, self.member.sim.now)
        if not patient:
            self._deadlines.append(waiting)
            if len(self._deadlines) == 1:
                self.member.after(self.member.params.etcd_request_timeout, self._expire)
        if self.member.raft.lead:
            self._hand_over(waiting)
        else:
            self._blocked.append(waiting)
            call.on_cancel(lambda: self._give_up(waiting))

    def _give_up(self, waiting: Waiting) -> None:
        """Its client has gone; what waits for a leader until then is never on its way."""
        if not waiting.accepted and waiting in self._blocked:
            del self.waiting[waiting.proposal.number]
            self._blocked.remove(waiting)

    def _hand_over(self, waiting: Waiting) -> None:
        waiting.accepted = True
        if not self.member.propose(waiting.command):
            self.waiting.pop(waiting.proposal.number, None)
            waiting.call.fail(EtcdError("UNKNOWN", "raft proposal dropped"))

    def _expire(self) -> None:
        """Time is up for the oldest requests, if they still wait."""
        now, timeout = self.member.sim.now, self.member.params.etcd_request_timeout
        while self._deadlines:
            oldest = self._deadlines[0]
            number = oldest.proposal.number
            if number in self.waiting and now < oldest.started + timeout:
                self.member.after(oldest.started + timeout - now, self._expire)
                return
            self._deadlines.popleft()
            if self.waiting.pop(number, None):
                oldest.call.fail(self._why_late(oldest))

    def _why_late(self, waiting: Waiting) -> EtcdError:
        """v3_server.go parseProposeCtxErr: only a member that has just become leader suspects its predecessor."""
        if not waiting.accepted:
            self._blocked.remove(waiting)
        if waiting.proposal.method != waiting.call.method:
            return NO_SPACE  # nothing but an alarm was late
        if not waiting.accepted:
            return DEADLINE_EXCEEDED
        elected, suspicion = self.elected_at, 2 * self.member.params.etcd_election_timeout
        if elected is not None and elected - suspicion < waiting.started < elected:
            return TIMEOUT_LEADER_FAILURE
        return TIMEOUT

    def apply(self, proposal: Proposal) -> None:
        """A committed proposal: every member applies it, the one whose client waits answers."""
        if proposal.method == "member_started":
            self.member.membership.apply(proposal.method, proposal.request)
            return
        if proposal.method == "alarm":
            self._apply_alarm(proposal)
            return
        if self.member.data.alarms.raised and quota.cost(proposal.method, proposal.request):
            self.answered(proposal, NO_SPACE)
            return
        fits = self._has_room(proposal.method, proposal.request)
        answer = self.store.apply(proposal.method, proposal.request, self.member.sim.now)
        self.member.tracing.room()
        self.watches.notify()
        if proposal.method.startswith("lease"):
            self._revoking.discard(proposal.request.get("ID", 0))
            self._arm_expiry()
        if fits or isinstance(answer, EtcdError):
            self.answered(proposal, answer)
        else:
            self._full.append(proposal)
            self.member.propose(Proposal(self.member.name, 0, 0, "alarm", self._no_space()))

    def _apply_alarm(self, proposal: Proposal) -> None:
        """An alarm is raised, disarmed or looked up; if it was ours, what found no room is answered: it is done."""
        self.answered(proposal, self._alarm(proposal.request))
        if proposal.request == self._no_space():
            full, self._full = self._full, []
            for applied in full:
                self.answered(applied, NO_SPACE_LEFT)

    def answered(self, proposal: Proposal, answer: Answer | EtcdError) -> None:
        """*proposal* has been applied with this result: tell the client, if it is ours."""
        if proposal.member == self.member.name and proposal.incarnation == self.member.incarnation:
            waiting = self.waiting.pop(proposal.number, None)
            if waiting:
                self._answer(waiting.call, answer if waiting.call.method == proposal.method else NO_SPACE)

    def _alarm(self, request: Request) -> Answer:
        """An alarm is raised, disarmed or looked up: what the API answers."""
        member = self.member
        alarms, raises = member.data.alarms, request.get("action") == "ACTIVATE"
        before = len(alarms.raised)
        answer = alarms.apply(request)
        if len(alarms.raised) != before:
            member.tracing.alarm(request["memberID"], request["alarm"], raises)
        return {"header": {"revision": self.store.revision}, **answer}

    def restored(self) -> None:
        """The store has jumped to a leader's snapshot."""
        self.member.tracing.room()
        self.watches.restored()
        self.reads.applied(self.member.data.applied)

    # -- what Raft tells ---------------------------------------------------------------------------------------------
    def applied(self, index: int) -> None:
        """The store has reached *index*."""
        self.reads.applied(index)

    def confirmed(self, context: Any, index: int) -> None:
        """The leader has confirmed that a read at *index* is linearizable."""
        self.reads.confirmed(context, index)

    def leadership(self, old: int, new: int) -> None:
        """This member's role or its leader has changed (0: none known)."""
        member, now = self.member, self.member.sim.now
        if member.role == LEADER and not self.lessor.primary:
            self.elected_at = now
            self._revoking.clear()
            self.lessor.promote(now, member.params.etcd_election_timeout)
            self._arm_expiry()
        elif member.role != LEADER and self.lessor.primary:
            self.lessor.demote()
        self.watches.leadership(bool(new))
        if new and new != old:
            self.reads.leader_changed()
            self._publish()
            while self._blocked and member.raft.lead:
                self._hand_over(self._blocked.popleft())

    def _publish(self) -> None:
        """Tell everyone that we have started, until it stands in the member list (server.go publish)."""
        member = self.member
        info = member.membership.members.get(member.id)
        if member.raft.lead and (info is None or not info.name):
            member.propose(Proposal(member.name, 0, 0, "member_started", {"ID": member.id, "name": member.name}))
            member.after(member.params.etcd_request_timeout, self._publish)

    # -- leases --------------------------------------------------------------------------------------------------------
    def _lease_time(self, call: Call) -> Steps | None:
        """Time is the leader's business: ask it, if that is somebody else."""
        member = self.member
        if member.role != LEADER:
            return self.ask_leader(call)
        id, now = call.payload.get("ID", 0), member.sim.now
        answer: Answer = {"header": {"revision": self.store.revision}, "ID": id}
        if call.method == "lease_keepalive":
            answer["TTL"] = self.lessor.renew(id, now)
        else:
            answer["TTL"] = self.lessor.remaining(id, now)
            lease = self.lessor.leases.get(id)
            if lease:
                answer["grantedTTL"] = lease.ttl
                answer["keys"] = sorted(lease.keys) if call.payload.get("keys") else []
        self._answer(call, answer)
        return None

    def ask_leader(self, call: Call) -> Steps:
        """Pass *call* on to the leader, once there is one and it can be reached, and its answer back."""
        member, params = self.member, self.member.params
        deadline = member.sim.now + params.etcd_request_timeout
        while (left := deadline - member.sim.now) > 0:
            if member.leader is None:
                yield member.timeout(min(left, params.etcd_election_timeout))
                continue
            reply = yield member.call(member.leader, call.method, call.payload, left)
            if reply.ok:
                call.reply(reply.value)
                return
            if isinstance(reply.error, EtcdError):
                call.fail(reply.error)
                return
            yield member.timeout(params.etcd_lease_forward_pause)
        call.fail(TIMEOUT if member.leader else NO_LEADER)

    def _arm_expiry(self) -> None:
        """Look at the next half second after the earliest expiry; without leases, never."""
        expiry = self.lessor.next_expiry() if self.lessor.primary else None
        if expiry is None:
            return
        now, period = self.member.sim.now, self.member.params.etcd_lease_expiry_check
        check = self._booted - (self._booted - max(expiry, now + 1)) // period * period
        if self._expiry_timer is None or check < self._expiry_check:
            if self._expiry_timer is not None:
                self._expiry_timer.cancel()
            self._expiry_check = check
            self._expiry_timer = self.member.after(check - now, self._revoke_expired)

    def _revoke_expired(self) -> None:
        self._expiry_timer = None
        if not self.lessor.primary:
            return
        for id in self.lessor.expired(self.member.sim.now):
            if id not in self._revoking:
                self._revoking.add(id)
                self.member.propose(Proposal(self.member.name, 0, 0, "lease_revoke", {"ID": id}))
        self._arm_expiry()
