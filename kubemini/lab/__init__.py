"""Exercises and quizzes: one module a chapter, which registers its checkers and questions by name.

    check("quorum.restore", my_function)     the learner's answer → a `Report`
    quiz("quorum.warm-up")                   questions, each choice with its reply

A name is CHAPTER.NAME; the module of the chapter is imported when it is first asked for. The tools a chapter needs:
`exercise`, `questions`, `Question`, `Report`, `NotYet` and `ask` (runs the learner's code within a budget).
"""

from kubemini.lab.guard import ask
from kubemini.lab.quizzes import Question, Quiz, questions, quiz
from kubemini.lab.registry import check, exercise, names
from kubemini.lab.report import NotSolved, NotYet, Report

__all__ = [
    "NotSolved",
    "NotYet",
    "Question",
    "Quiz",
    "Report",
    "ask",
    "check",
    "exercise",
    "names",
    "questions",
    "quiz",
]
