"""TLS at both sides of a Gateway: connections that are routed by their hello, and certificates of back ends."""

import pytest

from kubemini.network.decide.routing import gateway, status
from kubemini.network.decide.routing.exchange import Request
from kubemini.network.decide.routing.gateway import Facts
from kubemini.network.decide.routing.tls import backendtls, passthrough
from kubemini.network.decide.routing.tls.backendtls import Shown
from tests.network.routing.test_gateway import a_gateway, a_route, listener, rule, services


def tls(name, hostname=None, mode="Passthrough", port=443):
    return listener(name, hostname, port, "TLS", tls={"mode": mode})


def tls_route(*names, hostnames=("a.io",), **more):
    return a_route(rule(*names), hostnames=hostnames, kind="TLSRoute", **more)


def hello(objects, sni, port=443):
    facts = Facts(tuple(objects))
    return passthrough.connect(facts, facts.of("Gateway")[0], port, sni)


# -- routes by the hello -------------------------------------------------------------------------------
def test_passthrough_leaves_the_hello_as_it_is_and_terminate_keeps_it():
    route, back = tls_route("s"), services("s")
    for mode, seen in (("Passthrough", "a.io"), ("Terminate", "")):
        verdict = hello([a_gateway(tls("one", mode=mode)), route, *back], "a.io")
        assert verdict.rule == f"gateway infra/gw listener one, tlsroute shop/web rules[0] ({mode})"
        assert (verdict.backends[0].name, verdict.request.sni) == ("s", seen)


def test_two_listeners_of_one_port_are_told_apart_by_the_name_in_the_hello():
    both = a_gateway(tls("in", "in.io", "Terminate"), tls("through", "*.io"))
    routes = [tls_route("s", hostnames=("in.io",), name="in"), tls_route("t", hostnames=("*.io",), name="out")]
    objects = [both, *routes, *services("s", "t")]
    assert "listener in" in hello(objects, "in.io").rule
    assert hello(objects, "other.io").backends[0].name == "t"


def test_the_most_specific_hostname_wins_and_then_the_oldest_route():
    routes = [
        tls_route("wide", hostnames=("*.io",), name="a", created="1"),
        tls_route("exact", hostnames=("a.io",), name="b", created="3"),
        tls_route("late", hostnames=("a.io",), name="a2", created="4"),
    ]
    assert (
        hello([a_gateway(tls("one")), *routes, *services("wide", "exact", "late")], "A.io").backends[0].name == "exact"
    )


@pytest.mark.parametrize(
    ("sni", "names", "port", "why"),
    [
        ("b.io", ("s",), 443, "no TLSRoute for b.io"),
        ("", ("s",), 443, "no TLSRoute for no name"),
        ("a.io", ("s",), 8443, "no listener on port 8443 for a.io"),
        ("a.io", ("nosuch",), 443, "svc/shop/nosuch:80 BackendNotFound"),
        ("a.io", ("s=0",), 443, "svc/shop/s:80 has no share"),
        ("a.io", (), 443, "no backendRefs"),
    ],
)
def test_what_leads_nowhere_is_closed_without_a_word(sni, names, port, why):
    route = tls_route(*names)
    if names == ("s=0",):
        route["spec"]["rules"][0]["backendRefs"][0]["weight"] = 0
    verdict = hello([a_gateway(tls("one")), route, *services("s")], sni, port)
    assert (verdict.fate, verdict.status) == ("closed", 0)
    assert verdict.rule.endswith(why)


# -- what the controller writes -------------------------------------------------------------------------
def accepted(route, one):
    facts = Facts((one, route, *services("s")))
    [row] = status.route(facts, route, [one], "ours")
    return [(c["type"], c["reason"]) for c in row["conditions"]]


def test_only_a_listener_of_tls_takes_a_tls_route():
    good = [("Accepted", "Accepted"), ("ResolvedRefs", "ResolvedRefs")]
    assert accepted(tls_route("s"), a_gateway(tls("one"))) == good
    for protocol in ("HTTP", "HTTPS"):
        other = a_gateway(listener("one", protocol=protocol))
        assert accepted(tls_route("s"), other)[0] == ("Accepted", "NotAllowedByListeners")
    assert accepted(tls_route("s"), a_gateway(tls("one", "b.io")))[0] == ("Accepted", "NoMatchingListenerHostname")
    assert accepted(tls_route("nosuch"), a_gateway(tls("one")))[1] == ("ResolvedRefs", "BackendNotFound")


def listeners_of(*specs):
    one = a_gateway(*specs)
    rows = status.gateway(Facts((one, tls_route("s"), *services("s"))), one, ["192.0.2.1"])["listeners"]
    return [([k["kind"] for k in row["supportedKinds"]], row["attachedRoutes"], row["conditions"][0]) for row in rows]


def test_a_listener_of_tls_supports_tls_routes_alone_and_counts_them():
    [(kinds, attached, condition)] = listeners_of(tls("one"))
    assert (kinds, attached, condition["reason"]) == (["TLSRoute"], 1, "Accepted")


def test_https_and_tls_share_a_port_and_http_does_not():
    reasons = [row[2]["reason"] for row in listeners_of(listener("web", "w.io", 443, "HTTPS"), tls("one", "a.io"))]
    assert reasons == ["Accepted", "Accepted"]
    reasons = [row[2]["reason"] for row in listeners_of(listener("web", "w.io", 443), tls("one", "a.io"))]
    assert reasons == ["Accepted", "ProtocolConflict"]


# -- certificates of back ends --------------------------------------------------------------------------
GOOD = Shown(("a.io", "spiffe://a.io/web"), "our authority")


def policy(name="p", section="", created="1", ca="ca", hostname="a.io", kind="ConfigMap", **validation):
    target = {"group": "", "kind": "Service", "name": "s"} | ({"sectionName": section} if section else {})
    refs = [{"group": "", "kind": kind, "name": ca}]
    return {
        "kind": "BackendTLSPolicy",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": created, "generation": 2},
        "spec": {
            "targetRefs": [target],
            "validation": {"caCertificateRefs": refs, "hostname": hostname} | validation,
        },
    }


def back_end(*policies):
    """What a Gateway knows of the Service s with two ports, and these policies."""
    ports = [{"name": "one", "port": 80}, {"name": "two", "port": 81}]
    service = {"kind": "Service", "metadata": {"name": "s", "namespace": "shop"}, "spec": {"ports": ports}}
    maps = {
        "kind": "ConfigMap",
        "metadata": {"name": "ca", "namespace": "shop"},
        "data": {"ca.crt": "our authority"},
    }
    return Facts((a_gateway(listener("web")), a_route(rule("s")), service, maps, *policies))


def spoken(facts, shown=GOOD, port=80):
    verdict = gateway.route(facts, facts.of("Gateway")[0], Request("a.io"))
    backend = verdict.backends[0]
    return backendtls.secured(facts, verdict, type(backend)("shop", "s", port), shown)


def test_without_a_policy_the_proxy_speaks_plain_text():
    assert spoken(back_end(), None).request.sni == ""


def test_with_one_its_hostname_is_in_the_hello_to_the_back_end():
    verdict = spoken(back_end(policy()))
    assert (verdict.fate, verdict.request.sni) == ("forwarded", "a.io")
    assert verdict.rule.endswith("; backendtlspolicy shop/p")


@pytest.mark.parametrize(
    ("more", "shown", "code", "why"),
    [
        ({}, None, 502, "does not speak TLS"),
        ({}, Shown(("a.io",), "another"), 502, "certificate signed by unknown authority"),
        ({"hostname": "b.io"}, GOOD, 502, "certificate is valid for a.io, spiffe://a.io/web, not b.io"),
        ({"ca": "nosuch"}, GOOD, 500, "InvalidCACertificateRef"),
        ({"kind": "Other"}, GOOD, 500, "InvalidKind"),
        ({"subjectAltNames": [{"type": "URI", "uri": "spiffe://b.io/x"}]}, GOOD, 502, "not spiffe://b.io/x"),
    ],
)
def test_a_certificate_that_will_not_do_ends_the_request(more, shown, code, why):
    verdict = spoken(back_end(policy(**more)), shown)
    assert (verdict.fate, verdict.status) == ("answered", code)
    assert verdict.rule.endswith(why)


def test_with_alternative_names_one_of_them_is_enough_and_the_hostname_only_greets():
    names = [{"type": "Hostname", "hostname": "c.io"}, {"type": "URI", "uri": "spiffe://a.io/web"}]
    verdict = spoken(back_end(policy(hostname="b.io", subjectAltNames=names)))
    assert (verdict.fate, verdict.request.sni) == ("forwarded", "b.io")


def test_a_policy_for_a_port_goes_before_one_for_the_whole_service():
    facts = back_end(policy("all"), policy("port", "two", hostname="b.io"))
    for port, name in ((80, "all"), (81, "port")):
        found = backendtls.policy_for(facts, type(spoken(facts).backends[0])("shop", "s", port))
        assert found["metadata"]["name"] == name


def reasons(facts, one):
    return [(c["type"], c["reason"]) for c in backendtls.conditions(facts, one)]


def test_of_two_policies_for_the_same_the_younger_is_in_conflict():
    old, young = policy("b", created="1"), policy("a", created="2")
    facts = back_end(young, old)
    assert reasons(facts, old)[0] == ("Accepted", "Accepted")
    assert reasons(facts, young)[0] == ("Accepted", "Conflicted")


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"ca": "nosuch"}, ["NoValidCACertificate", "InvalidCACertificateRef"]),
        ({"kind": "Other"}, ["NoValidCACertificate", "InvalidKind"]),
        ({"caCertificateRefs": [], "wellKnownCACertificates": "System"}, ["Invalid", "ResolvedRefs"]),
    ],
)
def test_a_policy_that_cannot_be_used_says_why(more, wanted):
    one = policy(**more)
    assert [reason for _, reason in reasons(back_end(one), one)] == wanted


def test_a_policy_has_a_status_for_each_gateway_that_leads_to_its_service():
    one = policy()
    facts = back_end(one)
    [row] = backendtls.ancestors(facts, one, facts.of("Gateway"), "ours")
    assert row["ancestorRef"]["name"] == "gw"
    assert (
        backendtls.ancestors(facts, policy() | {"metadata": {"name": "p", "namespace": "x"}}, facts.of("Gateway"), "o")
        == []
    )
