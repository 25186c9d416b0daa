"""The fields of etcd's requests: which there are, of which kind, and what is said to a request that does not fit.

Invariant: what passes here can be carried out; nothing behind this door meets a value of another kind. Pure.
etcd 3.7 api/etcdserverpb/rpc.proto; the words about an unknown enum value are those of its JSON gateway.
Models etcd api/etcdserverpb RangeRequest, PutRequest, DeleteRangeRequest, TxnRequest, Compare.
Simplified: a field that etcd does not know is passed over, as there; where a client in Go could not even write
down what is wrong, the words are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.etcd.errors import EtcdError

TEXT, NUMBER, FLAG, VALUE = "text", "a whole number", "true or false", "text or an object"
_FITS = {
    TEXT: lambda value: isinstance(value, str),
    NUMBER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    FLAG: lambda value: isinstance(value, bool),
    VALUE: lambda value: isinstance(value, (str, Mapping)),
}
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Enum:
    """One of some words; *name* is that of the enum in etcd's protocol."""

    name: str
    words: tuple[str, ...]

    def misfit(self, value: Any, where: str) -> str | None:
        """Why *value* is none of them."""
        if isinstance(value, str) and value in self.words:
            return None
        return f'unknown value "{value}" for enum etcdserverpb.{self.name}'


@dataclass(frozen=True, slots=True)
class Many:
    """A list of what fits *each*."""

    each: Any

    def misfit(self, value: Any, where: str) -> str | None:
        """Why *value* is no such list."""
        if not isinstance(value, (list, tuple)):
            return f"{where} is a list, got {value!r}"
        misfits = (misfit(self.each, item, where) for item in value)
        return next((why for why in misfits if why), None)


@dataclass(frozen=True, slots=True)
class Shape:
    """A request: the kind of each of its fields. *one*: it has at most one of them, as an operation of a txn."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    one: bool = False

    def misfit(self, value: Any, where: str = "") -> str | None:
        """The first thing that is wrong with *value*."""
        if not isinstance(value, dict):
            return f"{where or 'the request'} is a {self.name}, an object of fields, got {value!r}"
        if self.one and len(value) > 1:
            return f"{self.name}: one operation at a time, got {', '.join(map(str, value))}"
        fields = self.fields
        for name, given in value.items():
            kind = fields.get(name)
            if kind is not None:
                why = misfit(kind, given, f"{self.name}: {name}")
                if why:
                    return why
        return None


def misfit(kind: Any, value: Any, where: str) -> str | None:
    """Why *value*, found at *where*, is not of *kind*; None if it is."""
    if isinstance(kind, str):
        if not _FITS[kind](value):
            return f"{where} is {kind}, got {value!r}"
        if kind is NUMBER and not -_LARGEST <= value < 2 * _LARGEST:
            return f"{where} has 64 bits, got {value}"
        return None
    return kind.misfit(value, where)


KEYS = {"key": TEXT, "range_end": TEXT}
TARGETS = ("KEY", "VERSION", "CREATE", "MOD", "VALUE")
RANGE = Shape(
    "RangeRequest",
    {
        **KEYS,
        **dict.fromkeys(("limit", "revision"), NUMBER),
        **{f"{edge}_{what}_revision": NUMBER for edge in ("min", "max") for what in ("mod", "create")},
        "sort_order": Enum("RangeRequest_SortOrder", ("NONE", "ASCEND", "DESCEND")),
        "sort_target": Enum("RangeRequest_SortTarget", TARGETS),
        **dict.fromkeys(("serializable", "keys_only", "count_only"), FLAG),
    },
)
PUT = Shape(
    "PutRequest",
    {"key": TEXT, "value": VALUE, "lease": NUMBER, **dict.fromkeys(("prev_kv", "ignore_value", "ignore_lease"), FLAG)},
)
DELETE_RANGE = Shape("DeleteRangeRequest", {**KEYS, "prev_kv": FLAG})
COMPARE = Shape(
    "Compare",
    {
        **KEYS,
        "result": Enum("Compare_CompareResult", ("EQUAL", "GREATER", "LESS", "NOT_EQUAL")),
        "target": Enum("Compare_CompareTarget", ("VERSION", "CREATE", "MOD", "VALUE", "LEASE")),
        **dict.fromkeys(("version", "create_revision", "mod_revision", "lease"), NUMBER),
        "value": VALUE,
    },
)
OPERATION = Shape(
    "RequestOp", {"request_range": RANGE, "request_put": PUT, "request_delete_range": DELETE_RANGE}, one=True
)
TXN = Shape("TxnRequest", {"compare": Many(COMPARE), "success": Many(OPERATION), "failure": Many(OPERATION)})
OPERATION.fields["request_txn"] = TXN

SHAPES = {
    "range": RANGE,
    "put": PUT,
    "delete_range": DELETE_RANGE,
    "txn": TXN,
    "compact": Shape("CompactionRequest", {"revision": NUMBER, "physical": FLAG}),
    "watch": Shape(
        "WatchCreateRequest",
        {
            **KEYS,
            "start_revision": NUMBER,
            "filters": Many(Enum("WatchCreateRequest_FilterType", ("NOPUT", "NODELETE"))),
            **dict.fromkeys(("prev_kv", "progress_notify", "require_leader"), FLAG),
        },
    ),
    "lease_grant": Shape("LeaseGrantRequest", {"ID": NUMBER, "TTL": NUMBER}),
    "lease_revoke": Shape("LeaseRevokeRequest", {"ID": NUMBER}),
    "lease_keepalive": Shape("LeaseKeepAliveRequest", {"ID": NUMBER}),
    "lease_time_to_live": Shape("LeaseTimeToLiveRequest", {"ID": NUMBER, "keys": FLAG}),
    "alarm": Shape(
        "AlarmRequest",
        {
            "action": Enum("AlarmRequest_AlarmAction", ("GET", "ACTIVATE", "DEACTIVATE")),
            "memberID": NUMBER,
            "alarm": Enum("AlarmType", ("NONE", "NOSPACE", "CORRUPT")),
        },
    ),
    "member_add": Shape("MemberAddRequest", {"peerURLs": Many(TEXT), "isLearner": FLAG}),
    "member_remove": Shape("MemberRemoveRequest", {"ID": NUMBER}),
    "member_promote": Shape("MemberPromoteRequest", {"ID": NUMBER}),
    "member_list": Shape("MemberListRequest", {"linearizable": FLAG}),
    "move_leader": Shape("MoveLeaderRequest", {"targetID": NUMBER}),
    "hash_kv": Shape("HashKVRequest", {"revision": NUMBER}),
}
NO_FIELDS = Shape("request")


def check(method: str, request: Any) -> EtcdError | None:
    """Why *request* cannot be read as one for *method*; a method that is not known is nobody's business here."""
    why = SHAPES.get(method, NO_FIELDS).misfit(request)
    return EtcdError("INVALID_ARGUMENT", why) if why else None
