"""CoreDNS' plugins rewrite, cache with serve_stale, and forward with max_concurrent: what a reader must know of them.

The real CoreDNS is asked the same by `python -m tests.real.dns`.
"""

import pytest

from kubemini.network.decide.dns.coredns import Aside, CoreDNS
from kubemini.network.decide.dns.corefile import CorefileError
from kubemini.network.decide.dns.message import Answer, Question, Record
from kubemini.network.decide.dns.store import read_store
from kubemini.sim.units import MS, SECOND
from tests.oracles.network.dns import worlds

WEB, OUTSIDE = "web.default.svc.cluster.local.", "api.example.com."


def server(*lines):
    """Our CoreDNS with these lines, the cluster of the recordings behind it, and a forward."""
    text = "\n".join((".:53 {", "kubernetes cluster.local", "forward . 198.51.100.53", *lines, "}"))
    found = CoreDNS(text)
    found.store = read_store(worlds.SERVICES, worlds.SLICES, worlds.NAMESPACES, worlds.PODS)
    return found


def well(ask):
    """The server outside when it is well: it knows one name for a second."""
    if ask.question.name == OUTSIDE and ask.question.type == "A":
        return Answer("NOERROR", (Record(OUTSIDE, 1, "A", "203.0.113.80"),), ra=True)
    return Answer("NXDOMAIN", authority=(Record(".", 1, "SOA", ". . 1 2 3 4 1"),), ra=True)


def ill(ask):
    return Answer("SERVFAIL", ra=True)


def silent(ask):
    return None


def asked(dns, name, kind="A", upstream=well):
    """The answer as lines."""
    return [str(record) for record in dns.ask(Question(name, kind), upstream).answer]


# -- rewrite -------------------------------------------------------------------------------------------
def test_an_exact_rule_answers_under_the_name_that_was_asked():
    dns = server("rewrite name shop.example.com web.default.svc.cluster.local")
    assert asked(dns, "shop.example.com.") == ["shop.example.com. 5 A 10.96.2.1"]
    assert asked(dns, WEB) == [f"{WEB} 5 A 10.96.2.1"]


def test_a_suffix_rule_answers_under_the_other_name_unless_it_says_answer_auto():
    rule = "rewrite name suffix .corp.test .default.svc.cluster.local"
    assert asked(server(rule), "web.corp.test.") == [f"{WEB} 5 A 10.96.2.1"]
    assert asked(server(f"{rule} answer auto"), "web.corp.test.") == ["web.corp.test. 5 A 10.96.2.1"]


def test_answer_auto_turns_back_what_a_record_points_to_as_well():
    dns = server("rewrite name suffix .corp.test .default.svc.cluster.local answer auto")
    answer = dns.ask(Question("_http._tcp.multi.corp.test.", "SRV"), well)
    assert [str(r) for r in answer.answer] == ["_http._tcp.multi.corp.test. 5 SRV 0 100 80 multi.corp.test."]
    assert [r.name for r in answer.additional] == ["multi.corp.test."]


def test_a_prefix_is_made_a_whole_name_so_a_part_of_a_label_never_fits():
    dns = server("rewrite name prefix www. web.")
    assert asked(dns, "www.default.svc.cluster.local.") == [f"{WEB} 5 A 10.96.2.1"]
    assert asked(server("rewrite name prefix ww we"), "wwb.default.svc.cluster.local.") == []


def test_a_regular_expression_gives_its_groups_to_the_new_name():
    rule = r"rewrite name regex (.*)\.in\.(default|prod)\.test {1}.{2}.svc.cluster.local"
    back = r" answer name (.*)\.prod\.svc\.cluster\.local {1}.turned.test"
    assert asked(server(rule), "web.in.prod.test.") == ["web.prod.svc.cluster.local. 5 A 10.96.2.6"]
    assert asked(server(rule + back), "web.in.prod.test.") == ["web.turned.test. 5 A 10.96.2.6"]


def test_stop_ends_the_search_and_continue_goes_on_with_the_new_name():
    rules = "name a.test b.test", "name b.test web.default.svc.cluster.local"
    assert asked(server(*(f"rewrite stop {rule}" for rule in rules)), "a.test.") == []
    assert asked(server(*(f"rewrite continue {rule}" for rule in rules)), "a.test.") == ["a.test. 5 A 10.96.2.1"]


def test_a_rule_between_braces_is_the_same_rule():
    dns = server("rewrite stop {", "name shop.example.com web.default.svc.cluster.local", "}")
    assert asked(dns, "shop.example.com.") == ["shop.example.com. 5 A 10.96.2.1"]


def test_a_type_and_a_ttl_are_rewritten_too():
    assert asked(server("rewrite type AAAA A"), WEB, "AAAA") == [f"{WEB} 5 A 10.96.2.1"]
    assert asked(server("rewrite ttl suffix svc.cluster.local 10-20"), WEB) == [f"{WEB} 10 A 10.96.2.1"]


def test_what_is_no_name_any_more_is_a_failure():
    dns = server(r"rewrite name regex ^bad\.(.*) ..{1}")
    assert dns.ask(Question("bad.example.com.", "A"), well).rcode == "SERVFAIL"


def test_the_class_chaos_is_refused_unless_somebody_forwards():
    question = Question(WEB, "A", klass="CH")
    alone = CoreDNS(".:53 {\nkubernetes cluster.local\nrewrite class CH IN\n}")
    assert alone.ask(question, well).rcode == "REFUSED"
    assert server("rewrite class CH IN").ask(question, well).addresses == ("10.96.2.1",)


def test_what_an_external_name_leads_to_is_asked_in_class_in_again():
    dns = server("rewrite class IN CH", "rewrite type A AAAA")
    dns.store = read_store([worlds.service("default/ext", external=OUTSIDE.rstrip("."))], [], worlds.NAMESPACES)
    assert asked(dns, "ext.default.svc.cluster.local.") == [
        "ext.default.svc.cluster.local. 5 CNAME api.example.com.",
        "api.example.com. 1 A 203.0.113.80",
    ]


@pytest.mark.parametrize(
    "rule, what",
    [
        ("name", "cannot read 'name'"),
        ("name glob a b", "supports only exact, prefix, suffix, substring, and regex name matching, received: glob"),
        ("name regex ( b", "invalid regex matching pattern: ("),
        ("name regex a(.*) {1}{2}", "uses more subexpressions"),
        ("name exact a b auto", "say answer first"),
        ("name suffix a b answer sometimes", "cannot read answer sometimes"),
        ("name suffix a b answer auto answer name a b", "cannot be combined"),
        ("type A NOSUCH", 'invalid type "NOSUCH"'),
        ("class IN XX", 'invalid class "XX"'),
        ("ttl web 9-3", "invalid TTL '9-3'"),
        ("edns0 local set 0xffee 1", "cannot read 'edns0"),
    ],
)
def test_a_rule_that_cannot_be_read_says_what_to_write(rule, what):
    with pytest.raises(CorefileError, match="plugin/rewrite: ") as error:
        server(f"rewrite {rule}")
    assert what in str(error.value)


# -- serve_stale -----------------------------------------------------------------------------------------
def cached(stale):
    return server("cache {", "success 9984 1 0", "denial 9984 1 0", "servfail 0s", stale, "}")


@pytest.mark.parametrize(
    "stale, lines",
    [
        ("", []),
        ("serve_stale", [f"{OUTSIDE} 0 A 203.0.113.80"]),
        ("serve_stale 1h immediate 7s", [f"{OUTSIDE} 7 A 203.0.113.80"]),
        ("serve_stale 1h verify", [f"{OUTSIDE} 0 A 203.0.113.80"]),
        ("serve_stale 5s", []),
    ],
)
def test_with_serve_stale_an_answer_outlives_its_time_when_the_server_outside_fails(stale, lines):
    dns = cached(stale)
    asked(dns, OUTSIDE)
    dns.now = 8 * SECOND
    assert asked(dns, OUTSIDE, upstream=ill) == lines


def test_a_stale_answer_is_given_first_and_renewed_meanwhile():
    dns = cached("serve_stale")
    asked(dns, OUTSIDE)
    dns.now = 8 * SECOND
    ways = []

    def counted(ask):
        ways.append("TCP" if ask.tcp else "UDP")
        return well(ask)

    assert asked(dns, OUTSIDE, upstream=counted) == [f"{OUTSIDE} 0 A 203.0.113.80"]
    assert ways == ["TCP"]  # nobody waits for it
    assert asked(dns, OUTSIDE, upstream=silent) == [f"{OUTSIDE} 1 A 203.0.113.80"]


def test_verify_gives_the_new_answer_if_there_is_one():
    dns = cached("serve_stale 1h verify")
    asked(dns, OUTSIDE)
    dns.now = 8 * SECOND
    assert asked(dns, OUTSIDE) == [f"{OUTSIDE} 1 A 203.0.113.80"]


def test_verify_with_a_time_limit_waits_so_long_and_no_longer():
    dns = cached("serve_stale 1h verify 200ms")
    asked(dns, OUTSIDE)
    dns.now = 8 * SECOND
    steps = dns.serve(Question(OUTSIDE, "A"))
    aside = next(steps)
    assert isinstance(aside, Aside)
    assert aside.wait == 200 * MS
    with pytest.raises(StopIteration) as late:
        steps.send(None)  # the time is over
    assert late.value.value.answer[0].ttl == 0
    next(aside.steps)
    with pytest.raises(StopIteration):
        aside.steps.send(Answer("NOERROR", (Record(OUTSIDE, 1, "A", "203.0.113.81"),), ra=True))
    assert asked(dns, OUTSIDE, upstream=silent) == [f"{OUTSIDE} 1 A 203.0.113.81"]  # what came late is kept


def test_after_a_failure_nobody_looks_again_before_the_recheck():
    dns, count = cached("serve_stale 1h immediate 0s 30s"), []

    def failing(ask):
        count.append(ask)
        return ill(ask)

    asked(dns, OUTSIDE)
    for second in (8, 9, 37, 39):
        dns.now = second * SECOND
        asked(dns, OUTSIDE, upstream=failing)
    assert len(count) == 2


@pytest.mark.parametrize("line", ["serve_stale 1h sometimes", "serve_stale 1h immediate 500ms", "serve_stale soon"])
def test_a_stale_stanza_that_cannot_be_read_is_refused(line):
    with pytest.raises(CorefileError):
        cached(line)


# -- max_concurrent --------------------------------------------------------------------------------------
def test_a_forward_to_itself_ends_where_too_many_are_under_way():
    dns, deep = CoreDNS(".:53 {\nforward . 127.0.0.1 {\nmax_concurrent 12\n}\n}"), []

    def itself(ask):
        deep.append(ask)
        return dns.ask(ask.question, itself)

    answer = dns.ask(Question(OUTSIDE, "A"), itself)
    assert (answer.rcode, len(deep)) == ("REFUSED", 12)
    assert answer.rule == "forward: concurrent queries exceeded maximum 12"
    assert dns.ask(Question(OUTSIDE, "A"), well).rcode == "NOERROR"  # none is left under way
