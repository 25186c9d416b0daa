"""Since when a member has been connected to each of its peers, as its transport knows it.

Invariant: a peer whose program ended is known to be gone at once; one that has fallen silent (paused, cut off, without
power) counts as connected until this member's kernel has taken nothing more for it for a while (wire/cuts.py says why
there is no limit for reading). So ``member add`` is accepted 20 s into a follower's silence; so it was by etcd 3.7.3.
Changes are noted when they happen, never polled for.
Models etcd server/etcdserver/api/rafthttp peerStatus, server/etcdserver numConnectedSince.
Simplified: a connection is made the moment both ends are there; towards one that is paused no buffer is ever full, and
a connection that a cut has broken is as old as before when it has healed.
"""

from kubemini.etcd.server.datadir import DataDir
from kubemini.etcd.server.membership import Membership
from kubemini.host import Component
from kubemini.params import Params
from kubemini.wire.network import Channel

UP, SILENT, GONE = "up", "silent", "gone"


class Peer(Component):
    """Whoever has a data directory of etcd and can be talked to by others that have one."""

    data: DataDir
    params: Params

    @property
    def membership(self) -> Membership:
        """The members, as far as this one has applied the log."""
        return self.data.membership

    @property
    def learner(self) -> bool:
        """Whether this member only listens."""
        info = self.membership.members.get(self.data.id)
        return info.learner if info is not None else self.data.learner

    def peers(self) -> list[str]:
        """The addresses of the others."""
        return [address for id, address in self.data.addresses.items() if id != self.data.id]

    def at_my_peers(self) -> list["Peer"]:
        """Whoever is at the addresses of the others."""
        found = map(self.net.components.get, self.data.addresses.values())
        return [peer for peer in found if isinstance(peer, Peer) and peer is not self]


class Links:
    """One member's connections."""

    def __init__(self, member: Peer):
        self.member = member
        self._since: dict[str, int] = {}
        self.strangers: set[str] = set()  # members of another cluster at those addresses: nobody listens there
        self.channels: dict[int, Channel] = {}  # to each peer, as far as `channel` has found it

    def refresh(self) -> None:
        """Somebody started, ended, stood still or was cut off, or went on."""
        cluster = self.member.data.cluster
        self.channels.clear()
        self.strangers = {peer.name for peer in self.member.at_my_peers() if peer.data.cluster != cluster}
        for address in self.member.peers():
            state = self._state(address)
            if state == GONE:
                self._since.pop(address, None)
            elif state == UP and self.since(address) is None:
                self._since[address] = self.member.sim.now

    def channel(self, peer: int) -> Channel | None:
        """The way to a peer; None if it was removed, its URL has a typo in it, or another cluster's member is there."""
        address, net = self.member.data.addresses.get(peer), self.member.net
        if address not in net.components or address in self.strangers:
            return None
        found = self.channels[peer] = net.channel(self.member, address)
        return found

    def since(self, address: str) -> int | None:
        """The instant since which *address* has been connected; None if it is not."""
        member, net = self.member, self.member.net
        channel = net.channels.get((member.name, address))  # none, if this member has never sent anything there
        if channel and channel.cut and channel.cut.noticed(member.sim.now, net.room):
            return None
        return self._since.get(address)

    def lasting(self, address: str) -> bool:
        """Whether *address* is this member, or has been connected for a while."""
        since, young = self.since(address), self.member.params.etcd_health_interval
        return address == self.member.name or (since is not None and self.member.sim.now - since > young)

    def _state(self, address: str) -> str:
        member, peer = self.member, self.member.net.components.get(address)
        if peer is None or address in self.strangers or (not peer.up and peer.host.powered):
            return GONE
        here, there = member.host.name, peer.host.name
        heard = member.net.reachable(here, there) and member.net.reachable(there, here)
        return UP if peer.up and heard and not peer.paused and not member.paused else SILENT
