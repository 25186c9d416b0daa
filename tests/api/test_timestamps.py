"""Instants are written as Kubernetes writes them, and read in any form that Go reads."""

import pytest

from kubemini.api.timestamps import instant, micro_timestamp, timestamp

SECOND, DAY = 1_000_000, 86_400_000_000


@pytest.mark.parametrize("at", [0, 1, 1_304_000, 400 * DAY + 7, 365 * 30 * DAY])
def test_what_is_written_is_read_again(at):
    assert instant(micro_timestamp(at)) == at and instant(timestamp(at)) == at // SECOND * SECOND


@pytest.mark.parametrize(
    "text, at",
    [
        ("2026-01-01T02:00:00+02:00", 0),
        ("2025-12-31T23:30:00-00:30", 0),
        ("2026-03-01T00:00:00.5Z", 59 * DAY + SECOND // 2),
        ("2028-03-01T00:00:00.123456789Z", (365 * 2 + 60) * DAY + 123_456),
        ("2026-01-01T00:00:01Z", SECOND),
    ],
)
def test_another_offset_and_any_fraction_are_understood(text, at):
    assert instant(text) == at


def test_a_grace_without_end_ends_with_the_calendar():
    assert timestamp(2**62 * SECOND) == "9999-12-31T23:59:59Z"
    assert timestamp(-(2**62) * SECOND) == "0001-01-01T00:00:00Z"
    assert instant("0001-01-01T00:00:00Z") < 0 < instant("9999-12-31T23:59:59Z")
