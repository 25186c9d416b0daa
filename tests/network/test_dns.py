"""CoreDNS and the resolvers: what no recording holds. The recordings: tests/oracles/network/dns/."""

import pytest

from kubemini.network.decide.dns.coredns import CoreDNS
from kubemini.network.decide.dns.corefile import STANDARD, CorefileError
from kubemini.network.decide.dns.message import Answer, Question, Record, reversed_name
from kubemini.network.decide.dns.resolvconf import (
    GLIBC,
    MUSL,
    NodeDns,
    ResolvConf,
    pod_resolv_conf,
    read_resolv_conf,
    settings,
)
from kubemini.network.decide.dns.resolver import literal, look_up
from kubemini.network.decide.dns.store import read_store
from kubemini.network.dns import NODE_CACHE
from kubemini.sim.units import SECOND
from tests.oracles.network.dns import worlds

WEB, OUTSIDE = "web.default.svc.cluster.local.", "api.example.com."


def server(corefile=STANDARD):
    found = CoreDNS(corefile, ("198.51.100.53",))
    found.store = read_store(worlds.SERVICES, worlds.SLICES, worlds.NAMESPACES, worlds.PODS)
    return found


def address(ttl=300):
    """An upstream that counts how often it is asked, and by which protocol."""
    asked = []

    def upstream(ask):
        asked.append((ask.server, "TCP" if ask.tcp else "UDP"))
        if ask.question.name == OUTSIDE:
            return Answer("NOERROR", (Record(OUTSIDE, ttl, "A", "203.0.113.80"),), ra=True)
        return Answer("NXDOMAIN", authority=(Record(".", ttl, "SOA", ". . 1 2 3 4 60"),), ra=True)

    return upstream, asked


def nobody(ask):
    return None


# -- the Corefile ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, what",
    [
        ("", "no server block"),
        (".:53 {\n errors", "closing brace is missing"),
        ("}\n", "a closing brace too many"),
        (".:53 {\n kuberentes cluster.local\n}", "Unknown directive 'kuberentes'"),
        (".:53 {\n kubernetes cluster.local {\n pods all\n }\n}", "cannot read 'pods all'"),
        (".:53 {\n kubernetes cluster.local {\n ttl 4000\n }\n}", "ttl 0-3600"),
        (".:53 {\n kubernetes in-addr.arpa\n}", "non-reverse zone name must be used"),
        (".:53 {\n kubernetes cluster.local {\n zonal\n noendpoints\n }\n}", "zonal requires the endpoint cache"),
        (".:53 {\n cache 0\n}", "cache TTL can not be zero or negative"),
        (".:53 {\n cache 30 {\n servfail soon\n }\n}", "'soon' is no duration; write one such as 5s"),
        (".:53 {\n cache 30 {\n success ²\n }\n}", "cannot read 'success ²'"),
        (".:53 {\n cache 30 {\n serve_stal\n }\n}", "cannot read 'serve_stal'"),
        (".:53 {\n errors\n errors\n}", "can only be used once"),
        (".:53 {\n errors\n}\n.:53 {\n log\n}", "cannot serve . on port 53 twice"),
        (".:53 {\n forward .\n}", "write forward FROM TO"),
        (".:53 {\n health {\n lameduck five\n }\n}", "is no duration"),
        (".:5353 {\n errors\n}", "listens on port 53"),
    ],
)
def test_a_corefile_that_cannot_be_read_says_what_to_write(text, what):
    with pytest.raises(CorefileError) as error:
        server(text)
    assert what in str(error.value)


def test_plugins_are_asked_in_their_own_order_and_not_in_that_of_the_file():
    turned = ".:53 {\n forward . 198.51.100.53\n kubernetes cluster.local\n}"
    assert server(turned).ask(Question(WEB, "A"), nobody).addresses == ("10.96.2.1",)


def test_the_longest_zone_answers_and_a_name_of_no_block_is_refused():
    blocks = "example.com {\n forward . 192.0.2.1\n}\napi.example.com {\n forward . 192.0.2.2\n}"
    upstream, asked = address()
    assert server(blocks).ask(Question(OUTSIDE, "A"), upstream).rcode == "NOERROR"
    assert asked == [("192.0.2.2", "UDP")]
    assert server(blocks).ask(Question("example.org.", "A"), upstream).rcode == "REFUSED"


def test_names_that_forward_excepts_are_not_forwarded():
    upstream, asked = address()
    excepting = ".:53 {\n forward . 192.0.2.1 {\n except example.com\n }\n}"
    assert (server(excepting).ask(Question(OUTSIDE, "A"), upstream).rcode, asked) == ("REFUSED", [])


def test_lameduck_is_in_seconds():
    assert server().lameduck == 5
    assert server(STANDARD.replace("5s", "500ms")).lameduck == 0.5


# -- the rule that decided ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name, kind, rule",
    [
        (WEB, "A", "the cluster IP of Service default/web"),
        ("web.nosuch.svc.cluster.local.", "A", "no namespace nosuch here"),
        ("nosuch.default.svc.cluster.local.", "A", "no Service default/nosuch"),
        ("nothing.data.svc.cluster.local.", "A", "headless Service data/nothing has no ready endpoint"),
        ("db-0.db.data.svc.cluster.local.", "A", "endpoint db-0 of Service data/db"),
        ("db-2.db.data.svc.cluster.local.", "A", "no ready endpoint of data/db is called db-2"),
        (WEB, "AAAA", "no such type"),
        (reversed_name("10.96.2.1"), "PTR", "10.96.2.1 is the cluster IP of default/web"),
    ],
)
def test_an_answer_names_the_rule_that_decided(name, kind, rule):
    assert rule in server().ask(Question(name, kind), nobody).rule


def test_a_server_whose_first_lists_have_not_come_fails_and_does_not_deny():
    asked = server()
    asked.store = read_store((), (), ())
    asked.store.synced = False
    assert asked.ask(Question(WEB, "A"), nobody).rcode == "SERVFAIL"


def test_asked_for_an_soa_below_the_zone_it_does_not_look_whether_the_name_is_there():
    said = server().ask(Question("nosuch.default.svc.cluster.local.", "SOA"), nobody)
    assert said.nodata and said.authority[0].name == "cluster.local."


def test_an_alias_that_leads_to_itself_ends():
    asked = server()
    loop = [worlds.service("default/a", external="b.default.svc.cluster.local")]
    loop += [worlds.service("default/b", external="a.default.svc.cluster.local")]
    asked.store = read_store(loop, (), worlds.NAMESPACES)
    assert asked.ask(Question("a.default.svc.cluster.local.", "A"), nobody).nodata


# -- the cache ---------------------------------------------------------------------------------------
def test_what_is_kept_is_not_asked_again_until_its_time_is_over():
    upstream, asked = address(ttl=20)
    coredns = server()
    ttls = []
    for second in (0, 5, 19, 20):
        coredns.now = second * SECOND
        ttls.append(coredns.ask(Question(OUTSIDE, "A"), upstream).answer[0].ttl)
    assert (ttls, len(asked)) == ([20, 15, 1, 20], 2)


def test_the_cache_bounds_every_ttl_and_a_no_is_kept_as_well():
    upstream, asked = address(ttl=300)
    coredns = server()
    assert coredns.ask(Question(OUTSIDE, "A"), upstream).answer[0].ttl == 30
    for _ in range(2):
        assert coredns.ask(Question("nosuch.test.", "A"), upstream).rcode == "NXDOMAIN"
    assert len(asked) == 2


def test_names_of_the_cluster_are_not_kept_where_the_corefile_says_so():
    coredns = server()
    assert coredns.ask(Question(WEB, "A"), nobody).addresses
    coredns.store = read_store((), (), worlds.NAMESPACES)
    assert coredns.ask(Question(WEB, "A"), nobody).rcode == "NXDOMAIN"


def test_a_failure_is_kept_five_seconds_and_gives_way_to_what_was_known():
    coredns = server()
    assert coredns.ask(Question(OUTSIDE, "A"), nobody).rcode == "SERVFAIL"
    upstream, asked = address()
    coredns.now = 4 * SECOND
    assert (coredns.ask(Question(OUTSIDE, "A"), upstream).rcode, asked) == ("SERVFAIL", [])
    coredns.now = 5 * SECOND
    assert coredns.ask(Question(OUTSIDE, "A"), upstream).rcode == "NOERROR"


def test_an_alias_without_what_was_asked_for_and_without_soa_is_not_kept():
    asked = []

    def upstream(ask):
        asked.append(ask)
        return Answer("NOERROR", (Record(OUTSIDE, 60, "CNAME", "elsewhere.example."),), ra=True)

    coredns = server()
    for _ in range(2):
        coredns.ask(Question(OUTSIDE, "A"), upstream)
    assert len(asked) == 2


def test_a_node_local_cache_hides_a_dead_coredns_for_thirty_seconds_and_asks_it_by_tcp():
    cluster, cache = server(), CoreDNS(NODE_CACHE)
    sent = []

    def to_cluster(ask):
        sent.append(ask.tcp)
        return cluster.ask(ask.question, nobody) if alive else None

    answers = []
    for second in (0, 29, 30):
        alive, cache.now = second == 0, second * SECOND
        answers.append(cache.ask(Question(WEB, "A"), to_cluster).rcode)
    assert (answers, sent) == (["NOERROR", "NOERROR", "SERVFAIL"], [True, True])


# -- resolv.conf ---------------------------------------------------------------------------------------
def pod(**spec):
    return {"metadata": {"namespace": "shop", "name": "p"}, "spec": spec}


def test_a_pod_asks_the_cluster_first():
    conf, said = pod_resolv_conf(pod(), NodeDns(host=ResolvConf(("192.0.2.1",), ("corp.example",))))
    assert conf.text == (
        "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
        "nameserver 10.96.0.10\noptions ndots:5\n"
    )
    assert said == []


@pytest.mark.parametrize(
    "spec, server",
    [
        ({"dnsPolicy": "Default"}, "192.0.2.1"),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, "192.0.2.1"),
        ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, "10.96.0.10"),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["9.9.9.9"]}}, "9.9.9.9"),
    ],
)
def test_the_policy_says_which_server_a_pod_asks(spec, server):
    conf, _ = pod_resolv_conf(pod(**spec), NodeDns(host=ResolvConf(("192.0.2.1",), ())))
    assert conf.nameservers == (server,)


def test_a_pod_s_own_options_replace_those_of_the_same_name():
    own = {"options": [{"name": "ndots", "value": "2"}, {"name": "use-vc"}], "searches": ["cluster.local", "x.test"]}
    conf, _ = pod_resolv_conf(pod(dnsConfig=own), NodeDns())
    assert conf.options == ("ndots:2", "use-vc")
    assert conf.search == ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "x.test")


def test_what_exceeds_a_limit_is_cut_off_and_said():
    own = {"nameservers": [f"192.0.2.{n}" for n in range(5)], "searches": [f"{n}{'x' * 60}.test" for n in range(40)]}
    conf, said = pod_resolv_conf(pod(dnsConfig=own), NodeDns())
    assert conf.nameservers == ("10.96.0.10", "192.0.2.0", "192.0.2.1")
    assert len(" ".join(conf.search)) <= 2048
    assert [text.split(" limits")[0] for text in said] == ["Nameserver", "Search Line"]


def test_a_library_passes_over_options_that_it_does_not_know():
    conf = read_resolv_conf("options ndots:99 attempts:9 use-vc")
    assert (settings(conf, GLIBC).ndots, settings(conf, GLIBC).attempts) == (15, 5)
    assert settings(conf, GLIBC).flags == {"use-vc"}
    assert (settings(conf, MUSL).attempts, settings(conf, MUSL).flags) == (9, frozenset())


# -- time ----------------------------------------------------------------------------------------------
def waited(libc, lost, options=()):
    """How long a name takes, in seconds, of whose questions those numbered in *lost* get no answer."""
    steps, heard, number, time = (
        look_up("web.", settings(ResolvConf(("10.96.0.10",), (), options), libc), libc),
        None,
        0,
        0,
    )
    while True:
        try:
            send = steps.send(heard)
        except StopIteration as done:
            return time / SECOND, done.value.error
        got = {}
        for question in send.questions:
            if number not in lost:
                got[question.type] = Answer("NOERROR", (Record("web.", 30, "A", "10.96.2.1"),))
            number += 1
        took = 0 if len(got) == len(send.questions) > 0 else send.wait
        heard, time = (got, took), time + took


@pytest.mark.parametrize(
    "libc, lost, options, seconds",
    [
        (GLIBC, (), (), 0),
        (GLIBC, (0,), (), 5),
        (GLIBC, (1,), (), 5),
        (GLIBC, (0,), ("timeout:1",), 1),
        (MUSL, (0,), (), 2.5),
        (MUSL, (0,), ("timeout:1",), 0.5),
    ],
)
def test_one_lost_packet_costs_a_timeout(libc, lost, options, seconds):
    assert waited(libc, lost, options) == (seconds, "")


def test_where_nobody_answers_glibc_gives_up_after_ten_seconds_and_musl_after_five():
    assert waited(GLIBC, range(99)) == (10, "Temporary failure in name resolution")
    assert waited(MUSL, range(99)) == (5, "Try again")


def test_glibc_gives_up_at_once_where_nobody_listens_and_musl_does_not_hear_of_it():
    for libc, names, time in ((GLIBC, ["web.one.test."], 0), (MUSL, ["web.one.test."], 5)):
        steps = look_up("web", settings(ResolvConf(("10.96.0.10",), ("one.test", "two.test")), libc), libc)
        waited, send = 0, next(steps)
        while True:
            took = 0 if send.questions else send.wait
            waited += took
            try:
                send = steps.send(({}, took))
            except StopIteration as done:
                outcome = done.value
                break
        assert [step.name for step in outcome.walk] == names
        assert waited == time * SECOND


@pytest.mark.parametrize(
    "name, meant",
    [
        ("10.1", "10.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("010.0.0.1", "8.0.0.1"),
        ("1.2.3.4.5", ""),
        ("web", ""),
        ("10.256.1.1", ""),
    ],
)
def test_what_looks_like_an_address_is_one(name, meant):
    assert literal(name) == meant
