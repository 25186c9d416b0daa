"""The nemesis on a whole etcd: what is right breaks no rule, and what is wrong becomes a short scenario to look at."""

import subprocess
import sys

import pytest

from kubemini import run, session, show
from kubemini.scenarios import load
from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND
from tests.mutants.mutant import ROOT
from tests.mutants.replication import DRIVEN
from tests.worlds import nemesis
from tests.worlds.plots import QUIET, TROUBLE, Author
from tests.worlds.verdicts import Breach, judge, well_since

# A fault, and from which seed on to look for it.
CAUGHT = [
    ("reads-unconfirmed", 40),
    ("never-cuts", 1),
    ("sends-before-fsync", 21),
    ("vote-twice", 14),
    ("vote-not-kept", 17),
    ("vote-for-any-log", 110),
    ("minority-commits", 10),
    ("any-confirmation", 45),
    ("answers-for-the-dead", 17),
]
MOST = 7  # lines that what is left of a plot may have


@pytest.mark.parametrize("first", range(0, 30, 10))
@pytest.mark.some(1)
def test_etcd_breaks_no_rule_whatever_happens_to_it(first):
    assert nemesis.hunt(range(first, first + 10)) is None


@pytest.mark.parametrize("file", sorted((ROOT / "tests/etcd/nemesis").glob("*.yaml")), ids=lambda file: file.stem)
def test_what_the_nemesis_once_found_is_mended(file):
    assert nemesis.verdict(str(file)) == 0


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.some(3)
def test_a_plot_is_a_value_and_mends_what_it_breaks(seed):
    plot = Author(seed).plot()
    assert plot == Author(seed).plot()
    well = well_since(run(plot.scenario()))
    assert well is not None and well <= QUIET + TROUBLE


@pytest.mark.parametrize("name, seed", CAUGHT, ids=[name for name, _ in CAUGHT])
@pytest.mark.some(2)
def test_a_fault_of_raft_becomes_a_short_scenario_that_opens_in_the_widget(name, seed):
    look = [sys.executable, "-m", "tests.mutants", "--nemesis", name]
    done = subprocess.run([*look, "80", str(seed)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    file = nemesis.FOLDER / f"{name}.yaml"
    scenario = load(file)
    assert len(scenario.faults) <= MOST
    sentence = " ".join(scenario.about.split())
    assert done.stdout.splitlines()[0] == sentence
    again = subprocess.run([*look, str(file)], cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 1 and sentence in again.stdout
    assert judge(run(file)) == []
    answer = session.handle({"op": "simulate", "id": 1, "spec": {"scenario": str(file)}})
    assert answer["op"] == "trace" and answer["run"]["header"]["title"] == scenario.title
    assert show(file).run == answer["run"]


@pytest.mark.parametrize("mutant", DRIVEN, ids=lambda mutant: mutant.name)
def test_a_fault_of_the_driver_fits_the_source_as_it_is(mutant):
    compile(mutant.source(), mutant.name, "exec")


@pytest.mark.parametrize("seed", range(12))
def test_a_written_file_is_the_plot(seed, tmp_path, monkeypatch):
    monkeypatch.setattr(nemesis, "FOLDER", tmp_path)
    plot = Author(seed).plot()
    file = nemesis.written(plot, Breach("agreement", 0, 'etcd-1 said: "no" {at 5s}'), "one")
    ours, theirs = plot.scenario(), load(file)
    assert theirs.about.strip() == 'agreement: etcd-1 said: "no" {at 5s}.'
    same = ("topology", "params", "workload", "faults", "seed", "until")
    assert [getattr(theirs, name) for name in same] == [getattr(ours, name) for name in same]


def test_a_file_is_judged_too_and_a_bad_one_is_one_sentence(tmp_path, capsys):
    assert nemesis.main(["etcd-3"]) == 0
    (tmp_path / "bad.yaml").write_text("title: Bad\n")
    assert nemesis.main([str(tmp_path / "bad.yaml")]) == 2
    told = capsys.readouterr()
    assert told.out == "every rule held\n"
    assert told.err == "nemesis: bad.yaml: topology is missing; it is a mapping\n"


def test_without_a_breach_it_says_how_many_held(capsys):
    assert nemesis.main(["3", "7"]) == 0
    assert capsys.readouterr().out == "3 scenarios: every rule held\n"


# -- the judge -----------------------------------------------------------------------------------------------------


def story(*records):
    """A trace of 30 s in which so much happened: (seconds, actor, what, details)."""
    return Trace(
        {"until": 30 * SECOND}, [Record(round(at * SECOND), who, what, rest) for at, who, what, rest in records]
    )


def request(started, ended, verb, key, number=1, outcome="ok", **detail):
    rest = {"id": f"c/{number}", "kind": "etcd", "verb": verb, "path": key, "via": ["etcd-1"], "outcome": outcome}
    return ended, "c", "request", {**rest, "started": round(started * SECOND), "why": "no leader", **detail}


def kv(at, key, value, revision):
    return at, "etcd-1", "kv", {"key": key, "value": value, "revision": revision}


def role(at, member, term, role="leader"):
    return at, member, "role", {"role": role, "term": term, "lead": member}


def entry(at, member, what, index, **rest):
    return at, member, what, {"index": index, **rest}


WRONG = (
    (
        [role(1, "etcd-1", 2), role(1.5, "etcd-3", 2)],
        "election safety: etcd-1 became leader of term 2 at 1.000s, etcd-3 too at 1.500s.",
    ),
    (
        [
            role(1, "etcd-1", 2),
            entry(1, "etcd-2", "append", 4, term=2),
            entry(2, "etcd-1", "commit", 5),
            role(3, "etcd-2", 3),
        ],
        "leader completeness: etcd-2 becomes leader of term 3 at 3.000s with a log up to entry 4, "
        "but 5 was committed before.",
    ),
    (
        [
            entry(1, "etcd-1", "append", 4, term=2),
            entry(1, "etcd-2", "append", 4, term=3),
            entry(2, "etcd-1", "commit", 4),
            entry(3, "etcd-2", "commit", 4),
        ],
        "state machine safety: entry 4 is of term 2 for etcd-1 (committed at 2.000s), of term 3 for etcd-2 (3.000s).",
    ),
    (
        [entry(1, "etcd-1", "commit", 4), entry(2, "etcd-1", "truncate", 3)],
        "state machine safety: etcd-1 throws away entry 3, which it had for committed (2.000s).",
    ),
    (
        [entry(1, "etcd-1", "apply", 4, revision=3), entry(2, "etcd-2", "apply", 4, revision=4)],
        "state machine safety: after entry 4 etcd-1 is at revision 3 (1.000s), etcd-2 at 4 (2.000s).",
    ),
    (
        [request(1, 2, "put", "a", value="1")],
        "no acknowledged write lost: put a=1 of 1.000s through etcd-1 was acknowledged at 2.000s, "
        "but no revision in the store's history holds it.",
    ),
    (
        [
            kv(1.5, "a", "1", 2),
            request(1, 2, "put", "a", value="1"),
            request(3, 4, "get", "a", 2, answer="(nothing)"),
        ],
        "linearizable reads: get a of 3.000s through etcd-1 was answered with (nothing) at 4.000s, "
        "but by then it was 1.",
    ),
    (
        [request(3, 4, "get serializable", "a", answer="1"), kv(5, "a", "1", 2)],
        "serializable reads: get serializable a of 3.000s through etcd-1 was answered with 1 at 4.000s, "
        "which no revision holds.",
    ),
    (
        [kv(1, "a", "1", 2), kv(2, "a", "2", 3), request(20, 20.1, "get serializable", "a", answer="1")],
        "agreement: get serializable a of 20.000s through etcd-1 was answered with 1 at 20.100s, "
        "but 2 is newer (2.000s).",
    ),
    (
        [(3, "etcd-1", "crash", {}), (4, "etcd-1", "start", {}), request(20, 25, "get", "a", outcome="unknown")],
        "progress after healing: get a of 20.000s through etcd-1 failed: no leader, though everything was well "
        "since 4.000s.",
    ),
    (
        [(5, "network", "heal", {}), (20, "you", "command", {"action": "put", "args": ["a", "1"]})],
        "progress after healing: put a 1 of 20.000s had no answer by the end, though everything was well since 0.000s.",
    ),
)
RIGHT = (
    [role(1, "etcd-1", 2), role(1, "etcd-3", 2, "candidate"), role(2, "etcd-3", 3)],
    # a leader of an earlier term that hears late of its election need not know what a later one committed
    [
        entry(1, "etcd-2", "append", 4, term=2),
        role(2, "etcd-1", 4),
        entry(2, "etcd-1", "commit", 5),
        role(3, "etcd-2", 3),
    ],
    # what was not on disk may be lost in a crash, and come back in another term
    [
        entry(1, "etcd-1", "append", 4, term=2),
        (2, "etcd-1", "start", {}),
        entry(2, "etcd-1", "commit", 4),
        entry(3, "etcd-2", "append", 4, term=3),
        entry(3, "etcd-2", "commit", 4),
    ],
    # a write that nobody answered may have happened, and may not
    [kv(2, "a", "1", 2), request(3, 4, "get", "a", answer="1"), request(5, 6, "put", "a", 2, "unknown", value="2")],
    # an old value is a good answer to a serializable read while something is broken
    [
        kv(1, "a", "1", 2),
        kv(2, "a", "2", 3),
        (3, "network", "cut", {"a": ["x"], "b": ["y"]}),
        request(20, 20.1, "get serializable", "a", answer="1"),
        request(20, 25, "put", "a", 2, "unknown", value="3"),
    ],
)


@pytest.mark.parametrize("records, sentence", WRONG, ids=[sentence.split(":")[0] for _, sentence in WRONG])
def test_the_judge_says_in_a_sentence_what_was_broken_and_when(records, sentence):
    assert [str(breach) for breach in judge(story(*records))] == [sentence]


@pytest.mark.parametrize("records", RIGHT, ids=range(len(RIGHT)))
def test_the_judge_is_silent_about_what_is_allowed(records):
    assert judge(story(*records)) == []
