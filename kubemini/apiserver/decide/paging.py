"""Lists in pages: where one begins, what stands on it, and the token that leads to the next. Pure.

A token is base64 of {"v", "rv", "start"}: the revision that all pages of a list show, and the first key of the next.
Models k/apiserver pkg/storage DecodeContinue EncodeContinue ValidateListOptions, pkg/storage/etcd3 store.GetList.
Simplified: an answer that a token is too old offers no new one.
"""

import base64
import binascii
import json
import string
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import FrozenDict, FrozenList, Obj
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
        meta["continue"] = _encoded(revision, key[len(prefix) :] + "\0")
        if matches is None:
            meta["remainingItemCount"] = len(picked) - limit
        picked = picked[:limit]
    fields = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": FrozenDict(meta)}
    return FrozenDict({**fields, "items": FrozenList(picked)})


def expired(error: ApiError, options: Options) -> ApiError:
    """*error*, or Expired if the revision that the list speaks of is compacted."""
    if error.message != COMPACTED:
        return error
    return errors.expired(TOO_OLD_CHUNK if options.chunk else TOO_OLD)


def _encoded(revision: int, key: str) -> str:
    text = json.dumps({"v": VERSION, "rv": revision, "start": key}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(prefix: str, token: str) -> "Place | ApiError":
    wrong = _not_base64(token)
    found: Any = None
    if not wrong:
        try:
            found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        except (ValueError, binascii.Error):
            wrong = "invalid character looking for beginning of value"
    if not wrong:
        wrong = _not_a_place(found)
    if wrong:
        return errors.bad_request(f"invalid continue token: continue key is not valid: {wrong}")
    return Place(prefix + found["start"], found["rv"])


def _not_base64(token: str) -> str:
    strange = next((at for at, character in enumerate(token) if character not in ALPHABET), None)
    if strange is None and len(token) % 4 == 1:
        strange = len(token) - 1
    return "" if strange is None else f"illegal base64 data at input byte {strange}"


def _not_a_place(found: Any) -> str:
    if not isinstance(found, dict):
        return "json: cannot unmarshal into Go value of type storage.continueToken"
    if found.get("v") != VERSION:
        return f'server does not recognize this encoded version "{found.get("v", "")}"'
    revision, key = found.get("rv"), found.get("start")
    if not isinstance(revision, int) or isinstance(revision, bool) or not revision:
        return f"incorrect encoded start resourceVersion (version {VERSION})"
    if not isinstance(key, str) or not key:
        return f"encoded start key empty (version {VERSION})"
    return "" if "/../" not in f"/{key}/" and not key.startswith("/") else f"{key}"
