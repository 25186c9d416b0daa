"""Answers that are no objects: a bare text of its own kind, and what somebody behind the server has said. Pure.

Models k/apiserver pkg/server/healthz adaptCheckToHandler; k/apiserver pkg/endpoints/handlers/responsewriters
StreamObject; k/apimachinery pkg/util/proxy UpgradeAwareHandler.ServeHTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass
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


def _same(data: bytes) -> bytes:
    return data


def _nobody(data: bytes) -> None:
    """Whatever a client says then."""


@dataclass(frozen=True, slots=True)
class Passed:
    """An answer of somebody else: its bytes come as they are pushed to the call's stream.

    *encode* makes of each piece what the client gets, *last* comes behind all of them; *take* gets what it sends.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    encode: Callable[[bytes], bytes] = _same
    take: Callable[[bytes], None] = _nobody
    last: bytes = b""
