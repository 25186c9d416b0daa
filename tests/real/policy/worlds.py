"""Random policies and the pods that they speak of, by a seed: what may be written in them, often at cross purposes."""

from kubemini.network.decide.policy.places import NAME_LABEL, PolicyPod

APPS, TIERS, NAMESPACES = ("web", "api", "db"), ("front", "back"), {"shop": {"env": "prod"}, "lab": {"env": "test"}}
PORTS = (("http", 8080, "TCP"), ("admin", 9090, "TCP"), ("dns", 53, "UDP"))


def pods(luck, addresses):
    """A pod at each of *addresses*, {name: address}; a name of a port may be another number on another pod."""
    found = []
    for name, address in addresses.items():
        namespace = luck.choice(list(NAMESPACES))
        labels = {"app": luck.choice(APPS)} | ({"tier": luck.choice(TIERS)} if luck.random() < 0.6 else {})
        http = luck.choice((8080, 9090))
        named = frozenset({("http", http, "TCP"), ("dns", 53, "UDP")})
        of_namespace = {**NAMESPACES[namespace], NAME_LABEL: namespace}
        found.append(PolicyPod(namespace, name, labels, of_namespace, (address,), named))
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


def world(luck, addresses):
    """(pods, NetworkPolicies, ClusterNetworkPolicies)."""
    seen = pods(luck, addresses)
    said = [policy(luck, number) for number in range(luck.randint(2, 5))]
    return seen, said, [cluster_policy(luck, number) for number in range(luck.randint(0, 3))]
