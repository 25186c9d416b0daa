"""Random clusters for the evaluators of kube-network-policies and for our judge: ``python -m tests.real.policy``.

Each cluster has pods (one on its host's network), NetworkPolicies and ClusterNetworkPolicies; of every packet both
sides must say the same of egress and of ingress. The seed is printed; ``--first n --worlds 1`` asks one again.
"""

import argparse
import json
import random
import subprocess
import sys

from kubemini.apiserver.kinds import networkpolicy
from kubemini.network.decide.policy.judge import Policies
from kubemini.network.decide.policy.places import PolicyNode
from tests.oracles.build import Missing, program
from tests.real.policy.worlds import NAMESPACES, PORTS, world

ADDRESSES = {f"p{n}": f"10.244.{n % 2 + 1}.1{n}" for n in range(8)}
NODES = ("192.168.0.11", "192.168.0.12")
OUTSIDE = ("203.0.113.2", "203.0.113.7", "10.0.0.9", *NODES)
PROTOCOLS = ("TCP", "UDP", "SCTP")
PACKETS, SHOWN = 60, 4
PATIENCE = 600  # seconds: the machine may be busy


def cluster(seed, number):
    """(what the evaluators are told, our judge) of a world."""
    luck = random.Random(f"{seed}/{number}")
    pods, policies, of_cluster = world(luck, ADDRESSES)
    hosted = {
        "metadata": {"name": "hosted", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"hostNetwork": True},
    }
    told = {
        "pods": [*map(_pod, pods), hosted | {"status": {"podIP": NODES[0]}}],
        "namespaces": [{"metadata": {"name": name, "labels": _labels(pods, name)}} for name in NAMESPACES],
        "nodes": [
            {"metadata": {"name": n}, "status": {"addresses": [{"type": "InternalIP", "address": n}]}} for n in NODES
        ],
        "policies": [_stored(policy) for policy in policies],
        "cluster": of_cluster,
        "packets": [_packet(luck) for _ in range(PACKETS)],
    }
    return told, Policies(policies, of_cluster, pods, [PolicyNode({}, NODES)])


def _stored(policy):
    """As the API server stores it: with defaults, and without empty lists, which the evaluators take for "all"."""
    spec = {word: said for word, said in networkpolicy.defaults(policy)["spec"].items() if said != []}
    return {**policy, "spec": spec}


def _pod(pod):
    ports = [
        {"name": name, "containerPort": number, "protocol": protocol} for name, number, protocol in sorted(pod.ports)
    ]
    meta = {"name": pod.name, "namespace": pod.namespace, "labels": pod.labels}
    return {"metadata": meta, "spec": {"containers": [{"ports": ports}]}, "status": {"podIP": pod.addresses[0]}}


def _labels(pods, namespace):
    return next((pod.namespace_labels for pod in pods if pod.namespace == namespace), NAMESPACES[namespace])


def _packet(luck):
    ends = [*ADDRESSES.values(), *ADDRESSES.values(), *OUTSIDE]
    source, destination = luck.sample(list(dict.fromkeys(ends)), 2)
    return [source, destination, luck.choice([*(number for _, number, _ in PORTS), 8000, 8079]), luck.choice(PROTOCOLS)]


def main(arguments):
    """Ask about the worlds; 1 if one differs, or it could not be asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.policy")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="makes the worlds")
    parser.add_argument("--worlds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    asked = parser.parse_args(arguments)
    try:
        judge = program("policies")
    except Missing as why:
        print(why, file=sys.stderr)
        return 1
    print(f"seed {asked.seed}: {asked.worlds} worlds", flush=True)
    numbers = range(asked.first, asked.first + asked.worlds)
    made = [cluster(asked.seed, number) for number in numbers]
    lines = "".join(json.dumps(told) + "\n" for told, _ in made)
    done = subprocess.run([judge], input=lines, capture_output=True, text=True, check=True, timeout=PATIENCE)
    answers = map(json.loads, done.stdout.splitlines())
    differing = [
        n for n, (told, ours), real in zip(numbers, made, answers, strict=True) if differs(n, told, ours, real)
    ]
    for number in differing:
        print(f"again: python -m tests.real.policy --seed {asked.seed} --first {number} --worlds 1")
    packets = sum(len(told["packets"]) for told, _ in made)
    print(f"{packets} packets for the real evaluators and for ours; {len(differing)} of {len(made)} worlds differ")
    return 1 if differing else 0


def differs(number, told, ours, real):
    """Say of which packets ours thinks otherwise; whether there are any."""
    found = []
    for packet, sides in zip(told["packets"], real, strict=True):
        said = ours.both_sides(*packet)
        if [said.egress.allowed, said.ingress.allowed] != sides:
            found.append(f"  {packet}: the real one says {sides}, ours {said.egress} {said.ingress}")
    if found:
        print(f"world {number}:", *found[:SHOWN], sep="\n", flush=True)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
