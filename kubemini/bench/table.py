"""A figure, and the bar it is held against (bars.toml)."""

import statistics
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One figure: the bar it belongs to, its value, and how far the rounds spread."""

    bar: str
    value: float
    spread: str = ""
    case: str = ""


def spread(values: Sequence[float]) -> str:
    """How far *values* lie apart."""
    return f"{min(values):.3g}–{max(values):.3g}"


def middle(bar: str, values: Sequence[float], case: str = "") -> Result:
    """The median of what several rounds measured."""
    return Result(bar, statistics.median(values), spread(values), case)


def bars() -> dict[str, dict[str, Any]]:
    """The table of bars."""
    return tomllib.loads((Path(__file__).parent / "bars.toml").read_text(encoding="utf-8"))


def held(result: Result, bar: dict[str, Any]) -> bool:
    """Whether *result* is within the bar and its slack."""
    if bar["better"] == "more":
        return result.value >= bar["hold"] * (1 - bar["slack"])
    return result.value <= bar["hold"] * (1 + bar["slack"])
