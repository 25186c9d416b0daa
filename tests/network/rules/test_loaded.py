"""The real tools load our rules as they are and show them the same: in a network namespace that ends with them."""

import subprocess
from pathlib import Path

import pytest

from kubemini.network.decide.rules import saved, table
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.decide.services.ports import IPV4, IPV6
from tests.conftest import SBIN
from tests.oracles.network import rules
from tests.real.kubeproxy import worlds
from tests.real.kubeproxy.listing import listed, saved_lines

WORLD = Path(rules.__file__).parent / "kube-proxy"
ACCOUNTS = ("ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts")
OPTIONS = (
    {},
    {"masquerade_all": True},
    {"detect_local": None},
    {"detect_local": "BridgeInterface"},
    {"node_port_addresses": ("primary",)},
    {"node_port_addresses": ("0.0.0.0/0",)},
    {"node_port_addresses": ("primary", "localhost")},
)


def in_a_namespace(script, text):
    """What a shell script says, in a network namespace of its own, with *text* on its standard input."""
    command = ["unshare", "--net", "sh", "-ec", script]
    done = subprocess.run(command, input=text, capture_output=True, text=True, env={"PATH": SBIN})
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout


@pytest.fixture(scope="module")
def world():
    node, posted = rules.world(WORLD)
    return node, [plan for service, slices in posted for plan in plans(service, slices, node)]


@pytest.mark.needs("namespaces", "iptables", "nfacct")
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_iptables_loads_every_rule_and_shows_it_as_we_wrote_it(world, options):
    node, planned = world
    chains = saved.written(planned, ProxyConfig(**options), node)
    accounts = "".join(f"nfacct add {name};" for name in ACCOUNTS)
    script = (
        f"{accounts} cat > rules; iptables-nft-restore --test < rules; iptables-nft-restore < rules; iptables-nft-save"
    )
    shown = in_a_namespace(f"cd $(mktemp -d); {script}", saved.loadable(chains))
    assert sorted(saved_lines(shown)) == sorted(saved.listed(chains))


@pytest.mark.needs("namespaces", "nft")
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_nft_loads_the_table_and_shows_it_as_we_wrote_it(world, options):
    node, planned = world
    out = table.written(planned, ProxyConfig("nftables", **options), node)
    shown = in_a_namespace(
        "cd $(mktemp -d); cat > rules; nft -c -f rules; nft -f rules; nft list ruleset", table.loadable(out)
    )
    assert by_name(listed(shown)) == by_name(table.objects(out))


@pytest.fixture(scope="module")
def both():
    """The plans of a random cluster, by family."""
    posted = [one for number in (0, 1) for one in worlds.world(1, number).services.values()]
    return {of: [plan for one, its in posted for plan in plans(one, its, worlds.HERE, of)] for of in (IPV4, IPV6)}


@pytest.mark.needs("namespaces", "iptables", "nfacct")
@pytest.mark.parametrize("of_family,six", [(IPV4, ""), (IPV6, "6")])
def test_each_family_has_its_own_tool_of_iptables(both, of_family, six):
    config = ProxyConfig(cluster_cidr=worlds.CLUSTER_CIDR)
    chains = saved.written(both[of_family], config, worlds.HERE, of_family)
    accounts = "".join(f"nfacct add {name};" for name in ACCOUNTS)
    script = f"{accounts} ip{six}tables-nft-restore; ip{six}tables-nft-save"
    assert sorted(saved_lines(in_a_namespace(script, saved.loadable(chains)))) == sorted(saved.listed(chains))


@pytest.mark.needs("namespaces", "nft")
@pytest.mark.parametrize("of_family", [IPV4, IPV6])
def test_each_family_has_a_table_of_its_own(both, of_family):
    config = ProxyConfig("nftables", cluster_cidr=worlds.CLUSTER_CIDR, service_cidrs=worlds.SERVICE_CIDRS)
    out = table.written(both[of_family], config, worlds.HERE, of_family)
    shown = in_a_namespace("nft -f -; nft list ruleset", table.loadable(out, of_family))
    assert len(out.chains) > 30 and by_name(listed(shown)) == by_name(table.objects(out))


def by_name(objects):
    """Objects in an order of their own: of sets' elements none counts."""
    return sorted(objects, key=lambda o: (o["kind"], o.get("name") or o["of"], o["lines"]))


def test_a_text_that_a_tool_refuses_fails():
    with pytest.raises(AssertionError):
        in_a_namespace("cat > /dev/null; false", "")
