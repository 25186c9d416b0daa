"""What the page shows of the real cluster is derived from the recordings, and from nothing else."""

import json

from kubemini.view.beneath import recordings
from kubemini.view.beneath.recordings import folded
from tests.oracles.ha import strips

MOST = 60_000  # bytes, of all that ships with the book
TRIAL = {
    "topology": "stacked",
    "trial": "etcd_leader_kill",
    "date": "2026-11-26",
    "versions": {"kubernetes": "1.37.2", "etcd": "3.7.3", "haproxy": "2.6.12", "keepalived": "2.2.7"},
    "loadavg_1m": [2.0, 3.0],
    "target": {"hit": ["etcd@h2"]},
    "hold_s": 2,
    "undone_s": 2.04,
    "client": {"fresh-write": {"errors": [{"text": "EOF", "begun_s": [0.2, 1.1], "count": 2}]}},
    "strips": {
        "from_s": -1,
        "requests": {"fresh-read": [[2, 0, 0]] * 4, "fresh-write": [[2, 0, 0], [0, 1, 1], [1, 0, 1], [40, 0, 0]]},
        "leader": ["h2", "", "h1", "h1"],
        "balancer": {"lb1": {"h1": ["UP"] * 4, "h2": ["UP", "UP", "DOWN", ""], "h3": ["UP"] * 4}},
        "ready": {"h1": [200] * 4, "h2": [200, 500, 0, 0], "h3": [200] * 4},
        "holders": {"kube-scheduler": ["?", "h2", "", "h3"], "kube-controller-manager": ["h1"] * 4},
    },
}


def test_what_is_shipped_is_what_the_recordings_say():
    assert strips.DERIVED.read_text(encoding="utf-8") == strips.derived(), "python -m tests.oracles.ha.strips"


def test_it_is_small_enough_for_a_page_that_loads_it():
    assert len(strips.DERIVED.read_bytes()) <= MOST


def test_a_trial_is_told_by_second_and_by_what_changed():
    told = strips.recording(TRIAL)
    assert (told.hit, told.begins, told.undone, told.ends) == (["h2"], -1, 2.0, 3)
    assert told.fates["API writes"] == {"ok": [2, 0, 1, 40], "slow": [0, 1, 0, 0], "failed": [0, 1, 1, 0]}
    assert told.errors == {"API writes": [["EOF", 0.2, 1.1, 2]], "API reads": []}
    assert told.leads["etcd"] == [[-1, "h2"], [0, ""], [1, "h1"]]
    assert told.leads["kube-scheduler"] == [[0, "h2"], [1, ""], [2, "h3"]]
    assert told.uses["h2"] == [[-1, True], [1, False]]
    assert told.versions == "Kubernetes 1.37.2, etcd 3.7.3, HAProxy 2.6.12"
    assert told.nodes == {"etcd": ["h1", "h2", "h3"], "servers": ["h1", "h2", "h3"], "balancers": ["lb1"]}
    assert strips.recording(TRIAL | {"topology": "external"}).nodes["etcd"] == ["e1", "e2", "e3"]


def test_of_two_balancers_the_one_with_the_address_is_asked():
    lb = {"h1": ["UP"] * 4, "h2": ["UP"] * 4, "h3": ["UP"] * 4}
    pair = TRIAL["strips"]["balancer"] | {"lb2": lb | {"h2": ["DOWN"] * 4}}
    told = strips.recording(
        TRIAL | {"strips": TRIAL["strips"] | {"balancer": pair, "address": ["lb1", "", "lb2", "lb2 lb1"]}}
    )
    assert told.uses["h1"] == [[-1, True], [0, False], [1, True]]
    assert told.uses["h2"] == [[-1, True], [0, False]]


def test_a_file_is_one_line_a_trial_and_is_read_back():
    (line,) = [json.dumps(folded(strips.recording(TRIAL)))]
    assert recordings.unfolded(json.loads(line)).leads == strips.recording(TRIAL).leads
