"""An object in another version, when a webhook is to say how: the question, and what becomes of the answer. Pure.

    converted(obj, "hubs.example.com/v2", ask)      the object that *ask*, which calls the webhook, has made of it

Models k/apiextensions-apiserver pkg/apiserver/conversion webhookConverter.Convert createConversionReviewObjects
getConvertedObjectsFromResponse validateConvertedObject.
Simplified: one object a question; labels and annotations that a webhook changes are taken as it says.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kubemini.api.objects import Obj, evolve, freeze, get, thaw

HTTPS = 443
REVIEW = {"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1"}
UID = "00000000-0000-4000-8000-000000000000"  # of a question that only one has asked
Ask = Callable[[dict[str, Any]], Any]


class Unconverted(Exception):
    """An object that nobody could turn into another version; with the reason."""


def converted(obj: Obj, api_version: str, ask: Ask) -> Obj:
    """*obj* in *api_version*. Raises Unconverted."""
    front = f"conversion webhook for {obj['apiVersion']}, Kind={obj['kind']} failed"
    request = {"uid": UID, "desiredAPIVersion": api_version, "objects": [thaw(obj)]}
    try:
        answer = ask({**REVIEW, "request": request})
    except Unconverted as why:
        raise Unconverted(f"{front}: {why}") from None
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if not isinstance(response, Mapping):
        raise Unconverted(f"{front}: no response provided")
    if get(response, "result", "status") != "Success":
        raise Unconverted(f"{front}: {get(response, 'result', 'message') or '<empty>'}")
    made = response.get("convertedObjects") or []
    if len(made) != 1:
        wrong = f"webhook returned {len(made)} objects, expected 1"
        raise Unconverted(f"conversion webhook for {obj['apiVersion']}, Kind={obj['kind']} {wrong}")
    return _as_told(obj, made[0], api_version, front)


def _as_told(obj: Obj, made: Any, api_version: str, front: str) -> Obj:
    """*made*, if it is the object that was asked for; of its metadata only labels and annotations may be others."""
    where = front.removesuffix(" failed") + " returned invalid converted object at index 0: "
    if not isinstance(made, Mapping) or made.get("apiVersion") != api_version:
        said = made.get("apiVersion") if isinstance(made, Mapping) else ""
        raise Unconverted(f"{where}invalid groupVersion (expected {api_version}, received {said})")
    if made.get("kind") != obj["kind"]:
        raise Unconverted(f"{where}invalid kind (expected {obj['kind']}, received {made.get('kind')})")
    meta = {key: value for key, value in obj["metadata"].items() if key not in ("labels", "annotations")}
    told = made.get("metadata") or {}
    meta |= {key: told[key] for key in ("labels", "annotations") if told.get(key)}
    found: Obj = evolve(freeze(dict(made)), ("metadata",), meta)
    return found


def unreached(url: str) -> str:
    """Why nobody answers at *url*, as Go says it."""
    parts = urlsplit(url)
    where = f" {parts.hostname}:{parts.port or HTTPS}" if re.fullmatch(r"[\d.]+", parts.hostname or "") else ""
    return f"dial tcp{where}: connect: connection refused"
