"""What the trace keeps of a request to a Service, whoever sent it."""

from typing import Any

from kubemini.host import Component

OK = 200  # the code of a request that was answered


def record(
    who: Component,
    number: int,
    path: str,
    via: list[str],
    started: int,
    code: int,
    why: str,
    verb: str = "GET",
    **more: Any,
) -> None:
    """One request of *who*: what was asked for, its way, when it *started* (µs), its status.

    A *code* of 0: no answer. *why* it failed or what decided; *more* is kept behind these.
    """
    who.sim.record(
        who.name,
        "request",
        id=f"{who.name}/{number}",
        kind="service",
        verb=verb,
        path=path,
        via=via,
        outcome="ok" if code == OK else "failed",
        started=started,
        code=code,
        why=why,
        **more,
    )
