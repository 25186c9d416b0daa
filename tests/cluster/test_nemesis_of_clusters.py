"""The nemesis on whole clusters: whatever is gone, and in which way, what was acknowledged is kept, and all heals."""

import pytest

from kubemini import run
from kubemini.apiserver.storage import Storage, Written, with_version
from kubemini.client.election import Observed
from kubemini.loadbalancer.decide.health import ServerHealth
from kubemini.scenarios import load
from tests.worlds import duties, nemesis
from tests.worlds.clusters import QUIET, TROUBLE, ClusterAuthor
from tests.worlds.shrinking import breaches
from tests.worlds.verdicts import well_since

STEP = 4
FEW = 12  # runs that shrinking may take here


@pytest.mark.parametrize("first", range(0, 20, STEP))  # `make soak` tries thousands
@pytest.mark.some(1)
def test_a_cluster_keeps_its_word_and_recovers_by_itself(first):
    assert nemesis.hunt(range(first, first + STEP), clusters=True) is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.some(2)
def test_a_plot_is_a_value_and_mends_what_it_breaks(seed):
    plot = ClusterAuthor(seed).plot()
    assert plot == ClusterAuthor(seed).plot()
    trace = run(plot.scenario())
    assert well_since(trace) is not None
    faults = [r.at for r in trace.of("command") if r.detail["action"] not in duties.ASKED]
    assert max(faults) <= QUIET + TROUBLE


def test_every_program_and_every_host_is_gone_in_every_way():
    entries = [what for seed in range(300) for _, what in ClusterAuthor(seed).plot().entries if len(what) > 1]
    done = {(action, name) for action, names, *_ in entries for name in names.split(",")}
    author = ClusterAuthor(0)
    programs, hosts = set(author.programs), {*author.planes, *author.workers, "lb-1"}
    assert {(how, name) for how in ("crash", "stop", "pause") for name in programs} <= done
    assert {(how, name) for how in ("power_off", "cut") for name in hosts} <= done


# -- every rule can fail ----------------------------------------------------------------------------------------------
def hopeful_create(create):
    """An API server that takes "nobody knows" for "done"."""

    def hopeful(self, kind, namespace, name, obj, *more, **named):
        made = yield from create(self, kind, namespace, name, obj, *more, **named)
        unknown = not getattr(made, "definite", True)
        return Written(None, with_version(obj, 1)) if unknown else made

    return hopeful


PLANTED = [  # and from which seed on to look for it
    ("no acknowledged write lost", Storage, "create", hopeful_create, 8),
    ("one acting holder", Observed, "valid", lambda valid: lambda self, now, length: False, 0),
    ("everything recovers", ServerHealth, "passed", lambda passed: lambda self: False, 0),
]


@pytest.mark.parametrize(("rule", "owner", "name", "wrong", "first"), PLANTED, ids=[rule for rule, *_ in PLANTED])
def test_a_fault_that_is_planted_is_noticed(rule, owner, name, wrong, first, monkeypatch):
    monkeypatch.setattr(owner, name, wrong(getattr(owner, name)))
    plots = (ClusterAuthor(seed).plot() for seed in range(first, first + 60))
    assert any(breach.rule == rule for plot in plots for breach in breaches(plot.scenario()))


def test_what_is_found_becomes_a_short_scenario(monkeypatch, tmp_path):
    monkeypatch.setattr(ServerHealth, "passed", lambda self: False)
    monkeypatch.setattr(nemesis, "FOLDER", tmp_path)
    monkeypatch.setattr("tests.worlds.shrinking.TRIES", FEW)
    catch = nemesis.hunt(range(60), clusters=True)
    assert catch.breach.rule == "everything recovers" and len(catch.plot.entries) < len(catch.drawn.entries)
    file = nemesis.written(catch.plot, catch.breach, "found")
    assert load(file).title == "What does not recover by itself"
    assert nemesis.verdict(str(file)) == 1
    monkeypatch.undo()
    assert nemesis.verdict(str(file)) == 0
