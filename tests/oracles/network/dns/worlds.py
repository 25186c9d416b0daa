"""The clusters that the recordings of DNS were asked about, as objects of the API.

answers.json and resolver.json describe theirs in words (`objects`), dns.json names CoreDNS' own test fixture and the
examples of the specification: here they are in a form that can be read by a program.
"""

NAMESPACES = ("default", "prod", "data", "empty", "kube-system")


def service(name, ips=(), ports=(), external=""):
    """A Service ``namespace/name``; of *ports* each ``name:number[/protocol]``; a headless one has the ip "None"."""
    namespace, name = name.split("/")
    spec = {"type": "ExternalName", "externalName": external} if external else {"clusterIPs": list(ips)}
    spec["ports"] = [_port(port) for port in ports]
    return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}


def ends(name, addresses, ports=(), zones=None):
    """A slice of the Service ``namespace/name``; of *addresses* each ``ip [hostname [pod]]``, not ready behind a !."""
    namespace, name = name.split("/")
    endpoints = []
    for text in addresses:
        ip, hostname, pod = [*text.lstrip("!").split(), "", ""][:3]
        end = {"addresses": [ip], "conditions": {"ready": not text.startswith("!")}, "targetRef": {"name": pod}}
        endpoints.append(end | ({"hostname": hostname} if hostname not in ("", "-") else {}))
        endpoints[-1]["zone"] = (zones or {}).get(ip)
    labels = {"kubernetes.io/service-name": name}
    meta = {"namespace": namespace, "name": f"{name}-1", "labels": labels}
    return {"metadata": meta, "endpoints": endpoints, "ports": [_port(port) for port in ports]}


def pod(name, ip):
    """A pod ``namespace/name`` with an address."""
    namespace, name = name.split("/")
    return {"metadata": {"namespace": namespace, "name": name}, "status": {"podIPs": [{"ip": ip}]}}


def _port(text):
    name, _, number = text.partition(":")
    number, _, protocol = number.partition("/")
    return {"name": name, "port": int(number) if number else None, "protocol": protocol or "TCP"}


# -- answers.json, resolver.json: the objects as the recording describes them ----------------------
SERVICES = [
    service("kube-system/kube-dns", ["10.96.0.10"], ["dns:53/UDP", "dns-tcp:53"]),
    service("default/kubernetes", ["10.96.0.1"], ["https:443"]),
    service("default/web", ["10.96.2.1"], [":80"]),
    service("default/multi", ["10.96.2.2"], ["http:80", "metrics:9090", "dns:53/UDP"]),
    service("default/dual", ["10.96.2.3", "fd00:96::3"], ["http:80"]),
    service("default/six", ["fd00:96::4"], ["http:80"]),
    service("default/lonely", ["10.96.2.5"], ["http:80"]),
    service("default/lb", ["10.96.2.8"], ["http:80"]),
    service("prod/web", ["10.96.2.6"], [":80"]),
    service("data/db", ["None"], ["pg:5432"]),
    service("data/peer", ["None"], ["gossip:7946", "gossipu:7946/UDP"]),
    service("data/noports", ["None"]),
    service("data/nothing", ["None"], ["x:80"]),
    service("data/manual", ["None"], ["m:1000"]),
    service("data/manualip", ["10.96.2.7"], ["m:1000"]),
    service("default/outside", external="db.example.com"),
    service("default/alias", external="web.prod.svc.cluster.local"),
    service("default/aliasalias", external="alias.default.svc.cluster.local"),
    service("default/dangling", external="nosuch.prod.svc.cluster.local"),
    service("default/extport", ports=["pg:5432"], external="db.example.com"),
]
WEB = ["10.244.1.11 - web-1", "10.244.1.12 - web-2"]
STRAY = "10.244.3.30 - stray"
SLICES = [
    ends("default/web", WEB, [":8080"]),
    ends("default/multi", WEB, ["http:8080", "metrics:9090", "dns:53/UDP"]),
    ends("default/dual", WEB, ["http:8080"]),
    ends("default/lb", WEB, ["http:8080"]),
    ends("prod/web", ["10.244.2.11 - web-1"], [":8080"]),
    ends(
        "data/db",
        ["10.244.3.20 db-0 db-0", "10.244.3.21 db-1 db-1", "!10.244.3.22 db-2 db-2", STRAY, "10.244.3.31 - peerhost"],
        ["pg:5432"],
    ),
    ends(
        "data/peer",
        ["10.244.3.20 - db-0", "10.244.3.21 - db-1", "10.244.3.22 - db-2", STRAY, "10.244.3.31 ph peerhost"],
        ["gossip:7946", "gossipu:7946/UDP"],
    ),
    ends(
        "data/noports",
        ["10.244.3.20 - db-0", "10.244.3.21 - db-1", "!10.244.3.22 - db-2", STRAY, "10.244.3.31 - peerhost"],
    ),
    ends("data/manual", ["192.0.2.1 ext-a", "192.0.2.2", "!192.0.2.3 ext-c", "!192.0.2.4 ext-d"], ["m:1000"]),
    ends("data/manual", ["2001:db8::1 ext-a"], ["m:1000"]),
    ends("data/manualip", ["192.0.2.9"], ["m:1000"]),
]
PODS = [
    pod("default/web-1", "10.244.1.11"),
    pod("default/web-2", "10.244.1.12"),
    pod("default/loner", "10.244.1.50"),
    pod("prod/web-1", "10.244.2.11"),
    pod("data/db-0", "10.244.3.20"),
    pod("data/db-1", "10.244.3.21"),
    pod("data/db-2", "10.244.3.22"),
    pod("data/stray", "10.244.3.30"),
    pod("data/peerhost", "10.244.3.31"),
    pod("data/single", "10.244.3.40"),
]

# -- dns.json: the fixture of CoreDNS' handler tests, at the commit that the table names -----------
COREDNS_NAMESPACES = ("testns", "kube-system", "podns", "unexposedns", "svcns")
COREDNS_SERVICES = [
    service("kube-system/kubedns", ["10.0.0.10"], ["dns:53/udp"]),
    service("testns/svc1", ["10.0.0.1"], ["http:80/tcp"]),
    service("testns/svcempty", ["10.0.0.1"], ["http:80/tcp"]),
    service("testns/svc6", ["1234:abcd::1"], ["http:80/tcp"]),
    service("testns/hdls1", ["None"]),
    service("testns/hdlsprtls", ["None"]),
    service("testns/external", ports=["http:80/tcp"], external="ext.interwebs.test"),
    service("testns/external-to-service", ports=["http:80/tcp"], external="svc1.testns.svc.cluster.local."),
    service("unexposedns/svc1", ["10.0.0.2"], ["http:80/tcp"]),
    service("testns/svc-dual-stack", ["10.0.0.3", "10::3"], ["http:80/tcp"]),
]
COREDNS_SLICES = [
    ends("kube-system/kubedns", ["172.0.0.100"], ["dns:53/udp"]),
    ends("testns/svc1", ["172.0.0.1 ep1a"], ["http:80/tcp"]),
    ends("testns/svcempty", [], ["http:80/tcp"]),
    ends(
        "testns/hdls1",
        ["172.0.0.2", "172.0.0.3", "172.0.0.4 dup-name", "172.0.0.5 dup-name", "5678:abcd::1", "5678:abcd::2"],
        ["http:80/tcp"],
    ),
    ends("testns/hdlsprtls", ["172.0.0.20"]),
]
REVERSE_SERVICES = [service("testns/svc1", ["192.168.1.100"], ["http:80/tcp"])]
REVERSE_SLICES = [
    ends("testns/svc1", ["10.0.0.100 ep1a", "10.0.0.99 double-ep"], ["http:80/tcp"]),
    ends("testns/svc1", ["1234:abcd::1 ep1b", "fd00:77:30::a ip6svc1ex", "fd00:77:30::2:9ba6 ip6svc1in"], ["http:80"]),
    ends("testns/svc1", ["10.0.0.100 ep1a"], ["http:80/tcp"]),
    ends("testns/svc2", ["10.0.0.99 double-ep"], ["http:80/tcp"]),
]
ZONAL_SERVICES = [service("testns/hdls", ["None"]), service("testns/clstr", ["10.0.0.10"], ["http:80/tcp"])]
ZONES = {"172.0.0.1": "us-west-2a", "172.0.0.2": "us-west-2b", "172.0.0.3": "us-west-2b"}
ZONAL_SLICES = [ends("testns/hdls", list(ZONES), ["http:80/tcp"], ZONES)]

# -- dns.json: the examples of the specification, and the cluster in which both C libraries were measured
SPEC_SERVICES = [
    service("default/kubernetes", ["10.3.0.1", "2001:db8::1"], ["https:443"]),
    service("default/headless", ["None"], ["https:443"]),
    service("default/foo", external="www.example.com"),
]
SPEC_ADDRESSES = ["10.3.0.1", "10.3.0.2", "10.3.0.3", "2001:db8::1", "2001:db8::2", "2001:db8::3"]
SPEC_HOSTNAMES = ["10.3.0.100 my-pet", "10.3.0.101 my-pet-2", "10.3.0.102 438934893"]
MEASURED_SERVICES = [
    service("default/kubernetes", ["172.30.0.1"], ["https:443"]),
    service("default/web", ["172.30.0.10"], [":80"]),
    service("prod/db", ["172.30.0.11"], [":80"]),
    service("default/ext", external="api.example.com"),
]
