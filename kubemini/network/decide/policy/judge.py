"""May a connection begin? Every policy of the cluster, read once, and asked for each new connection. Pure.

Theory of operation. Two sides judge: egress of the pod it comes from, ingress of the pod it goes to; both must allow,
and neither knows of the other. Each side asks tier by tier and stops at the first that decides:

    Admin           ClusterNetworkPolicies by priority, then by name; rules in their order. The first rule that matches
                    decides: Accept, Deny, or Pass: on to the next tier, past all further Admin rules
    NetworkPolicy   if one of this direction selects the pod, it is isolated: allowed is what any rule of any of them
                    allows (a union: no order, no deny), and nothing else
    Baseline        as Admin, but only for a pod that no NetworkPolicy selects, not even one of the other direction
    (none)          allowed

What a pod has to ask (`Tiers`) depends on its namespace and labels alone, so it is put together once for all pods that
are alike; whom a rule finds at an address, the rule remembers. So a decision is a walk along a few short tuples.

Invariant: a verdict names the rule that decided on each side; whoever is no pod is not judged.
Models kubernetes-sigs/kube-network-policies pkg/networkpolicy EvaluatePacket EvaluatePolicyDirection
getNetworkPoliciesForPod; plugins/npa-v1alpha2 getPoliciesForPod
kubernetes.io "Network Policies"; network-policy-api 0.3.0 (v1beta1).
Simplified: replies and ICMP errors belong to their connection; `PolicyVerdict` is of the packet that begins it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubemini.api.objects import Obj, get
from kubemini.network.decide.policy import matching
from kubemini.network.decide.policy.matching import Half, PolicyRule
from kubemini.network.decide.policy.places import PolicyNode, PolicyPod

NO_POD = Half(True, "not a pod: no policy")
NOT_ISOLATED = Half(True, "not isolated")
OTHER_DIRECTION = Half(True, "a NetworkPolicy of the other direction selects the pod: no Baseline")
ITSELF = Half(True, "a pod always reaches itself")
ROOTS = Half(True, "sent by a root program of this node: nobody judges it here")
INGRESS, EGRESS = "Ingress", "Egress"
PEERS = {INGRESS: "from", EGRESS: "to"}
ALLOWS = {"Accept": True, "Deny": False}  # Pass is neither


@dataclass(frozen=True, slots=True)
class PolicyVerdict:
    """What both sides say of a new connection."""

    egress: Half
    ingress: Half

    @property
    def allowed(self) -> bool:
        """Whether it may begin."""
        return self.egress.allowed and self.ingress.allowed

    @property
    def fate(self) -> str:
        """``allow`` or ``deny``."""
        return "allow" if self.allowed else "deny"

    @property
    def rule(self) -> str:
        """Which rule decided: of a denial, who denied first; else both sides."""
        if not self.egress.allowed:
            return f"egress: {self.egress.rule}"
        if not self.ingress.allowed:
            return f"ingress: {self.ingress.rule}"
        return f"egress: {self.egress.rule}; ingress: {self.ingress.rule}"


@dataclass(frozen=True, slots=True)
class Tiers:
    """All that one direction of one pod has to ask, in order; *isolated* is what is said if no rule allows."""

    admin: tuple[PolicyRule, ...]
    allowing: tuple[PolicyRule, ...]
    isolated: Half | None
    baseline: tuple[PolicyRule, ...]
    otherwise: Half


class Policies:
    """The policies of a cluster, and the pods and nodes they speak of.

    *by_direction* is how some other implementations understand the Baseline tier: a NetworkPolicy of the other
    direction does not keep a pod out of it.
    """

    def __init__(
        self,
        policies: Iterable[Obj] = (),
        cluster_policies: Iterable[Obj] = (),
        pods: Iterable[PolicyPod] = (),
        nodes: Iterable[PolicyNode] = (),
        by_direction: bool = False,
    ):
        self.by_direction = by_direction
        self._at = {address: pod for pod in pods for address in pod.addresses}
        by_name = sorted(policies, key=lambda p: (p["metadata"]["namespace"], p["metadata"]["name"]))
        self._policies: dict[str, list[_Policy]] = {}
        for policy in by_name:
            self._policies.setdefault(policy["metadata"]["namespace"], []).append(_Policy(policy))
        nodes = list(nodes)
        in_order = sorted(cluster_policies, key=lambda p: (p["spec"]["priority"], p["metadata"]["name"]))
        self._cluster = [_ClusterPolicy(policy, nodes) for policy in in_order]
        self._tiers: dict[tuple[str, str], Tiers] = {}
        self._alike: dict[tuple[str, str, frozenset[tuple[str, str]]], Tiers] = {}

    def __bool__(self) -> bool:
        """Whether there is any policy at all."""
        return bool(self._policies or self._cluster)

    def pod_at(self, address: str) -> PolicyPod | None:
        """The pod that has *address* for its own."""
        return self._at.get(address)

    def verdict(
        self, source: str, destination: str, port: int, protocol: str = "TCP", roots: bool = False
    ) -> PolicyVerdict:
        """Whether a connection from address to address and port may begin. A pod is never kept from itself.

        *roots*: a program of root on the very node that judges has sent it, a kubelet's probe for one: the node to its
        own pods is always allowed (``meta skuid 0 accept``). Other nodes judge it as anybody's.
        """
        if roots:
            return PolicyVerdict(ROOTS, ROOTS)
        if source == destination and source in self._at:
            return PolicyVerdict(ITSELF, ITSELF)
        return self.both_sides(source, destination, port, protocol)

    def both_sides(self, source: str, destination: str, port: int, protocol: str = "TCP") -> PolicyVerdict:
        """The same by the policies alone, even of a pod and itself."""
        sender, receiver = self._at.get(source), self._at.get(destination)
        return PolicyVerdict(
            NO_POD
            if sender is None
            else _ask(self._of(EGRESS, source, sender), destination, receiver, port, protocol, receiver),
            NO_POD
            if receiver is None
            else _ask(self._of(INGRESS, destination, receiver), source, sender, port, protocol, receiver),
        )

    def _of(self, direction: str, address: str, pod: PolicyPod) -> Tiers:
        """What *pod* has to ask; pods with the same labels in the same namespace ask the same."""
        found = self._tiers.get((direction, address))
        if found is None:
            alike = (direction, pod.namespace, frozenset(pod.labels.items()))
            found = self._alike.get(alike)
            if found is None:
                found = self._alike[alike] = self._read(direction, pod)
            self._tiers[direction, address] = found
        return found

    def _read(self, direction: str, pod: PolicyPod) -> Tiers:
        mine = [p for p in self._policies.get(pod.namespace, ()) if p.selects(pod.labels)]
        here = [p for p in mine if direction in p.rules]
        cluster = [p for p in self._cluster if p.selects("", pod)]
        skips = bool(here if self.by_direction else mine)
        return Tiers(
            admin=_of_tier(cluster, "Admin", direction),
            allowing=tuple(rule for policy in here for rule in policy.rules[direction]),
            isolated=Half(False, f"isolated by {', '.join(p.name for p in here)}") if here else None,
            baseline=() if skips else _of_tier(cluster, "Baseline", direction),
            otherwise=OTHER_DIRECTION if self._cluster and mine and skips and not here else NOT_ISOLATED,
        )


def survives(half: Half, strict: bool) -> bool:
    """Whether a connection that is established goes on where *half* is what one side says of it now.

    *strict*: the data plane reads its table of connections after a change and judges those again. Otherwise it never
    looks at a packet of an established connection.
    Models kubernetes-sigs/kube-network-policies pkg/dataplane firewallEnforcer
    """
    return half.allowed or not strict


class _Policy:
    """A NetworkPolicy, read."""

    def __init__(self, policy: Obj):
        meta, spec = policy["metadata"], policy.get("spec") or {}
        self.name = f"{meta['namespace']}/{meta['name']}"
        self.selects = matching.selector(spec.get("podSelector") or {})
        self.rules = {
            direction: tuple(
                PolicyRule(
                    Half(True, f"{self.name} {direction.lower()}[{number}]"),
                    matching.peers(rule.get(PEERS[direction]), meta["namespace"]),
                    matching.ports(rule.get("ports")),
                )
                for number, rule in enumerate(spec.get(direction.lower()) or ())
            )
            for direction in directions(spec)
        }


def directions(spec: Obj) -> tuple[str, ...]:
    """``policyTypes`` of a NetworkPolicy, or what is meant without: Ingress, and Egress if there are rules for it.

    Models k/k pkg/apis/networking/v1 SetDefaults_NetworkPolicy
    """
    if spec.get("policyTypes"):
        return tuple(spec["policyTypes"])
    return (INGRESS, EGRESS) if spec.get("egress") else (INGRESS,)


class _ClusterPolicy:
    """A ClusterNetworkPolicy, read."""

    def __init__(self, policy: Obj, nodes: Sequence[PolicyNode]):
        spec, name = policy["spec"], policy["metadata"]["name"]
        self.tier = spec["tier"]
        self.selects = matching.subject(get(spec, "subject", default=None) or {})
        self.rules = {
            direction: tuple(
                PolicyRule(
                    _said(rule["action"], f"{name} {direction.lower()}[{number}]"),
                    matching.cluster_peers(rule.get(PEERS[direction]), nodes),
                    matching.protocols(rule.get("protocols")),
                )
                for number, rule in enumerate(spec.get(direction.lower()) or ())
            )
            for direction in (INGRESS, EGRESS)
        }


def _said(action: str, name: str) -> Half | None:
    return Half(ALLOWS[action], name) if action in ALLOWS else None


def _of_tier(policies: Iterable[_ClusterPolicy], tier: str, direction: str) -> tuple[PolicyRule, ...]:
    return tuple(rule for policy in policies if policy.tier == tier for rule in policy.rules[direction])


def _ask(
    tiers: Tiers, other: str, pod: PolicyPod | None, port: int, protocol: str, destination: PolicyPod | None
) -> Half:
    """What one side says: *other* is the address at the far end, where *pod* is."""
    for rule in tiers.admin:
        if rule.match(other, pod, port, protocol, destination):
            if rule.half is not None:
                return rule.half
            break
    if tiers.isolated is not None:
        for rule in tiers.allowing:
            if rule.match(other, pod, port, protocol, destination):
                assert rule.half is not None, "a rule of a NetworkPolicy only allows"
                return rule.half
        return tiers.isolated
    for rule in tiers.baseline:
        if rule.match(other, pod, port, protocol, destination):
            return rule.half or tiers.otherwise
    return tiers.otherwise
