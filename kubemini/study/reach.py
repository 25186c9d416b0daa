"""Who may connect to whom under which policies: every pair of a small cast, each with the rule that decided.

A cast is a list of `End`: pods, a node, somebody outside. `table` is the truth table of one set of policies;
`under_each` is that of every subset, for a reader who switches policies on and off.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from kubemini.api.manifests import load
from kubemini.api.objects import Obj
from kubemini.network.decide.policy.judge import Policies, PolicyVerdict
from kubemini.network.decide.policy.places import NAME_LABEL, PolicyNode, PolicyPod

KINDS = ("NetworkPolicy", "ClusterNetworkPolicy")


@dataclass(frozen=True, slots=True)
class End:
    """One of the cast: where it is, and the port at which others call it; 0: nobody calls it."""

    name: str
    address: str
    port: int = 0
    protocol: str = "TCP"
    pod: PolicyPod | None = None


def pod(
    namespace: str, name: str, address: str, port: int, port_name: str, protocol: str = "TCP", **labels: str
) -> End:
    """A pod of *namespace*, whose only label is its name; it serves one named port."""
    of_namespace = {NAME_LABEL: namespace, "env": "test" if namespace == "test" else "prod"}
    named = frozenset({(port_name, port, protocol)})
    seen = PolicyPod(namespace, name, labels or {"app": name}, of_namespace, (address,), named)
    return End(name, address, port, protocol, seen)


NODE, OUTSIDE = End("node", "192.168.0.101"), End("outside", "203.0.113.7", 443)
SHOP = (
    pod("shop", "web", "10.244.1.2", 8080, "http"),
    pod("shop", "api", "10.244.2.2", 8080, "http"),
    pod("shop", "db", "10.244.1.3", 5432, "sql"),
    pod("test", "probe", "10.244.2.3", 8080, "http", app="web"),
    pod("kube-system", "dns", "10.244.2.4", 53, "dns", "UDP", **{"k8s-app": "kube-dns"}),
    OUTSIDE,
)


def judge(policies: Iterable[Obj], cast: Sequence[End] = SHOP) -> Policies:
    """The judge of *cast* under *policies*, of both kinds; a NetworkPolicy without a namespace is in ``shop``."""
    found: dict[str, list[Obj]] = {kind: [] for kind in KINDS}
    for policy in policies:
        if policy["kind"] not in KINDS:
            raise ValueError(f"{policy['kind']} {policy['metadata']['name']} is no policy; give {' or '.join(KINDS)}")
        meta = {"namespace": "shop", **policy["metadata"]}
        found[policy["kind"]].append({**policy, "metadata": meta})
    nodes = [PolicyNode({}, (NODE.address,))]
    return Policies(found[KINDS[0]], found[KINDS[1]], [end.pod for end in cast if end.pod], nodes)


def read(text: str) -> list[Obj]:
    """The policies in *text*. Raises ManifestError."""
    return [obj for obj in load(text, "policies") if obj["kind"] in KINDS]


def table(policies: Iterable[Obj], cast: Sequence[End] = SHOP) -> dict[tuple[str, str], PolicyVerdict]:
    """(from, to) → what both sides say, for everybody and each of the others that somebody calls."""
    judged = judge(policies, cast)
    return {
        (source.name, to.name): judged.verdict(source.address, to.address, to.port, to.protocol)
        for source, to in product(cast, cast)
        if to.port and source != to
    }


def drawn(verdicts: Mapping[tuple[str, str], PolicyVerdict], cast: Sequence[End] = SHOP) -> str:
    """The table as text: ``.`` allowed, ``e`` egress denied, ``i`` ingress denied, ``X`` both."""
    columns = [end.name for end in cast if end.port]
    wide = max(len(end.name) for end in cast) + 1
    lines = [" " * wide + " ".join(f"{name:^{wide}}" for name in columns)]
    for end in cast:
        marks = [mark(verdicts[end.name, name]) if end.name != name else " " for name in columns]
        lines.append(f"{end.name:<{wide}}" + " ".join(f"{m:^{wide}}" for m in marks))
    return "\n".join(line.rstrip() for line in lines)


def mark(verdict: PolicyVerdict) -> str:
    """One verdict in a letter."""
    sides = (verdict.egress.allowed, verdict.ingress.allowed)
    return {(True, True): ".", (False, True): "e", (True, False): "i", (False, False): "X"}[sides]


def under_each(policies: Sequence[Obj], cast: Sequence[End] = SHOP) -> tuple[list[tuple[bool, str]], list[list[int]]]:
    """What is said, and for each subset of *policies* (bit n: the n-th) the numbers of what is said, pair by pair.

    The pairs go row by row, as in `table`; each has two numbers, egress and ingress.
    """
    words: dict[tuple[bool, str], int] = {}
    rows = []
    for bits in range(1 << len(policies)):
        chosen = [policy for number, policy in enumerate(policies) if bits >> number & 1]
        halves = [half for verdict in table(chosen, cast).values() for half in (verdict.egress, verdict.ingress)]
        rows.append([words.setdefault((half.allowed, half.rule), len(words)) for half in halves])
    return list(words), rows
