"""The API server: the only door to etcd. It checks, stores, and tells all who watch.

A request is decoded, filled with defaults, admitted, validated and stored, in this order; who asks is believed.
Invariant: the server keeps no state but what it can read in etcd again, so any number of them may run side by side.
kubernetes/apiserver pkg/endpoints/handlers, pkg/registry/generic/registry/store.go.
Simplified: no authentication, no authorization, no webhooks; lists are neither limited nor continued, and a list
without a resourceVersion reads a majority of etcd where Kubernetes 1.31 and later first try the watch cache; merge
patches only, no dry run, no collection deleted at once; no priority and fairness; watches never end of
themselves; events are kept for ever; each request takes the same time; there is no Service `kubernetes`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemini.api import errors, fields, labels
from kubemini.api.errors import ApiError
from kubemini.api.kinds import NAMESPACE, POD, SERVICE, Kind
from kubemini.api.objects import Obj, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.apiserver import admission, strategy, validation
from kubemini.apiserver.decide import deletion, request, subresources, update
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.defaulting import add_tolerations, default
from kubemini.apiserver.health import PATHS, Health
from kubemini.apiserver.storage import Fate, Storage, Written, listing
from kubemini.apiserver.summary import notable, summary
from kubemini.apiserver.watchcache import ADDED, DELETED, ERROR, MODIFIED, Matches, WatchCache
from kubemini.etcd.client import EtcdClient
from kubemini.host import Component, Host
from kubemini.net import Call, Network
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND

CREATE_ATTEMPTS = 8  # with generated names
UNKNOWN_PATCH = (
    "the body of the request was in an unknown format - accepted media types include: application/merge-patch+json"
)


class ApiServer(Component):
    """kube-apiserver, talking to the etcd members at *etcd_endpoints*."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, etcd_endpoints: list[str]):
        super().__init__(sim, net, host, name)
        self.params, self.etcd_endpoints = net.params, etcd_endpoints

    def boot(self) -> None:
        self.caches: dict[str, WatchCache] = {}
        self.health = Health(self)
        self.etcd = EtcdClient(self, self.etcd_endpoints)
        self.storage = Storage(self.etcd, self.params, self.health.heard)
        self.luck = self.sim.rng(f"names/{self.name}/{self.incarnation}")
        self.spawn(self._create_system_namespaces())
        self.after(self.params.watch_bookmark_period, self._send_bookmarks)

    def _create_system_namespaces(self) -> Steps:
        cache = self.cache(NAMESPACE)
        while (yield from cache.wait()) is not None:
            pass
        for name in admission.SYSTEM_NAMESPACES:
            while cache.get("", name) is None:
                made = yield from self._store_new(NAMESPACE, "", admission.namespace(name))
                if not isinstance(made, ApiError) or made.code == 409:
                    break
                yield self.timeout(SECOND)
        self.health.come_up()

    def cache(self, kind: Kind) -> WatchCache:
        """The watch cache of *kind*, begun if need be."""
        if kind.kind not in self.caches:
            self.caches[kind.kind] = WatchCache(self, kind)
        return self.caches[kind.kind]

    def _send_bookmarks(self) -> None:
        self.after(self.params.watch_bookmark_period, self._send_bookmarks)
        for cache in self.caches.values():
            cache.send_bookmarks()

    # -- the door ----------------------------------------------------------------------------------------------------
    def handle(self, call: Call) -> Steps:
        return self._watch(call) if call.method == "watch" else self._request(call)

    def _request(self, call: Call) -> Steps:
        asked = call.payload
        if asked["path"] in PATHS:
            result = yield from self.health.answer(asked["path"])
        else:
            yield self.timeout(self.params.api_request_work)
            result = yield from self._serve(asked)
        if isinstance(result, ApiError):
            call.fail(result)
        else:
            call.reply(result)

    def _serve(self, asked: dict[str, Any]) -> Fate:
        """The answer to one request: an object, or an ApiError."""
        query, body = asked.get("query") or {}, asked.get("body")
        info = _read(asked["verb"], asked["path"], query)
        kind = info.kind
        if kind is None:
            return errors.no_such_path()
        match info.verb, info.subresource:
            case "get", "" | "status":
                return (yield from self._get(kind, info, query))
            case "get", "scale":
                found = yield from self._get(kind, info, query)
                return found if isinstance(found, ApiError) else subresources.scale_of(found)
            case "list", "":
                return (yield from self._list(kind, info, query))
            case "create", "":
                return (yield from self._create(kind, info, body))
            case "create", "binding":
                return (yield from self._bind(info, body))
            case "update", _:
                return (yield from self._update(kind, info, update.by_put(kind, info, body)))
            case "patch", _:
                if query.get("type", "merge") != "merge":
                    return errors.unsupported_media_type(UNKNOWN_PATCH)
                return (yield from self._update(kind, info, update.by_patch(kind, info, body)))
            case "delete", "":
                return (yield from self._delete(kind, info, body))
        return errors.method_not_allowed()

    # -- reading -----------------------------------------------------------------------------------------------------
    def _get(self, kind: Kind, info: RequestInfo, query: Mapping[str, str]) -> Fate:
        """Without a resourceVersion the latest state, else one that is at least so new, from the cache if it has it."""
        version = query.get("resourceVersion", "")
        if version:
            cache = self.cache(kind)
            unready = yield from cache.wait()
            if unready is None and cache.revision >= int(version):
                return cache.get(info.namespace, info.name) or errors.not_found(kind, info.name)
        return (yield from self.storage.get(kind, info.namespace, info.name))

    def _list(self, kind: Kind, info: RequestInfo, query: Mapping[str, str]) -> Fate:
        matches = _matcher(kind, info)
        if isinstance(matches, ApiError):
            return matches
        version = query.get("resourceVersion", "")
        if version:
            cache = self.cache(kind)
            unready = yield from cache.wait()
            if unready is not None:
                return unready
            if cache.revision >= int(version):
                return _picked(kind, cache.items(info.namespace), matches, cache.revision)
        found = yield from self.storage.list(kind, info.namespace)
        if isinstance(found, ApiError):
            return found
        objects, revision = found
        if version and revision < int(version):
            return errors.too_large(int(version), revision)
        return _picked(kind, list(objects.values()), matches, revision)

    def _watch(self, call: Call) -> Steps:
        asked = call.payload
        query = asked.get("query") or {}
        yield self.timeout(self.params.api_request_work)
        info = _read("WATCH", asked["path"], query)
        kind = info.kind
        if kind is None:
            call.fail(errors.no_such_path())
            return
        matches = _matcher(kind, info)
        if isinstance(matches, ApiError):
            call.fail(matches)
            return
        unready = yield from self.cache(kind).wait()
        if unready is not None:
            call.fail(unready)
        elif not call.closed:
            self._begin_watch(call, kind, query, matches)

    def _begin_watch(self, call: Call, kind: Kind, query: Mapping[str, Any], matches: Matches | None) -> None:
        bookmarks, initial = (request.truth(query.get(key)) for key in ("allowWatchBookmarks", "sendInitialEvents"))
        expired = self.cache(kind).watch(call, query.get("resourceVersion", ""), matches, bookmarks, initial)
        if expired is not None:
            assert call.stream is not None
            call.stream.push(freeze({"type": ERROR, "object": expired.status()}))
            call.stream.close()

    # -- creating ----------------------------------------------------------------------------------------------------
    def _create(self, kind: Kind, info: RequestInfo, body: Any) -> Fate:
        wrong = validation.undecodable(body, kind)
        if wrong is not None:
            return wrong
        obj = update.named(kind, body, info.namespace)
        wrong = validation.mismatched(obj, info.namespace, "")
        if wrong is not None:
            return wrong
        namespace = obj["metadata"].get("namespace", "")
        if namespace and kind.namespaced:
            refused = yield from self._check_namespace(kind, obj, namespace)
            if refused is not None:
                return refused
        made = yield from self._store_new(kind, namespace, obj)
        return made if isinstance(made, ApiError) else made.new

    def _check_namespace(self, kind: Kind, obj: Obj, called: str) -> Fate:
        """Known namespaces are looked up in the cache, unknown ones once in etcd."""
        cache = self.cache(NAMESPACE)
        if not cache.revision:
            unready = yield from cache.wait()
            if unready is not None:
                return unready
        namespace = cache.get("", called)
        if namespace is None:
            namespace = yield from self.storage.get(NAMESPACE, "", called)
            if isinstance(namespace, ApiError):
                return namespace
        return admission.may_come_in(kind, obj["metadata"].get("name", ""), namespace, called)

    def _store_new(self, kind: Kind, namespace: str, obj: Obj) -> Fate:
        """Default, admit, validate, store; with a generated name try several."""
        obj = default(obj)
        base = "" if obj["metadata"].get("name") else obj["metadata"].get("generateName", "")
        for _ in range(CREATE_ATTEMPTS if base else 1):
            ready = yield from self._completed(kind, obj, base)
            if isinstance(ready, ApiError):
                return ready
            made = yield from self.storage.create(kind, namespace, ready["metadata"]["name"], ready)
            if not isinstance(made, ApiError):
                self._record(kind, made)
                return made
            if made.reason != "AlreadyExists":
                return made
        return _no_unique_name(made) if base else made

    def _completed(self, kind: Kind, obj: Obj, base: str) -> Fate:
        """*obj* as it will be stored, or why it will not."""
        obj = strategy.for_create(obj)
        edits: list[tuple[tuple[str, ...], Any]] = [
            (("metadata", "uid"), admission.uid(self.luck)),
            (("metadata", "creationTimestamp"), timestamp(self.sim.now)),
        ]
        if base:
            edits.append((("metadata", "name"), admission.generated(base, self.luck)))
        obj = evolve_many(obj, *edits)
        if kind == POD:
            obj = add_tolerations(obj, self.params.toleration_seconds // SECOND)
        wrong = validation.validate(obj)
        if wrong is None and kind == SERVICE:
            cache = self.cache(SERVICE)
            unready = yield from cache.wait()
            return unready or admission.allocate(obj, cache.items(), self.luck)
        return wrong or obj

    # -- changing ----------------------------------------------------------------------------------------------------
    def _change(self, kind: Kind, info: RequestInfo, decide: Any) -> Fate:
        """Carry *decide* out: Written, or an ApiError."""
        cache = self.caches.get(kind.kind)
        seen = cache.get(info.namespace, info.name) if cache is not None else None
        done = yield from self.storage.update(kind, info.namespace, info.name, decide, seen)
        if not isinstance(done, ApiError):
            self._record(kind, done)
        return done

    def _update(self, kind: Kind, info: RequestInfo, decide: Any) -> Fate:
        """A PUT or PATCH, as far as it could be read."""
        done = decide if isinstance(decide, ApiError) else (yield from self._change(kind, info, decide))
        if isinstance(done, ApiError):
            return done
        return subresources.scale_of(done.new) if info.subresource == "scale" else done.new

    def _bind(self, info: RequestInfo, body: Any) -> Fate:
        if not isinstance(body, dict):
            return errors.bad_request("a binding must be an object with a target")
        done = yield from self._change(POD, info, lambda pod: subresources.bind(pod, body, self.sim.now))
        return done if isinstance(done, ApiError) else subresources.BOUND

    def _delete(self, kind: Kind, info: RequestInfo, body: Any) -> Fate:
        refused = admission.may_go(kind, info.name)
        if refused is not None:
            return refused
        options = body or {}
        done = yield from self._change(kind, info, lambda obj: deletion.delete(obj, options, self.sim.now))
        if isinstance(done, ApiError) or not done.removed:
            return done if isinstance(done, ApiError) else done.new
        return deletion.answer(kind, done.new)

    # -- the trace ---------------------------------------------------------------------------------------------------
    def _record(self, kind: Kind, done: Written) -> None:
        """Tell what was written, unless it is only a sign of life."""
        if not done.changed or not (done.removed or notable(done.old, done.new)):
            return
        meta = done.new["metadata"]
        self.sim.record(
            self.name,
            "object",
            verb=DELETED if done.removed else MODIFIED if done.old else ADDED,
            kind=kind.kind,
            namespace=meta.get("namespace", ""),
            name=meta["name"],
            revision=int(meta["resourceVersion"]),
            summary=summary(done.new),
        )


def _read(verb: str, path: str, query: Mapping[str, Any]) -> RequestInfo:
    """What is asked for; a Namespace is in no namespace, though its URL reads as if it were in itself."""
    info = request.parse(verb, path, query)
    return replace(info, namespace="") if info.kind is not None and not info.kind.namespaced else info


def _no_unique_name(error: ApiError) -> ApiError:
    text = f"{error.message}, the server was not able to generate a unique name for the object"
    return replace(error, message=text, details=freeze({**error.details, "retryAfterSeconds": 1}))


def _matcher(kind: Kind, info: RequestInfo) -> "Matches | ApiError | None":
    """Whether an object is asked for; None if every one is."""
    try:
        picked = labels.parse(info.label_selector)
        terms = fields.parse(info.field_selector, kind)
    except ValueError as error:
        return errors.bad_request(str(error))
    prefix = info.namespace
    if not (picked.requirements or terms or prefix):
        return None

    def matches(obj: Obj) -> bool:
        meta = obj["metadata"]
        if prefix and meta.get("namespace") != prefix:
            return False
        return fields.matches(terms, obj) and picked.matches(meta.get("labels"))

    return matches


def _picked(kind: Kind, objects: list[Obj], matches: Matches | None, revision: int) -> Obj:
    return listing(kind, objects if matches is None else [obj for obj in objects if matches(obj)], revision)
