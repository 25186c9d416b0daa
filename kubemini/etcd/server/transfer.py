"""Handing leadership over: when an operator asks for it, and before a leader ends in peace.

Invariant: it is a wish; whoever takes over is elected. The leader looks every tick whether it has
happened, and gives up when a request would.

A member that is told to stop takes four steps. It serves no new request. It waits for those that are
open, which a watch is for ever, so in vain wherever an API server hangs on it: after 7 s (the time a
request has) it breaks their connections. Only then does a leader hand over: till then it leads, so
nobody elects. Last it closes the door to its peers, which takes a second. Recorded with 3.7.3: a new
leader 7.1 s after the signal and the end at 8.3 s; without a watch 0 to 16 ms, and about 1 s.
Models etcd server/etcdserver EtcdServer.MoveLeader, EtcdServer.TransferLeadership, longestConnected;
server/embed Etcd.Close, stopServers.
Simplified: the last second is always a whole one, if there is a peer; seen are 0.1 to 1.2 s.
"""

from kubemini.etcd.errors import BAD_TRANSFEREE, NOT_LEADER, TRANSFER_TIMEOUT
from kubemini.etcd.raft.messages import LEADER
from kubemini.etcd.server.driver import Driver
from kubemini.sim import Steps
from kubemini.wire import Call


def move_leader(member: Driver, call: Call) -> Steps:
    """Answer a MoveLeaderRequest, which only the leader takes."""
    target = member.membership.members.get(call.payload.get("targetID", 0))
    if member.role != LEADER:
        call.fail(NOT_LEADER)
    elif target is None or target.learner:
        call.fail(BAD_TRANSFEREE)
    elif (yield from _transfer(member, target.id)):
        call.reply({"header": {"revision": member.data.store.revision}})
    else:
        call.fail(TRANSFER_TIMEOUT)


def leave(member: Driver) -> Steps:
    """What a member owes before it ends: no request is open, and a leader has made another one leader."""
    for peer in list(member.rpc.accepted.values()):
        peer.go_away()
    member.after(member.params.etcd_request_timeout, member.rpc.reset)
    yield member.rpc.drained()
    heir = longest_connected(member)
    if member.role == LEADER and heir is not None:
        yield from _transfer(member, heir)


def longest_connected(member: Driver) -> int | None:
    """The voter that *member* has been connected to for the longest; None if it is to none."""
    connected = [
        (since, voter.id)
        for voter in member.membership.voters
        if voter.id != member.id and (since := member.links.since(voter.address)) is not None
    ]
    return min(connected)[1] if connected else None


def _transfer(member: Driver, target: int) -> Steps:
    """Wish for *target* to lead; whether it does."""
    give_up = member.sim.now + member.params.etcd_request_timeout
    member.transfer_leader(target)
    while member.lead != target:
        if member.sim.now >= give_up:
            return False
        yield member.timeout(member.tick_length)
    return True
