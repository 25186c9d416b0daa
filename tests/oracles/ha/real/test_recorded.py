"""What is written of a trial on the real cluster: the fates of requests, the rows of the strips, the files here."""

import gzip
import json
from types import SimpleNamespace

import pytest

from tests.oracles.ha.members import judge_beside
from tests.oracles.ha.real import fates, room, trials
from tests.oracles.ha.real.__main__ import FOLDER, SHOWN, main
from tests.oracles.ha.real.run import written
from tests.oracles.ha.real.strips import column, strips

STRUCK = 1000.0
CLUSTER = SimpleNamespace(members=("h1", "h2", "h3"), balancers=("lb1",))
FILES = sorted(FOLDER.glob("*.json.gz"))


def row(at, ms=5, kind="fresh-write", **more):
    return {"t": STRUCK + at, "ms": ms, "k": kind, "ok": "err" not in more, **more}


def read(file):
    return json.loads(gzip.decompress(file.read_bytes()))


def test_a_request_belongs_to_the_second_in_which_it_was_begun():
    asked = {"fresh-write": [row(-0.5), row(0.2, 1500), row(0.9, 34_000, err="Timeout", code=504), row(1.0)]}
    rows = fates.by_second(asked, STRUCK, range(-1, 2))
    assert rows == {"fresh-write": [[1, 0, 0], [0, 1, 1], [1, 0, 0]]}


def test_a_write_that_was_answered_and_is_not_there_is_lost():
    asked = {"fresh-write": [row(0, n="w-1"), row(1, n="w-2"), row(2, n="w-3", err="EOF")]}
    told = fates.told(asked, STRUCK, (-1, 9), {"w-1", "w-3"})
    assert (told["acknowledged_writes"], told["acknowledged_and_missing"]) == (2, 1)
    assert told["fresh-write"]["errors"][0]["found_later"] == 1


def test_texts_that_differ_by_an_address_or_a_name_are_one():
    first = (
        'Post "https://192.0.2.10:6443/api/v1/namespaces/trial/configmaps": read tcp 192.0.2.5:40000->192.0.2.10:6443'
    )
    assert fates.general(first) == fates.general(first.replace("40000", "40001").replace("trial", "other"))
    assert fates.general(first) == 'Post "https://BALANCER/api/v1/namespaces/NS/configmaps": read tcp CLIENT->BALANCER'


def test_a_state_is_the_last_one_before_the_end_of_its_second():
    told = [(-3.0, "lb1 h2", "UP L7OK"), (0.9, "lb1 h2", "UP 2/3 L4CON"), (4.65, "lb1 h2", "DOWN L4CON")]
    assert column(told, range(0, 6), "lb1 h2") == ["UP 2/3 L4CON"] * 4 + ["DOWN L4CON"] * 2


def test_who_most_members_call_leader_leads():
    changes = [(STRUCK - 1, f"etcd {member}", "leader h1 term 2") for member in CLUSTER.members]
    changes += [(STRUCK + 0.1, "etcd h1", "no answer"), (STRUCK + 1.2, "etcd h2", "leader none term 2")]
    changes += [(STRUCK + 1.9, "etcd h3", "leader h3 term 3"), (STRUCK + 2.5, "etcd h2", "leader h3 term 3")]
    rows = strips(CLUSTER, {}, changes, STRUCK, (0, 4))
    assert (rows["leader"], rows["term"]) == (["h1", "h3", "h3", "h3"], [2, 3, 3, 3])


def test_the_same_record_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        written({"name": "x", "events": [[0.1, "etcd h1", "no answer"]]}, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_everything_that_the_book_shows_can_be_recorded_and_is():
    assert set(SHOWN) <= set(trials.NAMED)
    assert [file.name for file in FILES] == sorted(f"{name}.json.gz" for name in SHOWN)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
def test_a_recording_is_whole(file):
    told = read(file)
    start, end = told["window_s"]["client"]
    topology, trial = trials.NAMED[told["name"]]
    assert (told["topology"], told["hold_s"], end) == (topology, trial.hold, trial.until)
    assert told["client"]["acknowledged_and_missing"] == 0
    rows = told["strips"]
    named = [
        *rows["requests"].values(),
        *rows["ready"].values(),
        *rows["holders"].values(),
        *rows["processes"].values(),
    ]
    named += [states for servers in rows["balancer"].values() for states in servers.values()]
    assert {len(one) for one in [*named, rows["leader"], rows["term"]]} == {end - start}
    assert {"h1", "h2", "h3"} <= set(rows["ready"]) and "kubernetes" in told["versions"] and told["date"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
def test_the_judge_can_read_a_recording_and_it_fits_itself(file):
    judge, told = judge_beside(FOLDER.parent / "x.json"), read(file)
    assert judge.compare([told], told) == []


def test_a_trial_that_there_is_not_is_one_sentence(capsys):
    assert main(["stacked_flood"]) == 2
    assert capsys.readouterr().err.startswith("there is no trial stacked_flood; there are: stacked_etcd_follower_kill,")


def test_without_a_program_that_is_needed_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(room.os, "geteuid", lambda: 0)
    monkeypatch.setattr(room.shutil, "which", lambda program, path: None if program == "keepalived" else program)
    with pytest.raises(room.Unfit, match="keepalived is not installed: apt-get install keepalived"):
        room.fit()
