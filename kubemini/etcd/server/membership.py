"""Who belongs to the cluster, with names and addresses: what every member stores besides the keys. Pure.

Invariant: an id is used once. A member that was removed stays removed, whatever its disk says; who comes back comes as
somebody new. A change is judged twice: by the member that is asked, from what it sees now (strict reconfiguration),
and by everyone alike when it is applied, from what is stored.
etcd 3.7 server/etcdserver/api/membership/cluster.go, https://etcd.io/docs/v3.7/op-guide/runtime-configuration/
Models etcd server/etcdserver/api/membership RaftCluster.ValidateConfigurationChange.
Simplified: the first members are known from the start, where in etcd they are the first entries of the log; a member
has one peer URL; an id is the next number, where etcd's is a hash of the URL and the time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from kubemini.etcd.errors import (
    LEARNER_NOT_READY,
    MEMBER_EXISTS,
    MEMBER_NOT_FOUND,
    NOT_A_LEARNER,
    NOT_ENOUGH_STARTED,
    PEER_URL_EXISTS,
    TOO_MANY_LEARNERS,
    EtcdError,
)
from kubemini.etcd.raft.confchange import LEARNER, REMOVE, VOTER, ConfChange, Configuration, MemberChange, configuration

GONE = "the member has been permanently removed from the cluster"  # what peers tell one that has not read of it
READY_PERCENT = 90  # readyPercent: how much of the leader's log a learner must have to be promoted


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """One member: *address* is the host part of its peer URL, *name* is empty until it has started."""

    id: int
    address: str
    name: str = ""
    learner: bool = False

    def answer(self) -> dict[str, Any]:
        """The member as the API shows it."""
        client = [f"http://{self.address}:2379"] if self.name else []
        urls = {"peerURLs": [url_of(self.address)], "clientURLs": client}
        return {"ID": self.id, "name": self.name, **urls, "isLearner": self.learner}


def url_of(address: str) -> str:
    """The peer URL of a member at *address*."""
    return f"http://{address}:2380"


def address_of(urls: list[str]) -> str:
    """The host part of the first of *urls*, such as ``http://etcd-4:2380``."""
    return urls[0].strip().partition("://")[2].rpartition(":")[0]


class Membership:
    """The members and those that were. *addresses*: of the first members, in the order of their ids.

    *started*: they have said their names, which a cluster that begins anew has yet to hear.
    """

    def __init__(self, addresses: Iterable[str] = (), started: bool = True):
        first = enumerate(addresses, start=1)
        self.members = {id: MemberInfo(id, address, address if started else "") for id, address in first}
        self.removed: dict[int, str] = {}

    def copy(self) -> "Membership":
        """A copy that later changes do not touch."""
        other = Membership()
        other.members, other.removed = dict(self.members), dict(self.removed)
        return other

    @property
    def voters(self) -> list[MemberInfo]:
        """The members that count for a quorum."""
        return [m for m in self.members.values() if not m.learner]

    @property
    def learners(self) -> list[MemberInfo]:
        """The members that only listen."""
        return [m for m in self.members.values() if m.learner]

    @property
    def next_id(self) -> int:
        """An id that nobody has ever had."""
        return max([0, *self.members, *self.removed]) + 1

    def configuration(self) -> Configuration:
        """The members as Raft knows them."""
        return configuration((m.id for m in self.voters), (m.id for m in self.learners))

    def at(self, address: str) -> MemberInfo | None:
        """The member whose peer URL is that of *address*."""
        return next((m for m in self.members.values() if m.address == address), None)

    def answer(self) -> list[dict[str, Any]]:
        """The member list as the API shows it."""
        return [m.answer() for m in self.members.values()]

    # -- before a change is proposed: ``--strict-reconfig-check`` -------------------------------------------------
    def may_add(self, learner: bool) -> EtcdError | None:
        """A quorum of the larger cluster must have started; a cluster of one may always grow."""
        voters = self.voters
        if learner or len(voters) == 1:
            return None
        return self._enough(sum(bool(m.name) for m in voters), len(voters) + 1)

    def may_remove(self, id: int) -> EtcdError | None:
        """A quorum of those who stay must have started."""
        stay = [m for m in self.voters if m.id != id]
        return self._enough(sum(bool(m.name) for m in stay), len(stay))

    def may_promote(self, match: int | None, leader_match: int) -> EtcdError | None:
        """The learner must have most of the leader's log; *match*: how far it is known to be, None: not to Raft."""
        if match is not None and 100 * match < READY_PERCENT * leader_match:
            return LEARNER_NOT_READY
        voters = self.voters
        return self._enough(sum(bool(m.name) for m in voters) + 1, len(voters) + 1)

    def _enough(self, started: int, members: int) -> EtcdError | None:
        return NOT_ENOUGH_STARTED if started < members // 2 + 1 else None

    # -- when it is applied ---------------------------------------------------------------------------------------
    def check(self, method: str, request: dict[str, Any], max_learners: int) -> EtcdError | None:
        """Why a committed change cannot be made, as every member finds."""
        id, found = request["ID"], self.members.get(request["ID"])
        if id in self.removed:
            return MEMBER_NOT_FOUND
        if method == "member_add":
            return self._check_add(id, request, max_learners)
        if found is None:
            return MEMBER_NOT_FOUND
        return NOT_A_LEARNER if method == "member_promote" and not found.learner else None

    def _check_add(self, id: int, request: dict[str, Any], max_learners: int) -> EtcdError | None:
        if id in self.members:
            return MEMBER_EXISTS
        if self.at(request["address"]):
            return PEER_URL_EXISTS
        full = request["isLearner"] and len(self.learners) >= max_learners
        return TOO_MANY_LEARNERS if full else None

    def apply(self, method: str, request: dict[str, Any]) -> None:
        """Make the change."""
        id = request["ID"]
        match method:
            case "member_add":
                self.members[id] = MemberInfo(id, request["address"], learner=request["isLearner"])
            case "member_remove":
                self.removed[id] = self.members.pop(id).address
            case "member_promote":
                self.members[id] = replace(self.members[id], learner=False)
            case "member_started" if id in self.members:
                self.members[id] = replace(self.members[id], name=request["name"])


def change(method: str, request: dict[str, Any], context: Any) -> ConfChange:
    """The entry of the log that carries the request."""
    learner = method == "member_add" and request["isLearner"]
    kind = REMOVE if method == "member_remove" else LEARNER if learner else VOTER
    return ConfChange((MemberChange(kind, request["ID"]),), simple=True, context=context)


NO_CHANGE = ConfChange((MemberChange(VOTER, 0),), simple=True)  # what Raft is told of a change that was refused
