"""Admission as the server runs it: what its plugins must know is there before they are asked.

The plugins are pure and stand in admission/; a write asks them twice, to change it and to judge what will be stored.
A plugin that needs objects of a kind is asked when the watch cache of that kind is filled.
Models k/apiserver pkg/admission chainAdmissionHandler, k/apiserver pkg/admission/initializer.
Simplified: the informer of a kind of which no object was ever written is not begun, for it would know nothing.
"""

from collections.abc import Iterable
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.usage import amounts
from kubemini.apiserver import admission
from kubemini.apiserver.admission import Attributes, resourcequota
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import identity
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.update import Decide
from kubemini.sim import Steps
from kubemini.sim.units import SECOND


class Heard:
    """What the watch caches of a server hold."""

    def __init__(self, core: Core):
        self._core = core

    def items(self, kind: Kind, namespace: str = "") -> Iterable[Obj]:
        """The objects of *kind*, by key."""
        cache = self._core.begun(kind)
        return cache.items(namespace) if cache is not None else ()

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        """One of them."""
        cache = self._core.begun(kind)
        return cache.get(namespace, name) if cache is not None else None


def attributes(
    core: Core, kind: Kind, operation: str, obj: Obj | None = None, asked: Request | None = None, **more: Any
) -> Attributes:
    """A write of *kind* as plugins see it; *asked* is the request that it came by, none if the server itself writes."""
    if asked is not None:
        info, warnings = asked.info, asked.warnings
        more = {
            "name": info.name,
            "namespace": info.namespace,
            "subresource": info.subresource,
            "user": asked.user,
            "dry": asked.options.dry,
            "warn": lambda text: None if text in warnings else warnings.append(text),
        } | more
    name = more.pop("name", "") or get(obj or {}, "metadata", "name") or ""
    seconds = core.params.toleration_seconds // SECOND
    return Attributes(
        operation,
        kind,
        name,
        obj,
        known=Heard(core),
        toleration_seconds=seconds,
        now=core.sim.now,
        suffix=lambda: identity.generated("", core.rng),
        off=core.flags.disabled_plugins,
        **more,
    )


def informed(core: Core, asked: Attributes) -> Steps:
    """Wait until all that the plugins must know is known: None, or the ApiError of a cache that is not filled."""
    for kind in admission.needs(asked):
        if kind.kind in core.sim.ever:
            unready: ApiError | None = yield from core.cache(kind).wait()
            if unready is not None:
                return unready
    return None


def charge(core: Core, asked: Attributes) -> Steps:
    """Write into the quotas what the write uses up, before it is stored: None, or the ApiError of one that is full.

    Each is decided on its newest state, so two API servers never give out the same rest. What is charged for a write
    that then fails is given back by the controller of quotas.
    """
    if asked.dry or resourcequota.NAME in asked.off:
        return None
    found = resourcequota.charges(asked, asked.known.items(resourcequota.QUOTA, asked.namespace))
    for one, _ in [] if isinstance(found, ApiError) else found:
        name = one["metadata"]["name"]
        decide = _charged(asked)
        done = yield from core.storage.update(resourcequota.QUOTA, asked.namespace, name, decide)
        if isinstance(done, ApiError) and done.code != 404:
            return done
    return None


def charge_change(core: Core, asked: Request, decide: Decide) -> Steps:
    """Charge the quotas for what *decide* will make of an object, judged by its state now: as `charge` does."""
    info, kind = asked.info, asked.kind
    if resourcequota.QUOTA.kind not in core.sim.ever or not info.namespace:
        return None
    old = yield from core.storage.get(kind, info.namespace, info.name)
    new = old if isinstance(old, ApiError) else decide(old)
    if isinstance(new, ApiError | Remove):
        return None  # it is refused once more, with the same words, when it is carried out
    return (yield from charge(core, attributes(core, kind, admission.UPDATE, new, asked, old=old)))


def _charged(asked: Attributes) -> Decide:
    def decide(quota: Obj) -> Any:
        found = resourcequota.charges(asked, [quota])
        if isinstance(found, ApiError) or not found:
            return quota if not isinstance(found, ApiError) else found
        return evolve(quota, ("status", "used"), amounts.written(found[0][1]))

    return decide
