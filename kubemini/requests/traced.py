"""A request's way as data and as text: every stage with its verdict, and where the request ended. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from kubemini.requests import words
from kubemini.requests.diffs import lines, shown
from kubemini.requests.observed import Step
from kubemini.requests.stages import Row, Walk, rows, walked
from kubemini.requests.words import ANSWERED, IDLE, PASSED, REFUSED, TELLERS, UNREACHED, About, Told
from kubemini.sim.units import MS

MARKS = {"passed": "✓", "changed": "±", REFUSED: "✕", ANSWERED: "●", IDLE: "–", UNREACHED: "·"}
READS_NOTHING = ("decode", "mutate", "reset", "validate", "judge")
MOST = 300  # lines of an answer that are kept
PHRASES = {
    200: "OK",
    201: "Created",
    204: "No Content",
    404: "Not Found",
    429: "Too Many Requests",
}  # of what is no Status
GATEWAY_TIMEOUT = 504
DECIDED = ("mutate", "reset", "validate", "judge")  # what is passed when the state that is replaced is known


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client got. *status* 0: nothing; *reason* and *message* are those of a Status, or of nobody."""

    status: int
    reason: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """``403 Forbidden``, as one says it."""
        if not self.status:
            return "no answer"
        return f"{self.status} {self.reason or PHRASES.get(self.status, '')}".rstrip()


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a walk. *took* is in ms of simulated time; *diff* and *parts* as in words.py."""

    stage: str
    title: str
    asks: str
    verdict: str
    why: str
    took: float
    facts: Sequence[Sequence[str]]
    diff: Sequence[str]
    parts: Sequence[Mapping[str, Any]]
    also: Sequence[str]
    brief: str


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """A request, the stages that it went through, and its answer: ``print`` it, or read `stages`, `ended`, `status`.

    *request* is what was asked: {method, path, user, body: lines}. *ended* is the stage that had the last word.
    """

    request: Mapping[str, Any]
    stages: tuple[Stage, ...]
    ended: str
    answer: Answer

    @property
    def status(self) -> int:
        """The status code; 0 if there was no answer."""
        return self.answer.status

    def stage(self, name: str) -> Stage:
        """One stage by its id or its title. Raises ValueError that names them."""
        for stage in self.stages:
            if name in (stage.stage, stage.title):
                return stage
        raise ValueError(f"there is no stage {name!r}; there are: {', '.join(stage.stage for stage in self.stages)}")

    def data(self) -> dict[str, Any]:
        """All of it as plain values, for a widget: {request, stages, ended, answer}."""
        found = {"request": dict(self.request), "stages": [asdict(stage) for stage in self.stages]}
        plain = json.loads(json.dumps({**found, "ended": self.ended, "answer": asdict(self.answer)}))
        return {**plain, "answer": {**plain["answer"], "said": self.answer.said}}

    def __str__(self) -> str:
        return "\n".join(_text(self))

    __repr__ = __str__  # what a notebook shows


def traced(
    request: Mapping[str, Any], steps: Sequence[Step], began: int, ended: int, about: About, answer: Answer
) -> TracedRequest:
    """The way that *steps* tell of, from an instant to another (µs)."""
    walk = walked(steps, began)
    table = rows()
    ids = [row.id for row in table]
    last = ids.index(walk.ended) if walk.ended else -1
    if answer.status == GATEWAY_TIMEOUT and walk.error is None:
        last = ids.index("time")
    stages = []
    for number, row in enumerate(table):
        told = _told(row, walk, about, answer, number - last)
        took = walk.took[row.id] if row.id != "answer" else max(0, ended - began - sum(walk.took.values()))
        plain = [asdict(part) for part in told.parts]
        head = (row.id, row.title, row.asks, told.verdict, told.why, took / MS)
        stages.append(Stage(*head, told.facts, told.diff, plain, told.also, told.brief))
    return TracedRequest(request, tuple(stages), ids[last], answer)


def _told(row: Row, walk: Walk, about: About, answer: Answer, behind: int) -> Told:
    """What is told of a stage that lies so many *behind* the one that had the last word."""
    if row.id == "answer":
        return Told(_ending(answer), _answered(answer), brief=answer.said)
    if behind > 0 and not (walk.ended == "recover" and walk.by_stage[row.id]):
        return Told(UNREACHED, "The request never came here.")
    skipped = row.id in DECIDED and not walk.by_stage[row.id] and words.is_write(walk)
    if behind < 0 and walk.error is not None and skipped:
        return Told(UNREACHED, "Not asked any more: what etcd has is looked at first.")
    told = TELLERS[row.id](walk, about) if row.id in TELLERS else Told(PASSED, "It went through.")
    if behind == 0 and answer.status >= 400:
        return replace(told, verdict=REFUSED, why=f"{answer.said}: {answer.message}", brief=str(answer.status))
    if told.verdict == IDLE and row.id in READS_NOTHING and not words.is_write(walk):
        return replace(told, why="A request that only reads has nothing to do here.")
    return told


def _ending(answer: Answer) -> str:
    return REFUSED if answer.status >= 400 or not answer.status else ANSWERED


def _answered(answer: Answer) -> str:
    if not answer.status:
        return f"Nobody answers: {answer.message}."
    if answer.status >= 400:
        return f"The client gets {answer.said}."
    return f"The client gets {answer.said}{f': {answer.message}' if answer.message else ''}."


def answered(status: int, headers: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
    """The answer of an HTTP server; no *body*: a stream follows."""
    if body is None:
        return Answer(status, "", "a stream of events begins", tuple(headers))
    try:
        found = json.loads(body)
    except ValueError:
        text = body.decode("utf-8", "replace")
        return Answer(status, "", text.strip(), tuple(headers), tuple(text.splitlines()))
    if not isinstance(found, dict):
        return Answer(status, "", "", tuple(headers), tuple(lines(found)))
    is_status = found.get("kind") == "Status"
    reason, message = (str(found.get(key) or "") if is_status else "" for key in ("reason", "message"))
    told = lines(shown(found))
    left = [f"… {len(told) - MOST:,} more lines"] if len(told) > MOST else []
    return Answer(status, reason, message, tuple(headers), (*told[:MOST], *left))


def _text(found: TracedRequest) -> list[str]:
    asked = found.request
    told = [f"{asked['method']} {asked['path']}, by {asked['user']}", ""]
    wide = max(len(stage.title) for stage in found.stages)
    for stage in found.stages:
        told += _stage_text(stage, wide)
    return told


def _stage_text(stage: Stage, wide: int) -> list[str]:
    took = f" ({stage.took:.3g} ms)" if stage.took else ""
    told = [f"{MARKS[stage.verdict]} {stage.title:{wide}}  {stage.why}{took}"]
    told += [f"  {'':{wide}}    {line}" for line in stage.diff]
    for part in stage.parts:
        told.append(f"  {'':{wide}}  {part['name']} {part['verdict'] if part['diff'] else 'refused'}")
        told += [f"  {'':{wide}}    {line}" for line in part["diff"]]
    return told
