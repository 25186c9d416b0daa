"""policy.minimal: the same table with as few NetworkPolicies as can be."""

from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.policy.tables import held, policies_in
from kubemini.lab.policy.tiers import WANTED
from kubemini.study.reach import SHOP

FEWEST = 2  # web alone is called from outside, so one policy for all pods would open api, too


@exercise("policy.minimal")
def check_minimal(answer: Any) -> Report:
    """The wanted table of policy.tiers, from two policies."""
    policies = policies_in(answer)
    strange = [policy["metadata"]["name"] for policy in policies if policy["kind"] != "NetworkPolicy"]
    if strange:
        raise NotYet(f"{strange[0]} is a ClusterNetworkPolicy; use NetworkPolicies alone.")
    next = "Rules add up: one policy may select all pods, and its ports may tell the pods apart."
    facts = held(policies, SHOP, WANTED, next)
    if len(policies) > FEWEST:
        raise NotYet(f"The table is right, with {len(policies)} policies; {FEWEST} are enough.", *facts, next=next)
    return Report("pass", facts, "Fewest is not clearest: two policies decide here what five said plainly.")
