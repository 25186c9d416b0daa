"""What leads to a node, a pod or a Service: /log, /exec, /attach, /portforward, /proxy.

Models k/k pkg/registry/core/pod/rest LogREST.Get ExecREST.Connect AttachREST.Connect PortForwardREST.Connect
ProxyREST.Connect ensureAuthorizedForVerb, pkg/registry/core/node ResourceLocation; k/apiserver
pkg/registry/generic/rest LocationStreamer.InputStream; k/apimachinery pkg/util/proxy UpgradeAwareHandler.ServeHTTP.
Simplified: no connection behind /proxy is upgraded; of other ports of a node than its kubelet's nobody knows who
listens there.
"""

from dataclasses import replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import ENDPOINT_SLICE, NODE, POD, SERVICE
from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, get
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide.access import attributes
from kubemini.apiserver.decide.forms import sockets
from kubemini.apiserver.decide.forms.plain import Passed, Plain, Ready
from kubemini.apiserver.decide.parts import connections, links, locations
from kubemini.apiserver.decide.parts.locations import Location
from kubemini.apiserver.decide.request import first, truth
from kubemini.apiserver.outward import tunnel
from kubemini.sim import Steps

NOTHING = ""  # an answer without a body: 204
LOG_TYPE = "text/plain"


def log(core: Core, asked: Request) -> Steps:
    """What a container has said."""
    info = asked.info
    wrong = connections.wrong_log_options(info.name, asked.query)
    found = wrong or (yield from _container(core, asked))
    if isinstance(found, ApiError):
        return found
    pod, container = found
    if not get(pod, "spec", "nodeName"):
        return NOTHING
    address = yield from _kubelet(core, pod["spec"]["nodeName"], POD.plural)
    if isinstance(address, ApiError):
        return address
    location = locations.of_log(address, info.namespace, info.name, container, asked.query)
    talk = yield from tunnel.ask(core, location, asked)
    if isinstance(talk, str):
        return locations.no_log(location, talk)
    if not 200 <= talk.status <= 206:
        return locations.refused_log(talk.status, (yield from talk.rest()), info.name)
    opened = sockets.of_log(asked.headers, talk.close)
    if isinstance(opened, Ready):
        talk.close()
        return opened
    if opened is not None or truth(asked.query.get("follow")):
        return _passed_on(asked, talk, opened or Passed(200, (("Content-Type", LOG_TYPE),)))
    return Plain((yield from talk.rest()).decode("utf-8", "replace"), LOG_TYPE)


def stream(core: Core, asked: Request) -> Steps:
    """A connection into a pod: to a container, or for /portforward to any of its ports."""
    part, info = asked.info.subresource, asked.info
    refused = _may_create(core, asked)
    found = refused or (yield from (_pod(core, asked) if part == "portforward" else _container(core, asked)))
    if isinstance(found, ApiError):
        return found
    pod, container = found
    name = get(pod, "spec", "nodeName")
    if not name:
        return connections.no_host(info.name)
    node = yield from _node(core, name, POD.plural)
    address = node if isinstance(node, ApiError) else connections.of_node(node, core.flags.kubelet_addresses)
    if isinstance(address, ApiError):
        return address
    path = tuple(filter(None, (info.namespace, info.name, container)))
    location = locations.of_stream(address, part, path, asked.query)
    if locations.translates(asked.headers, node, part):
        return (yield from _translated(core, asked, location))
    if "upgrade" not in asked.headers:
        return errors.bad_request(locations.UPGRADE)
    talk = yield from tunnel.ask(core, location, asked, upgrades=True)
    if isinstance(talk, str):
        return locations.not_dialled(talk)
    if talk.status != 101:
        return Ready(talk.status, talk.headers, (yield from talk.rest()))
    return _passed_on(asked, talk, Passed(101, talk.headers, take=talk.send))


def _translated(core: Core, asked: Request, location: Location) -> Steps:
    """The kubelet does not say that it speaks WebSocket: this server does, and would speak SPDY to it.

    Simplified: a kubelet here that answers at all says that it can.
    """
    talk = yield from tunnel.ask(core, location, asked)
    if isinstance(talk, str):
        asked.call.reply(None)
        return locations.not_translated(location, asked.headers, asked.query, talk)
    return _passed_on(asked, talk, Passed(talk.status, talk.headers, take=talk.send))


def _passed_on(asked: Request, talk: tunnel.Talk, answer: Passed) -> Passed:
    """*answer*, whose bytes come from *talk* from now on."""
    assert asked.call.stream is not None, "who asks for a stream has one"
    talk.pass_on(asked.call.stream.push, asked.call.reply)
    return answer


def _may_create(core: Core, asked: Request) -> ApiError | None:
    """Whoever opens a stream by GET must be allowed to create one, too."""
    if asked.info.verb == "create" or not asked.method or not core.flags.authorization:
        return None
    decision = core.access.authorize(replace(attributes.of(asked.info, asked.user), verb="create"))
    if decision.allowed:
        return None
    return attributes.forbidden_object(asked.info.group, asked.info.resource, asked.info.name, decision.reason)


def proxy(core: Core, asked: Request) -> Steps:
    """A request that is passed on: to a node, a pod, or an endpoint of a Service."""
    kind = asked.kind
    target = connections.target(asked.info.name, kind.singular)
    if isinstance(target, ApiError):
        return target
    if kind == NODE:
        address = yield from _kubelet(core, target.name, NODE.plural)
        if not isinstance(address, ApiError):
            unknown = tunnel.unknown(core, address)
            address = errors.bad_request(unknown) if unknown else connections.of_proxied_node(address, target.port)
    elif kind == POD:
        pod = yield from core.storage.get(POD, asked.info.namespace, target.name)
        address = pod if isinstance(pod, ApiError) else connections.of_pod(pod, target.port, target.scheme)
    else:
        address = yield from _endpoint(core, asked, target)
    if isinstance(address, ApiError):
        return address
    path = connections.proxied_path(asked.path)
    if not path and asked.method in ("", "GET", "HEAD"):
        return locations.redirect(asked.path, locations.written(asked.query))
    return (yield from (_page_of_node if kind == NODE else _page)(core, asked, address, path))


def _page_of_node(core: Core, asked: Request, address: str, path: str) -> Steps:
    """What a kubelet says."""
    query = tuple((name, str(value)) for name, values in asked.query.items() for value in values)
    talk = yield from tunnel.ask(core, Location(address, path or "/", query), asked)
    if isinstance(talk, str):
        return locations.not_reached(talk)
    return Ready(talk.status, talk.headers, (yield from talk.rest()))


def _page(core: Core, asked: Request, address: str, path: str) -> Steps:
    """What a program in a pod says."""
    query, body = locations.written(asked.query), asked.body if isinstance(asked.body, bytes) else b""
    whole = (path or "/") + (f"?{query}" if query else "")
    front = links.prefix(asked.path, path or "/")
    method, headers = asked.method or "GET", {**asked.headers, "x-forwarded-uri": asked.path}
    found = yield from tunnel.page(core, address, whole, method=method, headers=headers, body=body)
    if isinstance(found, str):
        return locations.not_reached(found)
    told, body = links.page(found["headers"], found["body"], front, asked.headers.get("host", ""))
    return Ready(found["status"], told, body)


def _pod(core: Core, asked: Request) -> Steps:
    """The pod, and no container; or an ApiError."""
    found = yield from core.storage.get(POD, asked.info.namespace, asked.info.name)
    return found if isinstance(found, ApiError) else (found, "")


def _container(core: Core, asked: Request) -> Steps:
    """The pod and the container that are meant, or an ApiError."""
    pod = yield from core.storage.get(POD, asked.info.namespace, asked.info.name)
    if isinstance(pod, ApiError):
        return pod
    container = connections.container(pod, first(asked.query, "container"))
    return container if isinstance(container, ApiError) else (pod, container)


def _kubelet(core: Core, node: str, asked_for: str) -> Steps:
    """Address and port of the kubelet of *node*, or an ApiError."""
    found = yield from _node(core, node, asked_for)
    return found if isinstance(found, ApiError) else connections.of_node(found, core.flags.kubelet_addresses)


def _node(core: Core, node: str, asked_for: str) -> Steps:
    """The Node; one that is missing is called as what was *asked_for*."""
    found: Any = yield from core.storage.get(NODE, "", node)
    if isinstance(found, ApiError) and found.code == 404:
        missing = replace(NODE, plural=asked_for)
        return replace(found, message=f'{missing.resource} "{node}" not found', details=_about(found, asked_for))
    return found


def _about(error: ApiError, plural: str) -> Any:
    return {**error.details, "kind": plural}


def _endpoint(core: Core, asked: Request, target: connections.Target) -> Steps:
    """Address and port of an endpoint of the Service, or an ApiError."""
    namespace, port, number = asked.info.namespace, target.port, connections.number(target.port)
    if number is not None:
        service = yield from core.storage.get(SERVICE, namespace, target.name)
        named = service if isinstance(service, ApiError) else connections.port_name(service, number)
        if isinstance(named, ApiError):
            return named
        port = named
    found = yield from core.storage.list(ENDPOINT_SLICE, namespace)
    if isinstance(found, ApiError):
        return found
    slices = [one for one in found[0].values() if _is_of(one, target.name)]
    return connections.of_service(target.name, slices, port)


def _is_of(slice: Obj, service: str) -> bool:
    return get(slice, "metadata", "labels", SERVICE_NAME) == service
