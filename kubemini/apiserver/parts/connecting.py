"""What leads to a node, a pod or a Service: /log, /exec, /attach, /portforward, /proxy.

Models k/k pkg/registry/core/pod/rest LogREST.Get ExecREST.Connect PortForwardREST.Connect ProxyREST.Connect;
k/apiserver pkg/registry/generic/rest LocationStreamer.InputStream.
Simplified: nobody answers at the other end yet: neither kubelets nor programs in containers listen there.
"""

from dataclasses import replace
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import ENDPOINT_SLICE, NODE, POD, SERVICE
from kubemini.api.objects import get
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide.parts import connections
from kubemini.apiserver.decide.request import first
from kubemini.sim import Steps

NOTHING = ""  # an answer without a body: 204


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
    return address if isinstance(address, ApiError) else _no_log(address, info.namespace, info.name, container)


def _no_log(address: str, *path: str) -> ApiError:
    return connections.no_log(address, path)


def stream(core: Core, asked: Request) -> Steps:
    """A connection into a pod: to a container, or for /portforward to any of its ports."""
    found = yield from (_pod(core, asked) if asked.info.subresource == "portforward" else _container(core, asked))
    if isinstance(found, ApiError):
        return found
    node = get(found[0], "spec", "nodeName")
    if not node:
        return connections.no_host(asked.info.name)
    address = yield from _kubelet(core, node, POD.plural)
    return address if isinstance(address, ApiError) else connections.no_stream(address, "upgrade" in asked.headers)


def proxy(core: Core, asked: Request) -> Steps:
    """A request that is passed on: to a node, a pod, or an endpoint of a Service."""
    kind = asked.kind
    target = connections.target(asked.info.name, kind.singular)
    if isinstance(target, ApiError):
        return target
    if kind == NODE:
        address = yield from _kubelet(core, target.name, NODE.plural)
    elif kind == POD:
        pod = yield from core.storage.get(POD, asked.info.namespace, target.name)
        address = pod if isinstance(pod, ApiError) else connections.of_pod(pod, target.port, target.scheme)
    else:
        address = yield from _endpoint(core, asked, target)
    return address if isinstance(address, ApiError) else connections.no_page(address)


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
    """Address and port of the kubelet of *node*; one that is missing is called as what was *asked_for*."""
    found: Any = yield from core.storage.get(NODE, "", node)
    if isinstance(found, ApiError) and found.code == 404:
        missing = replace(NODE, plural=asked_for)
        return replace(found, message=f'{missing.resource} "{node}" not found', details=_about(found, asked_for))
    return found if isinstance(found, ApiError) else connections.of_node(found)


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
    slices = [
        one for one in found[0].values() if get(one, "metadata", "labels", connections.SERVICE_NAME) == target.name
    ]
    return connections.of_service(target.name, slices, port)
