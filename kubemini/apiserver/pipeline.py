"""What happens to every request, in order: read `HANDLERS` and know.

A handler looks at a request and returns an answer (an object, a text, an ApiError), which ends the chain, or None: the
next one, please. What a write goes through inside `act` stands in writing.py: decode, default, admit, validate,
allocate, store. Whatever raises on the way is a fault of ours: it costs this one request, 500, and leaves a record.
Models k/apiserver pkg/server DefaultBuildHandlerChain, pkg/server/filters WithPanicRecovery.
Simplified: who asks is believed: no authentication, audit, impersonation, priority and fairness, authorization.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.apiserver import reading, writing
from kubemini.apiserver.decide import options, request
from kubemini.apiserver.decide.options import Options
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.health import PATHS
from kubemini.wire import Call

if TYPE_CHECKING:
    from kubemini.apiserver.server import ApiServer

Fate = Generator[Any, Any, Any]  # to be used with `yield from`
PANIC = "This request caused apiserver to panic. Look in the logs for details."
READS = ("GET", "HEAD", "LIST", "WATCH")


@dataclass(slots=True)
class Request:
    """One request on its way down the chain; *info*, *options* and *warnings* are filled in by handlers."""

    call: Call
    verb: str
    path: str
    query: Mapping[str, Any]
    body: Any
    info: RequestInfo = field(default_factory=lambda: RequestInfo("", ""))
    options: Options = field(default_factory=Options)
    warnings: list[str] = field(default_factory=list)
    user: str = ""


def received(call: Call) -> Request:
    """The request that has arrived."""
    asked = call.payload
    verb = "WATCH" if call.method == "watch" else asked["verb"]
    user = str(asked.get("user") or "")
    return Request(call, verb, asked["path"], asked.get("query") or {}, asked.get("body"), user=user)


# -- the handlers ------------------------------------------------------------------------------------------------------


def show_health(server: "ApiServer", asked: Request) -> Fate:
    """/livez, /readyz and /healthz are answered before anything else, and take no time."""
    return (yield from server.health.answer(asked.path)) if asked.path in PATHS else None


def take_time(server: "ApiServer", asked: Request) -> Fate:
    """A request costs work."""
    yield server.timeout(server.params.api_request_work)


def read_url(server: "ApiServer", asked: Request) -> Fate:
    """Verb and path → what is asked for, or 404 and 405. A Namespace is in no namespace, though its URL reads so."""
    info = request.parse(asked.verb, asked.path, asked.query)
    refused = request.refused(info)
    if refused is None and info.kind is not None and not info.kind.namespaced:
        info = replace(info, namespace="")
    asked.info = info
    return refused
    yield


def read_options(server: "ApiServer", asked: Request) -> Fate:
    """The query, and the body of a DELETE, or 400 and 422."""
    found = options.read(asked.info, asked.query, asked.body)
    if isinstance(found, ApiError):
        return found
    asked.options = found
    return None
    yield


def act(server: "ApiServer", asked: Request) -> Fate:
    """Do what is asked."""
    if asked.info.verb == "watch" and asked.call.stream is None:
        return errors.bad_request("a watch needs a stream: open it as a watch")
    deed = ACTS.get((asked.info.verb, asked.info.subresource)) or ACTS[(asked.info.verb, "")]
    return (yield from deed(server, asked))


Handler = Callable[["ApiServer", Request], Fate]
HANDLERS: tuple[Handler, ...] = (
    show_health,
    take_time,
    read_url,
    # here the real server asks: who is it (401), for whom, is there room (429), may they (403)
    read_options,
    act,
)
ACTS: dict[tuple[str, str], Handler] = {
    ("get", ""): reading.get,
    ("get", "scale"): reading.get_scale,
    ("list", ""): reading.list,
    ("watch", ""): reading.watch,
    ("create", ""): writing.create,
    ("create", "binding"): writing.bind,
    ("update", ""): writing.put,
    ("patch", ""): writing.patch,
    ("delete", ""): writing.delete,
    ("deletecollection", ""): writing.delete_collection,
}


def serve(server: "ApiServer", asked: Request) -> Fate:
    """The answer to a request: what the first handler that has one says."""
    try:
        for handler in HANDLERS:
            answer = yield from handler(server, asked)
            if answer is not None:
                return answer
    except Exception as problem:
        return _recovered(server, asked, problem)
    return None


def _recovered(server: "ApiServer", asked: Request, problem: Exception) -> ApiError:
    """A fault of ours ends this request and no other. Whether it was carried out, nobody knows, unless it only read."""
    what = f"{type(problem).__name__}: {problem}"
    server.sim.record(server.name, "note", text=f"apiserver panic'd on {asked.verb} {asked.path}: {what}")
    return errors.internal(PANIC, definite=asked.verb in READS)
