"""etcd members on hosts of their own; every API server knows all of them."""

from collections.abc import Iterable

from kubemini.cluster.topology.spec import (
    CONTROL_PLANE,
    ETCD,
    MOST_MEMBERS,
    HostSpec,
    Topology,
    balancers,
    control_plane,
    count,
    edge,
    spread,
    worker_hosts,
    zone_list,
)


def external(
    api_servers: int = 3,
    etcd_members: int = 5,
    workers: int = 2,
    zones: Iterable[str] = ("a", "b", "c"),
    etcd_zones: Iterable[str] | None = None,
    load_balancer: bool = True,
    load_balancers: int = 1,
    policies: bool = False,
    callers: bool = False,
) -> Topology:
    """*etcd_members* on hosts of their own; *etcd_zones* places them one by one (default: *zones* in turn)."""
    places = zone_list(zones)
    theirs = places if etcd_zones is None else zone_list(etcd_zones, "etcd_zones")
    members = [
        HostSpec(f"etcd-host-{i}", zone, ETCD, (f"etcd-{i}",))
        for i, zone in enumerate(spread(theirs, count(etcd_members, "etcd_members", 1, MOST_MEMBERS)), start=1)
    ]
    planes = [
        HostSpec(f"cp-{i}", zone, CONTROL_PLANE, control_plane(i))
        for i, zone in enumerate(spread(places, count(api_servers, "api_servers", 1, MOST_MEMBERS)), start=1)
    ]
    return Topology(
        "external",
        (
            *planes,
            *members,
            *worker_hosts(workers, places, policies, callers),
            *edge(balancers(load_balancer, load_balancers)),
        ),
    )
