"""Each control-plane host runs an API server with its own etcd member: kubeadm's default."""

from collections.abc import Iterable

from kubemini.cluster.topology.spec import (
    CONTROL_PLANE,
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


def stacked(
    members: int = 3,
    workers: int = 2,
    zones: Iterable[str] = ("a", "b", "c"),
    load_balancer: bool = True,
    load_balancers: int = 1,
    policies: bool = False,
    callers: bool = False,
) -> Topology:
    """*members* control-plane hosts, each an API server over its own etcd member."""
    places = zone_list(zones)
    planes = [
        HostSpec(f"cp-{i}", zone, CONTROL_PLANE, (f"etcd-{i}", *control_plane(i)))
        for i, zone in enumerate(spread(places, count(members, "members", 1, MOST_MEMBERS)), start=1)
    ]
    return Topology(
        "stacked",
        (*planes, *worker_hosts(workers, places, policies, callers), *edge(balancers(load_balancer, load_balancers))),
    )
