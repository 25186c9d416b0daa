"""The lab: what a checker says to any answer, whatever the learner's code does."""

import re
import sys
from pathlib import Path

import pytest

from kubemini import lab
from kubemini.lab import NotSolved, NotYet, Question, Quiz, Report, ask, check, exercise, prediction, quiz, registry
from kubemini.lab.questions import of_chapter

CHAPTERS = Path(__file__).parents[2] / "chapters"


@pytest.fixture(autouse=True)
def an_exercise(monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)
    registry.names()  # the chapters register into the real table first
    monkeypatch.setattr(registry, "_CHECKERS", {})

    @exercise("trial.double")
    def double(answer):
        for n in (1, 2, 50):
            got = ask(answer, n)
            if got != 2 * n:
                raise NotYet(f"double({n}) is {2 * n}, yours says {got}.", f"n = {n}", next="Try n = 0 too.")
        return Report("pass", ("3 of 3 numbers",), "A number and itself make two of it.")


def test_a_right_answer_passes_with_facts_and_no_praise():
    report = check("trial.double", lambda n: n + n)
    assert (report.status, report.passed) == ("pass", True)
    assert repr(report) == "✓ A number and itself make two of it.\n  · 3 of 3 numbers"


def test_a_wrong_answer_gets_a_hint_a_fact_and_what_to_do_next():
    report = check("trial.double", lambda n: n * n)
    assert repr(report) == "✗ double(1) is 2, yours says 1.\n  · n = 1\n  → Try n = 0 too."


def test_with_strict_set_it_raises_exactly_the_hint(monkeypatch):
    monkeypatch.setenv("KUBEMINI_STRICT", "1")
    with pytest.raises(NotSolved) as error:
        check("trial.double", lambda n: n * n)
    assert str(error.value) == "double(1) is 2, yours says 1."
    assert check("trial.double", lambda n: n + n).passed


def raises(n):
    return {}[n]


def never_ends(n):
    while True:
        n += 1


def never_ends_and_swallows(n):
    while True:
        try:
            n += 1
        except Exception:
            n = 0


exec("def never_ends_on_one_line(n):\n    while True: pass")  # as a formatter would not leave it


elsewhere = {}
exec(compile("def helper(n):\n    while True:\n        n += 1", "<another cell>", "exec"), elsewhere)


def never_ends_in_another_cell(n):
    return elsewhere["helper"](n)


def calls_itself(n):
    return calls_itself(n + 1)


def leaves(n):
    sys.exit(3)


def does_nothing(n): ...


def takes_none():
    return 1


def gives_up(n):
    raise GeneratorExit


class Wordless:
    """An object that cannot even be printed."""

    def __repr__(self):
        raise RuntimeError("no words")


class WordlessError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def raises_wordless(n):
    raise WordlessError


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (raises, "raises(1) raised KeyError: 1"),
        (never_ends, "never_ends(1) did not end after 200,000 lines: is there a loop that never reaches its end?"),
        (never_ends_on_one_line, "never_ends_on_one_line(1) did not end after 200,000 lines"),  # noqa: F821
        (never_ends_and_swallows, "never_ends_and_swallows(1) did not end after 200,000 lines"),
        (never_ends_in_another_cell, "never_ends_in_another_cell(1) did not end after 200,000 lines"),
        (calls_itself, "calls_itself(1) calls itself without end"),
        (leaves, "leaves(1) raised SystemExit: 3"),
        (does_nothing, "does_nothing(1) returned nothing yet: replace the … with your answer and return it."),
        (takes_none, "takes_none(1) raised TypeError: takes_none() takes 0 positional arguments but 1 was given"),
        (gives_up, "gives_up(1) raised GeneratorExit:"),
        (raises_wordless, "raises_wordless(1) raised WordlessError: a WordlessError that cannot be shown"),
        (Wordless(), "Give check() the function itself, without calling it; it got …."),
        (lambda n: Wordless(), "Your answer could not be tried: RuntimeError: no words"),
        (2, "Give check() the function itself, without calling it; it got 2."),
        (None, "There is no answer yet: replace the … and run both cells again."),
        (..., "There is no answer yet"),
        (lambda n: "x", "double(1) is 2, yours says x."),
    ],
)
def test_whatever_the_learners_code_does_the_page_says_one_clear_sentence(answer, hint):
    report = check("trial.double", answer)
    assert report.status == "hint" and report.hint.startswith(hint) and "\n" not in report.hint


@pytest.mark.parametrize("huge", ["x" * 10**6, list(range(10**5))], ids=["text", "list"])
def test_a_huge_answer_gets_a_sentence_that_a_page_can_hold(huge):
    report = check("trial.double", lambda n: huge)
    assert report.hint.startswith("double(1) is 2, yours says") and len(report._repr_html_()) < 3_000


def test_stop_stops_the_learners_function():
    def stopped(n):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("trial.double", stopped)


def test_the_budget_leaves_the_debugger_as_it_was():
    seen = []

    def debugger(frame, event, arg):
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(debugger)
    try:
        check("trial.double", lambda n: 2 * n)
        assert sys.gettrace() is debugger
    finally:
        sys.settrace(before)


def test_a_checker_that_stumbles_over_nonsense_still_answers():
    @exercise("trial.length")
    def length(answer):
        return Report("pass", (), str(len(answer)))

    assert repr(check("trial.length", 5)) == (
        "✗ Your answer could not be tried: TypeError: object of type 'int' has no len()"
    )


def test_an_unknown_exercise_is_answered_with_the_list():
    report = check("trial.triple", 1)
    assert report.status == "fail" and report.hint.startswith("There is no exercise 'trial.triple'; there are: ")
    assert "trial.double" in report.hint


def test_every_chapter_registers_under_its_own_name(monkeypatch):
    monkeypatch.undo()
    assert {name.split(".")[0] for name in registry.names()} == set(registry.chapters())


def test_a_report_is_html_that_says_its_status_in_words_mark_and_colour():
    page = check("trial.double", lambda n: "<b>")._repr_html_()
    assert 'data-status="hint"' in page and "✗ double(1) is 2, yours says &lt;b&gt;." in page
    assert "<li>n = 1</li>" in page and "→ Try n = 0 too." in page


def test_every_choice_of_a_quiz_answers_without_a_script():
    asked = Question("How many of 3 may fail?", {"0": "Two suffice.", "1": "Two remain, two are needed."}, answer="1")
    page = Quiz("trial.quiz", (asked,))._repr_html_()
    assert "<script" not in page and page.count("<details") == 2
    assert "✕ Two suffice." in page and "✓ Two remain, two are needed." in page
    assert "  → 1: Two remain, two are needed." in repr(Quiz("trial.quiz", (asked,)))


def test_a_question_without_its_answer_among_the_choices_is_refused():
    with pytest.raises(AssertionError, match="'2' is not among the choices of"):
        Question("How many?", {"0": "no", "1": "yes"}, answer="2")


@pytest.mark.parametrize("ask", [quiz, prediction])
@pytest.mark.parametrize("name", [None, 5, ["quorum.quiz"], b"quorum.quiz", Wordless(), "x" * 10**6])
def test_what_is_no_name_is_answered_so_too(ask, name):
    with pytest.raises(ValueError, match=r"there is no (quiz|prediction) .{1,70}; there are: .*quorum\.") as refused:
        ask(name)
    assert len(str(refused.value)) < 3_000  # whatever was asked: what there is grows with the book
    assert check(name, 5).hint.startswith("There is no exercise ")


@pytest.mark.parametrize("ask", [quiz, prediction])
@pytest.mark.parametrize("name", ["quorum.nothing", "trial.quiz", "quorum", "../quorum.quiz", ""])
def test_an_unknown_name_is_answered_with_those_there_are(ask, name):
    with pytest.raises(ValueError, match=rf"there is no (quiz|prediction) '{re.escape(name)}'; there are: .*quorum\."):
        ask(name)


@pytest.mark.parametrize("chapter", registry.chapters())
def test_every_question_of_a_chapter_can_be_asked(chapter):
    asked = of_chapter(chapter)
    assert set(asked) == {"predictions", "quizzes"}
    assert all(len(quiz(f"{chapter}.{name}").questions) >= 1 for name in asked["quizzes"])
    for name in asked["predictions"]:
        found = prediction(f"{chapter}.{name}")
        assert found["choices"][found["answer"]] == asked["predictions"][name]["answer"] and found["explain"]


@pytest.mark.parametrize("chapter", registry.chapters())
def test_a_choice_does_not_end_with_a_full_stop(chapter):
    asked = of_chapter(chapter)
    every = [*asked["predictions"].values(), *(one for quiz in asked["quizzes"].values() for one in quiz)]
    assert [choice for one in every for choice in one["choices"] if choice.endswith(".")] == []


def test_every_question_stands_in_its_chapter():
    for chapter in registry.chapters():
        page = (CHAPTERS / f"{chapter}.ipynb").read_text(encoding="utf-8")
        for kind, call in ("quizzes", "quiz"), ("predictions", "prediction"):
            for name in of_chapter(chapter)[kind]:
                assert f'{call}(\\"{chapter}.{name}\\")' in page, f"{chapter}.{name} is asked nowhere"


def test_the_package_offers_them_by_name():
    import kubemini

    assert kubemini.check is lab.check and kubemini.quiz is lab.quiz
