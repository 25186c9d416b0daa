"""The name of a pod template: a hash that tells the ReplicaSets of a Deployment apart, the same as in a real cluster.

Theory of operation. The real controller has Go write the whole template as text, every field of every struct under
Go's name and with its type, what is not there as ``<nil>``, "", 0 or false; that text is hashed, and the number spelled
in letters and digits that make no words. So we write the same text, by the structs in ``api/schema/podtemplate.txt``:
a pointer, a list or a map that is not there is ``<nil>``, a struct held by value is never missing. Within a list or a
map the type is not said again. An amount is written as Go holds it: a whole number, a power of ten, and the text it
was read from if that is in canonical form, as an API server gives it. The template comes to the controller by protobuf:
an empty list or map is none, an amount that nobody gave is 0.

Models k/k pkg/controller ComputeHash; k/utils dump ForHash; k/apimachinery pkg/api/resource ParseQuantity
Simplified: amounts of more than 15 digits, which Go holds in another form.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from kubemini.api import names, schema
from kubemini.api.objects import Obj

HASH = "pod-template-hash"
SCALES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
POWERS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
AMOUNT = re.compile(r"(-?\d+)([a-zA-Z]*)(-?\d*)")
NO_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"


def hashed(template: Obj, collisions: int | None = None) -> str:
    """FNV-1a of *template*, in letters and digits that make no words; *collisions*: with names that were taken."""
    value = 0x811C9DC5
    data = written(template).encode()
    data += collisions.to_bytes(8, "little") if collisions is not None else b""
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return names.safe_encoded(str(value))


def written(template: Obj) -> str:
    """*template* as Go writes it."""
    return _typed(template, "v1.PodTemplateSpec")


def _typed(value: Any, type: str) -> str:
    return f"({type}){_plain(value, type)}"


def _plain(value: Any, type: str) -> str:
    """*value* without its type before it."""
    if type.startswith("*"):
        return "<nil>" if value is None else _plain(value, type[1:])
    if type.startswith("[]"):
        return f"[{' '.join(_plain(item, type[2:]) for item in value)}]" if value else "<nil>"
    if type.startswith("map["):
        held = type.partition("]")[2]
        return f"map[{' '.join(f'{key}:{_plain(value[key], held)}' for key in sorted(value))}]" if value else "<nil>"
    structs, named = schema.go_structs()
    if type in structs:
        return "{" + " ".join(_field(value or {}, *field) for field in structs[type]) + "}"
    if type in ("resource.Quantity", "intstr.IntOrString"):
        return _amount(str(value or "0")) if type == "resource.Quantity" else _int_or_string(value or 0)
    return NO_TIME if type == "v1.Time" else _basic(value, named.get(type, type))


def _basic(value: Any, type: str) -> str:
    if type.startswith("map["):
        return _plain(value, type)
    if type == "bool":
        return "true" if value else "false"
    return str(value or "") if type == "string" else str(value or 0)


def _field(holder: Mapping[str, Any], name: str, key: str, type: str) -> str:
    """One of a struct; one that is embedded lies in the same map."""
    return f"{name}:{_typed(holder if key == '-' else holder.get(key), type)}"


def _int_or_string(value: int | str) -> str:
    number, text = (0, value) if isinstance(value, str) else (value, "")
    return f"{{Type:(intstr.Type){int(isinstance(value, str))} IntVal:(int32){number} StrVal:(string){text}}}"


@cache
def _amount(text: str) -> str:
    """An amount as Go holds it."""
    found = AMOUNT.fullmatch(text)
    assert found is not None, f"{text!r} is no amount; an API server gives it in canonical form"
    digits, suffix, exponent = found[1], found[2], found[3]
    value = int(digits)
    if suffix in POWERS:
        kept, held, scale, form = bool(value & 7), value << POWERS[suffix], 0, "BinarySI"
    else:
        scale, form = (int(exponent), "DecimalExponent") if exponent else (SCALES[suffix], "DecimalSI")
        held, kept = value, text == "0" or (scale % 3 == 0 and not digits.endswith("000") and value != 0)
    number = f"{{value:(int64){held} scale:(resource.Scale){scale}}}"
    said = text if kept else ""
    return (
        f"{{i:(resource.int64Amount){number} d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}}"
        f" s:(string){said} Format:(resource.Format){form}}}"
    )
