"""``trace packet``: which rule decided, of a running cluster, at the prompt and in Python."""

import pytest

import kubemini
from kubemini.__main__ import main
from kubemini.cluster import Cluster
from kubemini.simulate import prepared

TEXT = """
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {app: web}}
spec: {containers: [{name: web, image: shop/web:1.0}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: sh, image: shop/web:1.0}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: bodiless}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def cluster():
    made = Cluster.single()
    made.apply(TEXT)
    made.run("30s")
    return made


def test_a_walk_ends_with_the_rule_that_decided(cluster):
    for mode, rule in (("iptables", "nat KUBE-SEP-"), ("nftables", "kube-proxy service-")):
        traced = kubemini.trace_packet(cluster, "pod/client", "svc/web:http", proxy_mode=mode)
        assert traced.fate == "connected" and traced.exchange.verdict.by == "a"
        assert traced.rule.startswith(rule) and f"decided by: {rule}" in str(traced)
        assert traced.hops[0].namespace == "client"


@pytest.mark.parametrize(
    "to, mode, fate, words",
    [
        ("svc/empty:80", "iptables", "refused", "default/empty has no endpoints"),
        ("svc/empty:80", "nftables", "refused", "@no-endpoint-services"),
        ("svc/web:81", "iptables", "lost", "route blackhole"),
        ("svc/web:81", "nftables", "refused", "Reject traffic to invalid ports"),
        ("pod/a:9999", "iptables", "closed", "nothing listens on 9999 of a"),
        ("pod/a:8080", "iptables", "connected", "a has the address itself"),
        ("node/worker-1:22", "iptables", "closed", "nothing listens on 22 of worker-1"),
    ],
)
def test_the_reason_is_named(cluster, to, mode, fate, words):
    traced = kubemini.trace_packet(cluster, "pod/client", to, proxy_mode=mode)
    assert traced.fate == fate and words in traced.rule


def test_a_dead_kube_proxy_leaves_rules_that_lead_to_pods_that_are_gone():
    """At 45 s worker-1 still has three endpoints; worker-2, whose kube-proxy lives, the one there is."""
    cluster, _ = prepared("services")
    cluster.run("50s")
    stale, fresh = (kubemini.trace_packet(cluster, f"node/worker-{n}", "svc/web:80").others for n in (1, 2))
    assert [fate for _, fate, _ in fresh] == ["connected"]
    assert sorted(fate for _, fate, _ in stale) == ["connected", "unreachable", "unreachable"]


def test_a_policy_that_decides_is_named_with_the_node_whose_agent_asked_it():
    cluster, _ = prepared("policy")
    cluster.run("15s")
    assert kubemini.trace_packet(cluster, "pod/web", "svc/api:80").fate == "connected"
    cluster.run("15s")
    denied = kubemini.trace_packet(cluster, "pod/web", "svc/api:80")
    assert denied.fate == "dropped" and denied.hops[-1].namespace.startswith("worker-")
    assert denied.rule.endswith("egress: isolated by default/deny-all")
    homes = {r.detail["name"]: r.actor.partition("@")[2] for r in cluster.trace.of("pod") if r.detail["app"] == "api"}
    fates = {home: kubemini.trace_packet(cluster, "node/worker-1", f"pod/{pod}:8080") for pod, home in homes.items()}
    assert fates["worker-1"].fate == "connected", "a node reaches its own pods"
    assert fates["worker-2"].fate == "dropped" and fates["worker-2"].rule.endswith("isolated by default/deny-all")


def test_a_host_port_is_there_because_a_plugin_wrote_its_rule():
    made = Cluster.single(workers=1)
    port = "ports: [{containerPort: 8080, hostPort: 8000}]"
    made.apply(TEXT.split("---")[0].replace("image: shop/web:1.0", f"image: shop/web:1.0, {port}"))
    made.run("30s")
    told = kubemini.trace_packet(made, "outside", "node/worker-1:8000")
    assert (told.fate, told.exchange.verdict.by) == ("connected", "a")
    assert told.rule.startswith("nat CNI-DN-") and told.exchange.verdict.source == "203.0.113.2"
    assert kubemini.trace_packet(made, "outside", "node/worker-1:8001").fate == "closed"


def test_a_firewall_of_the_nodes_is_loaded_beside_kube_proxys_rules(cluster, tmp_path):
    file = tmp_path / "firewall"
    file.write_text("*filter\n-A FORWARD -d 10.244.0.0/16 -p tcp -m tcp --dport 8080 -j DROP\nCOMMIT\n")
    told = kubemini.trace_packet(cluster, "pod/client", "svc/web:80", firewall=str(file))
    assert told.fate == "dropped" and told.rule.startswith("filter FORWARD: -d 10.244.0.0/16")
    chain = "type filter hook forward priority 0; policy accept;"
    text = f"table ip mine {{\nchain c {{\n{chain}\ntcp dport 8080 reject\n}}\n}}\n"
    told = kubemini.trace_packet(cluster, "pod/client", "svc/web:80", firewall=text)
    assert (told.fate, told.rule) == ("refused", "mine c: tcp dport 8080 reject")


def test_tracing_changes_nothing_and_says_the_same_again(cluster):
    before = (cluster.sim.now, len(list(cluster.trace)))
    told = {str(kubemini.trace_packet(cluster, "node/worker-1", "svc/web:80")) for _ in range(2)}
    assert len(told) == 1 and (cluster.sim.now, len(list(cluster.trace))) == before


def test_a_wrong_mtu_is_seen_only_by_a_big_packet_to_another_node(cluster):
    how = {"network": "vxlan", "pod_mtu": 1500}
    small, big = (kubemini.trace_packet(cluster, "pod/client", "pod/a:8080", size=size, **how) for size in (1450, 1500))
    assert (small.fate, big.fate) == ("connected", "too big")
    assert big.rule == "1500 bytes do not fit into the MTU of flannel.1: 1450"


@pytest.mark.parametrize(
    "sender, to, words",
    [
        ("pod/nix", "svc/web:80", "there is no pod/nix; there are: pod/a, pod/client"),
        ("nix", "svc/web:80", "a packet cannot start at 'nix': say pod/NAME, node/NAME or outside"),
        ("node/nix", "svc/web:80", "there is no node/nix; there are: node/worker-1, node/worker-2"),
        ("pod/a", "svc/nix:80", "there is no svc/nix; there are: svc/bodiless, svc/empty, svc/web"),
        ("pod/a", "svc/web:https", "svc/web:https: there is no port 'https'; there are: http"),
        ("pod/a", "svc/bodiless:80", "svc/bodiless:80 is headless: it has no address"),
        ("pod/a", "10.0.0.1", "'10.0.0.1' is no place: say pod/NAME"),
        ("pod/a", "10.0.0.1:99999", "'99999' is no port: give a number from 1 to 65535"),
        ("pod/a", "shop/web", "'shop/web' is no place: say pod/NAME"),
    ],
)
def test_what_cannot_be_traced_is_said_in_a_sentence(cluster, sender, to, words):
    with pytest.raises(ValueError, match=r"\w") as said:
        kubemini.trace_packet(cluster, sender, to)
    assert str(said.value).startswith(words)


@pytest.mark.parametrize(
    "how, words",
    [
        ({"proxy_mode": "ipvs"}, "kube-proxy has no mode 'ipvs'; it has: iptables, nftables"),
        ({"protocol": "ICMP"}, "protocol 'ICMP': give one of TCP, UDP, SCTP"),
        ({"size": 5}, "size 5: a packet has 28 to 65535 bytes"),
        ({"pod_mtu": 5}, "pod_mtu 5: an MTU is 68 to 65535 bytes"),
        ({"network": "pigeon"}, "no network 'pigeon'; there are: host-gw, vxlan, routed, none"),
    ],
)
def test_options_that_do_not_exist_are_named(cluster, how, words):
    with pytest.raises(ValueError, match=r"\w") as said:
        kubemini.trace_packet(cluster, "pod/a", "svc/web:80", **how)
    assert str(said.value) == words


# -- at the prompt ---------------------------------------------------------------------------------
def test_the_prompt_prints_the_walk(capsys, tmp_path):
    file = tmp_path / "web.yaml"
    file.write_text(TEXT, encoding="utf-8")
    asked = ["trace", "packet", "--from", "pod/client", "--to", "svc/web:80"]
    assert main([*asked, "--manifests", str(file), "--proxy-mode", "nftables"]) == 0
    said = capsys.readouterr().out
    assert "client/eth0" in said and "decided by: kube-proxy service-" in said
    assert main([*asked, "--scenario", "services", "--at", "18s"]) == 2
    assert "there is no pod/client" in capsys.readouterr().err


@pytest.mark.parametrize("where", [[], ["--scenario", "services", "--manifests", "x.yaml"]])
def test_the_prompt_wants_one_place_to_walk_in(where, capsys):
    assert main(["trace", "packet", "--from", "pod/a", "--to", "svc/web:80", *where]) == 2
    assert "--scenario NAME or --manifests FILE" in capsys.readouterr().err
