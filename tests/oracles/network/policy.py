"""Recordings of policies, answered by ours: the random worlds of ``policy/``, and three older tables.

``cases.json`` was answered by the evaluators of kube-network-policies 1.1.0; ``netpol_cyclonus`` by cyclonus' own
engine; the two others are the expectations of network-policy-api's conformance tests and of its policy-assistant.
A table's case returns what differs; the names of v1alpha1 (AdminNetworkPolicy) are told as ClusterNetworkPolicies.
"""

import copy
import itertools
import re
from dataclasses import replace

from kubemini.network.decide.policy.judge import Policies
from kubemini.network.decide.policy.places import NAME_LABEL, PolicyNode, PolicyPod

HOUSES = "network-policy-conformance-"
HOST_PORTS = 34345  # the first of the ports that the conformance tests open on hosts
NODE_ADDRESS = "192.168.0.11"
WHICH = {".": (True, True), "i": (True, False), "e": (False, True), "X": (False, False)}  # (egress, ingress)


# -- policy/cases.json -------------------------------------------------------------------------------------------------
def answers(path, data):
    """{case: () -> its packets, judged}."""
    return {
        case["id"]: lambda case=case: [list(row) for row in _judged(world(case, data), case)] for case in data["cases"]
    }


def world(case, data, by_direction=False):
    """The Policies of a case."""
    told = {name: labels for name, labels in data["namespaces"].items() if isinstance(labels, dict)}
    namespaces = {name: {**labels, NAME_LABEL: name} for name, labels in told.items()}
    pods = []
    for address, name, labels, node, ports in case["pods"]:
        if not node.endswith("hostNetwork"):
            namespace, name = name.split("/")
            ports = frozenset(map(tuple, ports))
            pods.append(PolicyPod(namespace, name, labels, namespaces[namespace], (address,), ports))
    nodes = [PolicyNode({}, (address,)) for address in data["nodes"].values()]
    policies = [_policy(said) for said in case.get("networkPolicies") or ()]
    cluster = [{"metadata": {"name": said["name"]}, "spec": said} for said in case.get("clusterNetworkPolicies") or ()]
    return Policies(policies, cluster, pods, nodes, by_direction)


def _policy(said):
    namespace, name = said["name"].split("/")
    return {"metadata": {"namespace": namespace, "name": name}, "spec": said}


def _judged(policies, case):
    for source, destination, port, protocol, *_ in case["packets"]:
        found = policies.both_sides(source, destination, port, protocol)
        yield found.allowed, found.egress.fate, found.egress.rule, found.ingress.fate, found.ingress.rule


# -- the older tables --------------------------------------------------------------------------------------------------
def tables(path, data):
    """{case: () -> [difference]} of a table."""
    return {"netpol_cyclonus": _cyclonus, "cluster_network_policy": _conformance, "admin_network_policy": _assistant}[
        path.stem
    ](data)


def _cyclonus(data):
    found = {}
    for number, case in enumerate(data["cases"]):
        for at, step in enumerate(case["steps"]):
            found[f"{number} {case['description']} step {at}"] = lambda step=step: list(_of_state(data, step))
    return found


def _of_state(data, step):
    """Every cell of a state's tables that differs."""
    pods, namespaces = step.get("pods", data["default_pods"]), step.get("namespaces", data["default_namespaces"])
    order = step.get("order", data["default_order"])
    pods = _told_apart(pods)
    policies = Policies(step["policies"], (), [_served(name, said, namespaces) for name, said in pods.items()])
    for table in step["tables"]:
        for which in table["proto_port"]:
            protocol, port = which.split("/")
            for source, row in table["rows"].items():
                for destination, cell in zip(order, row, strict=True):
                    ends = pods[source]["ip"], pods[destination]["ip"]
                    got = policies.both_sides(*ends, int(port), protocol)
                    if (got.egress.allowed, got.ingress.allowed) != WHICH[cell]:
                        yield f"{source} to {destination} {which}: wanted {cell}, got {got.rule}"


def _told_apart(pods):
    """Each pod with an address of its own: the engine gave all that a step creates the same."""
    taken = [said["ip"] for said in pods.values()]
    alike = (name for name, said in pods.items() if taken.count(said["ip"]) > 1)
    return {**pods, **{name: {**pods[name], "ip": f"192.168.242.{at}"} for at, name in enumerate(alike, start=1)}}


def _served(name, said, namespaces, ports=(80, 81), protocols=("TCP", "UDP", "SCTP")):
    namespace, short = name.split("/")
    named = frozenset((f"serve-{p}-{t.lower()}", p, t) for p in ports for t in protocols)
    return PolicyPod(namespace, short, said["labels"], namespaces[namespace], (said["ip"],), named)


# -- cluster_network_policy: the conformance tests ----------------------------------------------------------------
def _conformance(data):
    """The cases of a test run one after another: what one has changed in a policy, the next one finds changed."""
    found, pods = {}, _houses(data)
    for test in data["tests"]:
        manifests = _written(test["manifests"])
        for case in test["cases"]:
            mutations = [step["mutate"] for step in case["steps"] if "mutate" in step]
            manifests = _mutated(manifests, mutations, pods)
            run = lambda case=case, manifests=manifests: list(_of_steps(case, _asked(manifests, case), pods))  # noqa: E731
            found[f"{test['test']} {case['name']}"] = run
    return found


def _of_steps(case, manifests, pods):
    """Each step that differs.

    Where a flow is asked again and now expected otherwise, the Go has given its destination's namespace another label
    in between; the table does not say that.
    """
    said = {}
    for step in case["steps"]:
        if "mutate" in step:
            continue
        flow = (step["frm"], step["to"], step["proto"], step["port"])
        relabelled = said.setdefault(flow, step["allowed"]) != step["allowed"]
        got = _poked(manifests, _relabelled(pods, step["to"].split("/")[0]) if relabelled else pods, flow)
        if got.allowed != step["allowed"]:
            yield f"{step}: got {got.rule}"


def _poked(manifests, pods, flow):
    """The verdict of one flow."""
    policies = Policies(
        [m for m in manifests if m["kind"] == "NetworkPolicy"],
        [m for m in manifests if m["kind"] == "ClusterNetworkPolicy"],
        pods.values(),
        [PolicyNode({"kubernetes.io/os": "linux"}, (NODE_ADDRESS,))],
    )
    source, to, protocol, port = flow
    on_host = "/" not in to
    address, port = (NODE_ADDRESS, HOST_PORTS + port) if on_host else (pods[to].addresses[0], port)
    return policies.both_sides(pods[source].addresses[0], address, port, protocol.upper())


def _relabelled(pods, house):
    labels = {"conformance-house": "denied-namespace-label"}
    return {name: replace(p, namespace_labels=labels) if name.startswith(house) else p for name, p in pods.items()}


def _houses(data):
    """The pods of the conformance tests; each gets an address."""
    pods = {}
    for number, said in enumerate(data["pods"], start=2):
        house, name = said["name"].split("/")
        labels = {**data["namespaces"][house], NAME_LABEL: HOUSES + house}
        ports = frozenset((p["name"], p["containerPort"], p["protocol"]) for p in said["ports"] if p.get("name"))
        pods[said["name"]] = PolicyPod(HOUSES + house, name, said["labels"], labels, (f"10.244.1.{number}",), ports)
    return pods


def _written(value):
    """Manifests, with a number in the places for ports of hosts."""
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_written(one) for one in value]
    place = re.search(r"TEMPLATE.*HostNetworkPorts (\d+)", value) if isinstance(value, str) else None
    return HOST_PORTS + int(place[1]) if place else value


def _asked(manifests, case):
    """The manifests that stand in this case.

    A file of tests can hold two that give a policy of one name: of these, the one whose peers the case is about. Cases
    about the baseline under NetworkPolicies delete those first; the table does not say that.
    """
    if "match for baseline" in case["name"]:
        return [m for m in manifests if m["kind"] != "NetworkPolicy"]
    about = {m["metadata"]["name"]: m for m in manifests}
    if len(about) < len(manifests):
        of_nodes = "node-peer" in case["name"]
        return [m for m in manifests if any("nodes" in p for r in m["spec"]["egress"] for p in r["to"]) == of_nodes]
    return manifests


def _mutated(manifests, mutations, pods):
    """The manifests after what a test's Go does to one of them: two rules change places, a new one, another field."""
    manifests = copy.deepcopy(manifests)
    cluster = [m["spec"] for m in manifests if m["kind"] == "ClusterNetworkPolicy"]
    for said in mutations:
        word = re.match(r"mutate\.Spec\.(\w+)", said)[1].lower()
        if word == "priority":
            max((s for s in cluster if s["tier"] == "Admin"), key=lambda s: s["priority"])["priority"] = int(
                said.split()[-1]
            )
            continue
        rules = cluster[0][word]
        numbers = [int(number) for number in re.findall(r"\[(\d+)\]", said)]
        if said.endswith("Pass"):
            rules[numbers[0]]["action"] = "Pass"
        elif "append(newRule" in said:
            to = [
                pods[f"{name}-0"].addresses[0] + "/32"
                for name in ("ravenclaw/luna-lovegood", "hufflepuff/cedric-diggory")
            ]
            rules.insert(0, {"action": "Accept", "to": [{"networks": to}]})
        elif len(numbers) == 2:
            one, other = numbers
            rules[one], rules[other] = rules[other], rules[one]
        elif said.endswith("PortRule"):
            name = {"namedPortRule": "web", "dnsPortRule": "dns"}[said.split()[-1]]
            rules[numbers[0]]["protocols"] = [{"destinationNamedPort": name}]
    return manifests


# -- admin_network_policy: policy-assistant ------------------------------------------------------------------------
def _assistant(data):
    return {f"{c['group']} {c['name']}": lambda case=c: list(_of_flows(case)) for c in data["cases"]}


def _of_flows(case):
    """Each flow among the case's pods that differs, each side by itself."""
    told = case["resources"]
    names = [f"{namespace}/{pod}" for namespace in told["namespaces"] for pod in told["pods"]]
    labels = {namespace: {"ns": namespace} for namespace in told["namespaces"]}
    served = {
        name: _served(
            name, {"labels": {"pod": name[2:]}, "ip": f"10.244.1.{at}"}, labels, told["ports"], told["protocols"]
        )
        for at, name in enumerate(names, start=2)
    }
    netpols = [{"metadata": p["objectMeta"], "spec": _spelled(p["spec"])} for p in case["netpols"]]
    cluster = [one for anp in case["anps"] for one in _told_anew(anp["spec"], "Admin", labels)]
    cluster += _told_anew(case["banp"]["spec"], "Baseline", labels) if case["banp"] else []
    policies = Policies(netpols, cluster, served.values())
    unusual = {side: [tuple(flow) for flow in case[f"non_default_{side}"]] for side in ("ingress", "egress")}
    for flow in itertools.product(names, names, told["ports"], told["protocols"]):
        source, destination, port, protocol = flow
        if source == destination:
            continue
        got = policies.both_sides(served[source].addresses[0], served[destination].addresses[0], port, protocol)
        for side, half in (("ingress", got.ingress), ("egress", got.egress)):
            wanted = (case[f"default_{side}"] == "Allowed") != (flow in unusual[side])
            if half.allowed != wanted:
                yield f"{flow} {side}: wanted {wanted}, got {half.rule}"


def _spelled(value):
    """Selectors that say nothing stand there as empty lists."""
    if isinstance(value, dict):
        return {k: {} if k.endswith("elector") and v == [] else _spelled(v) for k, v in value.items()}
    return [_spelled(one) for one in value] if isinstance(value, list) else value


def _told_anew(spec, tier, namespaces):
    """A policy of v1alpha1 as ClusterNetworkPolicies: one a namespace (peers can be relative)."""
    spec, made = _spelled(spec), []
    for namespace, labels in namespaces.items():
        subject = spec["subject"].get("pods")
        inside = {"matchLabels": labels}
        if subject is not None:
            of = subject["namespaceSelector"]["matchLabels"]
            if any(labels.get(key) != value for key, value in of.items()):
                continue
            subject = {"namespaceSelector": inside, "podSelector": subject["podSelector"]}
        told = {"tier": tier, "priority": spec.get("priority", 0)}
        told["subject"] = {"pods": subject} if subject is not None else {"namespaces": inside}
        for side, word in (("ingress", "from"), ("egress", "to")):
            told[side] = [_rule_anew(rule, word, labels) for rule in spec.get(side) or ()]
        made.append({"metadata": {"name": f"{tier}-{namespace}"}, "spec": told})
    return made


def _rule_anew(rule, word, labels):
    action = {"Allow": "Accept"}.get(rule["action"], rule["action"])
    peers = []
    for peer in rule[word]:
        if "namespaces" in peer:
            peers.append({"namespaces": _namespaces_anew(peer["namespaces"], labels)})
        else:
            of, pods = peer["pods"]["namespaces"], peer["pods"].get("podSelector") or {}
            peers.append({"pods": {"namespaceSelector": _namespaces_anew(of, labels), "podSelector": pods}})
    return {"action": action, word: peers, "protocols": [_port_anew(port) for port in rule.get("ports") or ()]}


def _namespaces_anew(said, labels):
    if "namespaceSelector" in said:
        return said["namespaceSelector"]
    word, operator = ("sameLabels", "In") if "sameLabels" in said else ("notSameLabels", "NotIn")
    return {"matchExpressions": [{"key": key, "operator": operator, "values": [labels[key]]} for key in said[word]]}


def _port_anew(said):
    if "namedPort" in said:
        return {"destinationNamedPort": said["namedPort"]}
    if "portNumber" in said:
        one = said["portNumber"]
        return {one.get("protocol", "TCP").lower(): {"destinationPort": {"number": one["port"]}}}
    one = said["portRange"]
    return {one["protocol"].lower(): {"destinationPort": {"range": {"start": one["start"], "end": one["end"]}}}}
