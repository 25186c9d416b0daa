"""Flows that outlive the rules they began under: conntrack's stories, told to us and to a kernel."""

import contextlib

import pytest

from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.walks.proxied import program, text
from tests.network.walks.grounds import IP, NODES, WEB, first, ground, web
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.probes import SILENT, Servers
from tests.real.kernel.sockets import Ours, Theirs

pytestmark = pytest.mark.needs("namespaces", "iptables", "nft", "nfacct", "conntrack")
MODES = pytest.mark.parametrize("mode", ["iptables", "nftables"])


class Both:
    """Our network and the kernel's, to whom the same happens."""

    def __init__(self, mode):
        self.config = ProxyConfig(mode=mode)

    def __enter__(self):
        self.net = ground()
        self.undo = contextlib.ExitStack()
        self.mirror = self.undo.enter_context(Mirror(self.net))
        self.servers = self.undo.enter_context(Servers(self.mirror))
        self.ours, self.theirs = Ours(self.net, first), Theirs(self.mirror)
        self.undo.callback(self.theirs.close)
        return self

    def __exit__(self, *_):
        self.undo.close()

    def services(self, *posted):
        """kube-proxy writes these Services on every node."""
        for node in NODES:
            program(self.net[node.name], node, self.config, posted)
            self.mirror.load(node.name, self.config.mode, text(node, self.config, posted))

    def open(self, name, sender, protocol="TCP"):
        for side in (self.ours, self.theirs):
            side.open(name, sender, protocol, WEB, 80)

    def say(self, name):
        """What both are told, which is the same."""
        ours = self.ours.say(name)
        assert self.theirs.say(name, ours) == ours
        return ours

    def forget(self, endpoint):
        """What kube-proxy does when a UDP endpoint goes: ``conntrack -D`` on n1."""
        self.ours.forget("n1", "UDP", WEB, endpoint)
        nat = ("--dst-nat", endpoint) if endpoint else ()
        self.mirror.forget("n1", "-p", "udp", "--orig-dst", WEB, *nat)


@MODES
def test_an_open_connection_stays_with_its_endpoint_when_the_rules_have_another(mode):
    with Both(mode) as both:
        both.services(web("p21"))
        both.open("held", "p11")
        told = [both.say("held")]
        both.services(web("p22"))
        told.append(both.say("held"))
        both.services()
        told.append(both.say("held"))
        assert told == ["p21"] * 3
        both.services(web("p22"))
        both.open("new", "p11")
        assert both.say("new") == "p22"


@MODES
def test_a_udp_socket_stays_with_its_endpoint_until_its_flow_is_forgotten(mode):
    with Both(mode) as both:
        both.services(web("p21", protocol="UDP"))
        both.open("held", "p11", "UDP")
        told = [both.say("held")]
        both.services(web("p22", protocol="UDP"))
        told.append(both.say("held"))
        both.forget(IP["p21"])
        told.append(both.say("held"))
        assert told == ["p21", "p21", "p22"]


@MODES
def test_a_udp_socket_that_asked_before_there_was_a_service(mode):
    """iptables let it pass, and conntrack knows it as untranslated; nftables dropped it, and nothing stayed."""
    with Both(mode) as both:
        both.services()
        both.open("early", "p11", "UDP")
        told = [both.say("early")]
        both.services(web("p21", protocol="UDP"))
        told.append(both.say("early"))
        both.forget("")
        told.append(both.say("early"))
        late = {"iptables": SILENT, "nftables": "p21"}[mode]
        assert told == [SILENT, late, "p21"]


@MODES
def test_a_refused_udp_socket_works_once_there_is_an_endpoint(mode):
    with Both(mode) as both:
        both.services(web(protocol="UDP"))
        both.open("early", "p11", "UDP")
        told = [both.say("early")]
        both.services(web("p21", protocol="UDP"))
        told.append(both.say("early"))
        assert told == ["refused", "p21"]


@MODES
def test_affinity_keeps_a_client_and_forgets_an_endpoint_that_is_gone(mode):
    with Both(mode) as both:
        both.services(web("p12", "p21", "p22", affinity=True))
        for sender in ("p11", "n1"):
            before = _new_ones(both, sender)
            assert {len(set(answers)) for answers in before} == {1}, "one endpoint for one client"
        gone = [answers[0] for answers in _new_ones(both, "p11")]
        both.services(web(*[pod for pod in ("p12", "p21", "p22") if pod not in gone], affinity=True))
        after = _new_ones(both, "p11")
        assert {len(set(answers)) for answers in after} == {1}
        assert all(pod not in gone for answers in after for pod in answers)


def _new_ones(both, sender):
    """Who answers six new connections of a client: of ours, and of the kernel's."""
    told = [], []
    for _ in range(6):
        for side in (both.ours, both.theirs):
            side.open("new", sender, "TCP", WEB, 80)
        told[0].append(both.ours.say("new"))
        told[1].append(both.theirs.say("new"))
    return told
