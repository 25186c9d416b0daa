"""The chain of the API server as a reader sees it: which steps make one stage, in the order of the chain.

What a request goes through stands in apiserver/pipeline.py and in what its `act` calls; here each step that was seen
finds its stage, and the one that ended the request is found. A handler that this table does not know is a stage of its
own, at its place in the chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.apiserver.pipeline import HANDLERS
from kubemini.requests.observed import Seen, Step


@dataclass(frozen=True, slots=True)
class Row:
    """A stage: its name, what it asks, and the steps that belong to it."""

    id: str
    title: str
    asks: str
    steps: tuple[str, ...]


TABLE = (
    Row("recover", "Panic recovery", "What if a handler panics?", ("mark", "recover", "say_goaway")),
    Row("info", "Request info", "What is asked for?", ("read_request_info",)),
    Row("time", "Time limit", "How long may it take?", ("limit_time",)),
    Row("authenticate", "Authentication", "Who is it?", ("authenticate",)),
    Row("audit", "Audit", "Does anybody want to hear of it?", ("audit",)),
    Row("impersonate", "Impersonation", "For whom?", ("impersonate",)),
    Row("seat", "Priority and fairness", "Is there room?", ("take_a_seat",)),
    Row("authorize", "Authorization", "May they?", ("rights", "authorize")),
    Row(
        "find",
        "Routing",
        "Is that there, and can it be done?",
        ("pass_on", "find_definition", "show_health", "show_page", "take_time", "read_url"),
    ),
    Row(
        "decode",
        "Decode and default",
        "What is in the body?",
        ("negotiate", "read_options", "see_to_default_cidr", "read_body", "decode", "default"),
    ),
    Row("mutate", "Mutating admission", "Does a plugin change it?", ("space", "admit", "grant", "call")),
    Row("reset", "The kind's own fields", "Which fields are the server's to write?", ("reset",)),
    Row("validate", "Validation", "Does it keep the rules of its kind?", ("validate",)),
    Row("judge", "Validating admission", "Does anybody object?", ("judge", "question", "charge")),
    Row("store", "Storage", "Is it still as it was?", ("stale", "cache", "etcd", "act")),
    Row("answer", "Answer", "What does the client get?", ()),
)


def rows() -> tuple[Row, ...]:
    """All stages: those of the table, and whatever handler it does not know."""
    found, known = list(TABLE), {step for row in TABLE for step in row.steps}
    names = [handler.__name__ for handler in HANDLERS]
    for number, name in enumerate(names):
        if name not in known:
            after = next((row for before in reversed(names[:number]) for row in found if before in row.steps), None)
            place = found.index(after) + 1 if after is not None else 0
            asks = (HANDLERS[number].__doc__ or "").partition("\n")[0]
            found.insert(place, Row(name, name.replace("_", " ").capitalize(), asks, (name,)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Walk:
    """The steps of one request by stage; *ended* had the last word ("": nobody was there), *error* why it failed."""

    by_stage: dict[str, list[Step]] = field(default_factory=dict)
    ended: str = "answer"
    error: ApiError | None = None
    took: dict[str, int] = field(default_factory=dict)

    def last(self, stage: str, *steps: str) -> Step | None:
        """The last of *steps* that was seen in a stage: a write that is decided anew passes some twice."""
        return next((one for one in reversed(self.by_stage.get(stage, ())) if one.step in steps), None)

    def by_name(self, stage: str, *steps: str) -> list[Step]:
        """Of each plugin, or webhook, the last time that it was asked, in the order of the first."""
        found = {one.name: one for one in self.by_stage.get(stage, ()) if one.step in steps}
        return list(found.values())


def walked(steps: Sequence[Step], began: int) -> Walk:
    """*steps*, which began at an instant (µs), by stage."""
    home = {step: row.id for row in rows() for step in row.steps}
    by_stage: dict[str, list[Step]] = {row.id: [] for row in rows()}
    took: dict[str, int] = dict.fromkeys(by_stage, 0)
    for step in steps:
        by_stage[home[step.step]].append(step)
        took[home[step.step]] += step.at - began
        began = step.at
    names = {handler.__name__ for handler in HANDLERS} | {"recover"}
    end = next((step for step in reversed(steps) if step.step in names and step.after is not None), None)
    error = end.after if end is not None and isinstance(end.after, ApiError) else None
    return Walk(by_stage, _ended(steps, end, error, home), error, took)


def _ended(steps: Sequence[Step], end: Step | None, error: ApiError | None, home: dict[str, str]) -> str:
    """The stage that had the last word."""
    if end is None:  # no handler had an answer: its time was over, or it is a watch, whose answer is a stream
        return "" if not steps else "store" if steps[-1].step == "act" else home[steps[-1].step]
    if end.step != "act":
        return home[end.step]
    if error is None:
        return "answer"
    before = max((n for n, step in enumerate(steps) if isinstance(step.before, Seen) and step is not end), default=-1)
    inner = [step for step in steps[before + 1 :] if step is not end]  # what was done within the last handler
    blamed = next((step for step in reversed(inner) if _says(step, error)), None)
    return home[(blamed or (inner or [end])[-1]).step]


def _says(step: Step, error: ApiError) -> bool:
    """Whether it was this step that refused."""
    after: Any = step.after
    return after is error or (isinstance(after, ApiError) and after == error)
