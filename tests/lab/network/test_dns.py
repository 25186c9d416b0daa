"""The chapter *DNS*: its stories happen as its questions say, and its checkers see what is wrong."""

import pytest

from kubemini import check, run
from kubemini.cluster import Cluster
from kubemini.lab.dns.tickets import HEADLESS, NAMESPACE, POLICY, STARVED
from kubemini.lab.questions import of_chapter
from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.study.names import failing, failing_expected, server, walk


# -- what the questions say --------------------------------------------------------------------------
def test_a_name_outside_costs_eight_questions_and_two_with_a_final_dot():
    assert [walk(name).queries for name in ("api.example.com", "api.example.com.", "web")] == [8, 2, 2]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_notices_before_a_kept_answer_has_ended(seed):
    assert of_chapter("dns")["predictions"]["gone"]["answer"].startswith("At about 67 s")
    trace = run("dns", seed)
    failed = [r.at / SECOND for r in trace.of("lookup") if r.detail["error"] and r.at > 20 * SECOND]
    assert 60 < failed[0] < 75


def test_one_lost_packet_costs_five_seconds_in_glibc_and_half_in_musl():
    assert [walk("web", libc=libc, lost=lambda n: n == 0).seconds for libc in ("glibc", "musl")] == [5, 2.5]


def test_who_is_not_let_out_waits_twenty_seconds():
    silent = walk("web", lost=lambda n: True)
    assert (silent.seconds, silent.error) == (20, "Temporary failure in name resolution")


def test_the_share_that_fails_grows_as_theory_says():
    shares = failing(ttl=30, rate=1, clients=1000, seconds=40)
    for second in range(0, 40, 5):
        assert abs(shares[second] - failing_expected(30, 1, second + 0.5)) < 0.06
    assert shares[31:] == [1.0] * 9


def test_the_second_lookup_is_answered_from_the_cache_of_coredns_and_costs_as_many_questions():
    coredns = server()
    first, again = (walk("api.example.com", coredns=coredns) for _ in range(2))
    assert (first.queries, first.outside, again.queries, again.outside) == (8, 2, 8, 0)


def test_with_musl_and_few_dots_wanted_a_name_in_another_namespace_is_not_found():
    assert walk("web.prod", ndots=1, libc="musl").error == "Name does not resolve"
    assert walk("web.prod", ndots=1).addresses


def test_without_a_cluster_ip_every_ready_endpoint_is_an_answer():
    assert walk("db.data").addresses == ("10.244.1.20", "10.244.2.21")


def test_two_coredns_pods_share_the_questions():
    cluster = Cluster.single(workers=2, seed=16, dns="coredns")
    scenario = load("dns")
    cluster.prepare(scenario.manifests, {"visitors": {"service": "web", "every": "100ms", "name": "web"}})
    cluster.run("60s")
    drops = {w: cluster.net.channels.get(("visitor@worker-1", f"coredns@{w}")) for w in ("worker-1", "worker-2")}
    asked = [channel.sent[3] for channel in drops.values()]
    assert min(asked) > 0.3 * sum(asked)


# -- exercises -----------------------------------------------------------------------------------------
def expand(name, search, ndots):
    if name.endswith("."):
        return [name]
    below = [f"{name}.{domain}" for domain in search]
    return [name, *below] if name.count(".") >= ndots else [*below, name]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda name, search, ndots: [name], "Some names are never tried"),
        (lambda name, search, ndots: expand(name.rstrip("."), search, ndots), "is whole. What is there to search?"),
        (lambda name, search, ndots: expand(name, search, ndots + 1), "Which comes first"),
        (lambda name, search, ndots: expand(name, search, ndots)[: 1 if name.count(".") >= ndots else 9], "first try"),
        (lambda name, search, ndots: name, "Return a list of names"),
    ],
)
def test_a_walk_that_goes_another_way_is_told_which_name(answer, hint):
    report = check("dns.expand", answer)
    assert not report.passed and (hint in report.hint or hint in report.next)


def test_the_walk_of_glibc_passes_with_dots_or_without():
    assert check("dns.expand", expand).passed
    assert check("dns.expand", lambda *a: [name.rstrip(".") + "." for name in expand(*a)]).passed


def ndots(value):
    return {"dnsConfig": {"options": [{"name": "ndots", "value": value}]}}


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (ndots("4"), "only 0 % of the questions are saved"),
        (ndots("1"), "On musl web.prod is not found any more"),
        ({"dnsPolicy": "Default"}, "web is not found any more"),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"]}}, "web is not found any more"),
        ({"containers": []}, "containers has nothing to do with names"),
        ({"dnsConfig": {"options": ["ndots:2"]}}, "would not take this"),
        ({}, "Give a part of the pod's spec"),
    ],
)
def test_fewer_questions_are_no_use_if_a_name_is_lost(answer, hint):
    assert hint in check("dns.fewer", answer).hint


def test_two_dots_save_two_thirds_and_so_does_a_list_of_one_domain_less_for_some():
    assert check("dns.fewer", ndots("2")).passed


def diagnose(ticket):
    if ticket.other_seconds:
        return STARVED
    if {code for _, code in ticket.walk} == {"timeout"}:
        return POLICY
    asked = {name for name, _ in ticket.walk}
    for service in ticket.services:
        namespace, name = service.split("/")
        if f"{name}.{namespace}.svc.cluster.local." in asked:
            return HEADLESS
    return NAMESPACE


def test_tickets_can_be_told_apart_by_what_is_written_in_them():
    assert check("dns.tickets", diagnose).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda ticket: "DNS", "Return one of"),
        (lambda ticket: NAMESPACE, "of a ticket that was “no ready endpoint”"),
        (lambda ticket: POLICY if ticket.seconds else diagnose(ticket), "of a ticket that was “CoreDNS is starved”"),
    ],
)
def test_a_cause_that_was_not_is_told_with_the_ticket(answer, hint):
    assert hint in check("dns.tickets", answer).hint
