"""etcd members alone, for the chapters on Raft."""

from collections.abc import Iterable

from kubemini.cluster.topology.spec import CLIENT, ETCD, MOST_MEMBERS, HostSpec, Topology, count, spread, zone_list


def etcd(members: int = 3, zones: Iterable[str] = ("a", "b", "c"), spares: int = 0) -> Topology:
    """etcd members with a client, and *spares* machines on which a member may be added later."""
    size = count(members, "members", 1, MOST_MEMBERS) + count(spares, "spares", 0, MOST_MEMBERS)
    places = spread(zone_list(zones), size)
    hosts = [HostSpec(f"etcd-host-{i}", zone, ETCD, (f"etcd-{i}",)) for i, zone in enumerate(places, start=1)]
    later = tuple(host.components[0] for host in hosts[members:])
    return Topology("etcd", (*hosts, HostSpec("client-1", "edge", CLIENT, ("etcd-client",))), later)
