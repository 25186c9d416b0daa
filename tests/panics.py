"""A component's defect is a crash of that component in the book, and a failure here.

Every test runs so (see conftest.py); whatever looks for faults outside pytest calls `are_failures` first.
"""

from typing import NoReturn

from kubemini.host import Component


def fail(component: Component, error: Exception) -> NoReturn:
    """What `Component.panic` does instead: the defect as it is, with its traceback."""
    raise error


def are_failures() -> None:
    """From now on, in this process."""
    Component.panic = fail  # type: ignore[method-assign]
