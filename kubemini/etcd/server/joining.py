"""How a member without a data directory finds out who it is: it asks the members that it was given.

Invariant: a newcomer (``--initial-cluster-state existing``) starts only if the cluster has been told of it, at the
address it really has; a typo in the peer URL of ``member add`` ends here, after it has cost the cluster a member of its
quorum. A first member (``new``) starts only if nobody knows that it has been there before: who has lost its disk has
forgotten its votes and entries, and may not come back under its old id. Remove it, and add it as somebody new.
Models etcd server/etcdserver isMemberBootstrapped, GetClusterFromRemotePeers.
"""

from collections.abc import Callable

from kubemini.etcd.server.datadir import DataDir
from kubemini.etcd.server.driver import Driver
from kubemini.sim import Steps

STRANGER = "error validating peerURLs: unmatched member while checking PeerURLs"
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
    ours = now.at(member.name)
    if ours is None:
        member.exit(STRANGER)
        return
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
