"""The recording behind the packet walk: every choice has its walks, and what broke is seen in them."""

import json

import pytest

from kubemini.study import walks


@pytest.fixture(scope="module")
def run():
    return walks.recorded()


def fates(run, sender, target, mode, trouble):
    rows = run["walks"]["|".join((sender, target, mode, trouble))]
    return sorted(run["words"][row["fate"]] for row in rows)


def test_every_choice_has_walks_whose_picks_share_all_connections(run):
    choices = run["choices"].values()
    many = 1
    for values in choices:
        many *= len(values)
    assert len(run["walks"]) == many
    assert all(abs(sum(row["share"] for row in rows) - 1) < 0.01 for rows in run["walks"].values())


@pytest.mark.parametrize("mode", walks.MODES)
def test_what_broke_is_seen_where_it_matters(run, mode):
    web = "svc/web:80"
    assert fates(run, "pod a", web, mode, walks.WELL) == ["connected", "connected"]
    assert fates(run, "pod a", web, mode, walks.DEAD) == ["connected", "unreachable"]
    assert fates(run, "pod a", web, mode, walks.LOST) == ["connected", "lost"]
    assert fates(run, "outside", "pod c:8080", mode, walks.WELL) == ["lost"]


def test_the_rule_that_decided_stands_among_those_that_are_loaded(run):
    for key, rows in run["walks"].items():
        _, _, mode, trouble = key.split("|")
        loaded = {run["words"][n] for rules in run["rules"][f"{mode}|{trouble}"].values() for n in rules}
        for row in rows:
            rule = run["words"][row["rule"]].split(" → ")[0]
            assert rule in loaded or not rule.startswith(("nat ", "filter ", "kube-proxy ")), key


def test_a_recording_is_the_same_every_time_and_small(run):
    text = json.dumps(run, separators=(",", ":"), ensure_ascii=False)
    assert text == json.dumps(walks.recorded(), separators=(",", ":"), ensure_ascii=False)
    assert len(text) < 150_000
    assert "pod a → svc/web:81, a port it does not have (nftables; all is well): refused" in walks.told(run)
