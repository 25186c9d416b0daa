"""The texts of iptables-save and nft are executed as they are, and what is not understood is refused."""

import pytest

from kubemini.host.linux import netfilter
from kubemini.host.linux.netfilter.ruleset import Ruleset
from tests.network.walks.grounds import IP, OUTSIDE, ask, ground

PORTMAP = """
*nat
:CNI-DN-1 - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
:CNI-HOSTPORT-SETMARK - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-DN-1 -s 10.244.1.0/24 -p tcp -m tcp --dport 8000 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-1 -p tcp -m tcp --dport 8000 -j DNAT --to-destination 10.244.1.11:8080
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"pods\\"" -m multiport --dports 7000,8000 -j CNI-DN-1
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
COMMIT
"""
PORTMAP_NFT = """
table ip cni_hostport {
	comment "CNI portmap plugin"
	chain hostports {
		tcp dport 8000 dnat to 10.244.1.11:8080 comment "m1"
	}

	chain hostports_all {
		jump hostports
	}

	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local jump hostports_all
	}

	chain output {
		type nat hook output priority -100; policy accept;
		fib daddr type local jump hostports_all
	}

	chain masquerading {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 10.244.1.0/24 ip daddr 10.244.1.11 masquerade comment "m1"
	}
}
"""
MASQ_NFT = """
table inet cni_plugins_masquerade {
	chain masq_checks {
		ip saddr 10.244.1.11 ip daddr != 10.244.1.0/24 masquerade comment "net: pods"
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 224.0.0.0/4 return
		ip6 daddr ff00::/8 return
		goto masq_checks
	}
}
"""


def told(text, one="p12", to="10.244.2.11", port=8080, protocol="TCP", **more):
    """What becomes of a connection through nodes that have this text."""
    net = ground()
    net["outside"].listening["TCP", "", 443] = "shop"
    for node in ("n1", "n2"):
        netfilter.load(net[node].rules, text)
    return ask(net, one, to, port, protocol, **more).verdict


@pytest.mark.parametrize("text", [PORTMAP, PORTMAP_NFT], ids=["iptables", "nftables"])
def test_a_host_port_leads_to_its_pod_and_a_neighbour_is_masqueraded(text):
    outside = told(text, "outside", "192.168.0.11", 8000)
    own = told(text, "p11", "192.168.0.11", 8000)
    assert (outside.fate, outside.by, outside.source) == ("connected", "p11", OUTSIDE)
    assert (own.fate, own.source) == ("connected", "10.244.1.1")
    assert told(text, "outside", "192.168.0.11", 8001).fate == "closed"


def test_ip_masq_of_the_bridge_plugin_spares_only_the_own_subnet():
    seen = [told(MASQ_NFT, "p11", to).source for to in (IP["p12"], IP["p21"])]
    assert seen == [IP["p11"], "192.168.0.11"]
    assert told(MASQ_NFT, "p11", OUTSIDE, 443).source == "192.168.0.11"


RULES = {  # a rule of FORWARD in both languages: does it drop p12 → p21:8080 of TCP, with its verdict
    "-s 10.244.1.12/32 -j DROP": ("ip saddr 10.244.1.12 drop", True),
    "! -s 10.244.1.12/32 -j DROP": ("ip saddr != 10.244.1.12 drop", False),
    "-d 10.244.1.0/24,10.244.2.0/24 -j DROP": ("ip daddr { 10.244.1.0/24, 10.244.2.0/24 } drop", True),
    "-p udp -j DROP": ("meta l4proto udp drop", False),
    "-p tcp -m tcp --dport 8000:8100 -j DROP": ("tcp dport 8000-8100 drop", True),
    "-p tcp -m tcp ! --dport 8080 -j DROP": ("tcp dport != 8080 drop", False),
    "-p tcp -m multiport --dports 80,8080 -j DROP": ("tcp dport { 80, 8080 } drop", True),
    "-p udp -m udp --dport 8080 -j DROP": ("udp dport 8080 drop", False),
    "-i cbr0 -o eth0 -m conntrack --ctstate NEW -j DROP": (
        'iifname "cbr0" oifname "eth0" ct state new drop',
        True,
    ),
    "-m conntrack --ctstate ESTABLISHED,RELATED -s 10.244.1.12/32 -j DROP": (
        "ct state established,related ip saddr 10.244.1.12 drop",  # the handshake's third packet
        True,
    ),
    "-m addrtype --src-type LOCAL -j DROP": ("fib saddr type local drop", False),
    "-m mark --mark 0x1/0x1 -j DROP": ("meta mark & 0x1 == 0x1 drop", False),
    "-p tcp -m tcp --syn -j DROP": ("ct state new drop", True),
    "-p icmp -m icmp --icmp-type 8 -j DROP": ("meta l4proto icmp drop", False),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_means_the_same_in_both_languages(rule):
    other, drops = RULES[rule]
    verdicts = [told(text) for text in texts_of(rule)]
    assert [v.fate == "dropped" for v in verdicts] == [drops] * 2
    if drops:
        rules = [v.rule.removeprefix("the handshake's third packet: ") for v in verdicts]
        assert rules == [f"filter FORWARD: {rule}", f"f c: {other}"]


def texts_of(rule):
    """A rule of FORWARD as text for iptables-restore, and for nft."""
    chain = "type filter hook forward priority filter; policy accept;"
    nft = f"table ip f {{\nchain c {{\n{chain}\n{RULES[rule][0]}\n}}\n}}\n"
    return f"*filter\n-A FORWARD {rule}\nCOMMIT\n", nft


def test_marks_are_set_cleared_and_asked_for():
    lines = ["*mangle", "-A PREROUTING -j MARK --set-xmark 0x5/0xff", "-A PREROUTING -j MARK --and-mark 0x4"]
    lines += ["-A PREROUTING -j MARK --or-mark 0x8", "*filter"]
    assert told("\n".join([*lines, "-A FORWARD -m mark --mark 0xc -j DROP"])).fate == "dropped"
    assert told("\n".join([*lines, "-A FORWARD -m mark ! --mark 0xc -j DROP"])).fate == "connected"


def test_a_jump_comes_back_and_a_goto_does_not():
    lines = ["*filter", ":A -", ":B -", "-A A -s 10.9.0.0/16 -j DROP", "-A FORWARD {} A", "-A FORWARD -j DROP"]
    text = "\n".join(lines)
    assert told(text.format("-j")).fate == "dropped"
    assert told(text.format("-g")).fate == "connected"


def test_a_packet_from_a_wire_is_not_led_to_the_loopback():
    """Unless route_localnet says so: what kube-proxy needs for node ports on 127.0.0.1."""
    text = "*nat\n-A PREROUTING -p tcp -m tcp --dport 2222 -j DNAT --to-destination 127.0.0.1:22"
    assert told(text, "outside", "192.168.0.11", 2222).rule == "martian: 127.0.0.0/8 from a wire"
    net = ground(route_localnet=True)
    netfilter.load(net["n1"].rules, text)
    net["n1"].listening["TCP", "127.0.0.1", 22] = "sshd"
    assert ask(net, "outside", "192.168.0.11", 2222).verdict.by == "sshd"


def test_a_packet_that_is_not_tracked_is_neither_translated_nor_new():
    lines = ["*raw", "-A PREROUTING -j NOTRACK", "*nat", "-A PREROUTING -j DNAT --to-destination 10.244.1.11"]
    lines += ["*filter", "-A FORWARD -m conntrack --ctstate UNTRACKED -p tcp -m tcp --dport 8080 -j DROP"]
    assert told("\n".join(lines)).rule.startswith("filter FORWARD: -m conntrack --ctstate UNTRACKED")


@pytest.mark.parametrize(
    "text, words",
    [
        ("*broute", "iptables has no table 'broute'; it has: raw, mangle, nat, filter"),
        ("*filter\n-A FORWARD -j NOWHERE", "there is no target NOWHERE; declare the chain with :NOWHERE -"),
        ("*filter\n-A MINE -j DROP", "filter has no chain MINE; declare it with :MINE - before its rules"),
        ("*filter\n-A FORWARD -m time --datestop x -j DROP", "this kernel does not know --datestop"),
        ("*filter\n-A FORWARD -m u32 -j DROP", "this kernel does not know -m u32"),
        ("*filter\n-X", "a line is *TABLE, :CHAIN POLICY or -A CHAIN …"),
        ("*filter\n:MINE", "cannot load ':MINE': write :CHAIN and one of ACCEPT DROP -"),
        ('*filter\n-A FORWARD -m comment --comment "x -j DROP', "a quotation is not closed"),
        ("*filter\n-A FORWARD -j MARK 1", "this kernel does not know MARK here; use one of --set-xmark"),
        ("*nat\n-A PREROUTING -j DNAT --to-destination 300.1.2.3", "'300.1.2.3' does not appear to be an IPv4"),
        ("*filter\n-A FORWARD -p tcp --dport 99999 -j DROP", "no ports '99999'; write 80, or 80:90"),
        ("*filter\n-A FORWARD -p tpc -j DROP", "this kernel does not know the protocol tpc"),
        ("*filter\n-A FORWARD -m conntrack --ctstate OLD -j DROP", "this kernel does not know the state OLD"),
        ("*filter\n-A FORWARD -m addrtype --dst-type MINE -j DROP", "this kernel does not know the type MINE"),
        ("*filter\n:A -\n:B -\n-A A -j B\n-A B -g A", "cannot load a loop of chains: "),
        ("table ip f {\nchain c {\nip saddr vmap { 10.0.0.1 : jump c }\n}\n}", "a loop of chains: c → c"),
        ("table ip f {\nchain c {\ntcp saddr 1 drop\n}\n}", "this kernel does not know `tcp saddr`"),
        ("table ip f {\nchain c {\nmeta mark set mark + 1\n}\n}", "this kernel does not know `mark +`"),
        ("table ip f {\nchain c { ip daddr 10.0.0.1 drop }\n}", "in a table write `chain|set|map NAME {`"),
        ("table ip f {\nchain c {\ndrop\n}", "a closing brace is missing at the end"),
        ("table ip f {\nset s {\nelements = 10.0.0.1\n}\n}", "write `elements = { ONE, OTHER }`"),
        ("table ip f {\nmap m {\nelements = { 1 : jump }\n}\n}", "cannot load the element '1 : jump' of m"),
        ("table ip f {\nchain c {\ntype nat hook forward priority many; policy drop;\n}\n}", "the priority 'many'"),
        ("table ip f {\nchain c {\ntype nat hook ahead priority 0; policy drop;\n}\n}", "no hook 'ahead' here"),
        ("table ip f {\nchain c {\ntype nat hook input priority 0; policy no;\n}\n}", "there is no policy 'no'"),
        ("table ip f {\nchain c {\njump d\n}\n}", "table f has no chain d; declare it"),
        ("table ip f {\nchain c {\nip daddr @s drop\n}\n}", "table f has no set or map s"),
        ("table ip f {\nchain c {\nip ecn 1 drop\n}\n}", "this kernel does not know `ip ecn`"),
        ("table ip f {\nchain c {\nnumgen inc mod 2 vmap { 0 : drop }\n}\n}", "only `numgen random mod N`"),
    ],
)
def test_what_this_kernel_does_not_know_is_refused_with_its_line(text, words):
    with pytest.raises(ValueError, match=r"\w") as said:
        netfilter.load(Ruleset(), text)
    assert words in str(said.value)
