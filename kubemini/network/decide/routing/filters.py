"""What filters do: to the request, to the answer, or instead of any back end. Pure.

Invariant: headers know no case; ``set`` replaces, ``add`` appends after a comma, ``remove`` takes away; of a redirect
and of a rewrite everything that is not said stays as it was in the request.
Models kubernetes-sigs/gateway-api apis/v1 HTTPHeaderFilter, HTTPRequestRedirectFilter, HTTPURLRewriteFilter,
HTTPPathModifier, HTTPRequestMirrorFilter, HTTPCORSFilter
Simplified: ExtensionRef and ExternalAuth are not known here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing.exchange import REDIRECTED, Request, Verdict

WELL_KNOWN = {"http": 80, "https": 443}


def modified(headers: Mapping[str, str], change: Obj) -> dict[str, str]:
    """*headers* after a change of the form {set, add, remove}."""
    out = dict(headers)
    for name in change.get("remove") or ():
        out.pop(_key(out, name), None)
    for one in change.get("set") or ():
        out.pop(_key(out, one["name"]), None)
        out[one["name"]] = one["value"]
    for one in change.get("add") or ():
        key = _key(out, one["name"])
        out[key] = f"{out[key]},{one['value']}" if key in out else one["value"]
    return out


def _key(headers: Mapping[str, str], name: str) -> str:
    """*name* as *headers* spell it."""
    return next((key for key in headers if key.lower() == name.lower()), name)


def answered(headers: Mapping[str, str], changes: Iterable[Obj]) -> dict[str, str]:
    """The headers of an answer after all *changes*."""
    out = dict(headers)
    for change in changes:
        out = modified(out, change)
    return out


def applied(verdict: Verdict, filters: Iterable[Obj], port: int) -> Verdict:
    """*verdict* after *filters*, in order; *port* is the listener's. A redirect or a preflight ends it."""
    for one in filters:
        request = verdict.request
        assert request is not None, "filters apply to a request that is forwarded"
        match one["type"]:
            case "RequestHeaderModifier":
                headers = modified(request.headers, one["requestHeaderModifier"])
                verdict = replace(verdict, request=replace(request, headers=headers))
            case "ResponseHeaderModifier":
                changes = (*verdict.answer_headers, one["responseHeaderModifier"])
                verdict = replace(verdict, answer_headers=changes)
            case "URLRewrite":
                rewritten = _rewritten(request, one["urlRewrite"], verdict.prefix)
                verdict = replace(verdict, request=rewritten)
            case "RequestRedirect":
                return redirect(verdict, one["requestRedirect"], port)
            case "CORS":
                verdict = _cors(verdict, one["cors"])
                if verdict.fate != "forwarded":
                    return verdict
    return verdict


def path_after(target: str, prefix: str, change: Obj | None) -> str:
    """Path and query after a path modifier; *prefix* is what matched."""
    if not change:
        return target
    path, question, query = target.partition("?")
    if change["type"] == "ReplaceFullPath":
        path = change["replaceFullPath"]
    else:
        rest = path[len(prefix.rstrip("/")) :].lstrip("/")
        stem = change["replacePrefixMatch"].rstrip("/")
        path = f"{stem}/{rest}" if rest else stem or "/"
    return path + question + query


def _rewritten(request: Request, change: Obj, prefix: str) -> Request:
    host = change.get("hostname") or request.host
    return replace(request, host=host, target=path_after(request.target, prefix, change.get("path")))


def redirect(verdict: Verdict, change: Obj, port: int) -> Verdict:
    """The answer that sends a client elsewhere.

    Without a port: that of the new scheme, or, if no scheme is said either, the listener's; the usual port of a scheme
    is not written.
    """
    request = verdict.request
    assert request is not None
    scheme = change.get("scheme") or request.scheme
    number = change.get("port") or (WELL_KNOWN[scheme] if change.get("scheme") else port)
    host = change.get("hostname") or request.hostname
    shown = "" if WELL_KNOWN[scheme] == number else f":{number}"
    target = path_after(request.target, verdict.prefix, change.get("path"))
    location = f"{scheme}://{host}{shown}{target}"
    status = change.get("statusCode") or 302
    return replace(verdict, fate=REDIRECTED, status=status, location=location, backends=(), request=None)


def share(mirror: Obj) -> Fraction:
    """Which part of the requests a mirror gets."""
    if part := mirror.get("fraction"):
        return Fraction(part["numerator"], part.get("denominator") or 100)
    percent = mirror.get("percent")
    return Fraction(1) if percent is None else Fraction(percent, 100)


def _cors(verdict: Verdict, rule: Obj) -> Verdict:
    """The browser asks first (OPTIONS with the method it wants): answered here. Else the answer gets the headers."""
    request = verdict.request
    assert request is not None
    origin, wanted = request.header("Origin"), request.header("Access-Control-Request-Method")
    if origin is None:
        return verdict
    preflight = request.method == "OPTIONS" and wanted is not None
    allowed = any(_origin(pattern, origin) for pattern in rule.get("allowOrigins") or ())
    if allowed:
        changes = (*verdict.answer_headers, {"set": _allowing(rule, request, origin, preflight)})
        verdict = replace(verdict, answer_headers=changes)
    if preflight:
        says = f"{verdict.rule}: CORS preflight {'allowed' if allowed else 'of a foreign origin'}"
        return replace(verdict, fate="answered", rule=says, status=200, backends=(), request=None)
    return verdict


def _origin(pattern: str, origin: str) -> bool:
    """``*``, an origin, or one whose host begins with ``*.``; a port may follow."""
    if pattern == "*":
        return True
    scheme, _, host = pattern.lower().partition("://")
    theirs, _, name = origin.lower().partition("://")
    if not host.startswith("*"):
        return pattern.lower() == origin.lower()
    return scheme == theirs and name.endswith(host[1:]) and name != host[1:]


def _allowing(rule: Obj, request: Request, origin: str, preflight: bool) -> list[dict[str, str]]:
    trusting = bool(rule.get("allowCredentials"))
    everyone = "*" in (rule.get("allowOrigins") or ()) and not trusting
    found = {"Access-Control-Allow-Origin": "*" if everyone else origin}
    if trusting:
        found["Access-Control-Allow-Credentials"] = "true"
    if exposed := rule.get("exposeHeaders"):
        found["Access-Control-Expose-Headers"] = ", ".join(exposed)
    if preflight:
        asked = {"methods": request.header("Access-Control-Request-Method")}
        asked["headers"] = request.header("Access-Control-Request-Headers")
        for what, field in (("methods", "allowMethods"), ("headers", "allowHeaders")):
            listed = ", ".join(get(rule, field) or ())
            shown = asked[what] if listed == "*" and trusting else listed
            if shown:
                found[f"Access-Control-Allow-{what.title()}"] = shown
        if age := rule.get("maxAge"):
            found["Access-Control-Max-Age"] = str(age)
    return [{"name": name, "value": value} for name, value in found.items()]
