"""Every decider names the upstream symbol it follows, or says that there is none."""

import ast

import pytest

from tests.house.models import Model, deciders, drifted, main, models, said
from tests.house.sources import name, tree


@pytest.mark.parametrize("path", deciders(), ids=name)
def test_a_decider_names_what_it_models(path):
    ours = "Models nothing upstream: " in (ast.get_docstring(tree(path)) or "")
    assert bool(models(path)) != ours, f"{name(path)}: say which symbol it follows: Models k/k pkg/… Symbol"


def test_there_are_deciders_in_every_program():
    assert {name(path).split("/")[1] for path in deciders()} >= {"apiserver", "controllers", "kubelet", "scheduler"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Models k/k pkg/kubelet getPhase", [("k/k", "pkg/kubelet", "getPhase")]),
        ("One thing.\n\nModels raft . Raft.Step bcastAppend.\nMore.", [("raft", ".", "Raft.Step", "bcastAppend")]),
        (
            "Models k/k pkg/a A, B; defaults: k/k pkg/b C\n(legacy), pkg/d E.",
            [("k/k", "pkg/a", "A"), ("k/k", "pkg/a", "B"), ("k/k", "pkg/b", "C"), ("k/k", "pkg/d", "E")],
        ),
        ("Models raft . stepLeader, raft.hup.", [("raft", ".", "stepLeader"), ("raft", ".", "raft.hup")]),
        ("Models k/k pkg/a A\nModels k/k pkg/b B\nSimplified: no C.", [("k/k", "pkg/a", "A"), ("k/k", "pkg/b", "B")]),
        ("Models etcd server/a\nstore.Read. It follows D.", [("etcd", "server/a", "store.Read")]),
        ("Models k/k pkg/kubelet", []),
        ("Models a kubelet.", []),
    ],
)
def test_what_a_docstring_says_is_read(text, expected):
    assert said(text) == [Model("", repository, path, tuple(symbols)) for repository, path, *symbols in expected]


def test_the_list_has_a_line_a_symbol(capsys):
    assert main() == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(lines) > 50 and all(len(line) == 4 for line in lines)


GO = """package util
type Queue struct { dirty set }
func (q *Queue) Add(item int) {}
func Backoff() {}
const (
	Forever = 1
)
"""


@pytest.mark.parametrize("symbol", ["Queue", "Queue.Add", "Add", "Backoff", "Forever"])
def test_a_symbol_that_is_there_has_not_drifted(tmp_path, symbol):
    (tmp_path / "util").mkdir()
    (tmp_path / "util" / "queue.go").write_text(GO)
    row = Model("here", "k/client-go", "util", (symbol,)), symbol
    assert list(drifted([row], {"k/client-go": tmp_path})) == []
    assert list(drifted([row], {"k/client-go/util": tmp_path / "util"})) == []
    assert list(drifted([row], {"k/k": tmp_path})) == []  # nobody asked about this repository


@pytest.mark.parametrize("symbol", ["Queues", "Stack.Add", "Remove"])
def test_one_that_has_moved_is_listed(tmp_path, symbol):
    (tmp_path / "queue.go").write_text(GO)
    (tmp_path / "queue_test.go").write_text("func Remove() {}")
    row = Model("here", "k/client-go", ".", (symbol,)), symbol
    assert list(drifted([row], {"k/client-go": tmp_path})) == [row]
