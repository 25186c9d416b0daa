"""Ingress: whose it is, which rule takes a request, and which certificate is shown."""

import pytest

from kubemini.network.decide.routing import ingress
from kubemini.network.decide.routing.exchange import Request, decoded, has_prefix, host_covers
from kubemini.network.decide.routing.tls import certificate as tls


def make(name, host, *paths, default=None, created="2026-01-01", spec=None):
    """An Ingress; *paths* are (path, type, service)."""
    back = lambda to: {"service": {"name": to, "port": {"number": 80}}}  # noqa: E731
    rules = [{"path": path, "pathType": how, "backend": back(to)} for path, how, to in paths]
    full = {"rules": [{"host": host, "http": {"paths": rules}}] if rules else []} | (spec or {})
    if default:
        full["defaultBackend"] = back(default)
    return {"metadata": {"name": name, "namespace": "shop", "creationTimestamp": created}, "spec": full}


def to(ingresses, host, path="/"):
    """The Service that a request reaches, or the status."""
    verdict = ingress.route(ingresses, Request(host, path))
    return verdict.backends[0].name if verdict.backends else verdict.status


def test_a_verdict_names_object_rule_and_path():
    verdict = ingress.route(
        [make("web", "a.io", ("/", "Prefix", "all"), ("/cart", "Exact", "cart"))], Request("a.io", "/cart")
    )
    assert verdict.rule == "ingress shop/web rules[0].paths[1] Exact /cart of host a.io"


def test_nobody_takes_a_request_for_an_unknown_host():
    assert to([make("web", "a.io", ("/", "Prefix", "all"))], "b.io") == 404


def test_a_default_back_end_takes_what_no_rule_takes():
    assert to([make("web", "a.io", ("/cart", "Prefix", "cart"), default="rest")], "a.io", "/") == "rest"


def test_of_two_ingresses_with_the_same_path_the_older_wins():
    old = make("z", "a.io", ("/", "Prefix", "old"), created="2026-01-01")
    new = make("a", "a.io", ("/", "Prefix", "new"), created="2026-01-02")
    assert to([new, old], "a.io") == "old"


def test_rules_of_one_host_may_lie_in_several_objects():
    one, two = make("one", "a.io", ("/", "Prefix", "all")), make("two", "a.io", ("/cart", "Prefix", "cart"))
    assert [to([one, two], "a.io", path) for path in ("/", "/cart", "/cart/1", "/carts")] == [
        "all",
        "cart",
        "cart",
        "all",
    ]


def test_a_host_whose_paths_do_not_match_does_not_fall_back_to_a_wildcard():
    exact, wild = make("e", "x.a.io", ("/only", "Prefix", "e")), make("w", "*.a.io", ("/", "Prefix", "w"))
    assert [to([exact, wild], host, "/") for host in ("x.a.io", "y.a.io", "z.y.a.io")] == [404, "w", 404]


def test_a_host_knows_no_case_and_no_port_a_path_does():
    web = make("web", "a.io", ("/cart", "Exact", "cart"))
    assert [to([web], "A.IO:8080", "/cart"), to([web], "a.io", "/Cart")] == ["cart", 404]


@pytest.mark.parametrize(
    ("pattern", "host", "ingress_says", "gateway_says"),
    [
        ("*.a.io", "x.a.io", True, True),
        ("*.a.io", "y.x.a.io", False, True),
        ("*.a.io", "a.io", False, False),
        ("*.a.io", "xa.io", False, False),
        ("", "a.io", True, True),
    ],
)
def test_a_wildcard_is_one_label_for_ingress_and_any_number_for_gateway_api(pattern, host, ingress_says, gateway_says):
    assert (host_covers(pattern, host, ingress.ONE_LABEL), host_covers(pattern, host)) == (ingress_says, gateway_says)


def test_a_prefix_ends_at_a_slash():
    assert [has_prefix(path, "/foo") for path in ("/foo", "/foo/", "/foo/x", "/foobar")] == [True, True, True, False]


@pytest.mark.parametrize(("path", "plain"), [("/%70re", "/pre"), ("/a%2Fb", "/a%2Fb"), ("/%zz", "/%zz"), ("/%", "/%")])
def test_only_what_needs_no_escape_is_decoded(path, plain):
    assert decoded(path) == plain


def test_a_query_is_read_with_its_escapes_and_the_first_of_a_name_counts():
    assert Request("a.io", "/?a=1%202&b&a=3&c=x+y").query == {"a": "1 2", "b": "", "c": "x y"}


# -- classes ----------
def a_class(name, controller):
    return {"metadata": {"name": name}, "spec": {"controller": controller}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ingressClassName": "ours"}, (True, "IngressClass ours is for the controller example.com/ours")),
        ({"ingressClassName": "theirs"}, (False, "IngressClass theirs is for the controller example.com/theirs")),
        ({"ingressClassName": "gone"}, (False, "there is no IngressClass gone")),
        ({}, (False, "no ingressClassName, and no IngressClass is the default")),
    ],
)
def test_a_controller_takes_the_ingresses_of_its_classes(spec, expected):
    classes = [a_class("ours", "example.com/ours"), a_class("theirs", "example.com/theirs")]
    assert ingress.served(make("web", "", spec=spec), classes, "example.com/ours") == expected


# -- certificates ----------
def secret(name, names, kind="kubernetes.io/tls"):
    return {"metadata": {"name": name, "namespace": "shop"}, "type": kind, "stringData": {"tls.crt": names}}


TLS = make("web", "a.io", ("/", "Prefix", "all"), spec={"tls": [{"hosts": ["a.io", "*.b.io"], "secretName": "cert"}]})


@pytest.mark.parametrize(
    ("sni", "secrets", "shown", "complaint"),
    [
        ("a.io", [secret("cert", "a.io, *.b.io")], "shop/cert", ""),
        ("x.b.io", [secret("cert", "a.io, *.b.io")], "shop/cert", ""),
        ("a.io", [secret("cert", "old.io")], "shop/cert", "certificate is valid for old.io, not a.io"),
        ("c.io", [secret("cert", "a.io")], "", "certificate is not valid for any names, but wanted to match c.io"),
        ("a.io", [], "", "certificate is not valid for any names, but wanted to match a.io"),
        (
            "a.io",
            [secret("cert", "a.io", "Opaque")],
            "",
            "certificate is not valid for any names, but wanted to match a.io",
        ),
        ("", [secret("cert", "a.io")], "", "certificate is not valid for any names, but wanted to match "),
    ],
)
def test_a_certificate_is_chosen_by_the_name_in_the_hello(sni, secrets, shown, complaint):
    found = tls.certificate([TLS], secrets, sni)
    assert (found.secret, tls.verified(found, sni)) == (shown, complaint)


def test_data_of_a_secret_is_base64_and_nonsense_is_no_certificate():
    stored = lambda text: {"type": "kubernetes.io/tls", "data": {"tls.crt": text}}  # noqa: E731
    assert tls.subject_names(stored("YS5pbywgYi5pbw==")) == ("a.io", "b.io")
    assert tls.subject_names(stored("a.io")) == ()


def test_certificate_and_route_are_two_decisions():
    other = make("other", "c.io", ("/", "Prefix", "other"))
    assert tls.certificate([TLS, other], [secret("cert", "a.io")], "a.io").secret == "shop/cert"
    assert to([TLS, other], "c.io") == "other"
