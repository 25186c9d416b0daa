"""How a member without a data directory finds out who it is: it asks the members that it was given.

Invariant: a newcomer (``--initial-cluster-state existing``) starts only if the cluster has been told of it, at the
address it really has; a typo in the peer URL of ``member add`` ends here, after it has cost the cluster a member of its
quorum. A first member (``new``) starts only if nobody knows that it has been there before: who has lost its disk has
forgotten its votes and entries, and may not come back under its old id. Remove it, and add it as somebody new.
All words are those of 3.4.23, 3.6.16 and 3.7.3, which were asked (tests/oracles/etcd/versions.json).
Models etcd server/etcdserver isMemberBootstrapped, GetClusterFromRemotePeers, server/etcdserver/api/membership
ValidateClusterAndAssignIDs.
"""

from collections.abc import Callable

from kubemini.etcd.server.datadir import DataDir
from kubemini.etcd.server.driver import Driver
from kubemini.etcd.server.membership import MemberInfo, Membership, url_of
from kubemini.sim import Steps

UNREACHABLE = "cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs"


def begin_anew(member: Driver, others: list[str], begin: Callable[[DataDir], None]) -> Steps:
    """A first member finds no data directory: let it begin from nothing, unless one that answers knows it."""
    known = yield from _ask(member, others)
    if known is not None:
        _, _, now = known
        info = now.members.get(member.data.id)
        if info is not None and info.name:
            member.exit(f"member {info.id} has already been bootstrapped")
            return
    begin(member.data)


def find_itself(member: Driver, others: list[str], begin: Callable[[DataDir], None]) -> Steps:
    """Ask who the members are, and with which id they count *member* among them; then let it begin, or end."""
    known = yield from _ask(member, others)
    if known is None:
        member.exit(UNREACHABLE)
        return
    cluster, first, now = known
    known = [peer for peer in others if peer in member.net.components and peer != member.name]
    wrong = mismatch(now, [*known, member.name])
    if wrong:
        member.exit(f"error validating peerURLs {described(cluster, now)}: {wrong}")
        return
    ours = now.at(member.name)
    assert ours is not None, "its address is one of those that match"
    data = DataDir(ours.id, first, member.data.store.lessor.minimum_ttl, cluster)
    data.learner = ours.learner
    data.addresses = {m.id: m.address for m in now.members.values()}
    begin(data)


def _ask(member: Driver, others: list[str]) -> Steps:
    """(cluster id, first members, members now), as the first of *others* that answers knows them; None if none does."""
    for peer in others:
        if peer != member.name and peer in member.net.components:
            reply = yield member.call(peer, "peer_members", timeout=member.params.etcd_join_timeout)
            if reply.ok:
                return reply.value
    return None


def mismatch(now: Membership, listed: list[str]) -> str:
    """Why the members *now* are not those that a newcomer has *listed* (``--initial-cluster``); "" if they are.

    Its own address is among them, as it must be: a typo that the cluster was told is not.
    """
    if len(now.members) != len(listed):
        return "member count is unequal"
    for member in sorted(now.members.values(), key=lambda m: m.address):
        if member.address not in listed:
            url, last = url_of(member.address), url_of(max(listed))
            resolver = f'last resolver error (resolved urls: "{url}" != "{last}")'
            return f"PeerURLs: no match found for existing member ({member.id}, [{url}]), {resolver}"
    return ""


def described(cluster: int, now: Membership) -> str:
    """A cluster as etcd writes it into an error."""

    def one(member: MemberInfo) -> str:
        told = member.answer()
        peer = f"PeerURLs:[{' '.join(told['peerURLs'])}] IsLearner:{str(member.learner).lower()}"
        client = f"Name:{member.name} ClientURLs:[{' '.join(told['clientURLs'])}]"
        return f"&{{ID:{member.id} RaftAttributes:{{{peer}}} Attributes:{{{client}}}}}"

    return f"{{ClusterID:{cluster} Members:[{' '.join(map(one, now.members.values()))}] RemovedMemberIDs:[]}}"
