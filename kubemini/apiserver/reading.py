"""GET, LIST and WATCH: from the watch cache where the client allows it, else from a majority of etcd.

Which state a reader gets is in its resourceVersion: none the latest, "0" any, N one that is at least so new, and with
resourceVersionMatch=Exact, or a limit, exactly that one. A list that is cut at its limit goes on at the same revision.
Models k/apiserver pkg/endpoints/handlers ListResource, pkg/storage/cacher Cacher.GetList, pkg/storage/etcd3 GetList.
Simplified: a list without a resourceVersion reads etcd, where Kubernetes 1.31 and later first ask how new the watch
cache is; the pages of a list are cut from the whole of it; watches end only if they say when.
"""

from dataclasses import replace

from kubemini.api import errors, fields, labels
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import freeze
from kubemini.apiserver import served
from kubemini.apiserver.caching import ERROR, Selection
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import paging
from kubemini.apiserver.decide.options import EXACT, Options, number_of
from kubemini.apiserver.decide.parts.scale import missing_scale, scale_of
from kubemini.apiserver.decide.request import RequestInfo, first
from kubemini.etcd.errors import FUTURE_REVISION
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

UNREADABLE = "resourceVersion: Invalid value: "


def get(core: Core, asked: Request) -> Steps:
    """One object: the latest, or with a resourceVersion one that is so new at least, from the cache if it has it."""
    kind, info, version = asked.kind, asked.info, asked.options.version
    if version:
        number = number_of(version)
        if isinstance(number, str):
            return errors.failed(_unreadable(version, number))
        cache = core.cache(kind)
        unready = yield from cache.wait()
        if unready is None and cache.revision < number and not (yield from cache.reach(number)):
            return errors.too_large(number, cache.revision)
        if unready is None:
            asked.witness("cache", kind, cache.revision)
            return cache.get(info.namespace, info.name) or errors.not_found(kind, info.name)
    return (yield from core.storage.get(kind, info.namespace, info.name, asked.witness))


def get_scale(core: Core, asked: Request) -> Steps:
    """The Scale of one object."""
    found = yield from get(core, asked)
    return found if isinstance(found, ApiError) else missing_scale(found, asked.kind) or scale_of(found, asked.kind)


def list(core: Core, asked: Request) -> Steps:
    """A collection, or a page of it."""
    kind, info, options = asked.kind, asked.info, asked.options
    picked = selection(kind, replace(info, namespace=""))
    if isinstance(picked, ApiError):
        return picked
    prefix = kind.key(info.namespace)
    place = paging.start(prefix, options)
    if isinstance(place, ApiError):
        return place
    if options.version and not options.chunk and not _is_exact(options):
        return (yield from _list_cached(core, asked, picked, int(options.version)))
    found = yield from core.storage.list(kind, info.namespace, max(place.revision, 0), place.key, asked.witness)
    if isinstance(found, ApiError) and found.message == FUTURE_REVISION.message:
        if not (yield from core.cache(kind).reach(place.revision)):
            return errors.too_large(place.revision, core.cache(kind).revision)
        found = yield from core.storage.list(kind, info.namespace, place.revision, place.key, asked.witness)
    if isinstance(found, ApiError):
        return paging.expired(found, options, place, prefix)
    objects, revision = found
    shown = max(place.revision, 0) or revision
    return paging.page(kind, [*objects.values()], picked, shown, options.limit, prefix)


def _list_cached(core: Core, asked: Request, picked: Selection | None, version: int) -> Steps:
    """A state that is as new as *version* at least: of the cache if it is so new, else of etcd; any is whole."""
    kind, namespace, limit = asked.kind, asked.info.namespace, asked.options.limit if version else 0
    cache, prefix = core.cache(kind), kind.key(namespace)
    unready = yield from cache.wait()
    if unready is not None:
        return unready
    if cache.revision >= version:
        asked.witness("cache", kind, cache.revision)
        return paging.page(kind, cache.items(namespace), picked, cache.revision, limit, prefix)
    found = yield from core.storage.list(kind, namespace, witness=asked.witness)
    if isinstance(found, ApiError):
        return found
    objects, revision = found
    if revision < version:
        if (yield from cache.reach(version)):
            return paging.page(kind, cache.items(namespace), picked, cache.revision, limit, prefix)
        return errors.too_large(version, max(cache.revision, revision))
    return paging.page(kind, [*objects.values()], picked, revision, limit, prefix)


def _is_exact(options: Options) -> bool:
    """Whether exactly the state of the resourceVersion is meant."""
    if options.match:
        return options.match == EXACT
    return options.limit > 0 and options.version != "0"


def watch(core: Core, asked: Request) -> Steps:
    """Open a watch: changes go down the stream until somebody ends it."""
    kind, options, call = asked.kind, asked.options, asked.call
    by_field, by_label = first(asked.query, "fieldSelector"), first(asked.query, "labelSelector")
    one = _of_one(replace(asked.info, field_selector=by_field, label_selector=by_label))  # the older path hides them
    picked = one if isinstance(one, ApiError) else selection(kind, one)
    if isinstance(picked, ApiError):
        return picked
    number = number_of(options.version or "0")
    if isinstance(number, str):
        return errors.failed(_unreadable(options.version, number))
    unready = yield from core.cache(kind).wait()
    if unready is not None:
        return unready
    if call.closed:
        return None
    expired = core.cache(kind).watch(call, number, picked, options.bookmarks, bool(options.initial))
    if expired is not None:
        assert call.stream is not None
        call.stream.push(freeze({"type": ERROR, "object": expired.status()}))
        call.stream.close()
    elif options.timeout and options.timeout > 0:
        core.component.after(options.timeout * SECOND, core.cache(kind).end, call)
    return None


def _of_one(info: RequestInfo) -> "RequestInfo | ApiError":
    """*info* of a watch of one object, which the older path names, as a selector says it."""
    if len(info.parts) < 2:
        return info
    if not info.field_selector:
        return replace(info, field_selector=str(fields.Term("metadata.name", True, info.name)))
    try:
        named = fields.required(fields.parse(info.field_selector), "metadata.name")
    except ValueError as error:
        return errors.bad_request(str(error))
    return (
        info if named == info.name else errors.bad_request("fieldSelector metadata.name doesn't match requested name")
    )


def selection(kind: Kind, info: RequestInfo) -> "Selection | ApiError | None":
    """What is asked for; None if every object is."""
    try:
        picked = labels.parse(info.label_selector)
        terms = fields.parse(info.field_selector, served.of(kind).fields, served.of(kind).unsupported)
    except ValueError as error:
        return errors.bad_request(str(error))
    if not (picked.requirements or terms or info.namespace):
        return None
    return Selection(info.namespace, terms, picked)


def _unreadable(version: str, why: str) -> str:
    """The words for a resourceVersion that is none."""
    return f'{UNREADABLE}"{version}": {why}'
