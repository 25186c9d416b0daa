"""Gateway API: listeners and routes, filters, back ends, shares, and the conditions that a controller writes."""

import math

import pytest

from kubemini.network.decide.routing import filters, gateway, listeners, status, traefik
from kubemini.network.decide.routing.exchange import WHOLE, Backend, Request, Verdict
from kubemini.network.decide.routing.gateway import Facts
from kubemini.sim.chance import Draws

GROUP = listeners.GROUP


def a_gateway(*specs):
    return {
        "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": "infra", "generation": 3},
        "spec": {"gatewayClassName": "ours", "listeners": list(specs)},
    }


def listener(name, hostname=None, port=80, protocol="HTTP", come="All", **more):
    spec = {"name": name, "port": port, "protocol": protocol, "allowedRoutes": {"namespaces": {"from": come}}}
    return spec | ({"hostname": hostname} if hostname else {}) | more


def a_route(*rules, name="web", hostnames=(), parent=None, namespace="shop", kind="HTTPRoute", created="1"):
    spec = {"parentRefs": [{"name": "gw", "namespace": "infra"} | (parent or {})], "rules": list(rules)}
    meta = {"name": name, "namespace": namespace, "creationTimestamp": created}
    return {"kind": kind, "metadata": meta, "spec": spec | ({"hostnames": list(hostnames)} if hostnames else {})}


def rule(*names, path=None, kind="PathPrefix", **more):
    """A rule that leads to Services, ``name`` or ``name=weight``."""
    refs = [
        {"name": name, "port": 80} | ({"weight": int(weight)} if weight else {})
        for name, _, weight in (each.partition("=") for each in names)
    ]
    made = {"backendRefs": refs} | more
    return made | ({"matches": [{"path": {"type": kind, "value": path}}]} if path else {})


def services(*names, namespace="shop"):
    return [
        {"kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": {"ports": [{"port": 80}]}}
        for name in names
    ]


def ask(objects, host="a.io", target="/", empty=(), **more):
    facts = Facts(tuple(objects), frozenset(empty))
    return gateway.route(facts, facts.of("Gateway")[0], Request(host, target, **more))


ALL = a_gateway(listener("web"))


def test_a_verdict_names_listener_route_rule_and_match():
    verdict = ask([ALL, a_route(rule("s", name="front")), *services("s")])
    assert verdict.rule == "gateway infra/gw listener web, httproute shop/web rules[0].matches[0] (front)"


@pytest.mark.parametrize(
    ("made", "code", "why"),
    [
        (rule(), 500, "no backendRefs"),
        (rule("s=0", "t=0"), 500, "all weights are zero"),
        (rule("gone"), 500, "svc/shop/gone:80 BackendNotFound"),
        (rule("lonely"), 503, "svc/shop/lonely:80 has no endpoints"),
        ({"backendRefs": [{"name": "s", "port": 81}]}, 500, "svc/shop/s:81 BackendNotFound"),
        ({"backendRefs": [{"name": "s", "port": 80, "namespace": "bank"}]}, 500, "svc/bank/s:80 RefNotPermitted"),
        (
            {"backendRefs": [{"name": "s", "kind": "Bucket", "group": "x.io", "port": 80}]},
            500,
            "svc/shop/s:80 InvalidKind",
        ),
    ],
)
def test_a_rule_without_a_usable_back_end_is_answered_by_the_proxy(made, code, why):
    known = [*services("s", "t", "lonely"), *services("s", namespace="bank")]
    verdict = ask([ALL, a_route(made), *known], empty=[("shop", "lonely")])
    assert (verdict.status, verdict.rule.rpartition(": ")[2]) == (code, why)


def test_a_grant_in_the_other_namespace_allows_the_reference():
    ref = {"backendRefs": [{"name": "s", "port": 80, "namespace": "bank"}]}
    source = {"group": GROUP, "kind": "HTTPRoute", "namespace": "shop"}
    grant = {
        "kind": "ReferenceGrant",
        "metadata": {"name": "g", "namespace": "bank"},
        "spec": {"from": [source], "to": [{"group": "", "kind": "Service"}]},
    }
    known = services("s", namespace="bank")
    assert ask([ALL, a_route(ref), grant, *known]).status == 200
    away = {**grant, "metadata": {"name": "g", "namespace": "shop"}}
    assert ask([ALL, a_route(ref), away, *known]).status == 500


def test_a_request_belongs_to_the_most_specific_listener_even_if_no_route_of_it_matches():
    two = a_gateway(listener("any"), listener("one", "a.io"))
    routes = [a_route(rule("s"), parent={"sectionName": "any"}), *services("s")]
    assert [ask([two, *routes], host).status for host in ("b.io", "a.io")] == [200, 404]


def test_a_connection_for_one_name_does_not_carry_requests_for_another():
    tls = {"tls": {"certificateRefs": []}}
    two = a_gateway(*(listener(n, f"{n}.io", 443, "HTTPS", **tls) for n in ("a", "b")))
    route = a_route(rule("s"))
    codes = [
        ask([two, route, *services("s")], "b.io", port=443, scheme="https", sni=sni).status for sni in ("b.io", "a.io")
    ]
    assert codes == [200, 421]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("", "", ""),
        ("a.io", "", "a.io"),
        ("", "*.io", "*.io"),
        ("x.a.io", "*.a.io", "x.a.io"),
        ("*.a.io", "x.a.io", "x.a.io"),
        ("*.a.io", "*.x.a.io", "*.x.a.io"),
        ("a.io", "*.a.io", None),
        ("a.io", "b.io", None),
    ],
)
def test_hostnames_intersect(one, other, both):
    assert listeners.intersection(one, other) == both


def test_of_equal_matches_the_older_route_wins_then_the_first_by_name():
    old, new = a_route(rule("old"), name="z", created="1"), a_route(rule("new"), name="a", created="2")
    same = a_route(rule("same"), name="b", created="2")
    known = services("old", "new", "same")
    assert ask([ALL, new, old, *known]).backends[0].name == "old"
    assert ask([ALL, same, new, *known]).backends[0].name == "new"


def test_the_host_counts_more_than_the_path_and_the_path_more_than_headers():
    host = a_route(rule("host", path="/"), name="h", hostnames=["a.io"])
    path = a_route(rule("path", path="/long/path"), name="p", hostnames=["*.io"])
    header = {"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": "X", "value": "1"}]}
    heads = a_route({"matches": [header], "backendRefs": [{"name": "head", "port": 80}]}, name="q", hostnames=["*.io"])
    objects = [ALL, heads, path, host, *services("host", "path", "head")]
    reached = [ask(objects, host, "/long/path", headers={"x": "1"}).backends[0].name for host in ("a.io", "b.io")]
    assert reached == ["host", "path"]


# -- filters ----------
@pytest.mark.parametrize(
    ("target", "change", "after"),
    [
        ("/foo", {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}, "/"),
        ("/foo/bar?x=1", {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}, "/bar?x=1"),
        ("/foo/bar", {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/xyz/"}, "/xyz/bar"),
        ("/foo", {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/xyz"}, "/xyz"),
        ("/foo/bar?x=1", {"type": "ReplaceFullPath", "replaceFullPath": "/one"}, "/one?x=1"),
        ("/foo", None, "/foo"),
    ],
)
def test_a_path_is_rewritten(target, change, after):
    assert filters.path_after(target, "/foo", change) == after


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({}, "http://a.io:8080/x"),
        ({"scheme": "https"}, "https://a.io/x"),
        ({"scheme": "https", "port": 8443}, "https://a.io:8443/x"),
        ({"port": 80, "hostname": "b.io"}, "http://b.io/x"),
    ],
)
def test_a_redirect_leaves_what_it_does_not_say(change, location):
    verdict = Verdict("forwarded", "r", request=Request("a.io:8080", "/x", port=8080))
    assert filters.redirect(verdict, change, 8080).location == location


def test_headers_know_no_case():
    change = {"set": [{"name": "X-A", "value": "new"}], "add": [{"name": "x-b", "value": "2"}], "remove": ["X-c"]}
    assert filters.modified({"x-a": "old", "X-B": "1", "x-C": "gone"}, change) == {"X-A": "new", "X-B": "1,2"}


@pytest.mark.parametrize(
    ("text", "ms"), [("500ms", 500), ("1s", 1000), ("1m30s", 90_000), ("1h", 3_600_000), ("0s", 0), ("1s500ms", 1500)]
)
def test_durations_of_gateway_api(text, ms):
    assert gateway.milliseconds(text) == ms


def test_the_shorter_time_limit_counts_and_zero_is_none():
    timed = rule("s", timeouts={"request": "10s", "backendRequest": "2s"}, retry={"codes": [503], "attempts": 2})
    verdict = ask([ALL, a_route(timed), *services("s")])
    assert (verdict.timeout_ms, verdict.retry.attempts, verdict.retry.codes) == (2000, 2, (503,))
    assert ask([ALL, a_route(rule("s", timeouts={"request": "0s"})), *services("s")]).timeout_ms == 0


# -- shares ----------
def test_shares_follow_the_weights():
    verdict = ask([ALL, a_route(rule("s=90", "t=10", "u=0")), *services("s", "t", "u")])
    many, step = 10_000, WHOLE // 10_000
    got = [verdict.pick(step * number + step // 2).name for number in range(many)]
    assert [got.count(name) for name in "stu"] == [9000, 1000, 0]


def test_shares_of_random_draws_pass_a_chi_square():
    draws = Draws(1, "shares")
    verdict = Verdict("forwarded", "r", backends=tuple(Backend("n", name, 80, w) for name, w in (("a", 7), ("b", 3))))
    many = 30_000
    got = [verdict.pick(draws.u(number)).name for number in range(many)]
    chi = sum((got.count(name) - many * share) ** 2 / (many * share) for name, share in (("a", 0.7), ("b", 0.3)))
    assert math.erfc(math.sqrt(chi / 2)) > 0.001, f"chi-square {chi}, one degree of freedom"


def test_the_share_of_a_back_end_that_is_none_is_answered_500():
    verdict = ask([ALL, a_route(rule("s=1", "gone=1")), *services("s")])
    codes = [gateway.settled(verdict, backend, 80).status for backend in verdict.backends]
    assert codes == [200, 500]


# -- conditions ----------
def conditions(rows):
    return {row["type"]: (row["status"], row["reason"]) for row in rows}


@pytest.mark.parametrize(
    ("route", "accepted", "resolved"),
    [
        (a_route(rule("s")), ("True", "Accepted"), ("True", "ResolvedRefs")),
        (a_route(rule("gone")), ("True", "Accepted"), ("False", "BackendNotFound")),
        (a_route(rule("s"), parent={"sectionName": "no"}), ("False", "NoMatchingParent"), ("True", "ResolvedRefs")),
        (a_route(rule("s"), parent={"port": 81}), ("False", "NoMatchingParent"), ("True", "ResolvedRefs")),
        (a_route(rule("s"), hostnames=["b.io"]), ("False", "NoMatchingListenerHostname"), ("True", "ResolvedRefs")),
        (
            a_route(rule("s"), parent={"sectionName": "own"}),
            ("False", "NotAllowedByListeners"),
            ("True", "ResolvedRefs"),
        ),
    ],
)
def test_a_route_is_told_why_it_is_not_attached(route, accepted, resolved):
    gw = a_gateway(listener("web", "a.io"), listener("own", come="Same", port=8080))
    route["spec"]["parentRefs"][0].setdefault("sectionName", "web")
    (row,) = status.route(Facts((gw, route, *services("s"))), route, [gw], "example.com/ours")
    assert conditions(row["conditions"]) == {"Accepted": accepted, "ResolvedRefs": resolved}
    assert row["controllerName"] == "example.com/ours"


def test_a_parent_of_another_controller_gets_no_status():
    route = a_route(rule("s"))
    assert status.route(Facts((route,)), route, [], "example.com/ours") == []


def test_a_gateway_without_an_address_is_accepted_and_not_programmed():
    facts = Facts((ALL, a_route(rule("s")), *services("s")))
    row = status.gateway(facts, ALL, [])
    assert conditions(row["conditions"]) == {
        "Accepted": ("True", "Accepted"),
        "Programmed": ("False", "AddressNotAssigned"),
    }
    assert row["listeners"][0]["attachedRoutes"] == 1
    assert row["conditions"][0]["observedGeneration"] == 3


@pytest.mark.parametrize(
    ("specs", "reasons"),
    [
        ([listener("a"), listener("b")], ("HostnameConflict", "HostnameConflict", "ResolvedRefs", "Invalid")),
        (
            [listener("a"), listener("b", protocol="TCP")],
            ("ProtocolConflict", "ProtocolConflict", "ResolvedRefs", "Invalid"),
        ),
        ([listener("b", protocol="QUIC")], ("UnsupportedProtocol", "NoConflicts", "ResolvedRefs", "Invalid")),
        (
            [listener("b", protocol="HTTPS", port=443, tls={"certificateRefs": [{"name": "no"}]})],
            ("Accepted", "NoConflicts", "InvalidCertificateRef", "Invalid"),
        ),
        (
            [listener("b", protocol="HTTPS", port=443, tls={"certificateRefs": [{"name": "x", "namespace": "bank"}]})],
            ("Accepted", "NoConflicts", "RefNotPermitted", "Invalid"),
        ),
        (
            [listener("b", allowedRoutes={"kinds": [{"kind": "TCPRoute"}]})],
            ("Accepted", "NoConflicts", "InvalidRouteKinds", "Invalid"),
        ),
    ],
)
def test_a_listener_is_told_what_is_wrong_with_it(specs, reasons):
    gw = a_gateway(*specs)
    row = status.gateway(Facts((gw,)), gw, ["203.0.113.1"])["listeners"][-1]
    found = conditions(row["conditions"])
    assert tuple(found[kind][1] for kind in ("Accepted", "Conflicted", "ResolvedRefs", "Programmed")) == reasons


# -- another controller's reading ----------
def test_a_long_prefix_passes_a_method_in_one_controllers_numbers():
    short = {"path": {"type": "PathPrefix", "value": "/a"}, "method": "GET"}
    made = a_route(rule("s", path="/a/long/path"), {"matches": [short], "backendRefs": [{"name": "t", "port": 80}]})
    table = traefik.gateway_table(Facts((ALL, made, *services("s", "t"))), ALL)
    assert [router.priority for router in table] == [11202, 11201]
    assert [r.backends[0].name for r in traefik.route(table, Request("a.io", "/a/long/path"))] == ["s"]


def test_two_routers_of_one_priority_are_both_named():
    one, two = a_route(rule("s"), name="a"), a_route(rule("t"), name="b")
    table = traefik.gateway_table(Facts((ALL, one, two, *services("s", "t"))), ALL)
    assert len(traefik.route(table, Request("a.io"))) == 2
