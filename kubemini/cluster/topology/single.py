"""One host holds the whole control plane, workers apart. As kubeadm makes it for one machine."""

from collections.abc import Iterable

from kubemini.cluster.topology.spec import (
    CONTROL_PLANE,
    HostSpec,
    Topology,
    control_plane,
    edge,
    internet,
    router,
    worker_hosts,
    zone_list,
)


def single(
    workers: int = 2,
    zones: Iterable[str] = ("a",),
    outside: int = 0,
    policies: bool = False,
    callers: bool = False,
    ingress: bool = False,
    speaker: bool = False,
    clients: bool = False,
    cloud: bool = False,
) -> Topology:
    """One control-plane host without a load balancer, *workers* workers, and machines *outside* of visitors.

    With *ingress* pods of an ingress controller may run, and somebody on the Internet asks for URLs.
    With a *speaker* or a *cloud* Services of type LoadBalancer get addresses. With *clients*
    pods keep connections to pods that serve.
    """
    places = zone_list(zones)
    plane = HostSpec("cp-1", places[0], CONTROL_PLANE, ("etcd-1", *control_plane(1)))
    workers_ = worker_hosts(workers, places, policies, callers, ingress, clients)
    return Topology("single", (plane, *workers_, *edge(0, outside), *router(speaker, cloud), *internet(ingress)))
