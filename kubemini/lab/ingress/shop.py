"""What the exercises on routes share: a shop behind an Ingress, a Gateway, and manifests that are read and judged.

Invariant: what a learner writes is judged by the API server's own rules, then by where requests go, never by its text.
"""

from typing import Any

from kubemini.api.manifests import ManifestError, load
from kubemini.api.objects import Obj, evolve
from kubemini.apiserver.decide import strategy
from kubemini.lab import NotYet
from kubemini.network.decide.routing import gateway, ingress
from kubemini.network.decide.routing.exchange import FORWARDED, Request
from kubemini.network.decide.routing.gateway import Facts
from kubemini.study.urls import Asked

SHOP = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: default}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: sorry, port: {number: 80}}}
  rules:
    - host: shop.example
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}
          - {path: /cart, pathType: Exact, backend: {service: {name: summary, port: {number: 80}}}}
          - {path: /cart/pay/, pathType: Prefix, backend: {service: {name: pay, port: {number: 80}}}}
          - {path: /version, pathType: Exact, backend: {service: {name: version, port: {number: 80}}}}
    - host: "*.shop.example"
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: tenants, port: {number: 80}}}}
"""
ROUTES = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: default}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example]
  rules:
    - backendRefs: [{name: web, port: 80}]
    - matches: [{path: {type: PathPrefix, value: /cart}}]
      backendRefs: [{name: cart, port: 80}]
    - matches: [{path: {type: Exact, value: /cart}, method: POST}]
      backendRefs: [{name: summary, port: 80}]
    - matches: [{headers: [{name: X-Tester, value: "yes"}]}]
      backendRefs: [{name: canary, port: 80}]
    - matches: [{path: {type: PathPrefix, value: /cart}, headers: [{name: X-Tester, value: "yes"}]}]
      backendRefs: [{name: stable, port: 80, weight: 9}, {name: canary, port: 80, weight: 1}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: tenants, namespace: default}
spec:
  parentRefs: [{name: front}]
  hostnames: ["*.shop.example"]
  rules:
    - backendRefs: [{name: tenants, port: 80}]
"""
ASKED = (
    Asked("shop.example/cart/pay"),
    Asked("shop.example/cart"),
    Asked("shop.example/cart", "POST"),
    Asked("shop.example/carts", headers={"X-Tester": "yes"}),
    Asked("b.anna.shop.example/"),
)
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: default}
spec:
  gatewayClassName: nginx
  listeners: [{name: http, port: 80, protocol: HTTP}]
"""
NAMES = ("sorry", "web", "cart", "summary", "pay", "version", "tenants", "stable", "canary")


def objects(answer: Any, *kinds: str) -> tuple[Obj, ...]:
    """The objects of *kinds* in the learner's manifests, with their defaults. Raises NotYet with the server's words."""
    if not isinstance(answer, str):
        raise NotYet(f"Give check() the text of the manifests; it got {type(answer).__name__}.")
    try:
        found = [strategy.default(_at_home(obj)) for obj in load(answer, "your manifests")]
    except ManifestError as error:
        raise NotYet(str(error)) from None
    for obj in found:
        if wrong := strategy.validate(obj):
            raise NotYet(f"The API server refuses it: {wrong.message}")
    others = [obj["kind"] for obj in found if obj["kind"] not in kinds]
    if others or not found:
        raise NotYet(f"Only {' and '.join(kinds)} are asked for; there is {others[0] if others else 'nothing'}.")
    return tuple(found)


def _at_home(obj: Obj) -> Obj:
    """*obj* in the namespace that kubectl would send it to."""
    return evolve(obj, ("metadata", "namespace"), obj["metadata"].get("namespace", "default"))


def facts(*routes: Obj) -> Facts:
    """A cluster with the Gateway, the shop's Services and *routes*."""
    services = [
        {"kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": {"ports": [{"port": 80}]}}
        for name in NAMES
    ]
    return Facts((*(strategy.default(obj) for obj in load(GATEWAY)), *services, *routes))


def by_ingress(manifests: str, url: str) -> str:
    """The Service that an Ingress sends *url* to, or the status."""
    host, slash, path = url.partition("/")
    verdict = ingress.route(load(manifests), Request(host, slash + path))
    return verdict.backends[0].name if verdict.fate == FORWARDED else str(verdict.status)


def by_gateway(known: Facts, url: str) -> tuple[str, str]:
    """The Service that a Gateway sends *url* to, or the status; and the rule that decided."""
    host, slash, path = url.partition("/")
    verdict = gateway.route(known, known.of("Gateway")[0], Request(host, slash + path))
    return (verdict.backends[0].name if verdict.fate == FORWARDED else str(verdict.status)), verdict.rule
