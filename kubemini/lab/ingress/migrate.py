"""ingress.migrate: HTTPRoutes that do what an Ingress did, held to it by two hundred URLs."""

from itertools import product
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.ingress.shop import SHOP, by_gateway, by_ingress, facts, objects

HOSTS = ("shop.example", "SHOP.example:80", "anna.shop.example", "other.example", "example")
PATHS = (
    *("/", "/index", "/cart", "/cart/", "/cart/1", "/carts", "/Cart", "/cart/pay", "/cart/pay/", "/cart/pay/now"),
    *("/cart/payment", "/cart/payx/1", "/version", "/version/", "/version/1", "/versions", "/version?a=1", "//cart"),
    *("/cart?x=1", "/cart/1?x=1", "/cart/pay?x=1", "/cart/1/pay", "/pay", "/pay/now", "/%63art", "/cart%2F1"),
    *("/a/b/c", "/cart//1", "/cart/./1", "/cart/pay/now/2", "/sorry", "/web", "/tenants", "/summary", "/cart-1"),
    *("/cart_1", "/cart.html", "/version.txt", "/VERSION", "/cart/PAY"),
)


@exercise("ingress.migrate")
def check_migrate(answer: Any) -> Report:
    """*answer*: the manifests of HTTPRoutes at the Gateway front."""
    known = facts(*objects(answer, "HTTPRoute"))
    urls = [host + path for host, path in product(HOSTS, PATHS)]
    differ = [url for url in urls if by_gateway(known, url)[0] != by_ingress(SHOP, url)]
    if differ:
        url = differ[0]
        got, rule = by_gateway(known, url)
        raise NotYet(
            f"{url}: the Ingress sends it to {by_ingress(SHOP, url)}, your routes to {got}.",
            f"{len(differ)} of {len(urls)} URLs differ",
            next=f"What decided: {rule}.",
        )
    return Report(
        "pass",
        (f"{len(urls)} of {len(urls)} URLs go where they went",),
        "The rules are the same; a default back end becomes a route without hostnames.",
        "One thing cannot be moved: b.anna.shop.example. A * is one label here, and any number there.",
    )
