"""A parameter that does nothing is not offered: each is read, and changes a trace; its ends break nothing."""

import ast
import json
import re
from contextlib import suppress
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from kubemini import ranges
from kubemini.params import Params, changed
from kubemini.scenarios import load, with_params
from kubemini.sim.engine import Runaway
from kubemini.simulate import run
from tests.params.stories import MATTERS, STORIES

PACKAGE = Path(__file__).parent.parent.parent / "kubemini"
ROWS = [(story, name) for story, rows in MATTERS.items() for name in rows]
LEGAL = {entry.name: entry.metadata["legal"] for entry in fields(Params)}
NAMES = list(LEGAL)


def row(story, name):
    """(another value, what else must be set)."""
    value = MATTERS[story][name]
    return value if isinstance(value, tuple) else (value, {})


def told(story, values, budget=None):
    """The records of *story* with *values*."""
    tale = STORIES[story]
    if callable(tale):
        return tale(changed(Params(), values))
    return run(with_params(load(tale), values), **({"budget": budget} if budget else {})).records


@cache
def usual(story, others):
    return told(story, json.loads(others))


def test_every_parameter_has_its_story():
    assert sorted(name for _, name in ROWS) == sorted(NAMES)


@pytest.mark.parametrize(("story", "name"), ROWS)
def test_another_value_changes_the_trace_of_a_small_story(story, name):
    value, others = row(story, name)
    assert told(story, {**others, name: value}) != usual(story, json.dumps(others))


# what must be set with an end of a range, so that the values go together
WITH = {
    ("etcd_heartbeat_interval", "10s"): {"etcd_election_timeout": "50s"},
    ("etcd_election_timeout", "5ms"): {"etcd_heartbeat_interval": "1ms"},
    ("leader_elect_lease_duration", "1s"): {
        "leader_elect_renew_deadline": "500ms",
        "leader_elect_retry_period": "99ms",
    },
    ("leader_elect_renew_deadline", "10ms"): {"leader_elect_retry_period": "10ms", "leader_elect_jitter": 0.5},
    ("leader_elect_renew_deadline", "23h"): {"leader_elect_lease_duration": "1d"},
    ("leader_elect_retry_period", "1h"): {"leader_elect_jitter": 0},
    ("cluster_cidr", "10.96.0.0/12,fd00:96::/112"): {"node_cidr_mask_size_ipv6": 120},
    ("node_cidr_mask_size_ipv6", "16"): {"cluster_cidr": "10.244.0.0/16,fd00::/12"},
    ("node_cidr_mask_size_ipv6", "124"): {"cluster_cidr": "10.244.0.0/16,fd00:244::/112"},
}


def ends(name):
    """The ends of a parameter's range, as one writes them."""
    match LEGAL[name]:
        case ranges.Span(each):
            found = [(each.low, each.low), (each.high, each.high)]
        case ranges.Choice(words):
            found = list(words)
        case ranges.Switch():
            found = [True, False]
        case ranges.Networks():
            found = [("10.0.0.0/8",), ("10.96.0.0/12", "fd00:96::/112")]
        case ranges.Interval(low, high):
            found = [(low, low), (high, high)]
        case legal:
            found = [legal.low, legal.high]
    return [LEGAL[name].write(value) for value in found]


@pytest.mark.parametrize(("story", "name"), ROWS)
@pytest.mark.some(16)
def test_at_the_ends_of_its_range_a_run_ends_in_peace(story, name):
    _, others = row(story, name)
    for end in ends(name):
        with suppress(Runaway):
            assert told(story, {**others, **WITH.get((name, end), {}), name: end}, 3_000)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_read_somewhere(name):
    assert name in read()


@cache
def read():
    """Every attribute that the package reads."""
    return set(_read())


def _read():
    for path in PACKAGE.rglob("*.py"):
        if path.name in ("params.py", "networkparams.py", "etcdparams.py"):
            yield from re.findall(r"self\.(\w+)", path.read_text(encoding="utf-8"))
        else:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    yield node.attr
