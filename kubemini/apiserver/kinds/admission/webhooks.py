"""What both kinds of webhook configurations share: how a webhook is called, and when.

Models k/k pkg/apis/admissionregistration/validation validateValidatingWebhook, validateMutatingWebhook,
validateAdmissionReviewVersions, WarningsForValidatingWebhookRules; k/apiserver pkg/util/webhook
ValidateWebhookURL, ValidateWebhookService; defaults: k/k pkg/apis/admissionregistration/v1
SetDefaults_ValidatingWebhook.
Simplified: what was wrong before is not let pass in an update.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from kubemini.api import names
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, number_of
from kubemini.apiserver.kinds.admission.matching import (
    FAILURE,
    GROUP,
    MATCH,
    REINVOCATION,
    match_conditions,
    not_static,
    rule,
    rules_defaults,
    static_warning,
)
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, indexed, invalid, required, supported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.rules.metadata import label_selector
from kubemini.apiserver.served import ServedKind

SIDE_EFFECTS = ("None", "NoneOnDryRun")
VERSIONS = ("v1", "v1beta1")
LONGEST_TIMEOUT = 30  # seconds
FORM = "; desired format: https://host[/path]"
_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "localsubjectaccessreviews", "subjectaccessreviews")
COUNTED = "Webhooks indicates the number of webhooks registered in this configuration"
UNASKED = (  # group, resources that no webhook is asked about
    ("authentication.k8s.io", ("selfsubjectreviews", "tokenreviews")),
    ("authorization.k8s.io", _REVIEWS),
)


def kind_of_webhooks(kind: str) -> Kind:
    """The kind called *kind*."""
    return KNOWN[f"{GROUP}/v1", kind]


def defaults(obj: Obj) -> Obj:
    """*obj* with every default of its webhooks."""
    mutates = obj["kind"] == "MutatingWebhookConfiguration"
    hooks = [_hook_defaults(hook, mutates) for hook in obj.get("webhooks") or ()]
    return {**obj, "webhooks": hooks} if hooks else obj


def _hook_defaults(hook: Obj, mutates: bool) -> dict[str, Any]:
    more = {"reinvocationPolicy": "Never"} if mutates else {}
    match = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
    full = unset(hook, failurePolicy="Fail", timeoutSeconds=10, **match, **more)
    if full.get("rules"):
        full["rules"] = rules_defaults(full["rules"])
    service = get(hook, "clientConfig", "service")
    if service is not None:
        full["clientConfig"] = {**hook["clientConfig"], "service": unset(service, port=443)}
    return full


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    seen: list[str] = []
    for number, hook in enumerate(obj.get("webhooks") or ()):
        path, name = f"webhooks[{number}]", hook.get("name") or ""
        yield from _name(name, f"{path}.name")
        yield from indexed(hook.get("rules"), f"{path}.rules", rule)
        yield from _behaviour(hook, path)
        yield from webhook_client(hook.get("clientConfig") or {}, f"{path}.clientConfig")
        yield from match_conditions(hook.get("matchConditions"), f"{path}.matchConditions")
        yield from _versions(hook.get("admissionReviewVersions") or [], f"{path}.admissionReviewVersions")
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen += [name] if name else []


def _name(name: str, path: str) -> Wrong:
    """Models k/apimachinery pkg/util/validation IsFullyQualifiedName"""
    if not name:
        yield required(path)
    elif wrong := names.dns_subdomain(name):
        yield invalid(path, name, ",".join(wrong))
    elif name.count(".") < 2:
        yield invalid(path, name, "should be a domain with at least three segments separated by dots")


def _behaviour(hook: Obj, path: str) -> Wrong:
    yield from supported(f"{path}.failurePolicy", hook["failurePolicy"], FAILURE)
    yield from supported(f"{path}.matchPolicy", hook["matchPolicy"], MATCH)
    effects = hook.get("sideEffects")
    if effects is None:
        yield required(f"{path}.sideEffects", "must specify one of " + ", ".join(SIDE_EFFECTS))
    else:
        yield from supported(f"{path}.sideEffects", effects, SIDE_EFFECTS)
    if not 1 <= hook["timeoutSeconds"] <= LONGEST_TIMEOUT:
        text = "the timeout value must be between 1 and 30 seconds"
        yield invalid(f"{path}.timeoutSeconds", hook["timeoutSeconds"], text)
    yield from label_selector(hook["namespaceSelector"], f"{path}.namespaceSelector")
    yield from label_selector(hook["objectSelector"], f"{path}.objectSelector")
    if "reinvocationPolicy" in hook:
        yield from supported(f"{path}.reinvocationPolicy", hook["reinvocationPolicy"], REINVOCATION)


def webhook_client(client: Obj, path: str) -> Wrong:
    """Where a webhook is: a URL, or a Service, and not both."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from webhook_url(url, f"{path}.url")
    elif service is not None:
        yield from webhook_service(service, f"{path}.service", swapped=True)


def webhook_url(text: str, path: str) -> Wrong:
    """https, a host, and no more than a path."""
    url = urlsplit(text)
    if url.scheme != "https":
        yield invalid(path, url.scheme, f"'https' is the only allowed URL scheme{FORM}")
    user, at, host = url.netloc.rpartition("@")
    if not host:
        yield invalid(path, host, f"host must be specified{FORM}")
    if at:
        yield invalid(path, user, "user information is not permitted in the URL")
    if url.fragment:
        yield invalid(path, url.fragment, "fragments are not permitted in the URL")
    if url.query:
        yield invalid(path, url.query, "query parameters are not permitted in the URL")


def webhook_service(service: Obj, path: str, swapped: bool = False) -> Wrong:
    """A Service, its port, a path. *swapped*: a missing name is told of the namespace, as Kubernetes does here."""
    name, namespace = service.get("name") or "", service.get("namespace") or ""
    if swapped:
        name, namespace = namespace, name
    if not name:
        yield required(f"{path}.name")
    if not namespace:
        yield required(f"{path}.namespace")
    port = service.get("port") or 0
    if wrong := names.port_number(port):
        yield invalid(f"{path}.port", port, "port is not valid: " + ", ".join(wrong))
    if service.get("path") is not None:
        yield from _path(service["path"], f"{path}.path")


def _path(said: str, path: str) -> Wrong:
    if said in ("", "/"):
        return
    if said == "//":
        yield invalid(path, said, "segment[0] may not be empty")
        return
    if not said.startswith("/"):
        yield invalid(path, said, "must start with a '/'")
    for number, step in enumerate(said[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid(path, said, f"segment[{number}] may not be empty")
            continue
        for wrong in names.dns_subdomain(step):
            yield invalid(path, said, f"segment[{number}]: {wrong}")


def _versions(found: Sequence[str], path: str) -> Wrong:
    if not found:
        yield required(path, "must specify one of " + ", ".join(VERSIONS))
        return
    for number, version in enumerate(found):
        if version in found[:number]:
            yield invalid(f"{path}[{number}]", version, "duplicate version")
        else:
            yield from each(names.dns1035_label(version), f"{path}[{number}]", version)
    if not any(version in VERSIONS for version in found):
        yield invalid(path, found, "must include at least one of " + ", ".join(VERSIONS))


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """A rule about what no webhook is asked about."""
    return static_warning(obj, old) + [
        f"webhooks[{number}].rules[{place}]: {name} is excluded from admission webhooks; this rule will have no effect"
        for number, hook in enumerate(obj.get("webhooks") or ())
        for place, said in enumerate(hook.get("rules") or ())
        for name in _unasked(said)
    ]


def _unasked(said: Obj) -> list[str]:
    groups, resources = said.get("apiGroups") or [], said.get("resources") or []
    if "*" in groups or "*" in resources:
        return []
    known = {f"{resource}.{group}" for group, found in UNASKED for resource in found}
    named = [f"{resource}.{group}" for group in groups for resource in resources]
    return [name for name in dict.fromkeys(named) if name in known]


def served_webhooks(kind: str) -> ServedKind:
    """The kind called *kind*, of webhook configurations."""
    return ServedKind(
        kind_of_webhooks(kind),
        counted=True,
        versioned=True,
        defaults=defaults,
        rules=rules,
        create_rules=not_static,
        warnings=warnings,
        columns=(NAME, Column("Webhooks", number_of("webhooks"), type="integer", description=COUNTED), AGE),
        not_simulated=("webhooks[].clientConfig.caBundle", "webhooks[].reinvocationPolicy=Never"),
    )
