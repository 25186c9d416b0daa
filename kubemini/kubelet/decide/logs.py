"""The log of a container: what its program has said, and which lines of it somebody asked for. Pure.

    log = Log()                       one start of the containers of a pod
    log.say(at, "…")                  a line, of the first container or of the one that is named
    log.probe(at, checks)             from now on it is probed so
    shown(log.lines(name, now)[0], asked)            the bytes of a line, as a kubelet sends them

A probe that is asked each ten seconds leaves a line each time, but costs nothing before somebody reads: a log keeps
since when it is probed how, and `Log.lines` says what has come of it.
Invariant: the lines of a log are a function of what it was told; they come in order of time, and none ever changes.
Models k/cri-client pkg/logs ReadLogs logWriter.write; k/k pkg/kubelet Kubelet.validateContainerLogStatus.
Simplified: all goes to stdout; one file, of which the last lines are kept.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import Any, NamedTuple

from kubemini.api import gotime
from kubemini.api.objects import Obj
from kubemini.api.timestamps import instant, micro_timestamp
from kubemini.kubelet.decide.streams import Refusal
from kubemini.sim.units import SECOND

MOST = 10_000  # lines that a container has said and that are kept
NEVER = 1 << 62
UNREADABLE, INVALID = '{"message": "Unable to decode query."}', '{"message": "Invalid request."}'


class Line(NamedTuple):
    """One line: *at* which instant (µs), and of which container; "" for all of the pod. *end*: how it ended."""

    at: int
    container: str
    text: str
    end: str = "\n"


class Check(NamedTuple):
    """A probe by HTTP of *container*: at *first* and each *period* (µs) after it, answered by *text*."""

    container: str
    first: int
    period: int
    text: str


class Span(NamedTuple):
    """From *since* on the containers were probed by these *checks*."""

    since: int
    checks: tuple[Check, ...]


@dataclass(slots=True)
class Log:
    """What one start of a pod's containers has said."""

    said: deque[Line] = field(default_factory=lambda: deque(maxlen=MOST))
    spans: list[Span] = field(default_factory=list)
    ended: bool = False  # no more will come

    def say(self, at: int, text: str, container: str = "", end: str = "\n") -> None:
        """One more line; without an *end*: its program has ended in the midst of it."""
        self.said.append(Line(at, container, text, end))

    def probe(self, at: int, checks: Sequence[Check]) -> None:
        """From *at* on it is probed so; by no checks: no more."""
        if self.spans[-1:] and self.spans[-1].since == at:
            self.spans.pop()
        if checks or self.spans:
            self.spans.append(Span(at, tuple(checks)))

    def lines(self, container: str, now: int, since: int = 0) -> list[Line]:
        """All of *container* from *since* until *now*, in order of time."""
        spans = self._spans(now)
        probed = [line for begun, until, checks in spans for line in _answers(checks, max(begun, since), until)]
        said = (line for line in self.said if since <= line.at <= now)
        found = merge(said, sorted(probed, key=lambda line: line.at), key=lambda line: line.at)
        return [line for line in found if line.container in ("", container)]

    def next_probe(self, after: int) -> int:
        """When the next probe leaves a line, as far as is known; `NEVER`: none does."""
        checks = self.spans[-1].checks if self.spans else ()
        coming = (check.first + max(0, (after - check.first) // check.period + 1) * check.period for check in checks)
        return min(coming, default=NEVER)

    def _spans(self, now: int) -> Iterator[tuple[int, int, tuple[Check, ...]]]:
        ends = [span.since for span in self.spans[1:]] + [now + 1]
        for span, end in zip(self.spans, ends, strict=False):
            yield span.since, min(end, now + 1), span.checks


def _answers(checks: Sequence[Check], since: int, until: int) -> Iterator[Line]:
    """The lines that *checks* leave from *since* on, before *until*."""
    for check in checks:
        at = check.first + max(0, -(-(since - check.first) // check.period)) * check.period
        while at < until:
            yield Line(at, check.container, check.text)
            at += check.period


# -- what of it is asked for -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """The query of a reader; *since* is an instant (µs), *tail* and *limit* are None for all.

    *ahead*: how far the dates of its lines are from the instants at which they were said, µs.
    """

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: int | None = None
    tail: int | None = None
    limit: int | None = None
    ahead: int = 0


def wanted(query: Mapping[str, Any], now: int, ahead: int = 0) -> "Wanted | Refusal":
    """What *query* asks for: it may come by the proxy of a node, past the API server's own look at it.

    Models k/k pkg/apis/core/validation ValidatePodLogOptions; k/apimachinery pkg/runtime Convert_Slice_string_To_bool
    """
    texts = {name: str(values[0]) for name, values in query.items() if values}
    numbers = {name: _number(texts[name]) for name in ("tailLines", "limitBytes", "sinceSeconds") if name in texts}
    date = texts.get("sinceTime")
    if None in numbers.values() or (date and gotime.problem(date)):
        return Refusal(400, UNREADABLE)
    tail, limit, seconds = (numbers.get(name) for name in ("tailLines", "limitBytes", "sinceSeconds"))
    negative = (tail is not None and tail < 0) or (limit is not None and limit < 1)
    if negative or (seconds is not None and (date or seconds < 1)):
        return Refusal(422, INVALID)
    since = now - seconds * SECOND if seconds is not None else instant(date) - ahead if date else None
    follow, previous, timestamps = (
        texts.get(name, "0").lower() not in ("0", "false") for name in ("follow", "previous", "timestamps")
    )
    return Wanted(follow, previous, timestamps, since, tail, limit, ahead)


def _number(text: str) -> int | None:
    """A 64-bit number, or None."""
    whole = int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else 1 << 63
    return whole if -(1 << 63) <= whole < 1 << 63 else None


def shown(line: Line, asked: Wanted) -> bytes:
    """The bytes of one line; none, if it is older than what is asked for."""
    if asked.since is not None and line.at < asked.since:
        return b""
    text = f"{nano_timestamp(line.at + asked.ahead)} {line.text}" if asked.timestamps else line.text
    return (text + line.end).encode()


def tail(lines: list[Line], asked: Wanted) -> list[Line]:
    """The last of *lines*, as many as are asked for."""
    return lines if asked.tail is None else lines[max(0, len(lines) - asked.tail) :]


def cut(data: bytes, asked: Wanted, written: int) -> bytes:
    """So much of *data* as may be written after *written* bytes."""
    return data if asked.limit is None else data[: max(0, asked.limit - written)]


def nano_timestamp(at: int) -> str:
    """The instant (µs) with nine digits behind the point, as a runtime writes it."""
    return micro_timestamp(at).removesuffix("Z") + "000Z"


# -- whether there is one ----------------------------------------------------------------------------------------------


def unavailable(pod: str, container: str, statuses: Sequence[Obj], previous: bool) -> str:
    """Why there is no log of *container*, by the *statuses* of the containers of *pod*; "" if there is one."""
    where = f'container "{container}" in pod "{pod}"'
    status = next((one for one in statuses if one["name"] == container), None)
    if status is None:
        return f"{where} is not available"
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if previous:
        return "" if "terminated" in last else f"previous terminated {where} not found"
    if "running" in state or "terminated" in state or "terminated" in last:
        return ""
    if "waiting" not in state:
        return f"{where} is waiting to start - no logs yet"
    reason = state["waiting"].get("reason", "")
    said = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    return f"{where} is waiting to start: {said}"


def no_file(pod: str, container: str) -> str:
    """400: its file is gone."""
    return (
        f'failed to try resolving symlinks in path "/var/log/pods/{pod}/{container}/0.log": no such file or directory'
    )
