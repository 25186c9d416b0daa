"""Every recording of Ingress, Gateway API and reverse proxies, and the requests of Gateway API's own tests."""

import gzip
import json
from pathlib import Path

import pytest

from tests.oracles.network import parts, routing
from tests.oracles.network.http import conformance

HERE = Path(__file__).parents[1]
FILES = (HERE / "ingress/status.json", HERE / "ingress/traefik.json", HERE / "ingress.json")
UPSTREAM = json.loads(gzip.decompress((HERE / "gateway_conformance.json.gz").read_bytes()))
ROWS = routing.tables(Path("gateway_conformance.json"), UPSTREAM)

CASES = [case for file in FILES for case in parts.cases(file, json.loads(file.read_text()))]


@pytest.mark.parametrize("case", CASES, ids=[name for name, _ in CASES])
def test_ours_says_what_was_recorded(case):
    assert case[1]() == []


@pytest.mark.parametrize("name", [name for name, run in ROWS.items() if run])
def test_a_request_of_upstreams_tests_gets_its_answer(name):
    assert ROWS[name]() == []


def test_what_is_passed_over_is_named():
    over = routing.passed_over(UPSTREAM)
    symbols = sorted(name for name, why in over.items() if why.startswith("a Go symbol"))
    assert [name.rsplit(" ", 1)[0][:52] for name in symbols] == [
        "backendtlspolicy-invalid-ca-certificate-ref 0",
        "backendtlspolicy-invalid-kind 0",
        "httproute-backend-protocol-h2c 0",
        "httproute-https-listener 0",
        "httproute-https-listener-detect-misdirected-requests",
        "httproute-retry 0 {'a': '$path?', 'b': {'args': None",
        "httproute-service-types 0",
        "mesh grpcroute-request-header-modifier 0",
        "mesh mesh-frontend 1",
        "tcproute-parentref-port-and-section-name 0",
    ]
    assert len(over) == 62 and sum(run is not None for run in ROWS.values()) == 395


def answered(test, request, expect):
    """What differs where *request* is asked of the objects of a test."""
    group = next(group for group in UPSTREAM["groups"] if group["test"] == test and not group["mesh"])
    one = {**group, "requests": [{"request": request, "expect": expect}]}
    [(_, run)] = conformance.cases({**UPSTREAM, "groups": [one]}).items()
    return run()


# -- connections by TLS: the table lost whom they greet, and which are turned away; here it is, from the same tests ----
INFRA = "gateway-conformance-infra"
GREETED = [
    ("tlsroute-simple-same-namespace", "abc.example.com", "tcp-backend"),
    ("tlsroute-terminate-simple-same-namespace", "tls.example.com", "tcp-backend"),
    ("tlsroute-mixed-termination-same-namespace", "tls.example.com", "tcp-backend"),
    ("tlsroute-mixed-termination-same-namespace", "abc.example.com", "tcp-backend"),
    ("tlsroute-simple-same-namespace", "abc.example.org", None),
    ("tlsroute-mixed-termination-same-namespace", "other.example.com", None),
    ("tlsroute-hostname-intersection", "non.matching.com", None),
    ("tlsroute-hostname-intersection", "non.matching.org", None),
]


@pytest.mark.parametrize(("test", "sni", "to"), GREETED)
def test_a_connection_by_tls_reaches_its_back_end_or_is_closed(test, sni, to):
    backend = {"backend": to, "namespace": INFRA} if to else {}
    assert answered(test, {"Host": sni}, {"status": [200 if to else 0], **backend}) == []


# -- back ends that are no good: the table lost that these requests fail ---------------------------------------------
FAILING = [
    ("backendtlspolicy", "host-mismatch"),
    ("backendtlspolicy", "cert-mismatch"),
    ("backendtlspolicy-san", "san-dns-mismatch"),
    ("backendtlspolicy-san", "san-uri-mismatch"),
    ("backendtlspolicy-san", "multiple-mismatch-sans"),
    ("backendtlspolicy-invalid-kind", "invalid-kind"),
    ("backendtlspolicy-invalid-ca-certificate-ref", "nonexistent-ca-certificate-ref"),
    ("backendtlspolicy-invalid-ca-certificate-ref", "malformed-ca-certificate-ref"),
]


@pytest.mark.parametrize(("test", "policy"), FAILING)
def test_a_back_end_whose_certificate_is_no_good_is_not_spoken_to(test, policy):
    request = {"Host": "abc.example.com", "Path": f"/backendtlspolicy-{policy}"}
    assert answered(test, request, {"status": [500, 502, 503]}) == []


# -- calls of gRPC: the table lost what was asked; here it is, from upstream's tests of the same names ----------
ECHO = "/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/"
CALLS = {
    "grpcroute-exact-method-matching": [
        ("any", "Echo", {}, "v1"),
        ("any", "EchoTwo", {}, "v2"),
        ("any", "EchoThree", {}, None),
    ],
    "grpcroute-header-matching": [
        ("any", "Echo", {"Version": "one"}, "v1"),
        ("any", "Echo", {"Version": "two"}, "v2"),
        ("any", "Echo", {"Version": "two", "Color": "orange"}, "v1"),
        ("any", "Echo", {"Version": "two", "Color": "blue"}, "v2"),
        ("any", "Echo", {"Color": "orange"}, None),
        ("any", "Echo", {"Some-Other-Header": "one"}, None),
        *(("any", "Echo", {"Color": color}, to) for color, to in (("blue", "v1"), ("green", "v1"), ("red", "v2"))),
        ("any", "Echo", {"Color": "yellow"}, "v2"),
        ("any", "Echo", {"Color": "purple"}, None),
    ],
    "grpcroute-listener-hostname-matching": [
        ("bar.com", "Echo", {}, "v1"),
        ("foo.bar.com", "Echo", {}, "v2"),
        ("baz.bar.com", "Echo", {}, "v3"),
        ("boo.bar.com", "Echo", {}, "v3"),
        ("multiple.prefixes.bar.com", "Echo", {}, "v3"),
        ("multiple.prefixes.foo.com", "Echo", {}, "v3"),
        ("foo.com", "Echo", {}, None),
        ("no.matching.host", "Echo", {}, None),
    ],
}


@pytest.mark.parametrize(("test", "call"), [(test, call) for test, calls in CALLS.items() for call in calls])
def test_a_call_of_grpc_reaches_its_back_end(test, call):
    host, method, headers, to = call
    request = {"Host": host, "Path": ECHO + method, "Method": "POST", "Headers": headers}
    backend = {"backend": f"grpc-infra-backend-{to}", "namespace": INFRA} if to else {}
    assert answered(test, request, {"status": [200 if to else 404], **backend}) == []
