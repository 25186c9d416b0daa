"""The name of a pod template: a hash that tells the ReplicaSets of a Deployment apart. Pure.

Models k/k pkg/controller ComputeHash
Simplified: the hash of the template is taken over its JSON, so names differ from a real cluster's.
"""

import json

from kubemini.api import names
from kubemini.api.objects import Obj

HASH = "pod-template-hash"


def hashed(template: Obj, collisions: int | None = None) -> str:
    """FNV-1a of *template*, in letters and digits that make no words; *collisions*: with names that were taken."""
    value = 0x811C9DC5
    data = json.dumps(template, sort_keys=True, separators=(",", ":")).encode()
    data += collisions.to_bytes(8, "little") if collisions is not None else b""
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return names.safe_encoded(str(value))
