"""The exercises by name, and `check`, which asks the one that is meant.

A chapter is a folder here, an exercise a file in it: ``quorum.commit-index`` lies in quorum/commit_index.py.
Invariant: in the book `check` never raises; with KUBEMINI_STRICT set (the tests) it raises NotSolved with exactly the
hint. So a stub that fails for another reason than the one meant is noticed.
"""

import importlib
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubemini.lab.report import LONG, NotSolved, NotYet, Report
from kubemini.ranges import shown

Checker = Callable[[Any], Report]
FOLDER = Path(__file__).parent
_CHECKERS: dict[str, Checker] = {}


def exercise(name: str) -> Callable[[Checker], Checker]:
    """Register the decorated ``answer -> Report`` as the checker of *name* (CHAPTER.NAME)."""

    def register(checker: Checker) -> Checker:
        _CHECKERS[name] = checker
        return checker

    return register


def chapters() -> list[str]:
    """The chapters that have a folder here."""
    return sorted(m.name for m in pkgutil.iter_modules([str(FOLDER)]) if m.ispkg)


def load(chapter: str) -> None:
    """Import every exercise of *chapter*, if there is such a chapter."""
    if chapter in chapters():
        for module in pkgutil.iter_modules([str(FOLDER / chapter)]):
            importlib.import_module(f"kubemini.lab.{chapter}.{module.name}")


def names() -> list[str]:
    """Every exercise there is."""
    for chapter in chapters():
        load(chapter)
    return sorted(_CHECKERS)


def check(name: str, answer: Any) -> Report:
    """Try the learner's *answer* to the exercise *name* over many seeds, and report what it did."""
    report = _report(name if isinstance(name, str) else shown(name), answer).brief()
    if not report.passed and os.environ.get("KUBEMINI_STRICT"):
        raise NotSolved(report.hint)
    return report


def _report(name: str, answer: Any) -> Report:
    load(name.split(".")[0])
    if name not in _CHECKERS:
        return Report("fail", (), f"There is no exercise {shown(name)}; there are: {', '.join(names())}.")
    if answer is None or answer is ...:
        return Report("hint", (), "There is no answer yet: replace the … and run both cells again.")
    try:
        return _CHECKERS[name](answer)
    except NotYet as end:
        return end.report
    except Exception as error:  # whatever a learner hands over, the page says something
        return Report("hint", (), f"Your answer could not be tried: {type(error).__name__}: {shown(error, LONG)}")
