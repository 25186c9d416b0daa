"""Lists in pages: where one begins, what stands on it, and the token that leads to the next. Pure.

A token is base64 of {"v", "rv", "start"}: the revision that all pages of a list show, and the first key of the next.
Models k/apiserver pkg/storage DecodeContinue EncodeContinue ValidateListOptions, pkg/storage/etcd3 store.GetList.
"""

import base64
import json
import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import FrozenDict, FrozenList, Obj
from kubemini.api.schema import syntax
from kubemini.apiserver.decide import decoding
from kubemini.apiserver.decide.options import EXACT, Options, number_of

ALPHABET = string.ascii_letters + string.digits + "-_"
VERSION = "meta.k8s.io/v1"
COMPACTED = "etcdserver: mvcc: required revision has been compacted"
TOO_OLD = "The resourceVersion for the provided list is too old."
TOO_OLD_CHUNK = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


Matches = Callable[[Obj], bool]


class Place(NamedTuple):
    """Where a page begins: at *key* ("": the first) in the state of *revision* (0: now; -1: now, after others)."""

    key: str = ""
    revision: int = 0


def start(prefix: str, options: Options) -> "Place | ApiError":
    """The place that the options of a list of the keys with *prefix* speak of."""
    if options.chunk:
        if options.version not in ("", "0"):
            return errors.bad_request("specifying resource version is not allowed when using continue")
        return _decoded(prefix, options.chunk)
    version = number_of(options.version or "0")
    if isinstance(version, str):
        why = f'resourceVersion: Invalid value: "{options.version}": {version}'
        return errors.bad_request(f"invalid resource version: {why}")
    exact = options.match == EXACT or (options.limit > 0 and not options.match)
    return Place("", version if exact else 0)


def page(
    kind: Kind, objects: Sequence[Obj], matches: Matches | None, revision: int, limit: int = 0, prefix: str = ""
) -> Obj:
    """The list object with those of *objects* that match, at most *limit* (0: all); their keys begin with *prefix*."""
    picked = objects if matches is None else [obj for obj in objects if matches(obj)]
    meta: dict[str, Any] = {"resourceVersion": str(revision)}
    if 0 < limit < len(picked):
        last = picked[limit - 1]["metadata"]
        key = kind.key(last.get("namespace", ""), last["name"])
        meta["continue"] = _encoded(revision, f"/{key[len(prefix) :]}\0")
        if matches is None:
            meta["remainingItemCount"] = len(picked) - limit
        picked = picked[:limit]
    fields = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": FrozenDict(meta)}
    return FrozenDict({**fields, "items": FrozenList(picked)})


def expired(error: ApiError, options: Options, place: Place, prefix: str) -> ApiError:
    """*error*, or Expired if the revision of the list is compacted; a page may go on at the newest state."""
    if error.message != COMPACTED:
        return error
    if not options.chunk:
        return errors.expired(TOO_OLD)
    return replace(errors.expired(TOO_OLD_CHUNK), resume=_encoded(-1, place.key[len(prefix) :]))


def _encoded(revision: int, key: str) -> str:
    text = json.dumps({"v": VERSION, "rv": revision, "start": key}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(prefix: str, token: str) -> "Place | ApiError":
    wrong = _not_base64(token)
    found: Any = None
    if not wrong:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        wrong = syntax.problem(data)
        found = None if wrong else json.loads(data)
    wrong = wrong or _not_a_place(found)
    if wrong:
        return errors.bad_request(f"invalid continue token: continue key is not valid: {wrong}")
    return Place(prefix + found["start"].removeprefix("/"), found["rv"])


def _not_base64(token: str) -> str:
    strange = next((at for at, character in enumerate(token) if character not in ALPHABET), None)
    if strange is None and len(token) % 4 == 1:
        strange = len(token) - 1
    return "" if strange is None else f"illegal base64 data at input byte {strange}"


def _not_a_place(found: Any) -> str:
    found = {} if found is None else found
    if not isinstance(found, dict):
        return f"json: cannot unmarshal {decoding.go_name(found)} into Go value of type storage.continueToken"
    wrong = decoding.mistyped(found, "continueToken", {"v": "string", "rv": "int64", "start": "string"})
    if wrong:
        return wrong
    if found.get("v") != VERSION:
        return f"server does not recognize this encoded version {found.get('v') or ''}"
    if not found.get("rv"):
        return f"incorrect encoded start resourceVersion (version {VERSION})"
    key = found.get("start") or ""
    if not key:
        return f"encoded start key empty (version {VERSION})"
    return "" if _is_clean(key) else str(key)


def _is_clean(key: str) -> bool:
    """Whether a key leads nowhere above its own folder: no empty step, none of dots."""
    return all(step not in ("", ".", "..") for step in key.removeprefix("/").split("/"))
