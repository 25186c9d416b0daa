"""Changing the members of a living cluster: what is said to who asks for it, and what a committed change does.

Invariant: a change is an entry of the log and needs a quorum like any other, so it cannot help a cluster that has lost
its own. Before it is proposed, the member that is asked refuses what might cost the quorum (strict reconfiguration).
etcd 3.7 server/etcdserver/server.go AddMember, mayAddMember, mayRemoveMember, PromoteMember, applyConfChange.
Models etcd server/etcdserver EtcdServer.AddMember, EtcdServer.mayAddMember, EtcdServer.applyConfChange.
Simplified: peer URLs cannot be changed.
"""

from collections.abc import Callable
from typing import Any

from kubemini.etcd.errors import UNHEALTHY, EtcdError
from kubemini.etcd.raft.confchange import ConfChange
from kubemini.etcd.raft.messages import LEADER
from kubemini.etcd.server.driver import Driver
from kubemini.etcd.server.membership import GONE, NO_CHANGE, address_of
from kubemini.sim import Steps
from kubemini.wire import Call

METHODS = ("member_add", "member_remove", "member_promote")


class Reconfiguration:
    """What one member says to a request to change the members."""

    def __init__(self, member: Driver, propose: Callable[..., None], ask_leader: Callable[[Call], Steps]):
        self.member, self.propose, self.ask_leader = member, propose, ask_leader

    def handle(self, call: Call) -> Steps | None:
        """Judge the request by what this member sees, then propose it."""
        request: dict[str, Any] = {"ID": call.payload.get("ID", 0)}
        match call.method:
            case "member_add":
                address, learner = address_of(call.payload["peerURLs"]), bool(call.payload.get("isLearner"))
                request = {"ID": self.member.membership.next_id, "address": address, "isLearner": learner}
                error = self._may_add(learner)
            case "member_remove":
                error = self._may_remove(request["ID"])
            case _:
                if self.member.role != LEADER:  # the leader alone knows how far a learner is
                    return self.ask_leader(call)
                error = self._may_promote(request["ID"])
        if error:
            call.fail(error)
        else:
            self.propose(call, request, patient=True)
        return None

    def _may_add(self, learner: bool) -> EtcdError | None:
        membership, links = self.member.membership, self.member.links
        voters = membership.voters
        connected = sum(links.lasting(m.address) for m in voters)
        enough = len(voters) == 1 or connected >= (len(voters) + 1) // 2 + 1  # with the newcomer, which may not come up
        return membership.may_add(learner) or (None if enough else UNHEALTHY)

    def _may_remove(self, id: int) -> EtcdError | None:
        membership, links = self.member.membership, self.member.links
        gone = membership.members.get(id)
        if gone is not None and gone.learner:
            return None
        error = membership.may_remove(id)
        if error or (id != self.member.id and (gone is None or links.since(gone.address) is None)):
            return error  # who is down already is no loss to the quorum
        voters = membership.voters
        active = sum(links.lasting(m.address) for m in voters)
        return UNHEALTHY if active - 1 < 1 + (len(voters) - 1) // 2 else None

    def _may_promote(self, id: int) -> EtcdError | None:
        progress = self.member.raft.progress
        match = progress[id].match if id in progress else None
        return self.member.membership.may_promote(match, self.member.raft.last_index)


def apply_change(member: Driver, change: ConfChange, answered: Callable[..., None]) -> None:
    """A committed change of the members is applied: everyone judges it alike, so all come to the same."""
    proposal, membership = change.context, member.membership
    error = membership.check(proposal.method, proposal.request, member.params.etcd_max_learners)
    if error:
        member.raft.apply_conf_change(NO_CHANGE)
        answered(proposal, error)
        return
    id = proposal.request["ID"]
    membership.apply(proposal.method, proposal.request)
    _readdress(member, id)
    member.raft.apply_conf_change(change)
    member.tracing.membership()
    answer = {"header": {"revision": member.data.store.revision}, "members": membership.answer()}
    if proposal.method == "member_add":
        answer["member"] = membership.members[id].answer()
    answered(proposal, answer)
    member.due_is_nearer = True


def _readdress(member: Driver, id: int) -> None:
    """Messages go to who is a member now; who is none any more ends."""
    addresses = member.data.addresses
    if id in member.membership.members:
        addresses[id] = member.membership.members[id].address
    else:
        addresses.pop(id, None)
        if id == member.id:
            member.after(member.params.etcd_removal_delay, member.exit, GONE)
    member.links.refresh()
