"""Random clusters for kube-proxy: Services of every kind with their EndpointSlices, and options to start it with.

Everything follows from a seed. What the real one decides by chance is left out: two Services with one
address and port, and one endpoint in two slices.
"""

import random
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count

from kubemini.api.labels import SERVICE_NAME
from kubemini.network.decide.services.node import Node
from kubemini.network.decide.services.ports import HEADLESS, OTHER_PROXY

NODES, ZONES = ("n1", "n2", "n3"), ("zone-a", "zone-b", "zone-c")
CLUSTER_CIDR, SERVICE_CIDRS = "10.244.0.0/16,fd00:244::/48", ("10.96.0.0/16", "fd00:96::/112")
HERE = Node("n1", ("192.168.0.11", "192.168.1.11", "fd00:168::11"), "", "10.244.1.0/24,fd00:244:0:1::/64", "10.244.1.1")
SPACES = ("default", "shop")
MANY = 1_100  # endpoints of a large cluster: more than 1,000
RANGES = (
    *("203.0.113.0/24", "203.0.113.7/32", "192.168.0.0/24", "192.168.0.11/32", "10.0.0.0/8", "10.244.0.0/16"),
    *("198.51.100.0/25", "198.51.100.128/25", "203.0.113.8/32", "172.16.0.0/30", "172.16.0.4/32"),
    *("fd00:168::/64", "2001:db8::/33", "2001:db8:8000::/33", "2001:db9::7/128", "fd00:168::11/128"),
)
OPTIONS = (  # of ours; of the real one, in either mode
    ({}, {}),
    ({"masquerade_all": True}, {"iptables": {"masqueradeAll": True}, "nftables": {"masqueradeAll": True}}),
    ({"detect_local": None}, {"clusterCIDR": ""}),
    ({"detect_local": "NodeCIDR"}, {"detectLocalMode": "NodeCIDR"}),
    (
        {"detect_local": "BridgeInterface"},
        {"detectLocalMode": "BridgeInterface", "detectLocal": {"bridgeInterface": "cbr0"}},
    ),
    ({"node_port_addresses": ("primary",)}, {"nodePortAddresses": ["primary"]}),
    ({"node_port_addresses": ("0.0.0.0/0",)}, {"nodePortAddresses": ["0.0.0.0/0"]}),
    ({"node_port_addresses": ("192.168.0.0/16",)}, {"nodePortAddresses": ["192.168.0.0/16"]}),
    (
        {"node_port_addresses": ("primary", "localhost")},
        {"nodePortAddresses": ["primary", "localhost"], "featureGates": {"KubeProxyNFTablesLocalhostNodePorts": True}},
    ),
    ({"localhost_node_ports": False}, {"iptables": {"localhostNodePorts": False}}),
)


@dataclass
class World:
    """A cluster as it is posted: *services* by (namespace, name), each with its slices."""

    rng: random.Random
    options: tuple[dict, dict]
    zone: str
    large: bool
    services: dict[tuple[str, str], tuple[dict, list[dict]]] = field(default_factory=dict)
    numbers: count = field(default_factory=lambda: count(1))


def world(seed, number):
    """The cluster of that *number* under *seed*; every fifth is large."""
    rng = random.Random(f"{seed}/{number}")
    made = World(rng, OPTIONS[number % len(OPTIONS)], rng.choice(("", *ZONES)), number % 5 == 4)
    for _ in range(rng.randint(25, 45)):
        add(made)
    if made.large:
        add(made, MANY)
    return made


def change(world):
    """Some Services go, some come, others get other endpoints: the keys of those that are gone or new."""
    rng, keys = world.rng, list(world.services)
    gone = rng.sample(keys, len(keys) // 6)
    for key in gone:
        del world.services[key]
    new = [add(world) for _ in gone]
    moved = rng.sample(keys, len(keys) // 3)
    for key in moved:
        if key in world.services:
            service, _ = world.services[key]
            world.services[key] = service, slices(world, service, next(world.numbers))
    return {*gone, *new, *moved}


def add(world, endpoints=None):
    """One more Service; its key. *endpoints*: it has so many, all ready."""
    rng, number = world.rng, next(world.numbers)
    made = service(rng, number, bool(endpoints))
    key = made["metadata"]["namespace"], made["metadata"]["name"]
    world.services[key] = made, slices(world, made, number, endpoints)
    return key


# -- a Service -----------------------------------------------------------------------------------------
def service(rng, number, plain=False):
    """A Service whose addresses and node ports nobody else has, as it is posted."""
    kind = rng.choice(("ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", "headless", "ExternalName"))
    kind = "NodePort" if plain else kind
    name = f"s{number}" if rng.random() < 0.9 else f"{'long-' * 11}{number}"
    made = {"metadata": {"name": name, "namespace": rng.choice(SPACES), "labels": {}}, "spec": {}, "status": {}}
    spec = made["spec"]
    spec["type"] = "ClusterIP" if kind == "headless" else kind
    spec["ports"] = ports(rng, number, kind)
    if kind == "ExternalName":
        spec["externalName"] = "example.org"
        return made
    spec["clusterIPs"] = cluster_ips(rng, number) if kind != "headless" else ["None"]
    spec["clusterIP"] = spec["clusterIPs"][0]
    spec["ipFamilyPolicy"] = ("SingleStack", "RequireDualStack")[len(spec["clusterIPs"]) - 1]
    if kind != "headless":
        spec["ipFamilies"] = ["IPv6" if ":" in ip else "IPv4" for ip in spec["clusterIPs"]]
    if kind != "headless":
        policies(rng, number, spec)
    if spec["type"] == "LoadBalancer":
        balanced(rng, number, made)
    if rng.random() < 0.05:
        made["metadata"]["labels"][OTHER_PROXY] = "other"
    return made


def cluster_ips(rng, number):
    """Of one family or of both, in either order; IPv4 alone is the most frequent."""
    four, six = f"10.96.{1 + number // 250}.{number % 250}", f"fd00:96::{0x100 + number:x}"
    return rng.choice(([four], [four], [four], [four, six], [six, four], [six]))


def ports(rng, number, kind):
    """One to three ports; the first has a name or none, several have names."""
    protocols = rng.sample(("TCP", "TCP", "UDP", "SCTP"), rng.choice((1, 1, 1, 2, 3)))
    same = rng.random() < 0.3 and len(set(protocols)) == len(protocols)
    named = len(protocols) > 1 or rng.random() < 0.3
    made = []
    for i, protocol in enumerate(protocols):
        port = {"port": 80 if same else 80 + i, "protocol": protocol}
        if named:
            port["name"] = f"p{i}"
        if kind in ("NodePort", "LoadBalancer"):
            port["nodePort"] = 30000 + 3 * number + i
        made.append(port)
    return made


def policies(rng, number, spec):
    """Traffic policies, affinity, external IPs."""
    if rng.random() < 0.3:
        spec["internalTrafficPolicy"] = "Local"
    if rng.random() < 0.3:
        spec["sessionAffinity"] = "ClientIP"
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": rng.choice((1, 61, 10_800, 86_400))}}
    if rng.random() < 0.25:
        spec["externalIPs"] = [f"198.18.{i}.{number % 250}" for i in range(rng.randint(1, 2))]
        spec["externalIPs"] += [f"2001:db8:18::{number}"] if rng.random() < 0.4 else []
    if (spec["type"] != "ClusterIP" or "externalIPs" in spec) and rng.random() < 0.45:
        spec["externalTrafficPolicy"] = "Local"


def balanced(rng, number, made):
    """What a load balancer has: addresses, who may come, a health check node port."""
    spec = made["spec"]
    given = [{"ip": f"198.51.{i}.{number % 250}", "ipMode": mode} for i, mode in enumerate(("VIP", "Proxy", "VIP"))]
    given.append({"ip": f"2001:db8:51::{number}", "ipMode": "VIP"})
    made["status"] = {"loadBalancer": {"ingress": rng.sample(given, rng.choice((0, 1, 2, 3, 4)))}}
    if rng.random() < 0.5:
        spec["loadBalancerSourceRanges"] = rng.sample(RANGES, rng.choice((1, 2, 4, 8)))
        if rng.random() < 0.1:
            spec["loadBalancerSourceRanges"].append("0.0.0.0/0")
    if spec.get("externalTrafficPolicy") == "Local":
        spec["healthCheckNodePort"] = 32700 - number
    if rng.random() < 0.1:
        spec["allocateLoadBalancerNodePorts"] = False
        for port in spec["ports"]:
            del port["nodePort"]


# -- its slices ----------------------------------------------------------------------------------------
def slices(world, service, number, endpoints=None):
    """Up to three slices, no address twice: some name not all ports, some are not for kube-proxy."""
    rng, spec = world.rng, service["spec"]
    if endpoints:
        parts = (range(0, endpoints // 2), range(endpoints // 2, endpoints))
        them = [[_endpoint(rng, f"10.245.{n // 250}.{n % 250}", {"ready": True}) for n in part] for part in parts]
    else:
        pods = rng.sample(range(1, 60), rng.choice((0, 1, 2, 3, 5, 9)))
        parts = [pods[i :: rng.choice((1, 2, 3))] for i in range(rng.choice((1, 1, 2, 3)))]
        seen, hinted = set(), rng.choice(("", "", "zones", "nodes", "both", "some"))
        them = []
        for part in parts:
            fresh = [pod for pod in part if pod not in seen]
            seen.update(fresh)
            them.append([_endpoint(rng, f"10.244.{1 + pod % 3}.{10 + pod}", None, hinted) for pod in fresh])
    made = [_slice(rng, service, spec["ports"], f"{number}-{i}", its) for i, its in enumerate(them)]
    return made + [six(one) for one in made if rng.random() < 0.6]


def six(slice):
    """The same slice with addresses of IPv6."""
    meta = {**slice["metadata"], "name": f"{slice['metadata']['name']}-6"}
    ends = [{**end, "addresses": [_six(*end["addresses"][0].split("."))]} for end in slice["endpoints"]]
    return {**slice, "metadata": meta, "addressType": "IPv6", "endpoints": ends}


def _six(_, second, third, fourth):
    return str(ip_address(f"fd00:{second}:0:{third}::{fourth}"))


def _slice(rng, service, ports, suffix, endpoints):
    meta = service["metadata"]
    labels = {SERVICE_NAME: meta["name"]}
    if rng.random() < 0.05:
        labels[HEADLESS] = ""
    named = [port for port in ports if rng.random() < 0.9]
    return {
        "metadata": {"name": f"{meta['name'][:40]}-{suffix}", "namespace": meta["namespace"], "labels": labels},
        "addressType": "IPv4",
        "ports": [
            {"name": p.get("name", ""), "port": rng.choice((8080, 9090)), "protocol": p["protocol"]} for p in named
        ],
        "endpoints": endpoints,
    }


CONDITIONS = (
    *({"ready": True, "serving": True, "terminating": False},) * 4,
    {},
    {"ready": False, "serving": False, "terminating": False},
    {"ready": False, "serving": True, "terminating": True},
    {"ready": False, "serving": False, "terminating": True},
    {"ready": True, "serving": False, "terminating": True},
)


def _endpoint(rng, ip, conditions=None, hinted=""):
    third = int(ip.split(".")[2]) % 3
    made = {"addresses": [ip], "conditions": conditions or rng.choice(CONDITIONS)}
    if rng.random() < 0.9:
        made["nodeName"] = NODES[third - 1]
    hints = {}
    if hinted in ("zones", "both") or (hinted == "some" and rng.random() < 0.7):
        hints["forZones"] = [{"name": zone} for zone in rng.sample(ZONES, rng.choice((1, 1, 2)))]
    if hinted in ("nodes", "both") or (hinted == "some" and rng.random() < 0.7):
        hints["forNodes"] = [{"name": rng.choice(NODES)}]
    return {**made, "hints": hints} if hints else made
