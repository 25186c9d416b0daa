"""Instants as Kubernetes writes them: ``metav1.Time`` in seconds, ``metav1.MicroTime`` in microseconds, both UTC.

The simulation's instant 0 is the first second of 2026: no wall clock is ever asked.
"""

from datetime import datetime, timedelta

START = datetime(2026, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


def timestamp(instant: int) -> str:
    """The instant (µs) in whole seconds, rounded down: ``2026-01-01T00:00:01Z``."""
    return (START + timedelta(microseconds=instant)).isoformat(timespec="seconds") + "Z"


def micro_timestamp(instant: int) -> str:
    """The instant (µs) in full: ``2026-01-01T00:00:01.304000Z``."""
    return (START + timedelta(microseconds=instant)).isoformat(timespec="microseconds") + "Z"


def instant(text: str) -> int:
    """The instant (µs) that either form states."""
    return (datetime.fromisoformat(text.removesuffix("Z")) - START) // _MICROSECOND
