"""Completion indexes, as a Job's status spells them: ``0-2,4,6,7``. A run of three or more is a range.

They are kept as ranges throughout, for a Job may have a hundred thousand.
Models k/k pkg/controller/job parseIndexesFromString, orderedIntervals.merge, firstPendingIndexes
"""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """The indexes from *first* to *last*."""

    first: int
    last: int


Spans = tuple[Span, ...]  # in order, with gaps between them


def parse(text: str, completions: int) -> Spans:
    """The indexes in *text* that are below *completions*; what is no number is passed over."""
    found: list[Span] = []
    for part in filter(None, text.split(",")):
        ends = part.split("-")
        if not all(end.isdecimal() for end in ends[:2]):
            continue
        first, last = int(ends[0]), int(ends[-1] if len(ends) > 1 else ends[0])
        if first >= completions:
            break
        found.append(Span(first, min(last, completions - 1)))
    return merged(found)


def of(indexes: Iterable[int]) -> Spans:
    """These *indexes*."""
    return merged(Span(index, index) for index in sorted(indexes))


def merged(*several: Iterable[Span]) -> Spans:
    """All indexes of *several*."""
    found: list[Span] = []
    for span in sorted(span for spans in several for span in spans):
        if found and span.first <= found[-1].last + 1:
            found[-1] = Span(found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return tuple(found)


def total(spans: Spans) -> int:
    """How many indexes there are."""
    return sum(span.last - span.first + 1 for span in spans)


def has(spans: Spans, index: int) -> bool:
    """Whether *index* is one of them."""
    return any(span.first <= index <= span.last for span in spans)


def text(spans: Spans) -> str:
    """As the status spells them."""
    return ",".join(map(_spelled, spans))


def _spelled(span: Span) -> str:
    if span.first == span.last:
        return str(span.first)
    return f"{span.first}{',' if span.last == span.first + 1 else '-'}{span.last}"


def common(one: Spans, other: Spans) -> int:
    """How many indexes are in both."""
    return sum(max(0, min(a.last, b.last) - max(a.first, b.first) + 1) for a in one for b in other)


def first_free(taken: Spans, count: int, completions: int) -> list[int]:
    """The first *count* indexes below *completions* that are not *taken*."""
    found: list[int] = []
    candidate = 0
    for span in (*taken, Span(completions, completions)):
        room = min(span.first, completions) - candidate
        found += range(candidate, candidate + max(0, min(room, count - len(found))))
        candidate = max(candidate, span.last + 1)
    return found
