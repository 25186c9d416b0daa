"""policy.allowed: the learner's own judge of NetworkPolicies, held against 500 generated cases."""

from typing import Any

from kubemini.api.objects import Obj
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.network.decide.policy.judge import Policies
from kubemini.network.decide.policy.places import PolicyPod
from kubemini.sim.chance import Draws

CASES = 500
NAMESPACES = {"shop": {"env": "prod"}, "data": {"env": "prod"}, "lab": {"env": "test"}}
OFTEN = ("shop", "shop", "data", "lab")
APPS, PORTS = ("web", "api", "db"), (80, 443, 5432, 8080)


class Luck:
    """Choices from one endless list of draws."""

    def __init__(self, name: str):
        self.draws, self.drawn = Draws(18, name), 0

    def of(self, choices: Any) -> Any:
        """One of *choices*."""
        self.drawn += 1
        return choices[self.draws.u(self.drawn) % len(choices)]


def case(number: int) -> tuple[list[Obj], Obj, Obj, int]:
    """(policies, source, destination, port): what the learner's function is asked."""
    luck = Luck(f"allowed/{number}")
    policies = [_policy(luck, n) for n in range(luck.of((0, 1, 1, 2, 2, 3)))]
    return policies, _end(luck, 2), _end(luck, 3), luck.of(PORTS)


def _end(luck: Luck, last: int) -> Obj:
    namespace = luck.of(OFTEN)
    address = f"10.244.{luck.of((1, 2))}.{last}"
    labels = {"app": luck.of(APPS)}
    return {"namespace": namespace, "namespaceLabels": NAMESPACES[namespace], "labels": labels, "ip": address}


def _policy(luck: Luck, number: int) -> Obj:
    types = luck.of((["Ingress"], ["Egress"], ["Ingress", "Egress"]))
    spec: dict[str, Any] = {"podSelector": _selector(luck, "app", APPS), "policyTypes": types}
    for direction, word in (("Ingress", "from"), ("Egress", "to")):
        if direction in types:
            spec[direction.lower()] = [_rule(luck, word) for _ in range(luck.of((0, 1, 1, 2)))]
    return {"metadata": {"name": f"p{number}", "namespace": luck.of(OFTEN)}, "spec": spec}


def _rule(luck: Luck, word: str) -> Obj:
    rule: dict[str, Any] = {}
    if luck.of((True, True, True, False)):
        rule[word] = [_peer(luck) for _ in range(luck.of((1, 1, 2)))]
    if luck.of((True, False)):
        low = luck.of(PORTS)
        rule["ports"] = [{"port": low, **({"endPort": low + luck.of((0, 400))} if luck.of((True, False)) else {})}]
    return rule


def _peer(luck: Luck) -> Obj:
    how = luck.of(("pods", "namespaces", "both", "block"))
    if how == "block":
        return {"ipBlock": {"cidr": "10.244.0.0/16", "except": luck.of(([], ["10.244.2.0/24"]))}}
    peer = {}
    if how != "namespaces":
        peer["podSelector"] = _selector(luck, "app", APPS)
    if how != "pods":
        peer["namespaceSelector"] = _selector(luck, "env", ("prod", "test"))
    return peer


def _selector(luck: Luck, key: str, values: tuple[str, ...]) -> Obj:
    return {"matchLabels": {key: luck.of(values)}} if luck.of((True, True, False)) else {}


def truth(policies: list[Obj], source: Obj, destination: Obj, port: int) -> tuple[bool, str]:
    """What the book's judge says, and its rule."""
    pods = [
        PolicyPod(end["namespace"], name, end["labels"], end["namespaceLabels"], (end["ip"],))
        for name, end in (("source", source), ("destination", destination))
    ]
    said = Policies(policies, (), pods).verdict(source["ip"], destination["ip"], port)
    return said.allowed, said.rule


@exercise("policy.allowed")
def check_allowed(answer: Any) -> Report:
    """``allowed(policies, src, dst, port)`` must say what the judge says."""
    yes = 0
    for number in range(CASES):
        asked = case(number)
        right, rule = truth(*asked)
        got = ask(answer, *asked)
        if not isinstance(got, bool):
            raise NotYet(f"allowed(…) returns True or False; it returned {got!r}.")
        if got != right:
            policies, source, destination, port = asked
            raise NotYet(
                f"Case {number}: {_end_told(source)} → {_end_told(destination)}:{port} is "
                f"{'allowed' if right else 'denied'} ({rule}), and yours says {got}.",
                *(str(policy["metadata"]["namespace"]) + ": " + str(policy["spec"]) for policy in policies),
                next=f"{number} cases were right. Look at one policy after the other, and at each direction.",
            )
        yes += right
    return Report(
        "pass", (f"{CASES} cases, {yes} of them allowed",), "Two directions, each a union: that is all of it."
    )


def _end_told(end: Obj) -> str:
    return f"{end['namespace']}/{end['labels']['app']} ({end['ip']})"
