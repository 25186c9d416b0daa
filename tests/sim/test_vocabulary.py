"""The words of the trace: who writes them and with what, and that a new one is one declaration."""

import json
import re

import pytest

from kubemini.cluster import Cluster
from kubemini.scenarios import names
from kubemini.sim import Sim, Trace
from kubemini.sim.vocabulary import WORDS, word
from kubemini.sim.vocabulary.word import KUBELET
from kubemini.view.scene import present
from kubemini.view.words import rows
from tests.runs import run_once


@pytest.mark.parametrize("name", names())
def test_a_word_is_written_by_whom_and_with_what_it_says(name):
    for record in run_once(name):
        declared = WORDS[record.what]
        assert re.fullmatch(declared.by, record.actor), record
        fields = set(re.findall(r"\w+", declared.says[declared.says.index("{") :]))
        assert set(record.detail) <= fields, record


def test_every_word_says_who_writes_it_and_which_fields_it_has():
    for declared in WORDS.values():
        assert declared.by and "{" in declared.says and "}" in declared.says, declared


@pytest.fixture
def hiccup():
    yield word("hiccup", KUBELET, "a kubelet hiccups; {times}", lambda d: f"hiccups {d['times']} times")
    del WORDS["hiccup"]


def test_a_new_word_is_one_declaration(hiccup):
    cluster = Cluster.single(workers=1)
    cluster.trace.header.update(scenario="hiccups", title="Hiccups", commands=[])
    cluster.run("2s")
    cluster.sim.record("kubelet@worker-1", "hiccup", times=3)
    cluster.trace.header["until"] = 2_000_000
    assert ("2.000", "kubelet@worker-1", "hiccups 3 times") in [tuple(row[:3]) for row in rows(cluster.trace)]
    again = Trace.from_jsonl(cluster.trace.to_jsonl())
    assert again.of("hiccup")[0].detail == {"times": 3}
    assert "hiccup" in json.dumps(present(cluster.trace))


def test_a_word_is_declared_once(hiccup):
    with pytest.raises(AssertionError, match="has a word 'hiccup' already"):
        word("hiccup", KUBELET, "again; {}")


def test_without_its_declaration_it_is_refused():
    with pytest.raises(AssertionError, match="declare it in kubemini/sim/vocabulary"):
        Sim().record("kubelet@worker-1", "hiccup", times=3)
