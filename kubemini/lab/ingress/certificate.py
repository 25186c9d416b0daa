"""ingress.certificate: a browser complains; the Ingress and the Secret must agree."""

from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.ingress.shop import objects
from kubemini.network.decide.routing import ingress
from kubemini.network.decide.routing.exchange import FORWARDED, Request
from kubemini.network.decide.routing.tls import certificate as tls

BROKEN = """
apiVersion: v1
kind: Secret
metadata: {name: shop-cert, namespace: default}
type: Opaque
stringData: {tls.crt: "shop.example, www.shop.example", tls.key: "…"}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: default}
spec:
  tls: [{hosts: [shop.example], secretName: shop-tls}]
  rules:
    - host: shop.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
    - host: www.shop.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""
HOSTS = ("shop.example", "www.shop.example")


@exercise("ingress.certificate")
def check_certificate(answer: Any) -> Report:
    """*answer*: the manifests, repaired; a browser asks for both hosts."""
    found = objects(answer, "Ingress", "Secret")
    ingresses = [obj for obj in found if obj["kind"] == "Ingress"]
    secrets = [obj for obj in found if obj["kind"] == "Secret"]
    told: list[str] = []
    for host in HOSTS:
        shown = tls.certificate(ingresses, secrets, host)
        if complaint := tls.verified(shown, host):
            raise NotYet(f"https://{host}: x509: {complaint}.", *told, next=f"What decided: {shown.rule}.")
        verdict = ingress.route(ingresses, Request(host, "/", sni=host))
        if verdict.fate != FORWARDED or verdict.backends[0].name != "web":
            raise NotYet(f"https://{host} is no longer routed to web: {verdict.rule}.", *told)
        told.append(f"https://{host}: the certificate of {shown.secret}, by {shown.rule}")
    return Report(
        "pass",
        tuple(told),
        "A certificate is found by the name in the hello, in the Secret that a tls entry names.",
        "What would a browser see that sends no name at all?",
    )
