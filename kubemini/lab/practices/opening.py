"""practices.opening: a cluster before its first day, with five outages waiting in it.

Each is tried as the page tries it: by pods that start, packets that arrive, names that are found,
visits that are answered. So every cluster in which none of the five happens is right.
"""

from collections.abc import Callable
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.practices.stories import ROLLS, changed, dark, lookups, rollout, running
from kubemini.lab.services.doors import NODES, SENDERS, ask
from kubemini.lab.visits import visits
from kubemini.network.walks.reach import PodNetwork
from kubemini.scenarios import ScenarioError
from kubemini.simulate import run

PODS = 12
MOST_LOST = 0.1  # of the lookups after a worker has lost its power
Cluster = dict[str, Any]


def _room(cluster: Cluster) -> tuple[bool, str]:
    mask = cluster["node_cidr_mask_size"]
    trace = run(changed("podnetwork", params={"node_cidr_mask_size": mask}), until=49)
    found, _ = running(trace)
    return found == PODS, f"addresses: {found} of {PODS} pods run"


def _packets(cluster: Cluster) -> tuple[bool, str]:
    network = PodNetwork("vxlan", pod_mtu=cluster["pod_mtu"])
    for node in network.plan.nodes:
        network.no_icmp(node.name)
    fates = [found.works for found in network.matrix().values()]
    return all(fates), f"packets: {sum(fates)} of {len(fates)} pairs of pods pass big ones"


def _names(cluster: Cluster) -> tuple[bool, str]:
    trace = run(dark(cluster["coredns_replicas"], cluster["node_local_dns_cache"]))
    asked, failed = lookups(trace, 30, 90, "visitor@worker-2")
    told = f"names: {failed} of {asked} lookups fail after worker-1 has lost its power"
    return failed <= MOST_LOST * asked, told


def _leaving(cluster: Cluster) -> tuple[bool, str]:
    seconds = cluster["pre_stop_seconds"]
    seen = visits(run(rollout({"sleep": {"seconds": seconds}} if seconds else None)), ROLLS - 1, 60)
    failed = sum(r.detail["outcome"] != "ok" for r in seen)
    return not failed, f"leaving: {failed} of {len(seen)} visits fail during a rollout"


def _clients(cluster: Cluster) -> tuple[bool, str]:
    pods = {f"web-{n}": (f"10.244.{n}.5", f"worker-{n}") for n in cluster["web_on_workers"]}
    spec = {"type": "NodePort", "externalTrafficPolicy": cluster["external_traffic_policy"]}
    served = 0
    for node in NODES:
        verdict = ask("outside", f"{node.name}:30080", pods=pods, **spec)
        sources = {way.source for way in verdict.ways if way.returns}
        served += sources == {SENDERS["outside"][0]}
    told = f"clients: by {served} of {len(NODES)} workers the shop sees who asks"
    return served == len(NODES), told


def _whole(low: int, high: int) -> tuple[Callable[[Any], bool], str]:
    told = f"a whole number, {low} to {high}"
    return lambda value: type(value) is int and low <= value <= high, told


FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "node_cidr_mask_size": _whole(17, 30),
    "pod_mtu": _whole(576, 9000),
    "coredns_replicas": _whole(1, 2),
    "node_local_dns_cache": (lambda value: isinstance(value, bool), "True or False"),
    "pre_stop_seconds": _whole(0, 30),
    "external_traffic_policy": (lambda value: value in ("Cluster", "Local"), "Cluster or Local"),
    "web_on_workers": (
        lambda value: isinstance(value, list) and bool(value) and {*map(str, value)} <= {*"123"},
        "a list of workers, of 1, 2 and 3",
    ),
}
OUTAGES = (_room, _packets, _names, _leaving, _clients)


@exercise("practices.opening")
def check_opening(answer: Any) -> Report:
    """*answer*: the cluster, as a dict of `FIELDS`."""
    if not isinstance(answer, dict) or set(answer) != set(FIELDS):
        raise NotYet(f"Give a dict with {', '.join(FIELDS)}.")
    for name, (fits, told) in FIELDS.items():
        if not fits(answer[name]):
            raise NotYet(f"{name} is {told}; not {answer[name]!r}.")
    try:
        found = [outage(answer) for outage in OUTAGES]
    except ScenarioError as error:
        raise NotYet(f"No such cluster can be made: {error}") from None
    facts = tuple(fact for _, fact in found)
    bad = [fact for well, fact in found if not well]
    if bad:
        raise NotYet(
            f"{len(bad)} of {len(OUTAGES)} outages still happen, the first of them: {bad[0]}.",
            *facts,
            next="Go back to the section that caused it, and change what that section changed.",
        )
    return Report(
        "pass",
        facts,
        "None of the five is an error that anybody reports before the day it happens.",
    )
