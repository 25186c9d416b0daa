"""Which rule takes a URL: what the widget says agrees with the deciders, and its JavaScript with it."""

import json
import random
from dataclasses import asdict

import pytest

from kubemini.api.manifests import load
from kubemini.lab.ingress.shop import ROUTES, SHOP, facts
from kubemini.network.decide.routing import gateway, ingress
from kubemini.network.decide.routing.exchange import FORWARDED
from kubemini.study.urls import DECIDES, HTTP_ROUTE, INGRESS, LOST, NO, Asked, judged, rows, told
from kubemini.widgets import modules
from tests.widgets.test_static import in_node

HOSTS = ("a.io", "b.io", "*.io", "*.a.io", "x.a.io", "y.x.a.io", "")
PATHS = ("/", "/foo", "/foo/", "/foo/bar", "/foobar", "/FOO", "/fo%6f", "/%2f", "/ü", "")
VALUES = ("1", "2", "one.*")


def an_ingress(rng, number):
    """An Ingress with rules at random."""
    paths = [
        {
            "path": rng.choice(PATHS[:6]),
            "pathType": rng.choice(("Exact", "Prefix", "ImplementationSpecific")),
            "backend": {"service": {"name": f"s{number}{n}", "port": {"number": 80}}},
        }
        for n in range(rng.randint(1, 5))
    ]
    rules = [{"host": rng.choice(HOSTS), "http": {"paths": paths[n::2]}} for n in range(2) if paths[n::2]]
    spec = {"rules": rules}
    if rng.random() < 0.4:
        spec["defaultBackend"] = {"service": {"name": f"d{number}", "port": {"number": 80}}}
    return {"kind": "Ingress", "metadata": meta(rng, number), "spec": spec}


def meta(rng, number):
    return {"name": f"n{number}", "namespace": "default", "creationTimestamp": str(rng.randint(1, 3))}


def a_route(rng, number):
    """An HTTPRoute with matches at random."""
    rules = []
    for _ in range(rng.randint(1, 4)):
        found = [match(rng) for _ in range(rng.randint(0, 2))]
        refs = [{"name": rng.choice(("web", "cart", "pay")), "port": 80} for _ in range(rng.randint(1, 2))]
        rules.append({"backendRefs": refs} | ({"matches": found} if found else {}))
    hosts = rng.sample(HOSTS[:-1], rng.randint(0, 2))
    spec = {"parentRefs": [{"name": "front"}], "rules": rules} | ({"hostnames": hosts} if hosts else {})
    return {"kind": "HTTPRoute", "metadata": meta(rng, number), "spec": spec}


def match(rng):
    found = {}
    if rng.random() < 0.7:
        kind = rng.choice(("Exact", "PathPrefix", "PathPrefix", "RegularExpression"))
        found["path"] = {"type": kind, "value": rng.choice(("/", "/foo", "/foo/bar", "/fo+", "/.*"))}
    if rng.random() < 0.3:
        found["method"] = rng.choice(("GET", "POST"))
    for field in ("headers", "queryParams"):
        names = [rng.choice(("one", "Two")) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
        if names:
            kinds = ("Exact", "RegularExpression")
            found[field] = [{"name": n, "value": rng.choice(VALUES), "type": rng.choice(kinds)} for n in names]
    return found


def a_request(rng):
    query = "".join(f"&{rng.choice(('one', 'Two'))}={rng.choice(VALUES[:2])}" for _ in range(rng.randint(0, 2)))
    host = rng.choice([*HOSTS, "A.io", "a.io:80", "a.x.io"]).replace("*", "z")
    sent = {name: rng.choice(VALUES[:2]) for name in rng.sample(("ONE", "two"), rng.randint(0, 2))}
    url = host + rng.choice(PATHS) + ("?" + query[1:] if query else "")
    return Asked(url, rng.choice(("GET", "POST")), sent)


def worlds(many=150):
    """(objects, api, rows, requests), at random."""
    for seed in range(many):
        rng = random.Random(seed)
        for api, make in ((INGRESS, an_ingress), (HTTP_ROUTE, a_route)):
            objects = [make(rng, number) for number in range(rng.randint(1, 3))]
            yield objects, api, rows(objects, api), [a_request(rng) for _ in range(8)]


def decided(objects, api, request):
    """Where the deciders say the rule is, as the rows name it; "" for nobody."""
    if api == INGRESS:
        verdict = ingress.route(objects, request)
    else:
        known = facts(*objects)
        verdict = gateway.route(known, known.of("Gateway")[0], request)
    return verdict.rule if verdict.fate == FORWARDED else ""


def test_what_decides_is_what_the_deciders_say():
    fates = set()
    for objects, api, found, requests in worlds():
        for one in requests:
            said = judged(found, api, one)
            chosen = [row.where for row, fate in zip(found, said, strict=True) if fate.fate == DECIDES]
            rule = decided(objects, api, one.request)
            assert len(chosen) <= 1
            assert (chosen[0] in rule) if chosen else not rule, (one, said, rule)
            fates |= {(api, fate.fate, " ".join(fate.why.split()[:5])) for fate in said}
    assert {(api, fate) for api, fate, _ in fates} == {
        (a, f) for a in (INGRESS, HTTP_ROUTE) for f in (DECIDES, LOST, NO)
    }
    reasons = {why for _, fate, why in fates if fate == LOST}
    assert len(reasons) == 9, reasons


@pytest.mark.needs("node")
def test_the_page_judges_as_python_does(tmp_path):
    given, wanted = [], []
    for _, api, found, requests in worlds():
        for one in requests:
            given.append([[asdict(row) for row in found], api, asdict(one)])
            wanted.append([[fate.fate, fate.why] for fate in judged(found, api, one)])
    script = modules.bundle(modules.STATIC / "urls" / "judging.js") + (
        'const given = JSON.parse(require("fs").readFileSync(0, "utf8"));\n'
        "const said = given.map(([rows, api, one]) => km_judging.judged(rows, api,\n"
        "    km_judging.asked(one.url, one.method, Object.entries(one.headers))));\n"
        "console.log(JSON.stringify(said));\n"
    )
    assert json.loads(in_node(script, json.dumps(given), tmp_path)) == wanted


# -- the reasons ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("api", "url", "more", "reasons"),
    [
        (INGRESS, "shop.example/cart", {}, {1: "Exact goes before Prefix", 0: "its path is shorter"}),
        (INGRESS, "shop.example/cart", {}, {3: "the path is not below /cart/pay/", 6: "it is for what no rule takes"}),
        (INGRESS, "anna.shop.example/", {}, {0: "the host is not shop.example"}),
        (HTTP_ROUTE, "shop.example/cart", {}, {2: "the method is not POST", 0: "its path is shorter"}),
        (HTTP_ROUTE, "shop.example/cart", {"method": "POST"}, {1: "Exact goes before regular expressions, and these "}),
        (HTTP_ROUTE, "shop.example/cart", {"headers": {"x-tester": "yes"}}, {1: "the other names more headers"}),
        (HTTP_ROUTE, "shop.example/", {}, {3: "the header X-Tester is not yes"}),
    ],
)
def test_each_rule_says_why_it_does_not_decide(api, url, more, reasons):
    said = judged(rows(load(SHOP if api == INGRESS else ROUTES), api), api, Asked(url, **more))
    assert all(said[n].why.startswith(why) for n, why in reasons.items())


def test_of_two_equal_rules_the_later_says_so_and_nothing_is_404():
    rule = {"backendRefs": [{"name": "web", "port": 80}]}
    route = {"kind": "HTTPRoute", "metadata": {"name": "r"}, "spec": {"hostnames": ["a.io"], "rules": [rule, rule]}}
    found = rows([route], HTTP_ROUTE)
    assert [fate.why for fate in judged(found, HTTP_ROUTE, Asked("a.io/"))] == ["", "it is the same, and comes later"]
    assert told(found, HTTP_ROUTE, Asked("b.io")) == "GET b.io: 404, no rule"
