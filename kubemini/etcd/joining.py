"""How a newcomer finds out who it is: it asks the members that it was given, before it begins.

Invariant: a newcomer starts only if the cluster has been told of it, at the address it really has; a typo in the peer
URL of ``member add`` ends here, after it has cost the cluster a member of its quorum.
etcd 3.5 server/etcdserver/bootstrap.go, cluster_util.go GetClusterFromRemotePeers.
"""

from typing import TYPE_CHECKING

from kubemini.etcd.membership import Membership
from kubemini.sim import Steps

if TYPE_CHECKING:
    from kubemini.etcd.member import Member

STRANGER = "error validating peerURLs: unmatched member while checking PeerURLs"
UNREACHABLE = "cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs"


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
