"""GET, LIST and WATCH: from the watch cache where the client allows it, else from a majority of etcd.

Which state a reader gets is in its resourceVersion: none the latest, "0" any, N one that is at least so new, and with
resourceVersionMatch=Exact, or a limit, exactly that one. A list that is cut at its limit goes on at the same revision.
Models k/apiserver pkg/endpoints/handlers ListResource, pkg/storage/cacher Cacher.GetList, pkg/storage/etcd3 GetList.
Simplified: a list without a resourceVersion reads etcd, where Kubernetes 1.31 and later first ask how new the watch
cache is; the pages of a list are cut from the whole of it; watches end only if they say when.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kubemini.api import errors, fields, labels
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, freeze
from kubemini.apiserver import served
from kubemini.apiserver.decide import paging, subresources
from kubemini.apiserver.decide.options import EXACT, Options, number_of
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.storage import Fate
from kubemini.apiserver.watchcache import ERROR, Matches
from kubemini.sim.units import SECOND

if TYPE_CHECKING:
    from kubemini.apiserver.pipeline import Request
    from kubemini.apiserver.server import ApiServer

UNREADABLE = "resourceVersion: Invalid value: "


def get(server: "ApiServer", asked: "Request") -> Fate:
    """One object: the latest, or with a resourceVersion one that is so new at least, from the cache if it has it."""
    kind, info, version = _kind(asked), asked.info, asked.options.version
    if version:
        number = number_of(version)
        if isinstance(number, str):
            return errors.failed(_unreadable(version, number))
        cache = server.cache(kind)
        unready = yield from cache.wait()
        if unready is None and cache.revision >= number:
            return cache.get(info.namespace, info.name) or errors.not_found(kind, info.name)
    return (yield from server.storage.get(kind, info.namespace, info.name))


def get_scale(server: "ApiServer", asked: "Request") -> Fate:
    """The Scale of one object."""
    found = yield from get(server, asked)
    return found if isinstance(found, ApiError) else subresources.scale_of(found)


def list(server: "ApiServer", asked: "Request") -> Fate:
    """A collection, or a page of it."""
    kind, info, options = _kind(asked), asked.info, asked.options
    matches = matcher(kind, replace(info, namespace=""))
    if isinstance(matches, ApiError):
        return matches
    prefix = kind.key(info.namespace)
    place = paging.start(prefix, options)
    if isinstance(place, ApiError):
        return place
    if options.version and not options.chunk and not _is_exact(options):
        return (yield from _list_cached(server, kind, info, matches, int(options.version)))
    found = yield from server.storage.list(kind, info.namespace, max(place.revision, 0), place.key)
    if isinstance(found, ApiError):
        return paging.expired(found, options)
    objects, revision = found
    shown = max(place.revision, 0) or revision
    return paging.page(kind, [*objects.values()], matches, shown, options.limit, prefix)


def _list_cached(server: "ApiServer", kind: Kind, info: RequestInfo, matches: Matches | None, version: int) -> Fate:
    """A state that is as new as *version* at least: of the cache if it is so new, else of etcd."""
    cache = server.cache(kind)
    unready = yield from cache.wait()
    if unready is not None:
        return unready
    if cache.revision >= version:
        return paging.page(kind, cache.items(info.namespace), matches, cache.revision)
    found = yield from server.storage.list(kind, info.namespace)
    if isinstance(found, ApiError):
        return found
    objects, revision = found
    if revision < version:
        return errors.too_large(version, revision)
    return paging.page(kind, [*objects.values()], matches, revision)


def _is_exact(options: Options) -> bool:
    """Whether exactly the state of the resourceVersion is meant."""
    if options.match:
        return options.match == EXACT
    return options.limit > 0 and options.version != "0"


def watch(server: "ApiServer", asked: "Request") -> Fate:
    """Open a watch: changes go down the stream until somebody ends it."""
    kind, options, call = _kind(asked), asked.options, asked.call
    matches = matcher(kind, asked.info)
    if isinstance(matches, ApiError):
        return matches
    number = number_of(options.version or "0")
    if isinstance(number, str):
        return errors.failed(_unreadable(options.version, number))
    unready = yield from server.cache(kind).wait()
    if unready is not None:
        return unready
    if call.closed:
        return None
    expired = server.cache(kind).watch(call, number, matches, options.bookmarks, bool(options.initial))
    if expired is not None:
        assert call.stream is not None
        call.stream.push(freeze({"type": ERROR, "object": expired.status()}))
        call.stream.close()
    elif options.timeout and options.timeout > 0:
        server.after(options.timeout * SECOND, server.cache(kind).end, call)
    return None


def matcher(kind: Kind, info: RequestInfo) -> "Matches | ApiError | None":
    """Whether an object is asked for; None if every one is."""
    try:
        picked = labels.parse(info.label_selector)
        terms = fields.parse(info.field_selector, served.of(kind).fields)
    except ValueError as error:
        return errors.bad_request(str(error))
    space = info.namespace
    if not (picked.requirements or terms or space):
        return None

    def matches(obj: Obj) -> bool:
        meta = obj["metadata"]
        if space and meta.get("namespace") != space:
            return False
        return fields.matches(terms, obj) and picked.matches(meta.get("labels"))

    return matches


def _kind(asked: "Request") -> Kind:
    kind: Any = asked.info.kind
    assert kind is not None, "a request without a kind has been refused before"
    return kind


def _unreadable(version: str, why: str) -> str:
    """The words for a resourceVersion that is none."""
    return f'{UNREADABLE}"{version}": {why}'
