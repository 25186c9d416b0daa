"""Trials with forms of their own: the simulator does what was recorded, and what is not as recorded is noticed."""

import json
from pathlib import Path

import pytest

from tests.oracles.ha import special

TRIALS = Path(__file__).parent / "trials"
NAMES = ("lost_disk_r2", "nospace_r1", "snapshot_restore_r1", "snapshot_restore_r2")


def record(name):
    return json.loads((TRIALS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_simulator_does_what_was_recorded(name):
    [(case, run)] = special.cases(TRIALS / f"{name}.json", record(name))
    assert case == name and run() == []


def test_another_trial_is_no_business_of_this_judge():
    assert not list(special.cases(TRIALS / "x.json", record("stacked_api_kill_r1")))


def test_other_last_words_of_a_member_are_noticed():
    data = record("lost_disk_r2")
    wanted = special.recorded_disk(data)
    line = next(iter(wanted))
    assert special.differences(lambda _: wanted, lambda _: wanted | {line: "joins"}, data) == [
        f"{line}: wanted member ID has already been bootstrapped, got joins"
    ]


def test_a_restore_that_forgets_to_say_410_or_504_is_noticed():
    bumped, plain = (special.recorded_restore(record(f"snapshot_restore_r{n}")) for n in (1, 2))
    assert bumped["a watch from an old number"] == [("ERROR", 410, "Expired")]
    assert plain["a watch from an old number"] == [] and plain["it keeps objects that are lost"]
    assert plain["a list at the old number"] == "as the numbers say"
    seen = {"bump": False, "lower": True, "lists": 1, "keeps": True, "present": [], "heard": [], "done": True}
    rest = {"replicas": [3, 3, 3], "ready": ["True"] * 3}
    at_once = special.facts(
        **seen,
        **rest,
        listed={"code": 504, "message": "Timeout: Too large resource version: 9, current: 5"},
        waited=False,
    )
    assert at_once["a list at the old number"] != "as the numbers say"


def test_of_a_full_database_every_write_is_a_fact_until_the_alarm_is_disarmed():
    wanted = special.recorded_quota(record("nospace_r1"))
    assert [wanted[f"write {n}"][0] for n in range(1, 7)] == [500] * 5 + [201]
    assert [state["ended"] for state in wanted["while it is full"]] == [[["kcm", 1], ["sch", 1]]] * 3
    assert wanted["readyz"] == {"h1": 200, "h2": 200, "h3": 200}
