"""Questions whose choices answer back: plain HTML, no script, no kernel. Each choice unfolds its own reply.

A chapter's questions are data, in its questions.yaml: ``quizzes`` (a name → questions, each with its choices and the
reply each gets) and ``predictions`` (a name → what a widget asks before it shows what happens).
Invariant: every choice of a quiz, right or wrong, says why. A wrong one is a belief somebody holds (CURRICULUM's M1 to
M56).
"""

import functools
import html
import re
from dataclasses import dataclass
from typing import Any

from kubemini.lab.registry import FOLDER, chapters
from kubemini.ranges import shown


def marked(text: str) -> str:
    """*text* as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its choices each with the reply it gets, and which of them is right."""

    question: str
    choices: dict[str, str]
    answer: str

    def __post_init__(self) -> None:
        assert self.answer in self.choices, f"{self.answer!r} is not among the choices of {self.question!r}"

    def html(self) -> str:
        """The question with one unfolding reply a choice."""
        rows = "".join(
            f'<details class="km-answer" data-right="{int(choice == self.answer)}">'
            f"<summary>{marked(choice)}</summary>"
            f"<p>{'✓' if choice == self.answer else '✕'} {marked(reply)}</p></details>"
            for choice, reply in self.choices.items()
        )
        return f"<p><b>{marked(self.question)}</b></p>{rows}"

    def plain(self) -> str:
        """The question for a terminal: choices, then the right one."""
        rows = "\n".join(f"  ( ) {choice}" for choice in self.choices)
        return f"{self.question}\n{rows}\n  → {self.answer}: {self.choices[self.answer]}"


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


@functools.cache
def of_chapter(chapter: str) -> dict[str, Any]:
    """What stands in questions.yaml of *chapter*: its quizzes and predictions by name; nothing if there is none."""
    import yaml

    path = FOLDER / chapter / "questions.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


def _found(part: str, one: str, name: str) -> Any:
    """What is called *name* (CHAPTER.NAME) among the chapter's *part*. Raises ValueError that lists the names."""
    chapter, _, short = name.partition(".") if isinstance(name, str) else ("", "", "")
    there = of_chapter(chapter).get(part, {}) if chapter in chapters() else {}
    if short not in there:
        all_names = [f"{c}.{n}" for c in chapters() for n in of_chapter(c).get(part, {})]
        raise ValueError(f"there is no {one} {shown(name)}; there are: {', '.join(all_names)}")
    return there[short]


def quiz(name: str) -> Quiz:
    """The questions called *name*. Raises ValueError that lists the names."""
    return Quiz(name, tuple(Question(**entry) for entry in _found("quizzes", "quiz", name)))


def prediction(name: str) -> dict[str, Any]:
    """What a widget asks before it shows what happens: ``show(…, predict=prediction("quorum.partition"))``.

    A dict of question, choices, answer (an index) and explain. Raises ValueError that lists the names.
    """
    asked = _found("predictions", "prediction", name)
    return {**asked, "answer": asked["choices"].index(asked["answer"])}
