"""How a member without a data directory finds out who it is: it asks the members that it was given.

Invariant: a newcomer (``--initial-cluster-state existing``) starts only if the cluster has been told of it, at the
address it really has; a typo in the peer URL of ``member add`` ends here, after it has cost the cluster a member of its
quorum. A first member (``new``) starts only if nobody knows that it has been there before: who has lost its disk has
forgotten its votes and entries, and may not come back under its old id. Remove it, and add it as somebody new.
etcd 3.5 server/etcdserver/bootstrap.go bootstrapNewClusterNoWAL, cluster_util.go isMemberBootstrapped,
GetClusterFromRemotePeers.
"""

from typing import TYPE_CHECKING

from kubemini.etcd.membership import Membership
from kubemini.sim import Steps

if TYPE_CHECKING:
    from kubemini.etcd.member import Member

STRANGER = "error validating peerURLs: unmatched member while checking PeerURLs"
UNREACHABLE = "cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs"


def begin_anew(member: "Member") -> Steps:
    """A first member finds no data directory: let it begin from nothing, unless one that answers knows it."""
    empty = member.data
    for peer in member.members:
        if peer != member.name and peer in member.net.components:
            reply = yield member.call(peer, "peer_members", timeout=member.params.etcd_join_timeout)
            if reply.ok:
                known = reply.value[2].members.get(empty.id)
                if known is not None and known.name:
                    member.exit(f"member {empty.id} has already been bootstrapped")
                    return
                break
    member.serve(empty)
    member.net.changed()


def find_itself(member: "Member") -> Steps:
    """Ask who the members are, and with which id they count *member* among them; then let it begin, or end."""
    for peer in member.members:
        if peer != member.name and peer in member.net.components:
            reply = yield member.call(peer, "peer_members", timeout=member.params.etcd_join_timeout)
            if reply.ok:
                _begin(member, *reply.value)
                return
    member.exit(UNREACHABLE)


def _begin(member: "Member", cluster: int, first: Membership, now: Membership) -> None:
    ours = now.at(member.name)
    if ours is None:
        member.exit(STRANGER)
        return
    data = member.new_data(ours.id, first, cluster)
    data.learner = ours.learner
    data.addresses = {m.id: m.address for m in now.members.values()}
    member.serve(data)
    member.net.changed()  # its peers can connect now
