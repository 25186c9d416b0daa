"""The way itself: TTL, source address, MTU, bridges and hairpin, as our walk says and as a kernel does."""

import errno
import socket
import time

import pytest

from kubemini.host.linux import netfilter
from kubemini.host.linux.exchange import connect
from kubemini.host.linux.packet import Packet
from tests.network.walks.grounds import IP, NODES, WEB, ask, first, ground, service
from tests.network.walks.test_netfilter import RULES, texts_of
from tests.real.kernel.comparing import differences, possible
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.probes import Servers, client

pytestmark = pytest.mark.needs("namespaces", "iptables", "nft", "nfacct", "conntrack")
HEADERS = 28  # bytes of IPv4 and UDP
MTU_DISCOVER, DO, RECVERR, ERRQUEUE = 10, 2, 11, 0x2000  # IP_MTU_DISCOVER, IP_PMTUDISC_DO, …
SENDERS = ("p11", "p12", "n1", "outside")
PLACES = [(ip, 8080) for ip in IP.values()] + [("203.0.113.2", 53), ("192.168.0.12", 8081)]
FLOWS = [(s, p, "", ip, port) for s in SENDERS for p in ("TCP", "UDP") for ip, port in PLACES]
BRIEF = 0.3  # seconds of silence where silence is expected; what is not is asked again
OFTEN, BRIEFLY = 60, 5  # so often is asked for what comes for certain, and where silence is expected
MASQUERADE = ["*nat", "-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE", "COMMIT"]
FIREWALL = [
    "*filter",
    "-A FORWARD -p udp -m udp --dport 8080 -j REJECT",
    "-A FORWARD -s 10.244.1.12/32 -p tcp -j DROP",
    "COMMIT",
]
BLOCK_ICMP = ["*filter", "-A OUTPUT -p icmp -j DROP", "COMMIT"]


def loaded(mirror, rules):
    """The mirror with *rules* on every node."""
    for node in NODES:
        mirror.load(node.name, "iptables", "\n".join([*rules, ""]))
    return mirror


@pytest.mark.parametrize("network", ["host-gw", "vxlan", "routed"])
def test_who_is_seen_with_which_ttl(network):
    nets = [ground(rules, network=network) for rules in ([], MASQUERADE, FIREWALL)]
    for net in nets:
        net["outside"].listening["UDP", "", 53] = net["outside"].listening["TCP", "", 53] = "world"
    with Mirror(nets[0]) as mirror, Servers(mirror):
        for net, rules in zip(nets, ([], MASQUERADE, FIREWALL)):
            for node in NODES:
                mirror.clear(node.name)
            wanted = {flow: possible(net, flow) for flow in FLOWS}
            assert differences(loaded(mirror, rules), wanted) == {}, rules


@pytest.mark.parametrize("language", ["iptables", "nftables"])
def test_a_rule_matches_in_the_kernel_what_it_matches_in_ours(language):
    """The rules that test_netfilter says mean the same in both languages."""
    net, flow = ground(), ("p12", "TCP", "", IP["p21"], 8080)
    with Mirror(net) as mirror, Servers(mirror):
        for rule in RULES:
            text = dict(zip(("iptables", "nftables"), texts_of(rule)))[language]
            there = ground()
            for node in NODES:
                netfilter.load(there[node.name].rules, text)
                mirror.clear(node.name)
                mirror.load(node.name, language, text)
            wanted = {flow: possible(there, flow)}
            assert differences(mirror, wanted, patience=BRIEF) == {}, rule


@pytest.mark.parametrize("bridge_nf", [True, False], ids=["br_netfilter", "no br_netfilter"])
@pytest.mark.parametrize("hairpin", [True, False], ids=["hairpin", "no hairpin"])
def test_a_service_on_one_bridge_and_of_the_pod_itself(bridge_nf, hairpin):
    net = ground(bridge_nf=bridge_nf, hairpin=hairpin)
    with Mirror(net) as mirror, Servers(mirror):
        for pod in ("p11", "p12", "p21"):
            rules = [*service(IP[pod]), "COMMIT"]
            there = ground(rules, bridge_nf=bridge_nf, hairpin=hairpin)
            loaded(mirror, rules)
            mirror.forget("n1")
            flow = ("p11", "TCP", "", WEB, 80)
            assert differences(mirror, {flow: possible(there, flow)}) == {}, pod


# -- what ICMP says --------------------------------------------------------------------------------
@pytest.mark.parametrize("network", ["host-gw", "vxlan"])
def test_routers_answer_in_the_order_in_which_we_walk_them(network):
    net = ground(network=network)
    exchanges = [ask(net, "p11", IP["p21"], 9, "UDP", ttl=ttl) for ttl in (1, 2, 3)]
    ours = [exchange.back[0].after.source for exchange in exchanges]
    with Mirror(net) as mirror:
        assert [_who_complains(mirror, "p11", IP["p21"], ttl) for ttl in (1, 2, 3)] == ours


def _who_complains(mirror, sender, to, ttl):
    """Who sent the ICMP error about a UDP packet that lives so long."""
    for _ in range(OFTEN):
        with client(mirror, sender, "UDP", ttl=ttl) as asking:
            asking.setsockopt(socket.IPPROTO_IP, RECVERR, 1)
            asking.sendto(b"?", (to, 9))
            end = time.monotonic() + 1
            while time.monotonic() < end:
                try:
                    _, told, _, _ = asking.recvmsg(512, 512, ERRQUEUE)
                except BlockingIOError:
                    time.sleep(0.01)
                else:
                    # struct sock_extended_err, 16 bytes, then the offender's sockaddr_in
                    return socket.inet_ntoa(told[0][2][20:24])
    return "nobody"


@pytest.mark.parametrize(
    "pod_mtu, rules", [(0, []), (1500, []), (1500, BLOCK_ICMP)], ids=["right", "wrong", "black hole"]
)
def test_a_packet_that_does_not_fit_meets_the_same_end(pod_mtu, rules):
    how = {"network": "vxlan", "pod_mtu": pod_mtu}
    net = ground(rules, **how)
    with Mirror(net) as mirror, Servers(mirror):
        loaded(mirror, rules)
        for size in (1450, 1451, 1500):
            packet = Packet("UDP", "", IP["p21"], 0, 8080, size=size)
            fate = connect(ground(rules, **how), "p11", packet, first).verdict.fate
            assert _sent(mirror, "p11", IP["p21"], size, wanted=fate) == fate, size


def _sent(mirror, sender, to, size, wanted):
    """What becomes of a UDP packet of *size* that must not be cut; asked again until it is *wanted*."""
    fate = "dropped"
    with client(mirror, sender, "UDP") as asking:
        asking.setsockopt(socket.IPPROTO_IP, MTU_DISCOVER, DO)
        asking.connect((to, 8080))
        for _ in range(BRIEFLY if wanted == "dropped" else OFTEN):
            try:
                asking.send(b"x" * (size - HEADERS))
                time.sleep(0.2)
                return "connected" if asking.recv(512) else fate
            except BlockingIOError:
                fate = "dropped"
            except OSError as error:
                fate = "too big" if error.errno == errno.EMSGSIZE else str(error)
            if fate == wanted != "dropped":
                break
    return fate
