"""Gateways: a custom resource of Gateway API.

Models kubernetes-sigs/gateway-api apis/v1 GatewaySpec, Listener; its CRD of release 1.5.1 and the rules in CEL there.
"""

from typing import Any

from kubemini.api.kinds import GATEWAY
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong
from kubemini.apiserver.served import ServedKind, serve

PLAIN = ("HTTP", "TCP", "UDP")  # protocols without TLS


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from customresource.complaints(obj, _cel)


def _cel(obj: Obj) -> Wrong:
    listeners, path = obj["spec"]["listeners"], "spec.listeners"
    if any(one["protocol"] in PLAIN and "tls" in one for one in listeners):
        yield customresource.says(path, "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']")
    if any(one["protocol"] == "HTTPS" and get(one, "tls", "mode") not in (None, "Terminate") for one in listeners):
        yield customresource.says(path, "tls mode must be Terminate for protocol HTTPS")
    if any(one["protocol"] in ("TCP", "UDP") and one.get("hostname") for one in listeners):
        yield customresource.says(path, "hostname must not be specified for protocols ['TCP', 'UDP']")
    if len({one["name"] for one in listeners}) < len(listeners):
        yield customresource.says(path, "Listener name must be unique within the Gateway")
    elif len({(one["port"], one["protocol"], one.get("hostname")) for one in listeners}) < len(listeners):
        text = "Combination of port, protocol and hostname must be unique for each listener"
        yield customresource.says(path, text)
    for number, one in enumerate(listeners):
        if get(one, "tls", "mode") == "Terminate" and "certificateRefs" not in one["tls"]:
            text = (
                '"object": no such key: certificateRefs evaluating rule: '
                "certificateRefs or options must be specified when mode is Terminate"
            )
            yield customresource.says(f"{path}[{number}].tls", text)


def summary(obj: Obj) -> dict[str, Any]:
    """Its class, and its address once it has one."""
    found = [entry["value"] for entry in get(obj, "status", "addresses") or ()]
    return {"class": get(obj, "spec", "gatewayClassName") or "", "address": ", ".join(found)}


serve(
    ServedKind(
        GATEWAY,
        acted_on=True,
        subresources=("status",),
        counted=True,
        defaults=customresource.defaults,
        rules=rules,
        summary=summary,
    )
)
