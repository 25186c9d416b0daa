"""Which fields of a manifest would change what happens in a real cluster, and change nothing here. Pure.

    fields(pod)    ["spec.volumes", "spec.containers[0].command", "spec.containers[0].env[2].valueFrom"]

The list of such fields stands in the file of each kind (``ServedKind.not_simulated``): ``spec.containers[].args``,
or ``spec.dnsPolicy=ClusterFirst`` if this one value is what happens here anyway; ``few:spec`` has no effect where only
the few controllers of a story run. A field that is empty or false is not set.
"""

from collections.abc import Iterator
from typing import Any

from kubemini.api import kinds
from kubemini.api.objects import Obj

FEW = "few:"  # of a pattern that holds while all_controllers is off


def fields(obj: Obj, all_controllers: bool = False) -> list[str]:
    """The fields that *obj* sets in vain, in the order of its kind's list."""
    patterns = (pattern for pattern in kinds.not_simulated(obj) if not (all_controllers and pattern.startswith(FEW)))
    return [path for pattern in patterns for path in _set(obj, *_split(pattern.removeprefix(FEW)))]


def _split(pattern: str) -> tuple[list[str], str]:
    path, _, usual = pattern.partition("=")
    return path.split("."), usual


def _set(value: Any, steps: list[str], usual: str, way: str = "") -> Iterator[str]:
    """The places below *value* that *steps* lead to and where something is set."""
    if not isinstance(value, dict):
        return
    name, rest = steps[0].removesuffix("[]"), steps[1:]
    inner, here = value.get(name), f"{way}.{name}".lstrip(".")
    if not rest:
        if inner and inner != usual:
            yield here
    elif steps[0].endswith("[]"):
        for number, item in enumerate(inner if isinstance(inner, list) else []):
            yield from _set(item, rest, usual, f"{here}[{number}]")
    else:
        yield from _set(inner, rest, usual, here)
