"""A component's defect is a crash of that component in the book, and a failure here.

So is what an API server recovers from. Every test runs so (see conftest.py); whatever looks for faults outside pytest
calls `are_failures` first.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from kubemini.apiserver import pipeline
from kubemini.host import Component


def fail(component: Component, error: Exception) -> NoReturn:
    """What `Component.panic` does instead: the defect as it is, with its traceback."""
    raise error


def fail_request(core: Any, asked: Any, problem: Exception) -> NoReturn:
    """What an API server does instead of answering that it has recovered."""
    raise problem


def are_failures(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """From now on, in this process, or for as long as *put* (pytest's) says."""
    put(Component, "panic", fail)
    put(pipeline, "recovered", fail_request)
