"""Random Services for the twin: what may be written in a Service and its slices, by a seed."""

import random

from kubemini.network.decide.services.node import Node
from kubemini.network.walks.ground import Plan, PodPlan, build
from kubemini.network.walks.proxied import listen, program

NODES = tuple(
    Node(f"n{i}", (f"192.168.0.1{i}", f"192.168.1.1{i}"), f"zone-{i}", f"10.244.{i}.0/24", f"10.244.{i}.1")
    for i in (1, 2, 3)
)
PODS = tuple(PodPlan(f"p{i}{j}", f"n{i}", f"10.244.{i}.1{j}") for i in (1, 2, 3) for j in (1, 2))
CLIENTS = {f"203.0.113.{i + 1}": f"n{i}" for i in (1, 2, 3)}
OWNERS = {pod.ip: pod.name for pod in PODS} | {a: n.name for n in NODES for a in n.addresses}
SENDERS = [*(pod.name for pod in PODS), *(node.name for node in NODES), *CLIENTS]
SERVICES = 10
RANGES = (["203.0.113.2/32"], ["203.0.113.0/24"], ["10.244.0.0/16"], ["192.168.0.11/32"])


def services(seed):
    """[(Service, its EndpointSlices)] of a seed."""
    draws = random.Random(seed)
    return [_service(draws, number) for number in range(1, SERVICES + 1)]


def _service(draws, number):
    protocol = draws.choice(["TCP", "UDP"])
    kind = draws.choice(["ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer"])
    port = {"name": "", "port": 80, "protocol": protocol}
    spec = {"type": kind, "clusterIP": f"10.96.1.{number}", "ports": [port]}
    spec["internalTrafficPolicy"] = draws.choice(["Cluster", "Cluster", "Local"])
    if kind != "ClusterIP":
        port["nodePort"] = 30000 + number
        spec["externalTrafficPolicy"] = draws.choice(["Cluster", "Local"])
    if draws.random() < 0.4:
        spec["externalIPs"] = [f"198.51.100.{100 + number}"]
    ingress = [{"ip": f"198.51.100.{number}"}] if kind == "LoadBalancer" else []
    if ingress and draws.random() < 0.5:
        spec["loadBalancerSourceRanges"] = draws.choice(RANGES)
    meta = {"name": f"s{number}", "namespace": "default"}
    service = {"metadata": meta, "spec": spec, "status": {"loadBalancer": {"ingress": ingress}}}
    return service, [_slice(draws, number, protocol)]


def _slice(draws, number, protocol):
    return {
        "metadata": {"name": f"s{number}-1"},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8000 + number, "protocol": protocol}],
        "endpoints": [_endpoint(draws, ip) for ip in draws.sample(sorted(OWNERS), draws.randint(0, 4))],
    }


def _endpoint(draws, ip):
    ready, terminating = draws.choice([(True, False)] * 3 + [(False, True), (False, False)])
    conditions = {"ready": ready, "serving": ready or terminating, "terminating": terminating}
    where = next(n.name for n in NODES if ip in n.addresses or ip.startswith(n.pod_cidr[:9]))
    return {"addresses": [ip], "nodeName": where, "conditions": conditions}


def flows(seed, posted, many):
    """*many* flows of a seed: (sender, protocol, source or "", address, port), most to what there is."""
    draws = random.Random(f"flows {seed}")
    return [_flow(draws, *draws.choice(posted)) for _ in range(many)]


def _flow(draws, service, _):
    spec, status = service["spec"], service["status"]["loadBalancer"]["ingress"]
    port = spec["ports"][0]
    other = {"TCP": "UDP", "UDP": "TCP"}
    places = [(spec["clusterIP"], 80)] * 3
    places += [(ip, 80) for ip in spec.get("externalIPs", ())]
    places += [(entry["ip"], 80) for entry in status]
    if "nodePort" in port:
        addresses = [a for node in NODES for a in node.addresses]
        places += [(draws.choice(addresses), port["nodePort"]) for _ in range(2)]
    address, number = draws.choice(places)
    protocol = port["protocol"]
    strange = draws.random()
    if strange < 0.05:
        number = 81
    elif strange < 0.1:
        protocol = other[protocol]
    elif strange < 0.13:
        address, number = "10.96.200.1", 80
    sender = draws.choice(SENDERS)
    if sender in CLIENTS:
        return "outside", protocol, sender, address, number
    return sender, protocol, "", address, number


def ground(config, posted):
    """Our own network with these Services on every node."""
    net = build(Plan(NODES, PODS, CLIENTS))
    for node in NODES:
        program(net[node.name], node, config, posted)
    listen(net, OWNERS, posted)
    return net
