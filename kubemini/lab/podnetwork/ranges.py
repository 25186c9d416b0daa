"""podnetwork.ranges: address ranges for a cluster that will grow, planned before it is made."""

from ipaddress import IPv4Network, ip_network
from typing import Any

from kubemini.lab import NotYet, Report, exercise

NODES, PODS, SERVICES = 200, 110, 5000
MACHINES = "10.0.0.0/16"
WIDEST_SERVICE = 12  # kube-apiserver refuses a bigger range
WIDEST_STEP = 16  # bits between cluster and node, the controller-manager's limit
KEYS = ("cluster_cidr", "node_mask", "service_cidr")


@exercise("podnetwork.ranges")
def check_ranges(answer: Any) -> Report:
    """*answer*: ``{"cluster_cidr": …, "node_mask": …, "service_cidr": …}``."""
    if not isinstance(answer, dict) or set(answer) != set(KEYS):
        raise NotYet(f"Give a dict with {', '.join(KEYS)}.")
    cluster, service = _network(answer, "cluster_cidr"), _network(answer, "service_cidr")
    mask = answer["node_mask"]
    if not isinstance(mask, int) or not cluster.prefixlen < mask <= 30:
        raise NotYet(f"node_mask is the length of a node's prefix, between {cluster.prefixlen} and 30; not {mask!r}.")
    _apart({"the machines": ip_network(MACHINES), "the pods": cluster, "the Services": service})
    each, blocks = 2 ** (32 - mask) - 3, 2 ** (mask - cluster.prefixlen)
    if each < PODS:
        raise NotYet(
            f"A node of /{mask} has {each} addresses for pods; a kubelet takes {PODS}.",
            next="Network, broadcast and the gateway are no addresses for pods.",
        )
    if blocks < NODES:
        raise NotYet(f"{cluster} holds {blocks} nodes of /{mask}; {NODES} are to come.")
    if mask - cluster.prefixlen > WIDEST_STEP:
        raise NotYet(f"Between {cluster} and /{mask} lie more than {WIDEST_STEP} bits: the controller-manager refuses.")
    room = service.num_addresses - 2
    if room < SERVICES:
        raise NotYet(f"{service} has {room:,} addresses; {SERVICES:,} Services need one each.")
    if service.prefixlen < WIDEST_SERVICE:
        raise NotYet(f"{service} is too big: kube-apiserver takes a mask of {WIDEST_SERVICE} or more.")
    return Report(
        "pass",
        (
            f"{blocks:,} nodes of {each} pods; {NODES} × {PODS} were asked for",
            f"{room:,} Services; {SERVICES:,} were asked for",
            f"{min(each // PODS, 9)} times the pods of a node fit: what is ending holds its address a little longer",
        ),
        "Machines, pods and Services are three ranges that do not touch, and none of them can be changed later.",
        "Which of the three would you have made bigger, had it cost nothing?",
    )


def _network(answer: dict[str, Any], key: str) -> IPv4Network:
    try:
        found = ip_network(answer[key])
    except (ValueError, TypeError):
        raise NotYet(f"{key}: {answer[key]!r} is no network such as '10.96.0.0/12'.") from None
    if not isinstance(found, IPv4Network) or not found.is_private:
        raise NotYet(f"{key}: {found} is not private: it belongs to somebody on the internet.")
    return found


def _apart(ranges: dict[str, Any]) -> None:
    names = list(ranges)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            if ranges[one].overlaps(ranges[other]):
                raise NotYet(
                    f"{one} ({ranges[one]}) and {other} ({ranges[other]}) overlap: "
                    "an address must say at once what it is."
                )
