"""Faults of networking, one line each: ``python -m tests.mutants.network [NAME…]`` plants them.

Each must make some recording of a real program differ: flows of kube-proxy, packets of policies, answers of CoreDNS,
walks of resolvers, calls of CNI plugins, requests of Gateway API's own tests. A rule that no recording would miss is
held by nothing but our own opinion.
"""

import gzip
import json
import sys

from tests.mutants.mutant import ROOT, Mutant, try_all

FOLDER = ROOT / "tests" / "oracles" / "network"
HOOKS = "network.decide.services.hooks"
POLICY, MATCHING = "network.decide.policy.judge", "network.decide.policy.matching"
BACKEND = "network.decide.dns.backend"
RESOLVER = "network.decide.dns.resolver"
ROUTING, LISTENERS = "network.decide.routing.matches", "network.decide.routing.listeners"
JUDGES = {  # which recordings a fault of a module is shown to, the quickest first
    "services": ("kube-proxy/options.json", "kube-proxy/flows.json", "kubeproxy_flows.json"),
    "rules": ("kube-proxy/rules_iptables.json", "kube-proxy/rules_nftables.json"),
    "policy": ("policy/cases.json", "cluster_network_policy.json"),
    "dns": ("dns/answers.json", "dns/resolver.json", "dns.json"),
    "cni": ("cni/plugins.json",),
    "routing": ("ingress/traefik.json", "ingress.json", "gateway_conformance.json.gz", "ingress/status.json"),
}

MUTANTS = (
    Mutant(
        "local-means-anywhere",
        "a policy Local outside takes any endpoint",
        HOOKS,
        "return entry.uses.local, False, True",
        "return entry.uses.cluster, False, True",
    ),
    Mutant(
        "no-short-cut",
        "a pod takes no short cut to an address of policy Local",
        HOOKS,
        "    if meeting.from_pod:\n        return entry.uses.cluster, False, False\n",
        "",
    ),
    Mutant(
        "refused-is-dropped",
        "a Service without endpoints drops instead of refusing",
        HOOKS,
        'return Chosen("refused", f"{rule}=reject", entry.port)',
        'return Chosen("dropped", f"{rule}=drop", entry.port)',
    ),
    Mutant(
        "ranges-forgotten",
        "the source ranges of an LB address are not asked",
        HOOKS,
        "        source, node = self.packet.source, self.table.node\n",
        "        return True\n",
    ),
    Mutant(
        "headless-without-endpoints",
        "a headless Service without endpoints has an empty answer",
        BACKEND,
        "if not names.store.synced:",
        "if names.store.synced:",
    ),
    Mutant(
        "weights-not-shared",
        "every SRV record weighs 100",
        BACKEND,
        "floor(100 / (100 * len(hosts)) * 100)",
        "100",
    ),
    Mutant(
        "search-goes-on-in-musl",
        "a name with enough dots is tried with the list in musl, too",
        RESOLVER,
        "return [alone] if enough else [*below, alone]",
        "return [alone, *below] if enough else [*below, alone]",
    ),
    Mutant(
        "alone-comes-last",
        "glibc tries a name with enough dots with the list first",
        RESOLVER,
        "return [alone, *(n for n in below if n != alone)] if enough else",
        "return [*(n for n in below if n != alone), alone] if enough else",
    ),
    Mutant(
        "exact-after-prefix",
        "of an HTTPRoute a longer prefix goes before Exact",
        ROUTING,
        'sort = {"Exact": 2, REGEX: 1}',
        'sort = {"Exact": 0, REGEX: 1}',
    ),
    Mutant(
        "headers-do-not-count",
        "the number of headers decides nothing",
        ROUTING,
        "        len(headers(match)),\n        len(parameters(match)),\n",
        "        0,\n        len(parameters(match)),\n",
    ),
    Mutant(
        "everybody-may-attach",
        "a listener takes routes of every namespace",
        LISTENERS,
        "return namespace == home\n",
        "return True\n",
    ),
    Mutant(
        "grants-not-asked",
        "a back end of another namespace needs no grant",
        "network.decide.routing.references",
        "foreign = namespace != home and (namespace, name) != parent",
        "foreign = False",
    ),
    Mutant(
        "greets-as-the-client-did",
        "a back end with a policy hears the name that the client said",
        "network.decide.routing.tls.backendtls",
        'sni=wanted["hostname"])',
        "sni=verdict.request.sni)",
    ),
    Mutant(
        "end-port-forgotten",
        "a range of ports is its first one",
        MATCHING,
        'one.get("endPort") or port',
        "port",
    ),
    Mutant(
        "holes-forgotten",
        "what a block excepts is in it",
        MATCHING,
        'block.get("except") or ()',
        "()",
    ),
    Mutant(
        "baseline-always-asked",
        "a pod that a NetworkPolicy selects comes to the Baseline tier",
        POLICY,
        "baseline=() if skips else",
        "baseline=",
    ),
    Mutant(
        "equal-chances",
        "each endpoint's rule has the same probability",
        "network.decide.rules.iptables",
        "--probability {kept(left)} ",
        "--probability {kept(2)} ",
    ),
    Mutant(
        "shorter-hash",
        "names of chains carry the hash in small letters",
        "network.decide.rules.names",
        ".decode()",
        ".decode().lower()",
    ),
    Mutant(
        "gateway-given-away",
        "the gateway's address is given to a pod",
        "network.decide.cni.hostlocal",
        "if current != ranges[index].gateway:",
        "if current:",
    ),
)


def first_difference(mutant: Mutant) -> str:
    """The first case in which ours is not the real one, among the recordings that its room is held by."""
    from tests.oracles.network import parts

    for name in JUDGES[mutant.module.split(".")[2]]:
        path = FOLDER / name
        raw = path.read_bytes()
        data = json.loads(gzip.decompress(raw) if name.endswith(".gz") else raw)
        for case, run in parts.cases(path.with_name(path.name.removesuffix(".gz")), data):
            if run and run():
                return case
    return ""


if __name__ == "__main__":
    sys.exit(try_all("tests.mutants.network", MUTANTS, sys.argv[1:], first_difference))
