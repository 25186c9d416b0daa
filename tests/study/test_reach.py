"""A truth table of a small cast, and the tables of all subsets of its policies."""

import pytest

from kubemini.lab.policy.tiers import TIERS
from kubemini.study import reach

POLICIES = reach.read(TIERS)


def test_a_table_has_every_pair_but_oneself_and_is_drawn_with_the_side_that_denies():
    told = reach.table(POLICIES[:1])
    assert len(told) == 30 and told["probe", "web"].rule == "ingress: isolated by shop/deny-all"
    assert reach.drawn(told).splitlines()[1].split() == ["web", "X", "X", "e", "e", "e"]
    assert reach.drawn(told).splitlines()[4].split() == ["probe", "i", "i", "i", ".", "."]


def test_every_subset_says_what_its_own_table_says():
    words, subsets = reach.under_each(POLICIES)
    assert len(subsets) == 32
    for bits in (0, 1, 19, 31):
        chosen = [policy for n, policy in enumerate(POLICIES) if bits >> n & 1]
        halves = [(h.allowed, h.rule) for v in reach.table(chosen).values() for h in (v.egress, v.ingress)]
        assert [words[number] for number in subsets[bits]] == halves


def test_a_pod_without_a_namespace_in_its_policy_is_the_shops_and_what_is_no_policy_is_told():
    bare = {"kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
    assert reach.table([bare])["probe", "web"].rule == "ingress: isolated by shop/p"
    with pytest.raises(ValueError, match="Namespace shop is no policy; give NetworkPolicy or ClusterNetworkPolicy"):
        reach.judge([{"kind": "Namespace", "metadata": {"name": "shop"}}])
