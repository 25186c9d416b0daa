"""Random policies: what our judge says of a connection is what a kernel does that runs them as rules of nftables.

KERNEL_SEED=n asks a seed again. Pods of two namespaces on three nodes call each other, from outside and to the outside.
"""

import os
import random

import pytest

from kubemini.network.decide.policy.judge import Policies
from kubemini.network.decide.policy.nftables import Text
from kubemini.network.decide.policy.places import NAME_LABEL, PolicyPod
from kubemini.network.walks.ground import Plan, build
from tests.real.kernel.comparing import differences, possible
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.probes import SILENT, Servers
from tests.real.kernel.worlds import CLIENTS, NODES, PODS

pytestmark = pytest.mark.needs("namespaces", "iptables", "nft", "nfacct", "conntrack")
SEED = int(os.environ.get("KERNEL_SEED", "0")) or random.SystemRandom().randrange(10**6)
APPS, TIERS, NAMESPACES = ("web", "api", "db"), ("front", "back"), {"shop": {"env": "prod"}, "lab": {"env": "test"}}
PORTS = (("http", 8080, "TCP"), ("admin", 9090, "TCP"), ("dns", 53, "UDP"))
FLOWS = 150


def pods(luck):
    """A policy's view of each pod of the network; a name of a port may be another number on another pod."""
    found = []
    for plan in PODS:
        namespace = luck.choice(list(NAMESPACES))
        labels = {"app": luck.choice(APPS)} | ({"tier": luck.choice(TIERS)} if luck.random() < 0.6 else {})
        http = luck.choice((8080, 9090))
        named = frozenset({("http", http, "TCP"), ("dns", 53, "UDP")})
        of_namespace = {**NAMESPACES[namespace], NAME_LABEL: namespace}
        found.append(PolicyPod(namespace, plan.name, labels, of_namespace, (plan.ip,), named))
    return found


def selector(luck, key, values):
    return luck.choice(
        (
            {},
            {"matchLabels": {key: luck.choice(values)}},
            {"matchExpressions": [{"key": key, "operator": "NotIn", "values": [luck.choice(values)]}]},
            {"matchExpressions": [{"key": key, "operator": luck.choice(("Exists", "DoesNotExist"))}]},
        )
    )


def of_pods(luck):
    return selector(luck, *luck.choice((("app", APPS), ("tier", TIERS))))


def peer(luck):
    how = luck.choice(("pods", "namespaces", "both", "block"))
    if how == "block":
        block = {"cidr": luck.choice(("10.244.0.0/16", "203.0.113.0/24", "0.0.0.0/0"))}
        holes = {"10.244.0.0/16": ["10.244.2.0/24"], "0.0.0.0/0": ["10.244.1.0/24", "203.0.113.2/32"]}.get(
            block["cidr"]
        )
        return {"ipBlock": {**block, "except": holes} if holes and luck.random() < 0.7 else block}
    found = {} if how == "namespaces" else {"podSelector": of_pods(luck)}
    return found if how == "pods" else {**found, "namespaceSelector": selector(luck, "env", ("prod", "test"))}


def port(luck):
    return luck.choice(
        (
            {"port": "http"},
            {"protocol": "UDP", "port": "dns"},
            {"port": 8080},
            {"port": 8000, "endPort": luck.choice((8080, 9090))},
            {"protocol": "UDP"},
        )
    )


def policy(luck, number):
    spec = {"podSelector": of_pods(luck), "policyTypes": luck.choice((["Ingress"], ["Egress"], ["Ingress", "Egress"]))}
    for direction, word in (("Ingress", "from"), ("Egress", "to")):
        if direction in spec["policyTypes"]:
            spec[direction.lower()] = [
                {
                    **({word: [peer(luck) for _ in range(luck.randint(1, 2))]} if luck.random() < 0.8 else {}),
                    **({"ports": [port(luck) for _ in range(luck.randint(1, 2))]} if luck.random() < 0.5 else {}),
                }
                for _ in range(luck.randint(0, 2))
            ]
    return {"metadata": {"namespace": luck.choice(list(NAMESPACES)), "name": f"p{number}"}, "spec": spec}


def cluster_policy(luck, number):
    def end(direction):
        if direction == "egress" and luck.random() < 0.3:
            return {"networks": [luck.choice(("203.0.113.0/24", "10.244.3.0/24"))]}
        if luck.random() < 0.5:
            return {"namespaces": selector(luck, "env", ("prod", "test"))}
        return {"pods": {"namespaceSelector": selector(luck, "env", ("prod", "test")), "podSelector": of_pods(luck)}}

    def protocols():
        some = ({"destinationNamedPort": "http"}, {"tcp": {"destinationPort": {"number": 8080}}}, {"udp": {}})
        wide = {"tcp": {"destinationPort": {"range": {"start": 8000, "end": 9090}}}}
        return {"protocols": [luck.choice((*some, wide))]} if luck.random() < 0.5 else {}

    def rules(direction, word):
        return [
            {"action": luck.choice(("Accept", "Deny", "Pass")), word: [end(direction)], **protocols()}
            for _ in range(luck.randint(0, 2))
        ]

    spec = {"tier": luck.choice(("Admin", "Baseline")), "priority": number, "subject": end("ingress")}
    spec |= {"ingress": rules("ingress", "from"), "egress": rules("egress", "to")}
    return {"metadata": {"name": f"c{number}"}, "spec": spec}


def flows(luck):
    """(sender, protocol, source or "", address, port): pods and the world outside, never a pod and itself."""
    addresses = {plan.name: plan.ip for plan in PODS}
    found = []
    while len(found) < FLOWS:
        sender, to = luck.choice([*addresses, "outside"]), luck.choice([*addresses.values(), "203.0.113.2"])
        _, number, protocol = luck.choice(PORTS)
        source = luck.choice(list(CLIENTS)) if sender == "outside" else ""
        if addresses.get(sender) != to and not (sender == "outside" and to == "203.0.113.2"):
            found.append((sender, protocol, source, to, number))
    return list(dict.fromkeys(found))


def world(luck):
    """(policies, of the cluster, pods, our network, flow → possible answers); some flows may begin, and some not."""
    seen = pods(luck)
    said = [policy(luck, number) for number in range(luck.randint(2, 5))]
    cluster = [cluster_policy(luck, number) for number in range(luck.randint(0, 3))]
    net = build(Plan(NODES, PODS, CLIENTS))
    for here in (*(plan.name for plan in PODS), "outside"):
        for _, number, protocol in PORTS:
            net[here].listening[protocol, "", number] = here
    judge, wanted = Policies(said, cluster, seen), {}
    for flow in flows(luck):
        sender, protocol, source, to, number = flow
        address = source or next(plan.ip for plan in PODS if plan.name == sender)
        allowed = judge.verdict(address, to, number, protocol).allowed
        wanted[flow] = possible(net, flow) if allowed else {(SILENT,)}
    dull = len({answers == {(SILENT,)} for answers in wanted.values()}) == 1
    return world(luck) if dull else (said, cluster, seen, net, wanted)


@pytest.mark.parametrize("turn", range(3))
def test_a_connection_begins_in_the_kernel_exactly_if_our_judge_allows_it(turn):
    print(f"seed {SEED}, turn {turn}")
    said, cluster, seen, net, wanted = world(random.Random(f"{SEED}/{turn}"))
    with Mirror(net) as mirror, Servers(mirror):
        for node in NODES:
            mirror.load(node.name, "nftables", Text(said, cluster, seen).table())
        assert differences(mirror, wanted) == {}, f"seed {SEED}, turn {turn}"
