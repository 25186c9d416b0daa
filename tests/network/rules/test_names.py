"""Chains are called as kube-proxy calls them."""

import json
from pathlib import Path

import pytest

from kubemini.network.decide.rules import names

TABLE = json.loads((Path(__file__).parents[2] / "oracles/network/kubeproxy_flows.json").read_text())


@pytest.mark.parametrize(
    "row", TABLE["chain_names"]["iptables"], ids=lambda r: r["servicePort"] + r.get("endpoint", "")
)
def test_chains_of_iptables_have_kube_proxy_s_names(row):
    found = [names.chain(kind, row["servicePort"], row["proto"]) for kind in (names.SVC, names.SVL)]
    if "endpoint" in row:
        assert names.chain(names.SEP, row["servicePort"], row["proto"], row["endpoint"]) == row["sep"]
    else:
        assert found == [row["svc"], row["svc"].replace("SVC", "SVL")]


def test_a_name_in_nftables_begins_with_the_hash_of_the_rest():
    assert names.base("default", "web", "TCP", "") == "PFISGYVC-default/web/tcp/"
    whole = names.base("default", "sticky", "TCP", "", "10.244.1.11:8080")
    assert whole == "ULCOWIUC-default/sticky/tcp/__10.244.1.11/8080"


def test_an_address_of_ipv6_has_dots_in_a_name_of_nftables_which_allows_no_colon():
    assert names.base("ns", "s", "udp", "p", "[fd00::1]:53").endswith("-ns/s/udp/p__fd00..1/53")


def test_a_name_that_is_too_long_is_cut_and_still_its_own():
    long, longer = (names.base("n" * 63, "s" * 63, "tcp", "p" * 63, f"[{'1:' * 24}{end}]:8080") for end in (1, 2))
    assert len(long) == len(longer) == names.LONGEST and long != longer and long.endswith("...")
