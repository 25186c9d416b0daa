"""Beneath a run stands the same fault on a real cluster, where it is the same; and what differs is named."""

from functools import cache

import pytest

from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.beneath import recordings, windows
from kubemini.view.beneath.deeds import deeds
from kubemini.view.beneath.differences import Side, differences, sentence
from kubemini.view.beneath.ours import ours
from kubemini.view.beneath.recordings import Recording, folded, unfolded
from kubemini.view.beneath.sides import namesakes
from kubemini.view.requests import asked
from kubemini.view.scene import present, text_summary
from kubemini.view.state import State

SERVERS = ["h1", "h2", "h3"]


def recording(trial, topology="stacked", hit=("h1",), undone=12.0, ends=20, **fields):
    """A trial in which half of the writes were slow from the fault on, and the server that was hit DOWN after 9 s."""
    many = ends + 4
    fates = {"ok": [2] * 4 + [1] * (many - 4), "slow": [0] * 4 + [1] * (many - 4), "failed": [0] * many}
    made = {
        "topology": topology,
        "trial": trial,
        "hit": list(hit),
        "begins": -4,
        "undone": undone,
        "ends": ends,
        "date": "2026-11-26",
        "versions": "Kubernetes 1.37.2, etcd 3.7.3",
        "load": [3.0, 5.0],
        "nodes": {
            "etcd": SERVERS if topology == "stacked" else ["e1", "e2", "e3"],
            "servers": SERVERS,
            "balancers": ["lb1"],
        },
        "fates": {"API writes": fates},
        "errors": {"API writes": []},
        "leads": {"etcd": [[-4, hit[0]], [0, ""], [1, "h3"]]},
        "uses": {host: [[-4, True], *([[9, False], [undone + 4, True]] if host in hit else [])] for host in SERVERS},
    }
    return Recording(**(made | fields))


TRIALS = (
    *(recording(f"etcd_{role}_{way}") for role in ("leader", "follower") for way in ("kill", "hang", "term")),
    recording("etcd_quorum_kill", hit=("h1", "h3"), undone=45.0, ends=70),
    recording("host_power_off", undone=60.0, ends=80),
    recording("all_api_kill", hit=SERVERS, undone=20.0, ends=35),
    recording("etcd_follower_kill", "external", hit=("e1",)),
)


@pytest.fixture(autouse=True)
def recorded(monkeypatch):
    """What was recorded, for these tests."""
    known = {(one.topology, one.trial): one for one in TRIALS}
    monkeypatch.setattr(recordings, "recordings", lambda: known)


@cache
def story(name, *commands, until=None):
    return run(name, commands=commands, until=until)


def leader(trace, at):
    """Who leads etcd at *at* seconds."""
    state = State(trace.header["topology"])
    for record in trace:
        if record.at >= at * SECOND:
            break
        state.fold(record)
    return state.leader(state.cluster)


def trials(trace):
    """(second, trial, whether it is its end) of what was done."""
    return [(deed.at / SECOND, deed.trial, deed.returned) for deed in deeds(trace)]


# -- which trial -----------------------------------------------------------------------------------------------------
def test_a_story_of_several_faults_is_several_trials():
    role = "leader" if leader(story("quorum"), 20) == "etcd-2" else "follower"
    told = [(20, f"etcd_{role}_kill", False), (30, "etcd_quorum_kill", False), (50, "etcd_quorum_kill", True)]
    assert trials(story("quorum")) == told


def test_who_returns_last_returns_to_a_cluster_that_missed_nobody_else():
    told = trials(story("quorum", (60, "restart", "etcd-3"), until=66))
    assert told[2:] == [(50, "etcd_quorum_kill", True), (60, "etcd_follower_kill", True)]


def test_a_loss_of_power_is_told_from_a_crash_and_a_zone_is_its_hosts():
    assert trials(story("stacked"))[1:] == [(40, trials(story("stacked"))[0][1], True), (55, "host_power_off", False)]
    assert trials(story("external"))[1:] == [(40, "etcd_quorum_kill", False), (60, "etcd_quorum_kill", True)]


@pytest.mark.parametrize(
    ("deed", "trial"),
    [
        (("crash", "apiserver-1"), "api_kill"),
        (("stop", "apiserver-1"), "api_term"),
        (("pause", "apiserver-2"), "api_hang"),
        (("power_off", "cp-3"), "host_power_off"),
        (("cut", "cp-3"), "host_cut"),
        (("cut", "apiserver-3"), "host_cut"),
        (("crash", "haproxy-1"), "balancer_kill"),
        (("pause", "haproxy-1"), "balancer_hang"),
    ],
)
def test_what_is_broken_and_how_is_a_trial(deed, trial):
    assert trials(story("healthy", (10, *deed), until=12)) == [(10, trial, False)]


def test_the_holders_of_both_leases_are_one_trial_and_a_standby_is_none():
    trace = story("healthy", until=10)
    holders = sorted({r.actor for r in trace.of("holder")})
    both = story("healthy", *((10, "crash", name) for name in holders), until=12)
    assert trials(both) == [(10, "kcm_sched_kill", False)]
    standby = next(f"scheduler-{n}" for n in (1, 2, 3) if f"scheduler-{n}" not in holders)
    assert trials(story("healthy", (10, "crash", standby), until=12)) == [(10, "", False)]


def test_of_two_balancers_the_one_with_the_address_counts():
    def broken(host):
        pair = {"name": "x", "title": "X", "topology": {"kind": "stacked", "load_balancers": 2}}
        return run(load(pair), commands=[(10, "power_off", host)], until=12)

    master = next(r.actor.split("@")[-1] for r in broken("cp-1").of("address") if r.detail["held"])
    master = State(broken("cp-1").header["topology"]).host_of(master)
    other = {"lb-1": "lb-2", "lb-2": "lb-1"}[master]
    assert trials(broken(master)) == [(10, "keepalived_power_off", False)]
    assert trials(broken(other)) == [(10, "", False)]
    assert ours(broken(master)).uses["apiserver-1"][-1] == [10 * SECOND, False]


def test_all_servers_are_another_trial_than_one_and_the_only_one_is_all():
    every = tuple((10, "crash", f"apiserver-{n}") for n in (1, 2, 3))
    assert trials(story("healthy", *every, until=12)) == [(10, "all_api_kill", False)]
    assert trials(story("first"))[0] == (20, "all_api_kill", False)


def test_what_no_client_of_the_api_misses_is_no_fault():
    assert trials(story("healthy", (10, "crash", "kube-proxy@worker-1"), (11, "scale", "web", 5), until=12)) == []
    assert [at for at, *_ in trials(story("first"))] == [20, 80]  # the worker that dies at 60 s changes nothing


@pytest.mark.parametrize(
    "deed", [("lose_disk", "cp-1"), ("latency", "cp-1", "cp-2", "40ms", "50ms"), ("slow_disk", "cp-1", "1s")]
)
def test_after_a_deed_that_makes_another_cluster_of_it_there_is_no_trial_any_more(deed):
    trace = story("healthy", (8, *deed), (10, "crash", "apiserver-1"), until=12)
    assert [trial for _, trial, _ in trials(trace)] == ["", ""]


# -- where on the time of the run -------------------------------------------------------------------------------------
def test_a_window_begins_in_calm_and_ends_with_the_first_change_here_or_there():
    told = [(w.begin / SECOND, w.deed.at / SECOND, w.until / SECOND, w.base) for w in windows.windows(story("stacked"))]
    assert told == [(18, 20, 32, 0), (40, 40, 48, 12), (53, 55, 80, 0)]


def test_a_fault_on_top_of_another_has_no_calm_before_it():
    told = [(w.begin / SECOND, w.until / SECOND) for w in windows.windows(story("quorum"))]
    assert told == [(18, 30), (30, 50), (50, 75)]


def test_what_a_reader_breaks_is_shown_if_it_was_recorded_and_else_is_not():
    mine = story("healthy", (20.5, "power_off", "cp-1"), until=40)
    assert [w["title"] for w in windows.beneath(mine)["windows"]] == ["cp-1 without power"]
    assert windows.beneath(story("healthy", (20, "crash", "haproxy-1"), until=40)) is None
    assert windows.beneath(story("healthy", until=40)) is None
    assert windows.beneath(story("etcd-3")) is None


def test_with_another_parameter_than_the_recorded_one_nothing_is_shown():
    assert windows.beneath(run("stacked", params={"haproxy_check": "tcp"}, until=40)) is None
    changed = load({"name": "x", "title": "X", "topology": {"kind": "stacked"}, "params": {"haproxy_fall": 9}})
    assert windows.beneath(run(changed, commands=[(5, "power_off", "cp-1")], until=20)) is None
    same = load({"name": "x", "title": "X", "topology": {"kind": "stacked"}})
    assert windows.beneath(run(same, commands=[(5, "power_off", "cp-1")], until=20)) is not None


def test_whoever_was_hit_there_is_who_is_hit_here():
    (_, _, power) = windows.windows(story("stacked"))
    called = namesakes(power, State(story("stacked").header["topology"]))
    assert [called["server", host] for host in SERVERS] == ["apiserver-3", "apiserver-1", "apiserver-2"]
    assert called["etcd", "h1"] == "etcd-3" and called["kube-scheduler", "h1"] == "scheduler-3"


def test_a_recording_stands_second_by_second_at_the_fault_wherever_that_is():
    (window,) = windows.beneath(story("healthy", (20.5, "power_off", "cp-1"), until=40))["windows"]
    assert window["first"] == 18_500_000 and window["begin"] == 18_500_000
    assert window["fates"]["API writes"]["slow"][:4] == [0, 0, 1, 1]
    assert window["uses"]["apiserver-1"] == [[18_500_000, True], [29_500_000, False]]
    assert window["leads"]["etcd"] == [[18_500_000, "etcd-1"], [20_500_000, ""], [21_500_000, "etcd-3"]]


def test_our_run_has_the_same_columns():
    trace = story("quorum")
    mine = ours(trace)
    requests = [r for r in asked(trace) if r.detail["kind"] == "api"]
    assert sum(sum(counts) for row in mine.fates.values() for counts in row.values()) == len(requests)
    assert sum(mine.fates["API writes"]["ok"][12:20]) == 8
    assert [who for at, who in mine.leads["etcd"] if at <= 20 * SECOND][-1] == ""
    assert mine.uses["apiserver-2"][0] == [0, True]


# -- in what they differ ----------------------------------------------------------------------------------------------
LIKE = Side(
    {"API writes": {"ok": 14, "slow": 6, "failed": 0}},
    {"API writes": {}},
    {"etcd": [(-2.0, "etcd-1"), (0.0, ""), (1.3, "etcd-2")], "kube-scheduler": [(-2.0, "scheduler-2")]},
    {"apiserver-1": [(-2.0, True), (9.1, False)], "apiserver-2": [(-2.0, True)]},
)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("fates", {"API writes": {"ok": 20, "slow": 0, "failed": 0}}, "all 20 answered at once"),
        ("fates", {"API writes": {"ok": 14, "slow": 0, "failed": 6}}, "6 failed of 20"),
        ("errors", {"API writes": {'Post "https://x": EOF': 4}}, "here “EOF”"),
        (
            "leads",
            LIKE.leads | {"etcd": [(-2.0, "etcd-1"), (0.0, ""), (9.0, "etcd-2")]},
            "there for no more than moments, here for 9 s",
        ),
        (
            "leads",
            LIKE.leads | {"kube-scheduler": [(-2.0, "scheduler-2"), (16.0, "scheduler-1")]},
            "taken over after 16 s",
        ),
        ("uses", LIKE.uses | {"apiserver-1": [(-2.0, True), (5.1, False)]}, "there after 9 s, here after 5 s"),
        ("uses", LIKE.uses | {"apiserver-1": [(-2.0, True)]}, "there after 9 s, here none"),
        ("uses", LIKE.uses | {"apiserver-2": [(-2.0, True), (9.5, False)]}, "there after 9 s, here after 9, 10 s"),
    ],
)
def test_every_difference_that_is_no_chance_is_named(field, value, told):
    assert differences(LIKE, LIKE) == []
    found = differences(LIKE, LIKE._replace(**{field: value}))
    assert len(found) == 1 and told in sentence(found, [])


def test_what_two_runs_of_the_real_cluster_differ_by_is_not_called_a_difference():
    near = LIKE._replace(
        fates={"API writes": {"ok": 7, "slow": 4, "failed": 0}},
        errors={"API writes": {"etcdserver: request timed out": 2}},
        uses=LIKE.uses | {"apiserver-1": [(-2.0, True), (11.0, False)]},
    )
    assert sentence(differences(LIKE, near), []) == "Beyond chance, nothing differs."


def test_an_error_is_the_same_whoever_tells_it():
    there = LIKE._replace(errors={"API writes": {'Post "https://BALANCER/api": EOF': 9}})
    assert differences(there, LIKE._replace(errors={"API writes": {"EOF": 9}})) == []


def test_in_what_the_trials_themselves_differ_is_said_too():
    (_, broken, back) = windows.beneath(story("quorum"))["windows"]
    assert "it went: there at once, here one after the other" in broken["sentence"]
    assert "the fault had lasted: there 45 s, here 20 s; stays away: there nothing, here etcd-3" in back["sentence"]
    (only, _) = windows.beneath(story("first"))["windows"]
    assert "API servers: there 3, here 1; balancers: there 1, here 0" in only["sentence"]


def test_a_run_without_a_screen_tells_the_same():
    text = text_summary(story("stacked"))
    assert (
        "The same on a real cluster (Kubernetes 1.37.2, etcd 3.7.3; recorded 2026-11-26 at a load of 3 to 5):" in text
    )
    assert "apiserver-2 in the balancer, there: UP, from +9.0 s DOWN" in text
    assert text.count("What differs") + text.count("Beyond chance") == 3
    assert present(story("stacked"))["beneath"]["windows"][0]["sentence"].split(":")[0] in text


def test_a_recording_is_read_as_it_was_written():
    assert [unfolded(folded(one)) for one in TRIALS] == list(TRIALS)
