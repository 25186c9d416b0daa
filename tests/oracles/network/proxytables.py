"""The older tables of kube-proxy: its unit tests' packet flows, and who is chosen by topology.

The node under test is theirs: test-node with two addresses of each family, no bridge of its own.
"""

from collections import Counter
from functools import partial

from kubemini.controllers.decide.networking import hints
from kubemini.controllers.decide.networking.endpointslice import endpoint
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import Endpoint, ServicePort, categorize
from kubemini.network.decide.services.verdict import Asked, decide
from kubemini.network.decide.services.world import world_of

OWN = ("192.168.0.2", "192.168.1.2", "2001:db8::1", "2001:db8:1::2")
WORD = {"=reject": "REJECT", "=drop": "DROP", "=accept": "ACCEPT"}


def kubeproxy_flows(data):
    """{case: () -> [difference]} of the packet flows of kube-proxy's own unit tests."""
    cases = ((g["test"], g, f) for g in data["groups"] for f in g["flows"])
    return _named((f"{test}/{flow['name']}", partial(_flow, group, flow)) for test, group, flow in cases)


def _named(rows):
    """By name; the second of a name says so."""
    seen, found = Counter(), {}
    for name, run in rows:
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = run
    return found


def _flow(group, flow):
    modes = ["iptables", "nftables"] if "nftables" in str(group["source"]) else ["iptables"]
    return [difference for mode in modes for difference in _differences(group, flow, mode)]


def _differences(group, flow, mode):
    node = Node("test-node", OWN, pod_cidr="")
    world = world_of([node], _config(group, mode), map(objects, group["services"]))
    verdict = decide(world, "test-node", Asked(flow["proto"], flow["src"], flow["dst"], flow["port"]))
    if verdict.rule.endswith("=dnat"):
        got = [sorted(w.endpoint.address for w in verdict.ways), all(w.masqueraded for w in verdict.ways)]
    else:
        got = [next((word for end, word in WORD.items() if verdict.rule.endswith(end)), ""), False]
    output = flow["output"] if isinstance(flow["output"], str) else sorted(flow["output"])
    wanted = [output, flow["masq"]]
    known = [service["clusterIP"] for service in group["services"]]
    if mode == "nftables" and wanted == ["", False] and flow["dst"] in known:
        wanted = ["REJECT", False]  # what the table's notes say of this mode
    return [] if got == wanted else [f"{mode}: wanted {wanted}, got {got} by {verdict.rule or 'no rule'}"]


def _config(group, mode):
    said = group.get("config") or {}
    addresses = said.get("nodePortAddresses")
    return ProxyConfig(
        mode=mode,
        cluster_cidr="10.0.0.0/8,fd00:10::/64",
        service_cidrs=("172.30.0.0/16", "fd00:172:30::/112"),
        detect_local="ClusterCIDR" if said.get("localDetector", True) else None,
        masquerade_all=said.get("masqueradeAll", False),
        localhost_node_ports=said.get("localhostNodePorts", True),
        node_port_addresses=tuple(addresses) if addresses else None,
    )


def objects(row):
    """(Service, slices) of a row of the table: a slice a port, as kube-proxy's tests make them."""
    kept = ("clusterIP", "ports", "type", "externalIPs", "externalTrafficPolicy", "internalTrafficPolicy")
    spec = {k: row[k] for k in (*kept, "healthCheckNodePort", "loadBalancerSourceRanges") if k in row}
    if row.get("sessionAffinity"):
        spec["sessionAffinity"] = row["sessionAffinity"]
    status = {"loadBalancer": {"ingress": [{"ip": ip} for ip in row.get("loadBalancerIPs", ())]}}
    protocols = {port.get("name") or "": port["protocol"] for port in row["ports"]}
    slices = [
        {
            "metadata": {"name": f"{row['name']}-{name}-{e['port']}"},
            "addressType": "IPv6" if ":" in e["ip"] else "IPv4",
            "ports": [{"name": name, "port": e["port"], "protocol": protocols[name]}],
            "endpoints": [
                {
                    "addresses": [e["ip"]],
                    "nodeName": e["node"],
                    "conditions": {k: e[k] for k in ("ready", "serving", "terminating")},
                }
            ],
        }
        for name, endpoints in row["endpoints"].items()
        for e in endpoints
    ]
    meta = {"name": row["name"], "namespace": row["namespace"]}
    return {"metadata": meta, "spec": spec, "status": status}, slices


# -- topology ---------------------------------------------------------------------------------------
def service_topology(data):
    """{case: () -> [difference]}: who is chosen, conditions of endpoints, hints of the controller.

    Rows in which hints are turned off or a wrong annotation hides them are of older kube-proxies:
    today's looks at the hints alone, so they are told without hints.
    """
    rows = [(f"categorize/{row['name']}", partial(_categorize, row)) for row in data["categorize"]]
    rows += [
        (f"conditions/{row['pod']}, published {row['publishNotReadyAddresses']}", partial(_conditions, row))
        for row in data["endpoint_conditions"]
    ]
    rows += [(f"hints/{row['name']}", partial(_hints, row)) for row in data["traffic_distribution_hints"]]
    return _named(rows)


def _categorize(row):
    outside = (30080,) if row["externally_accessible"] else (0,)
    port = ServicePort(
        "ns",
        "svc",
        "",
        "TCP",
        "10.96.0.1",
        80,
        node_port=outside[0],
        internal_local=row["internalTrafficPolicy"] == "Local",
        external_local=row["externalTrafficPolicy"] == "Local",
    )
    hinted = row["hints_enabled"] and row["hints_annotation"] in ("auto", "Auto")
    endpoints = [
        Endpoint(
            e["ip"],
            80,
            "here" if e["local"] else "elsewhere",
            ready=e["ready"],
            serving=e["serving"],
            terminating=e["terminating"],
            zone_hints=tuple(e.get("zone_hints") or ()) if hinted else (),
            node_hints=tuple(e.get("node_hints") or ()),
        )
        for e in row["endpoints"]
    ]
    found = categorize(port, endpoints, "here", row["node_zone"] or "")
    differences = []
    for key, got in (("cluster", found.cluster), ("local", found.local), ("all", found.reachable)):
        wanted = row.get(f"{key}_endpoints")
        if f"{key}_endpoints" in row and sorted(wanted or []) != sorted(e.ip for e in got):
            differences.append(f"{key}: wanted {wanted}, got {[e.ip for e in got]}")
    return differences


def _conditions(row):
    """The pod of a row behind a Service of this kind."""
    ready = "True" if row["pod"].startswith("ready") else "False"
    meta = {"name": "p", "namespace": "ns", "uid": "1"}
    if "deletionTimestamp" in row["pod"]:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": ready}]}
    pod = {"metadata": meta, "spec": {"nodeName": "n1"}, "status": status}
    spec = {"publishNotReadyAddresses": row["publishNotReadyAddresses"]}
    got = endpoint(pod, {"metadata": {"name": "s"}, "spec": spec})["conditions"]
    return [] if got == row["conditions"] else [f"wanted {row['conditions']}, got {got}"]


def _hints(row):
    got = {}
    for ip, zone, ready in row["endpoints"]:
        entry = {"zone": zone, "conditions": {"ready": ready}}
        found = hints.own(row["trafficDistribution"], entry) or {}
        got[ip] = [z["name"] for z in found.get("forZones", ())] or None
    return [] if got == row["want"] else [f"wanted {row['want']}, got {got}"]
