"""ingress.table: twenty URLs, and the Service that each of them reaches."""

from typing import Any

from kubemini.api.manifests import load
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.ingress.shop import NAMES, SHOP, by_ingress
from kubemini.network.decide.routing import ingress
from kubemini.network.decide.routing.exchange import Request

URLS = (
    "shop.example/",
    "shop.example/cart",
    "shop.example/cart/",
    "shop.example/cart/1",
    "shop.example/carts",
    "shop.example/Cart",
    "shop.example/cart/pay",
    "shop.example/cart/pay/",
    "shop.example/cart/payment",
    "shop.example/cart/pay/now",
    "shop.example/version",
    "shop.example/version/",
    "shop.example/version?full=1",
    "SHOP.EXAMPLE/cart",
    "shop.example:8080/cart/1",
    "anna.shop.example/",
    "anna.shop.example/cart",
    "b.anna.shop.example/",
    "example/",
    "other.example/cart",
)


@exercise("ingress.table")
def check_table(answer: Any) -> Report:
    """*answer*: ``{url: Service}`` for each of `URLS`."""
    if not isinstance(answer, dict):
        raise NotYet(f"Give a dict from URL to the name of a Service; it is {type(answer).__name__}.")
    missing = [url for url in URLS if not isinstance(answer.get(url), str)]
    if missing:
        raise NotYet(f"{missing[0]} has no Service yet ({len(missing)} of {len(URLS)} are open).")
    wrong = [url for url in URLS if answer[url] != by_ingress(SHOP, url)]
    right = len(URLS) - len(wrong)
    if wrong:
        url, said = wrong[0], answer[wrong[0]]
        more = "" if said in NAMES else f" There is no Service {said!r}."
        host, slash, path = url.partition("/")
        rule = ingress.route(load(SHOP), Request(host, slash + path)).rule
        raise NotYet(f"{url} does not reach {said}.{more}", f"{right} of {len(URLS)} are right", next=f"Read: {rule}.")
    return Report(
        "pass",
        (f"{len(URLS)} of {len(URLS)} URLs",),
        "First the host, then the longest path that matches element by element, Exact before Prefix.",
        "Which of the twenty does Traefik send elsewhere?",
    )
