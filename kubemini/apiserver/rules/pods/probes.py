"""What asks a container how it is, and what it is told at its beginning and its end: probes and hooks.

Models k/k pkg/apis/core/validation validateProbe, validateLifecycle, validateHandler; defaults: k/k pkg/apis/core/v1
SetDefaults_Probe, SetDefaults_HTTPGetAction.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, invalid, not_negative, required, supported

TIMES = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
NOT_FOR_READINESS = "must not be set for readinessProbes"
_FILLED = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def probe(value: Obj | None, path: str, grace: int) -> Wrong:
    """A probe; one of liveness or startup succeeds at once or not at all."""
    if value is None:
        return
    yield from handler(value, path, grace)
    yield from not_negative(value, path, *TIMES)
    own, readiness = value.get("terminationGracePeriodSeconds"), path.endswith("readinessProbe")
    if own is not None and own <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", own, "must be greater than 0")
    if readiness:
        if own is not None:
            yield invalid(f"{path}.terminationGracePeriodSeconds", own, NOT_FOR_READINESS)
    elif value.get("successThreshold", 1) != 1:
        yield invalid(f"{path}.successThreshold", value["successThreshold"], "must be 1")


def lifecycle(value: Obj | None, path: str, grace: int) -> Wrong:
    """The hooks after the start and before the stop."""
    for hook in ("postStart", "preStop"):
        if value is not None and value.get(hook) is not None:
            yield from handler(value[hook], f"{path}.{hook}", grace)


def handler(value: Obj, path: str, grace: int) -> Wrong:
    """One way to ask or to tell; of several the first counts."""
    given = [way for way in ("exec", "httpGet", "tcpSocket", "grpc", "sleep") if value.get(way) is not None]
    if not given:
        yield required(path, "must specify a handler type")
        return
    yield from _action(given[0], value[given[0]], f"{path}.{given[0]}", grace)
    for way in given[1:]:
        yield forbidden(f"{path}.{way}", "may not specify more than 1 handler type")


def _action(way: str, action: Obj, path: str, grace: int) -> Wrong:
    if way == "exec":
        if not action.get("command"):
            yield required(f"{path}.command")
    elif way == "sleep":
        if not 0 <= action.get("seconds", 0) <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield invalid(path, action.get("seconds", 0), text)
    else:
        if way == "httpGet":
            yield from _http(action, path)
        yield from port(action.get("port", 0), f"{path}.port")
        if way == "httpGet":
            yield from supported(f"{path}.scheme", action.get("scheme", ""), ("HTTP", "HTTPS"))


def _http(action: Obj, path: str) -> Wrong:
    if not action.get("path"):
        yield required(f"{path}.path")


def port(value: int | str, path: str) -> Wrong:
    """A port by number or by name. Models k/k pkg/apis/core/validation ValidatePortNumOrName"""
    check = names.port_name(value) if isinstance(value, str) else names.port_number(value)
    yield from each(check, path, value)


def probe_defaults(value: Mapping[str, Any]) -> dict[str, Any]:
    """*value* with every default; 0 counts as not given."""
    full = {**value, **{key: number for key, number in _FILLED.items() if not value.get(key)}}
    return _with_http(full)


def lifecycle_defaults(value: Mapping[str, Any]) -> dict[str, Any]:
    """The hooks of *value* with every default."""
    return {hook: _with_http(action) if hook in ("postStart", "preStop") else action for hook, action in value.items()}


def _with_http(value: Mapping[str, Any]) -> dict[str, Any]:
    asked = value.get("httpGet")
    if not asked:
        return dict(value)
    lacking = {key: new for key, new in (("path", "/"), ("scheme", "HTTP")) if not asked.get(key)}
    return {**value, "httpGet": {**asked, **lacking}}
