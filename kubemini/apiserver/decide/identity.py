"""What makes an object this one and no other: its uid, and a name nobody else has.

Pure, but for the rng (a `random.Random`) that is passed in.

Models k/apimachinery pkg/util/rand String, k/apiserver pkg/storage/names simpleNameGenerator.
"""

from hashlib import sha256
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, freeze

LONGEST_BASE = 58
SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def generated(base: str, rng: Any) -> str:
    """A name nobody has, most likely: *base* and five letters."""
    return base[:LONGEST_BASE] + "".join(rng.choices(names.ALPHABET, k=5))


def uid(rng: Any) -> str:
    """A random UUID (version 4)."""
    return _uuid(f"{rng.getrandbits(128):032x}")


def derived_uid(parent: str, name: str) -> str:
    """The uid of what comes with an object by itself: whoever makes it, it is the same."""
    return _uuid(sha256(f"{parent}/{name}".encode()).hexdigest()[:32])


def _uuid(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def namespace(name: str) -> Obj:
    """A namespace that the server creates itself."""
    return freeze({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def wrong_uid(kind: Kind, meta: Obj, uid: str) -> str:
    """The words for a write that speaks of an object of that name that is gone."""
    key = kind.key(meta.get("namespace", ""), meta["name"])
    said = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
    return f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {said}"
