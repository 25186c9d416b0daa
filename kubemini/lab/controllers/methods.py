"""Calling the methods of a learner's class: those that answer, and those that need not."""

from collections.abc import Callable
from typing import Any

from kubemini.lab import NotYet, ask


def called(method: Callable[..., Any], *arguments: Any) -> Any:
    """What a *method* returns, which may be None."""

    def call(*given: Any) -> tuple[Any]:
        return (method(*given),)

    call.__name__ = getattr(method, "__name__", "your method")
    (value,) = ask(call, *arguments)
    return value


def answered(method: Callable[..., Any], *arguments: Any) -> Any:
    """What a *method* returns. Raises NotYet if that is nothing."""
    value = called(method, *arguments)
    if value is None or value is ...:
        raise NotYet(
            f"{getattr(method, '__name__', 'your method')} returned nothing yet: replace the … with an answer."
        )
    return value
