"""A component's defect is a crash of that component in the book, and a failure here.

So is what an API server recovers from, and what a program of ours in a container dies of. Every test runs so (see
conftest.py); whatever looks for faults outside pytest calls `are_failures` first.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from kubemini.apiserver import pipeline
from kubemini.containers import failing
from kubemini.host import Component


def fail(component: Component, error: Exception) -> NoReturn:
    """What `Component.panic` does instead: the defect as it is, with its traceback."""
    raise error


def fail_request(core: Any, asked: Any, problem: Exception) -> NoReturn:
    """What an API server does instead of answering that it has recovered."""
    raise problem


def fail_program(process: Any, error: Exception) -> NoReturn:
    """What becomes of a program in a container, instead of ending alone."""
    raise error


def are_failures(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """From now on, in this process, or for as long as *put* (pytest's) says."""
    put(Component, "panic", fail)
    put(pipeline, "recovered", fail_request)
    put(failing, "fail", fail_program)
