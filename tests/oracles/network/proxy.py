"""kube-proxy's recordings, told by the closed form: flows in both modes, options, health checks.

Rules are told by rules.py, stories by kernel.py beside this file, when they are there.
"""

import importlib
import json
from functools import cache, partial
from pathlib import Path

from kubemini.network.decide.services.health import health_checks
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.verdict import decide, header
from kubemini.network.decide.services.world import world_of
from tests.oracles.network import proxytables

ELSEWHERE = {"rules_iptables": "rules", "rules_nftables": "rules", "stories": "kernel"}
MODES = ("iptables", "nftables")


def answers(path, data):
    """{case: () -> got} for a file of the folder kube-proxy."""
    path = Path(path)
    if path.stem in ELSEWHERE:
        name = ELSEWHERE[path.stem]
        if not (Path(__file__).parent / f"{name}.py").exists():
            return {}
        module = importlib.import_module(f"tests.oracles.network.{name}")
        return getattr(module, f"{'stories' if path.stem == 'stories' else 'rules'}_answers")(path, data)
    return {"flows": _flows, "options": _options, "healthchecks": _health}[path.stem](path, data)


def tables(path, data):
    """{case: () -> [difference]} for an older table."""
    return getattr(proxytables, Path(path).stem)(data)


# -- the world ------------------------------------------------------------------------------------
@cache
def recorded(folder):
    """The lab and the Services of world.json, as objects."""
    data = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    nodes = [_node(name, node) for name, node in data["lab"]["nodes"].items()]
    return data, nodes, [_objects(row) for row in data["services"]]


def _node(name, row):
    own = [a for a in row["addresses"] if "bridge" not in a]
    bridge = next(a.split()[0] for a in row["addresses"] if "bridge" in a)
    return Node(name, tuple(own), row["zone"], row["podCIDR"], bridge)


def _objects(row):
    """(Service, slices) of a row as the API server would hand them out."""
    meta = {"name": row["name"], "namespace": "default", "labels": row.get("labels") or {}}
    status = {"loadBalancer": {"ingress": row.get("ingress") or []}}
    slices = [
        {**s, "metadata": {"name": f"{row['name']}-{i}", "labels": s.get("labels") or {}}}
        for i, s in enumerate(row["slices"])
    ]
    spec = {**row["spec"], **(row.get("made") or {})}
    return {"metadata": meta, "spec": spec, "status": status}, slices


@cache
def world(folder, config):
    """The whole recorded cluster under one configuration."""
    data, nodes, services = recorded(folder)
    pods = {pod["ip"]: pod["node"] for pod in data["lab"]["pods"].values()}
    return world_of(nodes, config, services, pods)


def verdict(folder, config, flow):
    """What we say of a recorded flow, with the names of pods and nodes."""
    data, nodes, _ = recorded(folder)
    lab, sender = data["lab"], flow["from"]
    if sender in lab["nodes"]:
        node, ip = sender, ""
    elif sender in lab["pods"]:
        node, ip = lab["pods"][sender]["node"], lab["pods"][sender]["ip"]
    else:
        ip, _, node = lab["outside"][sender].partition(", enters at ")
    here = world(folder, config)
    found = decide(here, node, header(here, node, ip, flow["proto"], flow["to"], flow["port"]))
    names = {pod["ip"]: name for name, pod in lab["pods"].items()}
    names |= {address: node.name for node in nodes for address in node.addresses}
    return found, {names[w.endpoint.ip]: w.source for w in found.ways if w.returns}


# -- the files --------------------------------------------------------------------------------------
def _name(flow):
    return f"{flow['from']} {flow['proto']} {flow['to']}:{flow['port']}"


def _flows(path, data):
    return {_name(flow): partial(_flow, path.parent, flow) for flow in data["flows"]}


def _flow(folder, flow):
    got = {}
    for mode in MODES:
        found, backends = verdict(folder, ProxyConfig(mode=mode), flow)
        got[mode] = {"fate": found.fate, "decided": found.rule or None}
        if backends and not found.sticky:
            got[mode]["backends"] = backends
    return got


def _options(path, data):
    return {f"{flow['run']} | {_name(flow)}": partial(_option, path.parent, flow) for flow in data["flows"]}


def _option(folder, flow):
    found, backends = verdict(folder, _config(flow["mode"], flow["config"]), flow)
    got = {"fate": found.fate, "some_lost": found.some_lost or None}
    if backends and not found.sticky:
        got["backends"] = backends
    return got


def _config(mode, said):
    """A KubeProxyConfiguration, as a recording has it, in our words."""
    detect = said.get("detectLocalMode", "ClusterCIDR")
    if "clusterCIDR" in said and said["clusterCIDR"] is None:
        detect = None
    mine = said.get(mode) or {}
    addresses = said.get("nodePortAddresses")
    return ProxyConfig(
        mode=mode,
        detect_local=detect,
        masquerade_all=mine.get("masqueradeAll", False),
        localhost_node_ports=mine.get("localhostNodePorts", True),
        node_port_addresses=tuple(addresses) if addresses else None,
    )


def _health(path, data):
    found = {}
    for node, table in world(path.parent, ProxyConfig()).tables.items():
        for service, answer in health_checks(table).items():
            found[f"{service.split('/')[1]} {node}"] = partial(list, answer)
    return {name: found[name] for name in data["both"]}
