"""An answer that is a bare text of its own kind. Pure.

Models k/apiserver pkg/server/healthz adaptCheckToHandler.
"""

from typing import NamedTuple

TEXT = "text/plain; charset=utf-8"


class Plain(NamedTuple):
    """The *text*, and what it is."""

    text: str
    type: str = TEXT


class Ready(NamedTuple):
    """An answer with nothing left to do: its status, what its head says, and its bytes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
