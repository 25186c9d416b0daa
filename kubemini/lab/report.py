"""What a checker says: pass, hint (not there yet) or fail (start again), with facts from the learner's own run.

Invariant: a report that does not pass says in one sentence why. The facts are numbers the learner's answer produced,
never praise.
"""

import html
from dataclasses import dataclass, replace

MARKS = {"pass": "✓", "hint": "✗", "fail": "✗"}
COLOURS = {"pass": "#009e73", "hint": "#e69f00", "fail": "#d55e00"}
LONG = 600  # characters of a sentence; a learner's answer may be as long as it likes


class NotSolved(AssertionError):
    """Raised instead of a report that does not pass, where KUBEMINI_STRICT is set; its text is exactly the hint."""


class NotYet(Exception):
    """Raised by a checker, however deep, to end with a report: a hint, or with ``status="fail"`` a dead end."""

    def __init__(self, hint: str, *facts: str, next: str = "", status: str = "hint"):
        super().__init__(hint)
        self.report = Report(status, facts, hint, next)


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check.

    *status* is pass, hint or fail; *facts* are sentences with numbers from the learner's run; *hint* is one sentence
    (of a pass: what it shows); *next* says what to do now.
    """

    status: str
    facts: tuple[str, ...] = ()
    hint: str = ""
    next: str = ""

    def __post_init__(self) -> None:
        assert self.status in MARKS, f"a report is one of {', '.join(MARKS)}, not {self.status!r}"
        assert self.hint, "a report says something in one sentence"

    def brief(self) -> "Report":
        """The same with sentences that a page can hold: each is cut in the middle where it is too long."""
        return replace(self, hint=_brief(self.hint), facts=tuple(map(_brief, self.facts)), next=_brief(self.next))

    @property
    def passed(self) -> bool:
        """Whether the exercise is solved."""
        return self.status == "pass"

    def __repr__(self) -> str:
        lines = [f"{MARKS[self.status]} {self.hint}", *(f"  · {fact}" for fact in self.facts)]
        return "\n".join([*lines, f"  → {self.next}"] if self.next else lines)

    def _repr_html_(self) -> str:
        facts = "".join(f"<li>{html.escape(fact)}</li>" for fact in self.facts)
        return (
            f'<div class="km-check" data-status="{self.status}" role="status"'
            f' style="border-left:4px solid {COLOURS[self.status]};padding:.1em 1em">'
            f"<p><b>{MARKS[self.status]} {html.escape(self.hint)}</b></p>"
            + (f"<ul>{facts}</ul>" if facts else "")
            + (f"<p>→ {html.escape(self.next)}</p>" if self.next else "")
            + "</div>"
        )


def _brief(text: str) -> str:
    half = LONG // 2
    return text if len(text) <= LONG else f"{text[:half]} … {text[-half:]}"
