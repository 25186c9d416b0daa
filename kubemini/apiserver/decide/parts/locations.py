"""What the API server asks a kubelet for on somebody's behalf, and what it makes of the answer. Pure.

Models k/k pkg/registry/core/pod LogLocation streamLocation PortForwardLocation streamParams; k/apiserver
pkg/registry/generic/rest GenericHttpResponseChecker.Check; k/apimachinery pkg/api/errors NewGenericServerResponse,
pkg/util/proxy UpgradeAwareHandler.DialForUpgrade Transport.RoundTrip proxyRedirectsforRootPath; k/apiserver
pkg/util/proxy StreamTranslatorHandler.ServeHTTP.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.objects import freeze, get
from kubemini.apiserver.decide.forms.plain import Passed, Ready
from kubemini.apiserver.decide.request import first, truth
from kubemini.frames import websocket
from kubemini.frames.websocket import BINARY, frame

PATHS = {"log": "containerLogs", "exec": "exec", "attach": "attach", "portforward": "portForward"}
STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
FLAGS, NUMBERS = ("follow", "previous", "timestamps"), ("limitBytes", "sinceSeconds", "sinceTime", "tailLines")
V5 = "v5.channel.k8s.io"
SPEAKS = "ExtendWebSocketsToKubelet"
ERROR = 3  # the channel of how a command ended
UPGRADE = "Upgrade request required"
MOST = 50_000  # bytes of an error that are read
GENERIC = {
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", ""),
    404: ("NotFound", "the server could not find the requested resource"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
}


class Location(NamedTuple):
    """Where on a kubelet: *query* in the order of a URL."""

    address: str
    path: str
    query: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """As Go writes it."""
        asked = urlencode(self.query)
        return f"https://{self.address}{quote(self.path, safe=SAFE)}{'?' if asked else ''}{asked}"

    @property
    def values(self) -> dict[str, list[str]]:
        """The query as who is asked reads it."""
        found: dict[str, list[str]] = {}
        for name, value in self.query:
            found.setdefault(name, []).append(value)
        return found


SAFE = "/$&+,:;=@~!'()*"


def of_log(address: str, namespace: str, pod: str, container: str, query: Mapping[str, Any]) -> Location:
    """Where the log of a container is."""
    asked = {name: "true" for name in FLAGS if truth(query.get(name))}
    asked |= {name: first(query, name) for name in NUMBERS if first(query, name)}
    return Location(address, f"/containerLogs/{namespace}/{pod}/{container}", tuple(sorted(asked.items())))


def of_stream(address: str, part: str, path: tuple[str, ...], query: Mapping[str, Any]) -> Location:
    """Where a command is run, a container attached to, a port forwarded."""
    asked = [(short, "1") for name, short in STREAMS.items() if truth(query.get(name))]
    if part == "exec":
        asked += [("command", str(word)) for word in query.get("command") or ()]
    if part == "portforward":
        ports = [str(port) for port in query.get("ports") or ()]
        asked = [("port", ",".join(ports))] if ports else []
    return Location(address, "/".join(("", PATHS[part], *path)), tuple(sorted(asked, key=lambda one: one[0])))


# -- what comes back ---------------------------------------------------------------------------------------------------


def no_log(location: Location, why: str) -> ApiError:
    """500: nobody answers who asks for a log."""
    return errors.failed(f'Get "{location.url}": {why}')


def refused_log(status: int, body: bytes, pod: str) -> ApiError:
    """What a kubelet's refusal is to a client of the API."""
    text = body[:MOST].decode("utf-8", "replace")
    if status == 500:
        return errors.internal(text)
    if status == 400:
        return errors.bad_request(text)
    said = "the server responded with the status code {} but did not return more information"
    reason, message = GENERIC.get(status, ("", said.format(status)))
    if status >= 500 and not reason:
        shown = json.dumps(text, ensure_ascii=False)
        reason, message = "InternalError", f"an error on the server ({shown}) has prevented the request from succeeding"
    details = freeze({"name": pod, "kind": "pods/log"})
    return ApiError(status, reason, f"{message or text} ( pods/log {pod})", details)


def not_dialled(why: str) -> ApiError:
    """500: there is no connection that could be upgraded."""
    return errors.failed(f"error dialing backend: {why}")


def not_reached(why: str) -> ApiError:
    """503: nobody answers at the other end."""
    return errors.unavailable(f"error trying to reach service: {why}")


def translates(headers: Mapping[str, str], node: Any, part: str) -> bool:
    """Whether the API server itself speaks WebSocket to this client, as the kubelet of *node* does not say it can."""
    if SPEAKS in (get(node, "status", "declaredFeatures", default=()) or ()) or part == "portforward":
        return False
    return websocket.is_wanted(headers) and V5 in websocket.protocols(headers)


def not_translated(location: Location, headers: Mapping[str, str], query: Mapping[str, Any], why: str) -> Passed:
    """A WebSocket that begins, and ends with the news that no kubelet answers."""
    first_channel = 1 if truth(query.get("stdout")) else 2 if truth(query.get("stderr")) else ERROR
    error = errors.internal(f'error sending request: Post "{location.url}": {why}')
    status = {key: value for key, value in error.status().items() if key not in ("kind", "apiVersion")}
    told = frame(BINARY, bytes([first_channel]))
    told += frame(BINARY, bytes([ERROR]) + json.dumps(status, separators=(",", ":")).encode())
    return Passed(101, websocket.greeting(headers, V5), last=told + websocket.closing())


def written(query: Mapping[str, Any]) -> str:
    """*query* as a URL has it."""
    return urlencode([(name, str(value)) for name, values in query.items() for value in values])


def redirect(path: str, query: str) -> Ready:
    """301: a page without a path lies behind a slash."""
    return Ready(301, (("Location", f"{path}/{'?' if query else ''}{query}"),), b"")
