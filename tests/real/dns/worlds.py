"""Random clusters for CoreDNS, and what to ask of them; everything follows from a seed.

Left out is what the real one decides by chance: two Services with one address.
"""

import random
from itertools import count

from kubemini.api.labels import SERVICE_NAME
from kubemini.network.decide.dns.message import reversed_name

SPACES = ("default", "shop")
PODS = (  # (namespace, name, address): real pods, some with the address of an endpoint
    *((SPACES[0], f"p-{n}", f"10.244.1.{n}") for n in range(20, 40, 4)),
    *((SPACES[1], f"p-{n}", f"10.244.1.{n}") for n in range(22, 42, 4)),
)
OPTIONS = (
    ("pods insecure", "ttl 30"),
    ("pods verified", "fallthrough in-addr.arpa ip6.arpa"),
    ("pods insecure", "fallthrough", "ttl 0"),
    ("pods verified", "ttl 5"),
    ("pods disabled",),
    ("pods insecure", "endpoint_pod_names", "ttl 60"),
    ("pods insecure", "ignore empty_service"),
    ("pods insecure", "namespaces default"),
    ("noendpoints",),
    ("zonal", "ttl 7"),
)
PORTS = (("http", 80, "TCP"), ("dns", 53, "UDP"), ("metrics", 9090, "TCP"))
NAMES = ("web", "api", "db", "cache", "mail", "auth", "log", "cart")
ZONES = ("zone-a", "zone-b")
TYPES = ("A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "NS", "SOA", "ANY", "MX", "HTTPS")


def world(seed, number):
    """{(namespace, name): (Service, slices)}, as they are posted."""
    rng, numbers = random.Random(f"{seed}/{number}"), count(10)
    return {(space, name): made(rng, numbers, space, name) for space in SPACES for name in rng.sample(NAMES, 6)}


def made(rng, numbers, space, name):
    """A Service and its slices."""
    spec = {"ports": ports(rng, lambda p: {"name": p[0], "port": p[1], "protocol": p[2]}), "type": "ClusterIP"}
    match rng.choice(("cluster", "cluster", "dual", "headless", "headless", "external")):
        case "external":
            target = rng.choice(("api.example.com", f"{rng.choice(NAMES)}.{rng.choice(SPACES)}.svc.cluster.local"))
            spec = {"type": "ExternalName", "externalName": target}
        case "headless":
            spec |= {
                "clusterIP": "None",
                "clusterIPs": ["None"],
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
            }
            spec["ports"] = spec["ports"] if rng.random() < 0.8 else []
        case kind:
            n = next(numbers)
            ips = [f"10.96.5.{n}", f"fd00:96::{n:x}"][: 1 + (kind == "dual")]
            families = ["IPv4", "IPv6"][: len(ips)]
            policy = "RequireDualStack" if kind == "dual" else "SingleStack"
            spec |= {"clusterIP": ips[0], "clusterIPs": ips, "ipFamilies": families, "ipFamilyPolicy": policy}
    service = {"metadata": {"name": name, "namespace": space}, "spec": spec, "status": {}}
    kinds = ("IPv4", "IPv6") if rng.random() < 0.3 else ("IPv4",)
    return service, [slice_(rng, numbers, service, kind) for kind in kinds if rng.random() < 0.85]


def ports(rng, shape):
    """One port without a name, or some with names."""
    chosen = [("", 80, "TCP")] if rng.random() < 0.3 else rng.sample(PORTS, rng.randint(1, 3))
    return [shape(port) for port in chosen]


def slice_(rng, numbers, service, family):
    """An EndpointSlice: some endpoints have a hostname, some are not ready, of some nobody knows."""
    meta = service["metadata"]
    ends = [end(rng, next(numbers), family) for _ in range(rng.randint(0, 4))]
    of = service["spec"].get("ports") or []
    return {
        "metadata": {
            "name": f"{meta['name']}-{family.lower()}",
            "namespace": meta["namespace"],
            "labels": {SERVICE_NAME: meta["name"]},
        },
        "addressType": family,
        "endpoints": ends,
        "ports": [{"name": p.get("name", ""), "port": p["port"] + 8000, "protocol": p["protocol"]} for p in of],
    }


def end(rng, number, family):
    """An endpoint."""
    address = f"10.244.1.{number}" if family == "IPv4" else f"fd00:244::{number:x}{rng.choice(('', ':0'))}"
    found = {"addresses": [address], "conditions": rng.choice(({"ready": True}, {"ready": True}, {"ready": False}, {}))}
    if rng.random() < 0.4:
        found["hostname"] = rng.choice(("one", "two", f"pod-{number}"))
    if rng.random() < 0.7:
        found["targetRef"] = {"kind": "Pod", "name": f"pod-{number}", "namespace": "default"}
    if rng.random() < 0.6:
        found["zone"] = rng.choice(ZONES)
    return found


def questions(rng, objects, many):
    """So many questions: names that there are, their relatives, and some that there are not."""
    services, slices = objects
    names = ["cluster.local.", "svc.cluster.local.", "pod.cluster.local.", "dns-version.cluster.local."]
    names += ["ns.dns.cluster.local.", "nosuch.svc.cluster.local.", "api.example.com.", "web.nosuch.svc.cluster.local."]
    for service in services:
        names += list(names_of(service["metadata"], service["spec"]))
    for one in slices:
        meta = {"namespace": one["metadata"]["namespace"], "name": one["metadata"]["labels"][SERVICE_NAME]}
        for endpoint in one.get("endpoints") or ():
            names += list(names_of_end(meta, endpoint))
    chosen = [rng.choice(names) for _ in range(many)]
    return [(n.title() if rng.random() < 0.05 else n, kind_for(rng, n)) for n in chosen]


def names_of(meta, spec):
    """The names of a Service."""
    own = f"{meta['name']}.{meta['namespace']}.svc.cluster.local."
    yield from (own, own, own, f"{meta['namespace']}.svc.cluster.local.", f"nosuch.{own}", f"a.b.c.{own}", f"*.{own}")
    for port in spec.get("ports") or ():
        for protocol in ("tcp", "udp"):
            yield f"_{port.get('name', '')}._{protocol}.{own}"
    for ip in spec.get("clusterIPs") or ():
        if ip != "None":
            yield reversed_name(ip)


def names_of_end(meta, endpoint):
    """The names of an endpoint."""
    own, ip = f"{meta['name']}.{meta['namespace']}.svc.cluster.local.", endpoint["addresses"][0]
    dashed = ip.replace(".", "-").replace(":", "-")
    yield from (f"{dashed}.{own}", f"{dashed}.{meta['namespace']}.pod.cluster.local.", reversed_name(ip))
    yield f"{endpoint.get('zone') or 'zone-x'}.{('pin', 'prefer', 'other')[len(ip) % 3]}._zone.{own}"
    for label in (endpoint.get("hostname"), (endpoint.get("targetRef") or {}).get("name")):
        if label:
            yield f"{label}.{own}"


def kind_for(rng, name):
    """A type: mostly one that the name may have."""
    if name.endswith("arpa."):
        return "PTR" if rng.random() < 0.9 else rng.choice(TYPES)
    return rng.choice(("A", "A", "AAAA", "SRV")) if rng.random() < 0.7 else rng.choice(TYPES)
