"""The simulator beside the real cluster: what the twin holds, shown on the recordings, and what it tolerates."""

import copy
import gzip
import json

import pytest

from tests.oracles.ha import clusters
from tests.oracles.ha.real import trials, twin
from tests.oracles.ha.real.__main__ import FOLDER, SHOWN

SEEDS = range(1, 4)


def recording(name):
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def killed():
    """A recording of a follower's end, and the same trial told by the simulator."""
    real = recording("stacked_etcd_follower_kill")
    return real, [clusters.replay(real, seed) for seed in SEEDS]


@pytest.mark.parametrize("name", SHOWN)
def test_the_simulator_tells_what_the_real_cluster_showed(name):
    real = recording(name)
    assert twin.held(name, real)[0] == []


def more_errors(real, text):
    kind = real["client"]["fresh-write"]
    kind["errors"] = [{"text": text, "code": 500, "count": 5, "took_s": [1, 1]}]


CHANGES = {
    "a lost write": lambda real: real["client"].update(acknowledged_and_missing=1),
    "another text": lambda real: more_errors(real, "etcdserver: too many requests"),
    "an exit": lambda real: real["events"].append([3, "process etcd@h1", "exit 2"]),
    "a check": lambda real: real["events"].append([3, "readyz h1", "500 [-]log"]),
    "a server that stays": lambda real: real.update(events=[e for e in real["events"] if "DOWN" not in str(e[2])]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_twin_notices(killed, change):
    real, ours = killed
    changed = copy.deepcopy(real)
    CHANGES[change](changed)
    assert twin.judged("stacked_etcd_follower_kill", changed, ours)[0]


def test_the_twin_notices_a_leader_that_never_came():
    real = recording("stacked_etcd_leader_kill")
    ours = [clusters.replay(real, seed) for seed in SEEDS]
    real["events"] = [event for event in real["events"] if event[0] < 0 or "leader " not in str(event[2])]
    grave, _ = twin.judged("stacked_etcd_leader_kill", real, ours)
    assert any(line.startswith("order of etcd leaderships") for line in grave)


def test_the_twin_notices_a_member_that_exits_and_a_lease_that_nobody_took_over(killed):
    real, ours = killed
    changed = copy.deepcopy(real)
    changed["events"].append([3, "process etcd@h1", "exit 1"])
    assert any("exit 1" in line for line in twin.judged("stacked_etcd_follower_kill", changed, ours)[0])
    judge = twin.judge_beside(twin.Path(clusters.__file__))
    there, here = judge.Facts(real), judge.Facts(real)
    there.order["take-overs of kube-scheduler"], here.order["take-overs of kube-scheduler"] = 0, 1
    found = list(twin.differences(judge, there, [here]))
    assert found == [("take-overs of kube-scheduler", twin.FEWER, "1")]
    assert not twin.reason("stacked_kcm_sched_kill", *found[0])


def test_what_a_busy_machine_does_is_tolerated_with_its_reason(killed):
    real, ours = killed
    changed = copy.deepcopy(real)
    changed["events"].append([3, "readyz h1", "500 [-]etcd (slow: over 2 s)"])
    grave, tolerated = twin.judged("stacked_etcd_follower_kill", changed, ours)
    assert grave == [] and any("a busy server's 2 s check of etcd" in line for line in tolerated)


@pytest.mark.parametrize("found, fate", [([True, False], 0), ([True, True], 1), ([False], 0)])
def test_a_trial_that_differs_is_run_once_more(monkeypatch, found, fate):
    told = list(found)
    monkeypatch.setattr(twin, "differs", lambda name: told.pop(0))
    assert twin.main(["stacked_api_kill"]) == fate
    assert told == []


def test_a_cluster_that_does_not_come_up_counts_as_a_difference(monkeypatch, capsys):
    def broken(name):
        raise twin.Broken("etcd has not begun to serve")

    monkeypatch.setattr(twin, "record", broken)
    assert twin.differs("stacked_api_kill")
    assert "etcd has not begun to serve" in capsys.readouterr().out


def test_a_seed_chooses_the_trials_and_chooses_them_again():
    assert twin.drawn(7, 3) == twin.drawn(7, 3) != twin.drawn(8, 3)
    assert set(twin.drawn(7, 3)) <= set(trials.NAMED)


def test_a_trial_that_there_is_not_is_one_sentence(capsys):
    with pytest.raises(SystemExit):
        twin.main(["stacked_flood"])
    assert "there is no trial stacked_flood; there are: stacked_etcd_follower_kill," in capsys.readouterr().err
