"""A million policy decisions in a cluster of 1,000 pods and 200 policies: each pod asks for each."""

from random import Random

from kubemini.api.objects import Obj
from kubemini.network.decide.policy.judge import Policies
from kubemini.network.decide.policy.places import NAME_LABEL, PolicyPod

PODS, NAMESPACES, APPS, TEAMS = 1000, 20, 10, 5
OF_NAMESPACES, OF_CLUSTER = 180, 20
PORT = 8080


def pods() -> list[PolicyPod]:
    """No two have the same labels, so that no decision is worth remembering for another pod."""
    return [
        PolicyPod(
            f"ns{number % NAMESPACES}",
            f"pod-{number}",
            {"app": f"app{number % APPS}", "tier": "abc"[number % 3], "pod": f"pod-{number}"},
            {"team": f"team{number % TEAMS}", NAME_LABEL: f"ns{number % NAMESPACES}"},
            (f"10.244.{number // 250}.{number % 250 + 2}",),
            frozenset({("http", PORT, "TCP"), ("dns", 53, "UDP")}),
        )
        for number in range(PODS)
    ]


def policies(luck: Random) -> list[Obj]:
    """NetworkPolicies for both directions: selectors, a named port, a range, a block with a hole."""
    return [_policy(number, luck) for number in range(OF_NAMESPACES)]


def _policy(number: int, luck: Random) -> Obj:
    team, tier, app = f"team{luck.randrange(TEAMS)}", luck.choice("abc"), f"app{luck.randrange(APPS)}"
    peers = [{"podSelector": {"matchLabels": {"tier": tier}}}, {"namespaceSelector": {"matchLabels": {"team": team}}}]
    block = {"ipBlock": {"cidr": "10.244.0.0/16", "except": ["10.244.2.0/24"]}}
    return {
        "metadata": {"name": f"policy-{number}", "namespace": f"ns{number % NAMESPACES}"},
        "spec": {
            "podSelector": {"matchLabels": {"app": app}} if number % 3 else {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers, "ports": [{"port": "http"}, {"port": 80, "endPort": 90}]}, {"from": [block]}],
            "egress": [{"to": peers[1:], "ports": [{"port": PORT}]}],
        },
    }


def cluster_policies(luck: Random) -> list[Obj]:
    """ClusterNetworkPolicies in both tiers."""
    return [
        {
            "metadata": {"name": f"cluster-{number}"},
            "spec": {
                "tier": ("Baseline", "Admin")[number % 2],
                "priority": number,
                "subject": {"namespaces": {"matchLabels": {"team": f"team{number % TEAMS}"}}},
                "ingress": [
                    {
                        "action": luck.choice(["Accept", "Deny", "Pass"]),
                        "from": [
                            {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": f"app{app}"}}}}
                            for app in (number % APPS, (number + 1) % APPS)
                        ],
                    }
                ],
            },
        }
        for number in range(OF_CLUSTER)
    ]


def decide_all() -> int:
    """Read the policies and decide for every pair of pods; how many may connect."""
    luck, everybody = Random(1), pods()
    judge = Policies(policies(luck), cluster_policies(luck), everybody)
    addresses = [pod.addresses[0] for pod in everybody]
    return sum(judge.verdict(source, to, PORT).allowed for source in addresses for to in addresses)
