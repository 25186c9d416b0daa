"""Exercises and quizzes: a folder a chapter, in it a file an exercise and questions.yaml.

    check("quorum.restore", my_function)      the learner's answer → a `Report`
    quiz("quorum.warm-up")                    questions, each choice with its reply
    prediction("quorum.partition")            what a widget asks before it shows what happens

A name is CHAPTER.NAME; the files of the chapter are read when it is first asked for. The tools an exercise needs:
`exercise`, `Report`, `NotYet` and `ask` (runs the learner's code within a budget).
"""

from kubemini.lab.guard import ask
from kubemini.lab.questions import Question, Quiz, prediction, quiz
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
    "prediction",
    "quiz",
]
