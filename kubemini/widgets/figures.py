"""Figures: numbers → SVG, in the page's own colours, light and dark, the same bytes every time.

Invariant: a curve has its name beside it, and a dash of its own, so that colour is never alone.
Palette: Okabe and Ito, "Color Universal Design" (2008).
"""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import floor, log10

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")
WIDTH, HEIGHT = 680, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 26, 14, 42
POINTS = 80  # of a curve: more cannot be seen
LABEL = (76, 12)  # room for a name

Curves = Mapping[tuple[float, float], Sequence[float]]  # range of timeouts → sorted milliseconds
Point = tuple[float, float]
Place = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing that a notebook shows, with a sentence for those who cannot see it."""

    svg: str
    words: str

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        return f'<figure class="km-figure" style="margin:16px 0;overflow-x:auto" tabindex="0">{self.svg}</figure>'


def cumulative(curves: Curves, published: Mapping[tuple[float, float], float] | None = None) -> Figure:
    """How many of the elections were over after so many milliseconds; *published* medians as rings."""
    low, high = _decades(curves)
    place = partial(_place, low, high)
    rings = [(place(ms), _height(0.5)) for ms in (published or {}).values()]
    lines = [_points(times, place) for times in curves.values()]
    taken = [*rings, *(point for line in lines for point in _dense(line))]
    parts, words = [_frame(low, high, place)], []
    for number, ((timeout, times), line) in enumerate(zip(curves.items(), lines, strict=True)):
        name = f"{timeout[0]:g}–{timeout[1]:g}"
        x, y = _free(line, taken)
        taken += [(x + dx, y + dy) for dx in range(0, LABEL[0], 4) for dy in range(0, LABEL[1], 4)]
        parts += [_curve(line, number), _text(x, y + 11, name, "start", COLOURS[number % len(COLOURS)])]
        words.append(f"{name} ms: half of the elections within {times[len(times) // 2]:.0f} ms")
    ring = '<circle cx="{:.1f}" cy="{:.1f}" r="5" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    return Figure(_svg([*parts, *(ring.format(x, y) for x, y in rings)], "; ".join(words)), "\n".join(words))


def _place(low: float, high: float, ms: float) -> float:
    share = (log10(min(max(ms, low), high)) - log10(low)) / (log10(high) - log10(low))
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _points(times: Sequence[float], place: Place) -> list[Point]:
    """*times* are sorted."""
    shares = [(n + 0.5) / POINTS for n in range(POINTS)]
    return [(place(times[min(len(times) - 1, int(share * len(times)))]), _height(share)) for share in shares]


def _dense(line: Sequence[Point]) -> Iterable[Point]:
    """Points along *line*, a few pixels apart."""
    for (x, y), (u, v) in pairwise(line):
        yield from ((x + (u - x) * k / 8, y + (v - y) * k / 8) for k in range(8))


def _free(line: Sequence[Point], taken: Sequence[Point]) -> Point:
    """Where beside *line* its name covers least: the upper left corner."""

    def covered(corner: Point) -> int:
        x, y = corner
        return sum(x - 3 <= u <= x + LABEL[0] and y - 3 <= v <= y + LABEL[1] + 3 for u, v in taken)

    spots = [line[int(share * POINTS)] for share in (0.93, 0.85, 0.75, 0.65, 0.4, 0.3, 0.2, 0.1)]
    corners = [(x + dx, y + dy) for x, y in spots for dx in (8, -8 - LABEL[0]) for dy in (2, -12) if x + dx > LEFT]
    return min(corners, key=covered)


def _decades(curves: Curves) -> tuple[float, float]:
    """The axis: from and to a round number."""
    least = min(times[0] for times in curves.values())
    most = max(times[int(0.99 * len(times))] for times in curves.values())
    return _round_down(least), 10 ** (floor(log10(min(most, 20_000))) + 1)


def _round_down(ms: float) -> float:
    decade = 10 ** floor(log10(ms))
    return max(step * decade for step in (1, 2, 5) if step * decade <= ms)


def _height(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _frame(low: float, high: float, place: Place) -> str:
    """Axes, ticks and their words."""
    parts = []
    for percent in (0, 25, 50, 75, 100):
        y = _height(percent / 100)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity=".2"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{percent} %", "end"))
    for ms in _ticks(low, high):
        parts.append(_text(place(ms), HEIGHT - BOTTOM + 17, f"{ms:,.0f}", "middle"))
        parts.append(f'<path d="M{place(ms):.1f} {HEIGHT - BOTTOM}v4" stroke="currentColor"/>')
    parts.append(_text((LEFT + WIDTH) / 2, HEIGHT - 6, "milliseconds without a leader", "middle"))
    return "".join(parts)


def _ticks(low: float, high: float) -> Iterable[float]:
    ms = 10 ** floor(log10(low))
    while ms <= high:
        yield from (step * ms for step in (1, 2, 5) if low <= step * ms <= high)
        ms *= 10


def _curve(line: Sequence[Point], number: int) -> str:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line)
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2.2" stroke-dasharray="{dash}"/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str = "") -> str:
    """*words* beside a curve of *colour* are bold; in ink, so that they can be read on any ground."""
    weight = ' font-weight="600"' if colour else ""
    mark = f'<tspan fill="{colour}">▬ </tspan>' if colour else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor"{weight}>'
        f"{mark}{html.escape(words)}</text>"
    )


def _svg(parts: Iterable[str], words: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(words)}"'
        ' style="width:100%;min-width:520px;max-width:760px;height:auto;font:12px system-ui,sans-serif">'
        + "".join(parts)
        + "</svg>"
    )
