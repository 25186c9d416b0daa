"""The audit log of an unmodified kube-apiserver 1.37.2: ours says the same of the same requests, line by line."""

import gzip
import json
import random
from dataclasses import replace

import pytest

from kubemini.apiserver.decide.audit import policy
from tests.oracles.audit.comparing import MARK, differences
from tests.oracles.audit.record import RECORDED
from tests.oracles.sessions.world import Inside

CASES = {case["name"]: case for case in json.loads(gzip.decompress(RECORDED.read_bytes()))}


def ours(said, steps):
    """The events that our server writes while it is asked the same."""
    world = Inside()
    world.server.core.flags = replace(world.server.core.flags, audit=policy.read(said))
    for step in steps:
        world.sleep(step["sleep"]) if "sleep" in step else world.whole(world.send(step, MARK))
    world.sleep(2)
    return [record.detail["event"] for record in world.sim.trace.of("audit")]


@pytest.mark.parametrize("name", CASES)
def test_the_log_says_what_the_real_one_says(name):
    case = CASES[name]
    assert differences(case["lines"], ours(case["policy"], case["steps"])) == []


def leaves(value, at=()):
    """Where the plain values of a line stand."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(item, (*at, key)) if isinstance(item, dict | list) else [(*at, key)]


def changed(lines, dice):
    """The lines with one leaf changed."""
    lines = json.loads(json.dumps(lines))
    place = lines[dice.randrange(len(lines))]
    *way, last = dice.choice(list(leaves(place)))
    for key in way:
        place = place[key]
    old = place[last]
    place[last] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old}~"
    return lines


def test_a_leaf_that_is_changed_in_a_recording_is_noticed():
    dice, case = random.Random(1), CASES["all"]
    told = ours(case["policy"], case["steps"])
    noticed = sum(bool(differences(changed(case["lines"], dice), told)) for _ in range(100))
    assert noticed >= 95
