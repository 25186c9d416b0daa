"""Schedules of five fields and the time zones they are meant in, beside what robfig/cron made of them."""

import json
import re
from pathlib import Path

import pytest

from kubemini.api.cron import timezones
from kubemini.api.cron.schedule import parse
from kubemini.api.timestamps import EPOCH, instant
from kubemini.sim.units import HOUR, SECOND

VECTORS = json.loads((Path(__file__).parent.parent / "oracles/kubernetes/cron.json").read_text())["vectors"]
RUNS, REFUSED = ([v for v in VECTORS if ("error" in v) == refused] for refused in (False, True))


def following(schedule, after, many):
    """The next *many* instants, in seconds since 1970; 0 where there is none."""
    found, at = [], after * SECOND - EPOCH
    while len(found) < many and at is not None:
        at = schedule.next(at)
        found.append(0 if at is None else (at + EPOCH) // SECOND)
    return found


@pytest.mark.parametrize("vector", RUNS, ids=lambda v: f"{v['schedule']} after {v['after']}")
def test_it_runs_when_the_real_one_does(vector):
    assert following(parse(vector["schedule"]), vector["after"], len(vector["next"])) == vector["next"]


@pytest.mark.parametrize("vector", REFUSED, ids=lambda v: v["schedule"])
def test_it_is_refused_in_the_words_of_the_real_one(vector):
    with pytest.raises(ValueError, match=re.escape(vector["error"]) + "$"):
        parse(vector["schedule"])


def test_the_zone_of_a_schedule_decides_what_its_hours_are():
    summer = instant("2026-07-01T00:00:00Z")
    assert parse("0 9 * * *", "Europe/Berlin").next(summer) == instant("2026-07-01T07:00:00Z")
    assert parse("0 9 * * *").next(summer) == instant("2026-07-01T09:00:00Z")


def test_an_hour_that_clocks_leave_out_does_not_come_and_one_that_comes_twice_comes_twice():
    berlin = parse("30 2 * * *", "Europe/Berlin")
    assert berlin.next(instant("2026-03-28T12:00:00Z")) == instant("2026-03-30T00:30:00Z")
    first = berlin.next(instant("2026-10-24T12:00:00Z"))
    assert (first, berlin.next(first)) == (instant("2026-10-25T00:30:00Z"), instant("2026-10-25T01:30:00Z"))


def test_every_counts_whole_seconds_from_the_instant_it_is_asked_at():
    assert parse("@every 90s").next(7 * SECOND + 5) == 97 * SECOND
    assert parse("@every 1ms").next(0) == SECOND


@pytest.mark.parametrize(
    ("name", "winter", "summer"),
    [
        ("UTC", 0, 0),
        ("Europe/Berlin", 1, 2),
        ("Europe/Dublin", 0, 1),  # its standard time is that of summer
        ("America/Santiago", -3, -4),  # the south
        ("Asia/Kathmandu", 5.75, 5.75),
        ("Australia/Lord_Howe", 11, 10.5),
        ("America/Nuuk", -2, -1),  # changes before midnight
    ],
)
def test_clocks_in_january_and_in_july(name, winter, summer):
    zone = timezones.zone(name)
    shown = [zone.offset((instant(f"2027-0{month}-15T12:00:00Z") + EPOCH) // SECOND) for month in (1, 7)]
    assert shown == [winter * HOUR // SECOND, summer * HOUR // SECOND]


def test_clocks_are_changed_at_the_instant_that_the_rule_says():
    zone = timezones.zone("Europe/Berlin")
    turn = (instant("2027-03-28T01:00:00Z") + EPOCH) // SECOND
    assert (zone.offset(turn - 1), zone.offset(turn)) == (3600, 7200)
    assert timezones.known("Europe/Berlin") and not timezones.known("Mars/Base")
    assert all(timezones.zone(name).offset(turn) % 900 == 0 for name in ("Asia/Kolkata", "Pacific/Chatham"))
