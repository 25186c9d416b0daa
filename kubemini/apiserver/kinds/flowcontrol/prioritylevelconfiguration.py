"""PriorityLevelConfigurations: how many requests of a level are served at once, and what becomes of the others.

Models k/k pkg/registry/flowcontrol/prioritylevelconfiguration strategy; k/k pkg/apis/flowcontrol/validation
ValidatePriorityLevelConfiguration, ValidatePriorityLevelQueuingConfiguration; k/apiserver
pkg/util/shufflesharding RequiredEntropyBits; defaults: k/k pkg/apis/flowcontrol/v1
SetDefaults_LimitedPriorityLevelConfiguration.
"""

import math
from typing import Any

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver import bootstrap
from kubemini.apiserver.columns import AGE, NAME, NONE, Column, at
from kubemini.apiserver.kinds.flowcontrol.common import GROUP, MANDATORY, only_types
from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid, required, unsupported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.served import ServedKind, serve

MOST_QUEUES = 10_000_000
HASH_BITS = 60
OLD_MARK = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
QUEUING = {"handSize": 8, "queues": 64, "queueLengthLimit": 50}


def defaults(obj: Obj) -> Obj:
    """*obj* with its share, and how its requests are dealt to queues."""
    spec = dict(obj.get("spec") or {})
    if spec.get("exempt") is not None:
        spec["exempt"] = unset(spec["exempt"], nominalConcurrencyShares=0, lendablePercent=0)
    if spec.get("limited") is not None:
        limited = unset(spec["limited"], nominalConcurrencyShares=30, lendablePercent=0)
        queuing = get(limited, "limitResponse", "queuing")
        if queuing is not None:
            full = {**queuing, **{key: queuing.get(key) or least for key, least in QUEUING.items()}}
            limited["limitResponse"] = {**limited["limitResponse"], "queuing": full}
        spec["limited"] = limited
    return {**obj, "spec": spec}


def rules(obj: Obj) -> Wrong:
    """Every complaint of those that are written by hand."""
    spec, name = obj["spec"], obj["metadata"].get("name", "")
    if OLD_MARK in (obj["metadata"].get("annotations") or {}):
        yield forbidden("metadata.annotations", f"annotation '{OLD_MARK}' is forbidden")
    type = spec.get("type", "")
    if (name == "exempt") != (type == "Exempt"):
        yield invalid("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'")
    if type == "Exempt":
        yield from _shares(spec.get("exempt") or {}, "spec.exempt")
    elif type == "Limited":
        yield from _limited(spec.get("limited") or {}, "spec.limited")
    elif type:
        yield unsupported("spec.type", type, ("Exempt", "Limited"))
    yield from _fixed(name, spec)


def _shares(said: Obj, path: str) -> Wrong:
    if (said.get("nominalConcurrencyShares") or 0) < 0:
        text = "must be a non-negative integer"
        yield invalid(f"{path}.nominalConcurrencyShares", said["nominalConcurrencyShares"], text)
    yield from _lent(said, path)


def _lent(said: Obj, path: str) -> Wrong:
    lent = said.get("lendablePercent")
    if lent is not None and not 0 <= lent <= 100:
        yield invalid(f"{path}.lendablePercent", lent, "must be between 0 and 100, inclusive")


def _limited(said: Obj, path: str) -> Wrong:
    if (said.get("nominalConcurrencyShares") or 0) < 0:
        text = "must be a non-negative integer"
        yield invalid(f"{path}.nominalConcurrencyShares", said["nominalConcurrencyShares"], text)
    response = said.get("limitResponse") or {}
    type = response.get("type", "")
    if type == "Queue" and response.get("queuing") is not None:
        yield from _queuing(response["queuing"], f"{path}.limitResponse.queuing")
    elif type not in ("", "Queue", "Reject"):
        yield unsupported(f"{path}.limitResponse.type", type, ("Queue", "Reject"))
    yield from _lent(said, path)
    borrowed = said.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        yield invalid(f"{path}.borrowingLimitPercent", borrowed, "if specified, must be a non-negative integer")


def _queuing(said: Obj, path: str) -> Wrong:
    queues, hand = said["queues"], said["handSize"]
    if said["queueLengthLimit"] <= 0:
        yield invalid(f"{path}.queueLengthLimit", said["queueLengthLimit"], "must be positive")
    if queues <= 0:
        yield invalid(f"{path}.queues", queues, "must be positive")
    elif queues > MOST_QUEUES:
        yield invalid(f"{path}.queues", queues, f"must not be greater than {MOST_QUEUES}")
    if hand <= 0:
        yield invalid(f"{path}.handSize", hand, "must be positive")
    elif hand > queues:
        yield invalid(f"{path}.handSize", hand, f"should not be greater than queues ({queues})")
    elif entropy_bits(queues, hand) > HASH_BITS:
        what = f"required entropy bits of deckSize {queues} and handSize {hand}"
        yield invalid(f"{path}.handSize", hand, f"{what} should not be greater than {HASH_BITS}")


def entropy_bits(deck: int, hand: int) -> int:
    """How many bits of a hash it takes to deal *hand* cards of *deck*."""
    return math.ceil(math.log2(deck) * hand)


def _fixed(name: str, spec: Obj) -> Wrong:
    if name not in MANDATORY:
        return
    fixed, but, own = bootstrap.spec("PriorityLevelConfiguration", name) or {}, "", {}
    if name == "exempt":
        but, own = " except the 'spec.exempt' field", {"exempt": None}
    if {**spec, **own} != {**fixed, **own}:
        shown = internal(spec, "flowcontrol.PriorityLevelConfigurationSpec")
        yield invalid("spec", shown, f"spec of '{name}'{but} must equal the fixed value")


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """What there is fits the type: of the level, and of what becomes of too many requests."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    type, limited = spec.get("type", ""), spec.get("limited")
    if type == "Limited" and spec.get("exempt") is not None:
        yield forbidden("spec.exempt", "")
    if type == "Limited" and limited is None:
        yield required("spec.limited")
    elif type != "Limited" and limited is not None:
        yield forbidden("spec.limited", "")
    if not type:
        yield required("spec.type")
    if limited is not None:
        yield from _fits(limited.get("limitResponse") or {}, "spec.limited.limitResponse")


def _fits(response: Obj, path: str) -> Wrong:
    type, queuing = response.get("type", ""), response.get("queuing")
    if type == "Queue" and queuing is None:
        yield required(f"{path}.queuing")
    elif type != "Queue" and queuing is not None:
        yield forbidden(f"{path}.queuing", "")
    if not type:
        yield required(f"{path}.type")


def _of_queues(field: str) -> Any:
    return at("spec", "limited", "limitResponse", "queuing", field, default=NONE)


COLUMNS = (
    NAME,
    Column("Type", at("spec", "type")),
    Column("NominalConcurrencyShares", at("spec", "limited", "nominalConcurrencyShares", default=NONE)),
    Column("Queues", _of_queues("queues")),
    Column("HandSize", _of_queues("handSize")),
    Column("QueueLengthLimit", _of_queues("queueLengthLimit")),
    AGE,
)
serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "PriorityLevelConfiguration"],
        subresources=("status",),
        counted=True,
        defaults=defaults,
        rules=rules,
        declared=declared,
        status_rules=only_types,
        first_status=lambda obj: {},
        columns=COLUMNS,
    )
)
