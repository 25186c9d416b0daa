"""Changes: only what changed is written, and then the kernel holds what a full write would put there."""

import subprocess
from collections import Counter

import pytest

from kubemini.network.decide.rules import saved, table
from kubemini.network.decide.rules.iptables_sync import CANARY, OWN, IptablesRules
from kubemini.network.decide.rules.nftables_sync import NftablesRules
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import ProxyConfig
from tests.conftest import SBIN
from tests.network.rules.parts import HERE, THREE, endpoints, service
from tests.network.rules.test_loaded import ACCOUNTS, by_name
from tests.real.kubeproxy import worlds
from tests.real.kubeproxy.listing import listed, saved_lines
from tests.real.kubeproxy.twin import differences

CONFIGS = {mode: ProxyConfig(mode) for mode in ("iptables", "nftables")}
WEB, API = (f"default/{name}" for name in ("web", "api"))


def planned(*slices, name="web", **spec):
    ip = {"web": "10.96.0.7", "api": "10.96.0.8"}[name]
    return plans(service(name, **{"clusterIP": ip, **spec}), slices, HERE)


def of_world(world):
    """The plans of all Services of a world."""
    return {f"{space}/{name}": plans(one, its, HERE) for (space, name), (one, its) in world.services.items()}


def changed(before, now):
    """The plans of those Services that are other than before."""
    return {key: now.get(key, []) for key in {**before, **now} if before.get(key) != now.get(key)}


def states(seed, many=4):
    """The plans of a cluster, then of the same after a change, and so on."""
    world = worlds.world(seed, 0)
    yield of_world(world)
    for _ in range(many):
        worlds.change(world)
        yield of_world(world)


# -- only what changed -------------------------------------------------------------------------------------
def test_iptables_rewrites_the_chains_of_a_changed_service_and_only_the_shared_lines_of_others():
    kernel = IptablesRules(CONFIGS["iptables"], HERE)
    kernel.sync({WEB: planned(endpoints(*THREE)), API: planned(endpoints(*THREE), name="api")})
    text = kernel.sync({WEB: planned(endpoints(*THREE[:2]))})
    own = [line for line in text.splitlines() if "default/api" in line]
    assert [line.split()[1] for line in own] == ["KUBE-SERVICES"]
    assert sum(line.startswith("-X KUBE-SEP-") for line in text.splitlines()) == 1


def test_nftables_names_nothing_of_a_service_that_did_not_change():
    kernel = NftablesRules(CONFIGS["nftables"], HERE)
    kernel.sync({WEB: planned(endpoints(*THREE)), API: planned(endpoints(*THREE), name="api")})
    text = kernel.sync({WEB: planned(endpoints(*THREE[:2]))})
    assert "web" in text and "api" not in text and "10.96.0.8" not in text
    assert kernel.sync({}) == ""


def test_an_element_that_two_services_have_stays_until_both_are_gone():
    kernel, hairpin = NftablesRules(CONFIGS["nftables"], HERE), "10.244.1.9 . 10.244.1.9 . tcp . 8080"
    kernel.sync({WEB: planned(endpoints("10.244.1.9")), API: planned(endpoints("10.244.1.9"), name="api")})
    assert hairpin not in kernel.sync({WEB: []})
    assert f"delete element ip kube-proxy hairpin-connections {{ {hairpin} }}" in kernel.sync({API: []})


def test_a_chain_of_nftables_is_emptied_at_once_and_deleted_with_the_next_change():
    kernel = NftablesRules(CONFIGS["nftables"], HERE)
    kernel.sync({WEB: planned(endpoints(*THREE))})
    first, second = kernel.sync({WEB: []}), kernel.sync({API: planned(name="api")})
    assert "flush chain ip kube-proxy service-" in first and "delete chain" not in first
    assert second.startswith("delete chain ip kube-proxy service-")


def test_in_a_large_cluster_stale_chains_wait_for_a_sweep_and_old_rules_keep_their_comments():
    kernel = IptablesRules(CONFIGS["iptables"], HERE)
    kernel.sync({WEB: planned(endpoints(*THREE))})
    many = planned(endpoints(*(f"10.245.{n // 250}.{n % 250}" for n in range(1001))), name="api")
    kernel.sync({API: many})
    commented = Counter("-> " in line for lines in kernel.chains().values() for line in lines if " KUBE-SEP-" in line)
    assert commented[True] == 3 and commented[False] > 1000
    assert "-X" not in kernel.sync({WEB: []})
    assert kernel.sync({}, sweep=True).count("-X KUBE-") == 4


def in_order(chains):
    """Chains with their rules; those of shared ones in an order of their own, for Services come in any."""
    return {key: lines if key.startswith(OWN) else sorted(lines) for key, lines in chains.items()}


# -- after any change --------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(8))
def test_after_any_changes_what_stands_there_is_what_a_full_write_would_put_there(seed):
    kernels = IptablesRules(CONFIGS["iptables"], HERE), NftablesRules(CONFIGS["nftables"], HERE)
    before = {}
    for now in states(seed):
        for kernel in kernels:
            kernel.sync(changed(before, now))
        before, whole = now, [plan for of in now.values() for plan in of]
        full = saved.written(whole, CONFIGS["iptables"], HERE)
        assert in_order(kernels[0].chains()) == in_order(
            {key: full[key] for key in full if " KUBE-" in key and CANARY not in key}
        )
        full = table.written(whole, CONFIGS["nftables"], HERE)
        assert by_name(table.objects(kernels[1].written())) == by_name(table.objects(full))


@pytest.mark.needs("namespaces", "iptables", "nfacct")
def test_iptables_restore_takes_every_change_and_holds_what_a_full_write_would_put_there():
    kernel, full = IptablesRules(CONFIGS["iptables"], HERE), ""
    texts = [saved.loadable(saved.written([], CONFIGS["iptables"], HERE))]
    before = {}
    for now in states(1):
        texts.append(kernel.sync(changed(before, now)))
        before, whole = now, [plan for of in now.values() for plan in of]
        full = saved.listed(saved.written(whole, CONFIGS["iptables"], HERE))
    with Namespace() as inside:
        for name in ACCOUNTS:
            inside("nfacct", "add", name)
        for text in texts:
            inside("iptables-nft-restore", "--noflush", text=text)
        assert differences("iptables", saved_lines(inside("iptables-nft-save")), full) == []


@pytest.mark.needs("namespaces", "nft")
def test_nft_takes_every_change_and_holds_what_a_full_write_would_put_there():
    kernel = NftablesRules(CONFIGS["nftables"], HERE)
    texts = [table.loadable(table.written([], CONFIGS["nftables"], HERE))]
    before = {}
    for now in states(1):
        texts.append(kernel.sync(changed(before, now)))
        before = now
    full = table.objects(table.written([plan for of in before.values() for plan in of], CONFIGS["nftables"], HERE))
    with Namespace() as inside:
        for text in texts:
            inside("nft", "-f", "-", text=text)
        assert differences("nftables", listed(inside("nft", "list", "ruleset")), full) == []


class Namespace:
    """A network namespace for several programs, one after the other; it ends with this."""

    def __enter__(self):
        command = ["unshare", "--net", "sh", "-c", "echo there; exec cat"]
        self.keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": SBIN})
        assert self.keeper.stdout.readline() == b"there\n"  # not before: it would be this one
        return self.run

    def run(self, *command, text=""):
        inside = ["nsenter", "--net", "--target", str(self.keeper.pid), *command]
        done = subprocess.run(inside, input=text, capture_output=True, text=True, env={"PATH": SBIN})
        assert done.returncode == 0, done.stderr[:2000]
        return done.stdout

    def __exit__(self, *_):
        self.keeper.communicate()
