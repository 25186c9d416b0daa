"""What kubectl 1.37 sends for a line, as it logs it itself: recorded, and held against kubectl by a test.

sent.json is written by ``python -m tests.serve.sent``; what no two runs share stands in capitals there.
"""

import functools
import json
from collections import Counter
from pathlib import Path

FILE = Path(__file__).with_name("sent.json")
KINDS = ("types and discovery", "read", "watch", "write")


@functools.cache
def recorded() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(line, requests) in the order in which they were typed; the same line may come twice."""
    return tuple((line, tuple(sent)) for line, sent in json.loads(FILE.read_text(encoding="utf-8")))


def lines() -> dict[str, list[str]]:
    """The requests of each line, as it was typed for the first time."""
    found: dict[str, list[str]] = {}
    for line, sent in recorded():
        found.setdefault(line, list(sent))
    return found


def kind(request: str) -> str:
    """Which of `KINDS` a request is."""
    verb, _, path = request.partition(" ")
    place = path.partition("?")[0]
    if place in ("/api", "/apis", "/api/v1", "/version") or place.startswith("/openapi"):
        return KINDS[0]
    if verb == "GET":
        return "watch" if "watch=true" in path else "read"
    return "write"


def counted(line: str) -> Counter[str]:
    """How many requests of each kind *line* sends."""
    return Counter(map(kind, lines()[line]))
