"""Questions whose choices answer back: plain HTML, no script, no kernel. Each choice unfolds its own reply.

Invariant: every choice, right or wrong, says why. A wrong one is a belief somebody holds (CURRICULUM's M1 to M56).
"""

import html
from dataclasses import dataclass

from kubemini.lab.registry import load


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its choices each with the reply it gets, and which of them is right."""

    text: str
    choices: dict[str, str]
    answer: str

    def __post_init__(self) -> None:
        assert self.answer in self.choices, f"{self.answer!r} is not among the choices of {self.text!r}"

    def html(self) -> str:
        """The question with one unfolding reply a choice."""
        rows = "".join(
            f'<details class="km-answer" data-right="{int(choice == self.answer)}">'
            f"<summary>{html.escape(choice)}</summary>"
            f"<p>{'✓' if choice == self.answer else '✕'} {html.escape(reply)}</p></details>"
            for choice, reply in self.choices.items()
        )
        return f"<p><b>{html.escape(self.text)}</b></p>{rows}"

    def plain(self) -> str:
        """The question for a terminal: choices, then the right one."""
        rows = "\n".join(f"  ( ) {choice}" for choice in self.choices)
        return f"{self.text}\n{rows}\n  → {self.answer}: {self.choices[self.answer]}"


@dataclass(frozen=True, slots=True)
class Quiz:
    """A few questions on one page."""

    name: str
    questions: tuple[Question, ...]

    def __repr__(self) -> str:
        return "\n\n".join(question.plain() for question in self.questions)

    def _repr_html_(self) -> str:
        body = "".join(question.html() for question in self.questions)
        return f'<div class="km-quiz" data-name="{html.escape(self.name)}">{body}</div>'


_QUIZZES: dict[str, Quiz] = {}


def questions(name: str, *found: Question) -> None:
    """Register the questions of the quiz *name* (CHAPTER.NAME)."""
    _QUIZZES[name] = Quiz(name, found)


def quiz(name: str) -> Quiz:
    """The questions called *name*. Raises ValueError that lists the names."""
    load(name)
    if name not in _QUIZZES:
        raise ValueError(f"there is no quiz {name!r}; loaded are: {', '.join(_QUIZZES)}")
    return _QUIZZES[name]
