"""Which certificate a client is shown: by the name in its TLS hello (SNI), before any header is read. Pure.

Invariant: certificate and route are two decisions. The hello names a host, the Host header another one if it likes:
the first is answered with a certificate, the second with a back end.
Models k/k staging/src/k8s.io/api/networking/v1 IngressTLS
HAProxy, measured: SNI "first" and Host "second" gives the certificate of first and the back end of second; an unknown
or missing SNI gives the default certificate and is routed all the same.
"""

import base64
from collections.abc import Iterable
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing.exchange import most_specific
from kubemini.network.decide.routing.ingress import ONE_LABEL, age


class Certificate(NamedTuple):
    """What is shown: the Secret's namespace/name ("" the controller's own), the names it is good for, who said so."""

    secret: str
    names: tuple[str, ...]
    rule: str

    def good_for(self, host: str) -> bool:
        """Whether a browser that wants *host* accepts it."""
        return most_specific(self.names, host.lower(), ONE_LABEL) is not None


OWN = Certificate("", (), "no tls entry names this host: the controller's own certificate")


def certificate(ingresses: Iterable[Obj], secrets: Iterable[Obj], sni: str) -> Certificate:
    """The certificate for a hello that says *sni*; *secrets* are those the controller may read.

    A Secret that is missing, is not of type kubernetes.io/tls or has no certificate is as if the entry were not there.
    """
    known = {(s["metadata"].get("namespace", "default"), s["metadata"]["name"]): s for s in secrets}
    found: dict[str, Certificate] = {}
    for ingress in sorted(ingresses, key=age):
        namespace = ingress["metadata"].get("namespace", "default")
        for number, entry in enumerate(get(ingress, "spec", "tls") or ()):
            secret = known.get((namespace, entry.get("secretName") or ""))
            if secret is None or not _usable(secret):
                continue
            where = f"ingress {namespace}/{ingress['metadata']['name']} tls[{number}]"
            for host in entry.get("hosts") or ():
                shown = Certificate(f"{namespace}/{entry['secretName']}", subject_names(secret), where)
                found.setdefault(host, shown)
    best = most_specific(found, sni.lower(), ONE_LABEL) if sni else None
    return found[best] if best is not None else OWN


def _usable(secret: Obj) -> bool:
    return secret.get("type") == "kubernetes.io/tls" and bool(subject_names(secret))


def subject_names(secret: Obj) -> tuple[str, ...]:
    """The names a certificate is good for.

    Simplified: ours are not X.509; ``tls.crt`` lists the names, with commas.
    """
    text = get(secret, "stringData", "tls.crt") or _decoded(get(secret, "data", "tls.crt") or "")
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""


def verified(shown: Certificate, host: str) -> str:
    """What a careful client says of the certificate *shown* when it wants *host*: "" if all is well.

    Models go crypto/x509 HostnameError
    """
    if shown.good_for(host):
        return ""
    if not shown.names:
        return f"certificate is not valid for any names, but wanted to match {host}"
    return f"certificate is valid for {', '.join(shown.names)}, not {host}"
