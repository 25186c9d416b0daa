"""What happens to every request, in order: read `HANDLERS` and know.

A handler looks at a request and returns an answer (an object, a text, an ApiError), which ends the chain, or None: the
next one, please. What a write goes through inside `act` stands in writing.py: decode, default, admit, validate,
allocate, store. Whatever raises on the way is a fault of ours: it costs this one request, 500, and leaves a record.
Models k/apiserver pkg/server DefaultBuildHandlerChain, pkg/server/filters WithPanicRecovery.
Simplified: a program of the simulation is believed who it is, and acts for nobody else. The audit log, priority and
fairness, and rights, are kept only where `flags` ask for them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kubemini.api import errors, gotime
from kubemini.api.errors import ApiError
from kubemini.api.kinds import IP_ADDRESS, SERVICE_CIDR
from kubemini.apiserver import reading, reviewing, served, servicecidrs, writing
from kubemini.apiserver.audit import log
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.customs.definitions import DEFINITION
from kubemini.apiserver.decide import discovery, identity, openapi, options, request, tables
from kubemini.apiserver.decide.access import attributes, users
from kubemini.apiserver.decide.access.attributes import Decision
from kubemini.apiserver.decide.forms import body, media, protobuf, sockets
from kubemini.apiserver.decide.request import CONNECTS, OF_A_SUBRESOURCE
from kubemini.apiserver.gate.fairness import Visit, is_long
from kubemini.apiserver.parts import bound, connecting, evicting, extending, statuses
from kubemini.sim import Steps
from kubemini.sim.engine import Runaway
from kubemini.wire import Call

PANIC = "This request caused apiserver to panic. Look in the logs for details."
PANICKED = "apiserver panic'd on"
METRICS = "/metrics"
NO_TIMEOUT = "invalid timeout specified in the request URL"
READS = ("GET", "HEAD", "LIST", "WATCH")
DELETE_OPTIONS = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal"}  # as the audit log names them


def received(call: Call) -> Request:
    """The request that has arrived."""
    asked = call.payload
    verb = "WATCH" if call.method == "watch" else str(asked.get("verb"))
    query = asked.get("query")
    known = query if isinstance(query, dict) else {}
    user = users.believed(str(asked.get("user") or ""))
    method, headers = str(asked.get("method") or ""), asked.get("headers") or {}
    path, body = str(asked.get("path")), asked.get("body")
    uri = str(asked.get("uri") or "")
    return Request(call, verb, path, known, body, user, method, headers, asked.get("certificate"), uri=uri)


# -- the handlers ------------------------------------------------------------------------------------------------------


def read_request_info(core: Core, asked: Request) -> Steps:
    """What is asked for: verb, kind, namespace, name. Whether that is there is another question, for later."""
    asked.info = request.parse(asked.verb, asked.path, asked.query)
    core.counted.begun(asked.info)
    return None
    yield


def limit_time(core: Core, asked: Request) -> Steps:
    """How long may it take? As long as any request, or as its client says: ?timeout=10s. 400 if that is no time."""
    text = request.first(asked.query, "timeout") if asked.method else ""
    if not text or asked.info.verb == "watch" or is_long(asked.info):
        return None
    try:
        found = gotime.duration(text)
    except ValueError as wrong:
        return errors.bad_request(f"{NO_TIMEOUT} - {wrong}")
    if 0 < found < core.params.request_timeout:
        core.component.after(found, asked.late)
    return None
    yield


def authenticate(core: Core, asked: Request) -> Steps:
    """Who is it? A program of the simulation is believed; whoever comes from outside shows a token or a certificate."""
    if not asked.method:
        return None
    found = core.access.authenticate(asked.headers, asked.certificate)
    if isinstance(found, ApiError):
        log.refuse(core, asked, found)
        return found
    asked.user = found
    return None
    yield


def audit(core: Core, asked: Request) -> Steps:
    """Does anybody want to hear of it? From here on the audit log tells how far it comes."""
    asked.audit = log.begin(core, asked)
    if asked.audit is not None:
        asked.call.on_cancel(asked.audit.over)
    return None
    yield


def impersonate(core: Core, asked: Request) -> Steps:
    """For whom? Whoever may act as another does, from here on."""
    if not asked.method:
        return None
    found = core.access.impersonated(attributes.of(asked.info, asked.user), asked.headers)
    if isinstance(found, ApiError):
        return found
    if found is not None and asked.audit is not None:
        asked.audit.acts_as(found)
    asked.user = found or asked.user
    return None
    yield


def mark(core: Core, asked: Request) -> Steps:
    """Every answer carries the number under which it can be found in the audit log, and is for its client alone."""
    if asked.method:
        number = asked.headers.get("audit-id") or identity.uid(core.audits)
        asked.answer_headers += [("Audit-Id", number), ("Cache-Control", "no-cache, private")]
    return None
    yield


def take_a_seat(core: Core, asked: Request) -> Steps:
    """Is there room? Those who are too many wait for their turn, or are sent away: 429."""
    if not core.flags.fairness or is_long(asked.info):
        return None
    visit = Visit(asked.answer_headers, asked.closing)
    return (yield from core.fairness.enter(asked.info, asked.user, asked.query, visit))


def authorize(core: Core, asked: Request) -> Steps:
    """May they? 403; of those inside of the simulation only who lives by rules that the server has not read yet."""
    question = attributes.of(asked.info, asked.user)
    if not core.flags.authorization or not asked.method:
        free = core.health.authorizes or not users.needs_rules(asked.user.name)
        decision = Decision(free)
    else:
        decision = core.access.authorize(question)
        asked.witness("rights", question, decision)
    if asked.audit is not None:
        asked.audit.decided(decision)
    return None if decision.allowed else attributes.forbidden(question, decision.reason)
    yield


def find_definition(core: Core, asked: Request) -> Steps:
    """Is it of a kind that somebody has defined at this server, or a page that tells of those?"""
    info = asked.info
    if info.is_resource and info.kind is not None and info.kind != DEFINITION:
        return None
    if info.kind == DEFINITION:
        if info.verb not in ("get", "list"):
            core.cache(DEFINITION)  # from now on this server looks after them
        return None
    yield from core.definitions.ready()
    asked.info = replace(info, own=core.definitions.find(info.group, info.version, info.resource))
    return None


def show_health(core: Core, asked: Request) -> Steps:
    """/livez, /readyz and /healthz are answered before all others, and cost no work; so is /metrics."""
    if asked.path == METRICS and asked.verb in READS:
        return core.counted.page(core.caches.values(), core.fairness)
    return None if asked.info.is_resource else (yield from core.health.answer(asked.path, asked.query))


def show_page(core: Core, asked: Request) -> Steps:
    """/version, OpenAPI and discovery: which server this is, and what there is to ask it for."""
    if asked.verb not in READS or asked.info.is_resource:
        return None
    lines = (*discovery.lines(), *core.definitions.lines)
    described = openapi.answer(asked.path, asked.query, asked.headers, lines, core.definitions.described)
    if described is not None:
        said = {name for name, _ in described.headers}
        asked.answer_headers = [header for header in asked.answer_headers if header[0] not in said]
        return described
    found = discovery.page(asked.path, asked.headers, lines)
    if isinstance(found, discovery.Page):
        asked.accepted = found.accepted
        asked.answer_headers += found.headers
        return found.content
    return found
    yield


def say_goaway(core: Core, asked: Request) -> Steps:
    """A few requests cost their client its connection (--goaway-chance): they are served, the next one dials anew.

    Models k/apiserver pkg/server/filters WithProbabilisticGoaway
    """
    chance, peer = core.params.goaway_chance, asked.call.peer
    if chance and peer is not None and core.goaways.random() < chance:
        peer.go_away()
    return None
    yield


def take_time(core: Core, asked: Request) -> Steps:
    """A request costs work."""
    yield core.component.timeout(core.params.api_request_work)


def read_url(core: Core, asked: Request) -> Steps:
    """Is that there, and can it be done? 404 and 405. A Namespace is in no namespace, though its URL reads so."""
    info = request.selecting(asked.info, asked.query)
    refused = request.refused(info)
    if refused is None and asked.method == "HEAD" and info.is_resource and info.subresource != request.PASSED_ON:
        refused = errors.method_not_allowed()
    if refused is None and info.kind is not None and not info.kind.namespaced:
        info = replace(info, namespace="")
    asked.info = info
    return refused
    yield


def negotiate(core: Core, asked: Request) -> Steps:
    """Which form is the answer to have, and which has the body? 406, 415 and 413."""
    if not asked.method or not asked.info.is_resource or asked.info.subresource in CONNECTS:
        return None
    verb, headers = asked.info.verb, asked.headers
    supported = media.SUPPORTED if protobuf.serves(asked.kind.api_version, asked.kind.kind) else media.SUPPORTED[:2]
    refused = media.routed(headers, verb, verb in ("list", "watch"), supported)
    if refused is not None:
        return refused
    forms = (tables.PARTIAL,) if served.of(asked.kind).answered else tables.FORMS
    found = media.negotiated(headers, asked.query, supported, forms)
    if isinstance(found, ApiError):
        return found
    if verb == "watch" and (refused := media.not_streamed(found, supported)):
        return refused
    asked.accepted = found
    if verb == "patch":
        asked.query = {**asked.query, "type": headers["content-type"].partition(";")[0].strip()}
    elif verb in ("create", "update") or (asked.body and verb in ("delete", "deletecollection")):
        type = media.body_type(headers, supported)
        if isinstance(type, ApiError):
            return type
        asked.media = type
    return body.too_large(asked.body)
    yield


def read_options(core: Core, asked: Request) -> Steps:
    """The query, and the body of a DELETE, or 400 and 422."""
    if asked.info.subresource in CONNECTS:
        return None
    if asked.info.verb in ("delete", "deletecollection") and isinstance(asked.body, bytes):
        asked.body = body.of_options(asked.body, asked.media) if asked.body else None
        if isinstance(asked.body, ApiError):
            return asked.body
    found = options.read(asked.info, asked.query, asked.body)
    if isinstance(found, ApiError):
        return found
    if asked.audit is not None and asked.info.verb in ("delete", "deletecollection") and asked.body:
        asked.audit.sent(DELETE_OPTIONS | asked.body)
    asked.options = found
    return None
    yield


def read_body(core: Core, asked: Request) -> Steps:
    """Bytes → the value that they are, or 400; what a program of the simulation sends is a value already."""
    if isinstance(asked.body, bytes) and asked.info.subresource not in CONNECTS:
        verb = asked.info.verb
        if verb == "patch":
            asked.body = body.of_patch(asked.body, asked.options.patch)
        elif verb in ("create", "update"):
            asked.body = body.of_object(asked.body, asked.media, asked.kind.kind, asked.info.own is not None)
    if asked.audit is not None and asked.info.verb == "patch" and not isinstance(asked.body, ApiError):
        asked.audit.sent_patch(asked.body)
    return asked.body if isinstance(asked.body, ApiError) else None
    yield


def see_to_default_cidr(core: Core, asked: Request) -> Steps:
    """Who asks for ServiceCIDRs finds the one of the server's own flag."""
    return (yield from servicecidrs.ensure_default(core)) if asked.info.kind == SERVICE_CIDR else None


def act(core: Core, asked: Request) -> Steps:
    """Do what is asked."""
    if asked.info.verb == "watch" and asked.call.stream is None:
        return errors.bad_request("a watch needs a stream: open it as a watch")
    if asked.info.verb == "watch" and (refused := sockets.refused_watch(asked.headers)):
        return refused
    if asked.info.own is not None and asked.info.verb == "create":
        yield from core.definitions.wait_if_new(asked.info.own)
    deed = ACTS.get((asked.info.verb, asked.info.subresource)) or ACTS[(asked.info.verb, "")]
    if served.of(asked.kind).answered:
        deed = bound.bind_named if asked.kind.kind == "Binding" else reviewing.review
    elif served.of(asked.kind).observed:
        deed = statuses.show
    answer = yield from deed(core, asked)
    if asked.kind == IP_ADDRESS and asked.info.verb not in ("get", "list", "watch"):
        servicecidrs.written_by_hand(core)
    told = served.of(asked.kind).deprecated
    asked.warnings[:0] = [told] if told else []
    if told and asked.audit is not None:
        asked.audit.annotations["k8s.io/deprecated"] = "true"
    return answer


Handler = Callable[[Core, Request], Steps]
HANDLERS: tuple[Handler, ...] = (
    mark,
    say_goaway,
    read_request_info,
    limit_time,
    authenticate,
    audit,
    impersonate,
    take_a_seat,
    authorize,
    extending.pass_on,
    find_definition,
    show_health,
    show_page,
    take_time,
    read_url,
    negotiate,
    read_options,
    see_to_default_cidr,
    read_body,
    act,
)
ACTS: dict[tuple[str, str], Handler] = {
    ("get", ""): reading.get,
    ("get", "scale"): reading.get_scale,
    ("list", ""): reading.list,
    ("watch", ""): reading.watch,
    ("create", ""): writing.create,
    ("create", "binding"): bound.bind,
    ("create", "eviction"): evicting.evict,
    ("get", "log"): connecting.log,
    **{(verb, part): connecting.stream for verb in ("get", "create") for part in ("exec", "attach", "portforward")},
    **{(verb, "proxy"): connecting.proxy for verb in (*OF_A_SUBRESOURCE["proxy"], "")},  # "": OPTIONS
    ("create", "token"): reviewing.create_token,
    ("update", ""): writing.put,
    ("patch", ""): writing.patch,
    ("delete", ""): writing.delete,
    ("deletecollection", ""): writing.delete_collection,
}


def serve(core: Core, asked: Request) -> Steps:
    """The answer to a request: what the first handler that has one says."""
    answer: Any = None
    try:
        for handler in HANDLERS:
            answer = yield from handler(core, asked)
            asked.witness(handler.__name__, asked, answer)
            if answer is not None:
                break
        return answer
    except Runaway:
        raise
    except Exception as problem:
        answer = recovered(core, asked, problem)
        asked.witness("recover", problem, answer)
        return answer
    finally:
        if asked.info.verb:
            core.counted.ended(asked.info, answer, asked.created)
        for close in reversed(asked.closing):
            close()


def recovered(core: Core, asked: Request, problem: Exception) -> ApiError:
    """A fault of ours ends this request and no other. Whether it was carried out, nobody knows, unless it only read."""
    what = f"{type(problem).__name__}: {problem}"
    core.sim.record(core.component.name, "note", text=f"{PANICKED} {asked.verb} {asked.path}: {what}")
    if asked.audit is not None:
        asked.audit.panicked(what)
    return errors.internal(PANIC, definite=asked.verb in READS)
