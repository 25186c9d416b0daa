"""Groups that another server answers for: an APIService names its Service, and what is asked is passed on.

Rights have been asked already; the other server is told who asks, and believed what it answers.
Models k/kube-aggregator pkg/apiserver proxyHandler.ServeHTTP
Simplified: the Service is not looked at: `Flags.extensions` says which program stands behind it. Discovery does not
list what such a server tells of itself, and no watch is passed on.
"""

from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import get
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide.forms.media import JSON, Accepted
from kubemini.sim import Steps

API_SERVICE = KNOWN["apiregistration.k8s.io/v1", "APIService"]
UNAVAILABLE = "service unavailable"
UNREACHED = "error trying to reach service: {}"


def pass_on(core: Core, asked: Request) -> Steps:
    """Is it of a version of a group that somebody else serves? 503 if nobody is there."""
    parts = asked.path.strip("/").split("/")
    if not core.flags.extensions or len(parts) < 3 or parts[0] != "apis":
        return None
    cache = core.cache(API_SERVICE)
    while (yield from cache.wait()) is not None:
        yield core.component.timeout(core.params.watch_cache_retry)
    found = cache.get("", f"{parts[2]}.{parts[1]}")
    service = get(found or {}, "spec", "service")
    if service is None:
        return None
    program = core.flags.extensions.get(f"{service['namespace']}/{service['name']}")
    if program is None:
        return ApiError(503, "", UNAVAILABLE, plain=True)
    verb = "GET" if asked.verb in ("LIST", "HEAD") else asked.verb
    payload: Any = {"verb": verb, "path": asked.path, "query": asked.query, "body": asked.body, "user": asked.user.name}
    reply = yield core.component.call(program, "request", payload, core.params.request_timeout)
    asked.accepted = Accepted(JSON)
    if reply.ok:
        return reply.value
    if isinstance(reply.error, ApiError):
        return reply.error
    return ApiError(503, "", UNREACHED.format(reply.error.reason), definite=reply.error.definite, plain=True)
