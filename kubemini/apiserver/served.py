"""A kind as the API server serves it: everything about it in one value, which the kind's own file makes.

    serve(ServedKind(TOY, defaults=..., rules=...))        in apiserver/kinds/toy.py; that is all a new kind needs

The generic half of the server (``decide/``) asks `of(kind)` for what is special.
Models k/apiserver pkg/registry/rest RESTCreateStrategy, RESTUpdateStrategy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemini.api import kinds, names
from kubemini.api.kinds import CustomKind, Kind
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import Column
from kubemini.apiserver.rules.causes import Wrong, nothing
from kubemini.apiserver.rules.customs.objects import Scaling

_SERVED: dict[tuple[str, str], "ServedKind"] = {}


def _as_it_is(obj: Obj) -> Obj:
    return obj


def _as_meant(new: Obj, old: Obj) -> Obj:
    return new


def _as_made(obj: Obj, now: int) -> Obj:
    return obj


def _unmarked(obj: Obj) -> list[dict[str, str]]:
    return []


def _as_said(new: Obj, old: Obj, now: int) -> Obj:
    return new


def _says_nothing(obj: Obj) -> dict[str, Any]:
    return {}


def all_wanted(obj: Obj) -> Any:
    """What the generation counts, unless the kind says otherwise: all but metadata and status."""
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _is_silent(new: Obj, old: Obj | None) -> list[str]:
    return []


class Part(NamedTuple):
    """What a write to a part makes of an object: (new, old) → the object; and what is wrong with it then: (new, old).

    *settles*: what is written is of the status, and is completed as that is.
    """

    kept: Callable[[Obj, Obj], Obj]
    wrong: Callable[[Obj, Obj], Wrong]
    settles: bool = False


def _as_anonymous(obj: Obj, user: Mapping[str, Any]) -> Obj:
    return obj


@dataclass(frozen=True, slots=True)
class ServedKind:
    """What is special about a kind. Every function is pure; a rule yields the causes why not.

    ``subresources``   those served besides the object itself
    ``counted``        whether metadata.generation counts changes; ``counts``: of what, all but metadata and
                       status; ``first_generation``: where it begins
    ``created_by_put`` whether a PUT to a name that is not there makes it
    ``versioned``      whether an update must say which resourceVersion it is based on
    ``returned``       whether a DELETE that is done answers the object, not a Status
    ``orphans``        whether what it owns outlives it, unless a DELETE says otherwise
    ``parting``        the warning on a DELETE that does not say what becomes of them
    ``deprecated``     the warning on every request
    ``answered``       whether a POST is a question, which is answered and never stored
    ``observed``       whether it is found out when somebody asks, and never stored
    ``suffixed``       whether a name that is generated is more than its base
    ``name_rule``      what metadata.name must be
    ``fields``         what field selectors may name, besides metadata.name and metadata.namespace
    ``unsupported``    the refusal of a selector that names another field
    ``defaults``       the object with what the manifest leaves out
    ``begun``          a new object as the server completes it: (object, which has its uid, now in µs)
    ``signed``         a new object with who made it: (object, user as reviews tell it)
    ``prepare``        an update as its writer means it: (new, old); what the server gave stays where it is left out
    ``named``          what the name of a new one must have to do with the rest of it
    ``rules``          what is wrong with the object (after defaulting)
    ``rules_first``    whether its name is only looked at when the rules are kept
    ``create_rules``   what is wrong with it as a new object only
    ``changes``        what is wrong with it in the place of another: (new, old)
    ``changes_first``  whether that is said before what is wrong with it by itself
    ``declared``       what the rules that Kubernetes generates from its types say: (new, old or None); after all others
    ``status_rules``   what is wrong with it after a write to /status: (new, old)
    ``warnings``       what its writer is warned of: (new, old or None)
    ``status_keeps``   metadata that a write to /status does not touch
    ``settle``         an update, which has its old status back, as the server completes it
    ``parts``          sub-resources of its own that write one part of it
    ``settle_status``  a write to /status as the server completes it: (new, old, now in µs)
    ``first_status``   the status that an object begins with; None: what the creator gives it
    ``plain_status``   whether the status is a field like others, which a write of the object writes too
    ``any_finalizer``  whether a finalizer may have a name without a domain: of kinds that are not of the core
    ``closed``         why there can be no new ones, if there cannot
    ``kept``           what a DELETE makes of an object that is not marked yet: (object, now in µs)
    ``stored_as``      the kind in whose form the store holds it, if not its own; ``to_store``, ``from_store``: that
                       form and back, as if it were asked for there
    ``schemas``        of a custom resource: the structural schema of each version, by its group/version
    ``scaling``        where the numbers of its Scale stand, if not where those of Kubernetes' own kinds do
    ``columns``        what a Table shows; none: the name, and when it was made
    ``marks``          what a Table's row says beside its cells
    ``unseen``         annotations that stand for a field, and are not there when only the metadata is asked for
    ``summary``        the few fields that the trace keeps; ``said``: whether the trace speaks of this kind at all
    ``acted_on``       whether some program of a story acts on it; else it is stored, judged and shown, no more
    ``not_simulated``  fields that would change the outcome, and do not here: ``spec.containers[].args``
    """

    kind: Kind
    subresources: tuple[str, ...] = ()
    counted: bool = False
    counts: Callable[[Obj], Any] = all_wanted
    first_generation: int = 1
    created_by_put: bool = False
    versioned: bool = False
    returned: bool = False
    orphans: bool = False
    parting: str = ""
    deprecated: str = ""
    answered: bool = False
    observed: bool = False
    suffixed: bool = True
    name_rule: Callable[[str], list[str]] = names.dns_subdomain
    named: Callable[[Obj], Wrong] = nothing
    fields: tuple[str, ...] = ()
    unsupported: str = "field label not supported: {}"
    defaults: Callable[[Obj], Obj] = _as_it_is
    begun: Callable[[Obj, int], Obj] = _as_made
    signed: Callable[[Obj, Mapping[str, Any]], Obj] = _as_anonymous
    prepare: Callable[[Obj, Obj], Obj] = _as_meant
    rules: Callable[[Obj], Wrong] = nothing
    rules_first: bool = False
    create_rules: Callable[[Obj], Wrong] = nothing
    changes: Callable[[Obj, Obj], Wrong] = nothing
    changes_first: bool = False
    declared: Callable[[Obj, Obj | None], Wrong] = nothing
    status_rules: Callable[[Obj, Obj], Wrong] = nothing
    warnings: Callable[[Obj, Obj | None], list[str]] = _is_silent
    status_keeps: tuple[str, ...] = ()
    settle: Callable[[Obj], Obj] = _as_it_is
    parts: Mapping[str, Part] = field(default_factory=dict)
    settle_status: Callable[[Obj, Obj, int], Obj] = _as_said
    first_status: Callable[[Obj], Any] | None = None
    plain_status: bool = False
    any_finalizer: bool = False
    closed: str = ""
    kept: Callable[[Obj, int], Obj] | None = None
    stored_as: Kind | None = None
    to_store: Callable[[Obj], Obj] = _as_it_is
    from_store: Callable[[Obj], Obj] = _as_it_is
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scaling: Scaling | None = None
    columns: tuple[Column, ...] = ()
    marks: Callable[[Obj], list[dict[str, str]]] = _unmarked
    unseen: tuple[str, ...] = ()
    summary: Callable[[Obj], dict[str, Any]] = _says_nothing
    said: bool = True
    acted_on: bool = False
    not_simulated: tuple[str, ...] = ()


def serve(served: ServedKind) -> ServedKind:
    """From now on there is this kind."""
    kind = served.kind
    _SERVED[kind.api_version, kind.kind] = served
    kinds.serve(kind, served.not_simulated, served.acted_on)
    return served


def of(kind: Kind) -> ServedKind:
    """What is special about *kind*, which is served."""
    if isinstance(kind, CustomKind):
        rules: ServedKind = kind.rules
        return rules
    kinds.served()
    return _SERVED[kind.api_version, kind.kind]


def of_object(obj: Mapping[str, Any], kind: Kind | None = None) -> ServedKind:
    """What is special about the kind of *obj*, which is *kind*, if that is known."""
    return of(kind or kinds.kind_of(obj))


# -- what the trace says of an object: ours, nothing upstream -----------------------------------------


def notable(kind: Kind, old: Obj | None, new: Obj) -> bool:
    """Whether a write is more than a sign of life: not only times, or details of a status, changed."""
    said = of(kind)
    if not said.said:
        return False
    return old is None or said.summary(old) != said.summary(new) or _wanted(old) != _wanted(new)


def _wanted(obj: Obj) -> dict[str, Any]:
    """All but the status and the resourceVersion."""
    meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")} | {"metadata": meta}
