"""The chapter *Ingress and Gateway*: its stories happen as its questions say, and its checkers see what is wrong."""

import pytest

from kubemini import check, run
from kubemini.lab.ingress.certificate import BROKEN
from kubemini.lab.ingress.shop import SHOP, by_ingress
from kubemini.lab.ingress.table import URLS
from kubemini.lab.questions import of_chapter
from kubemini.sim.units import SECOND


# -- what the questions say ----------
def codes(trace, begin, end):
    """The codes for shop.example, in order, each time that they change."""
    asked = [r.detail for r in trace.of("request") if r.actor == "visitor@internet" and "shop" in r.detail["path"]]
    found = [d["code"] for d in asked if begin * SECOND <= d["started"] < end * SECOND]
    return [code for number, code in enumerate(found) if number == 0 or code != found[number - 1]]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_listens_then_502_for_some_seconds_then_503(seed):
    predictions = of_chapter("ingress")["predictions"]
    assert predictions["nobody"]["answer"].startswith("Nobody listens")
    assert predictions["empty"]["answer"] == "502 for some seconds, then 503"
    trace = run("ingress", seed)
    assert codes(trace, 0, 20) == [0]
    assert codes(trace, 45.2, 58) in ([502, 503], [200, 502, 503])
    late = next(r for r in trace.of("request") if r.detail["code"] == 503)
    assert 3 * SECOND < late.detail["started"] - 45 * SECOND < 4 * SECOND


# -- exercises ----------
RIGHT = {url: by_ingress(SHOP, url) for url in URLS}


def test_the_table_of_the_text_is_right():
    assert check("ingress.table", RIGHT).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ({}, "has no Service yet (20 of 20 are open)"),
        ([], "Give a dict from URL"),
        (RIGHT | {"shop.example/carts": "cart"}, "shop.example/carts does not reach cart."),
        (RIGHT | {"b.anna.shop.example/": "tenants"}, "b.anna.shop.example/ does not reach tenants."),
        (RIGHT | {"example/": "404"}, "There is no Service '404'"),
    ],
)
def test_a_wrong_row_is_named(answer, hint):
    assert hint in check("ingress.table", answer).hint


CANARY = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example]
  rules:
    - backendRefs:
        - {name: stable, port: 80, weight: 9}
        - {name: canary, port: 80, weight: 1}
"""


def test_weights_are_shares_of_their_sum():
    assert check("ingress.canary", CANARY).passed
    assert check(
        "ingress.canary", CANARY.replace("weight: 9", "weight: 900").replace("weight: 1}", "weight: 100}")
    ).passed


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("weight: 9", "weight: 4"), "20.2% to canary, 79.8% to stable"),
        (("name: canary", "name: canari"), "0.0% to canary"),
        (("port: 80, weight: 1", "weight: 1"), "Must have port for Service reference"),
        (("hostnames: [shop.example]", "hostnames: [other.example]"), "answered 404"),
        (("kind: HTTPRoute", "kind: HTTPRout"), "no matches for kind"),
        (("[{name: front}]", "[{name: back}]"), "answered 404"),
        (("weight: 9", "wieght: 9"), 'unknown field "spec.rules[0].backendRefs[0].wieght"'),
    ],
)
def test_a_canary_that_is_none_is_told_why(change, hint):
    assert hint in check("ingress.canary", CANARY.replace(*change)).hint


def route(name, hosts, *rules):
    """An HTTPRoute; rules are (type, path, Service)."""
    rows = "".join(
        f"\n    - {{matches: [{{path: {{type: {kind}, value: {path}}}}}], backendRefs: [{{name: {to}, port: 80}}]}}"
        for kind, path, to in rules
    )
    named = f"\n  hostnames: [{hosts}]" if hosts else ""
    head = f"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: {name}}}\nspec:"
    return f"{head}\n  parentRefs: [{{name: front}}]{named}\n  rules:{rows}\n"


RULES = (
    ("PathPrefix", "/", "web"),
    ("PathPrefix", "/cart", "cart"),
    ("Exact", "/cart", "summary"),
    ("PathPrefix", "/cart/pay", "pay"),
    ("Exact", "/version", "version"),
)
SHOP_ROUTE = route("shop", "shop.example", *RULES)
TENANTS = route("tenants", '"*.shop.example"', ("PathPrefix", "/", "tenants"))
SORRY = route("sorry", "", ("PathPrefix", "/", "sorry"))


@pytest.mark.soak
def test_routes_that_do_the_same_pass():
    assert check("ingress.migrate", "---\n".join((SHOP_ROUTE, TENANTS, SORRY))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (SHOP_ROUTE + "---\n" + TENANTS, "other.example/: the Ingress sends it to sorry, your routes to 404."),
        (
            SHOP_ROUTE.replace("Exact, value: /cart}", "PathPrefix, value: /cart}"),
            "sends it to summary, your routes to cart",
        ),
        (
            SHOP_ROUTE.replace("PathPrefix, value: /cart}", "Exact, value: /kart}"),
            "shop.example/cart/: the Ingress sends it to cart",
        ),
        (
            SHOP_ROUTE.replace("value: /cart/pay", "value: cart/pay"),
            "value must be an absolute path and start with '/'",
        ),
        (SHOP, "Only HTTPRoute are asked for; there is Ingress."),
        ("", "holds no manifest"),
    ],
)
@pytest.mark.some(1)
def test_a_url_that_goes_elsewhere_is_named(answer, hint):
    assert hint in check("ingress.migrate", answer).hint


MENDED = BROKEN.replace("type: Opaque", "type: kubernetes.io/tls").replace("name: shop-cert", "name: shop-tls")
MENDED = MENDED.replace("hosts: [shop.example]", "hosts: [shop.example, www.shop.example]")


def test_a_secret_of_the_right_name_and_type_for_both_hosts_passes():
    assert check("ingress.certificate", MENDED).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (BROKEN, "certificate is not valid for any names, but wanted to match shop.example"),
        (MENDED.replace(", www.shop.example]", "]"), "wanted to match www.shop.example"),
        (MENDED.replace("kubernetes.io/tls", "Opaque"), "wanted to match shop.example"),
        (
            MENDED.replace('shop.example, www.shop.example"', 'shop.example"'),
            "is valid for shop.example, not www.shop.example",
        ),
        (
            MENDED.replace("host: www.shop.example", "host: www.shop.org"),
            "https://www.shop.example is no longer routed",
        ),
        (5, "Give check() the text of the manifests; it got int."),
    ],
)
def test_what_the_browser_complains_of_is_told(answer, hint):
    assert hint in check("ingress.certificate", answer).hint
