"""Conversations, replayed against our machine: what is expected in them is what etcd-io/raft's own library said.

Ours are in recorded/, scripts of ours and random ones (`record.py`). The project's published ones are others' work and
no part of this one; where they lie beside the checkout, in ``shared/reference/raft``, they are replayed too.
"""

import pytest

from kubemini.etcd.raft import quorum
from tests.oracles.build import ROOT
from tests.oracles.raft import compare
from tests.oracles.raft.grammar import directive, parse, render
from tests.oracles.raft.record import SEEDS, files
from tests.oracles.raft.scripts import conversation
from tests.oracles.raft.tables import Tables
from tests.oracles.raft.words import LOG_LINE, SAYABLE

FOLDER = ROOT.parent / "shared" / "reference" / "raft"
PUBLISHED = sorted(FOLDER.rglob("*.txt"))
ABSENT = pytest.param(
    None, id="absent", marks=pytest.mark.skip(f"etcd-io/raft's published conversations are not in {FOLDER}")
)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_our_machine_says_what_etcds_library_said(path):
    assert compare.difference_in(path) == []


@pytest.mark.parametrize("path", PUBLISHED or [ABSENT], ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_our_machine_says_what_etcds_own_files_say(path):
    assert compare.difference_in(path) == []


def test_every_line_that_etcd_logs_there_is_one_that_we_can_say():
    unknown = [
        line
        for path in [*files(), *PUBLISHED]
        for block in parse(path.read_text(encoding="utf-8"))
        for line in block.expected
        if LOG_LINE.match(line) and not SAYABLE.match(line)
    ]
    assert unknown == []


def test_whatever_can_be_said_is_said_in_a_recording_and_every_script_was_answered():
    blocks = [block for path in files() for block in parse(path.read_text(encoding="utf-8")) if block.head]
    known = {name.removeprefix("do_").replace("_", "-") for name in dir(Tables) if name.startswith("do_")}
    assert known - {block.command.strip("_") for block in blocks} == set()
    assert [block.line for block in blocks if block.expected == []] == []
    assert {f"random-{seed}" for seed in SEEDS} <= {path.stem for path in files()}


def test_a_seed_writes_the_same_conversation_again_and_another_seed_another():
    assert render(conversation(5)) == render(conversation(5)) != render(conversation(6))


def test_a_conversation_survives_being_read_and_written():
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert render(parse(text)) == text
    odd = [directive("stabilize", "v1 v2")]
    odd[0].expected = ["one", "", "two"]
    assert [block.expected for block in parse(render(odd)) if block.head] == [["one", "", "two"]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("campaign", "campaign: a number is missing"),
        ("campaign x", "campaign: a number is missing"),
        ("campaign 9", "there is no node 9; there are 2"),
        ("campaign 0", "there is no node 0; there are 2"),
        ("report-unreachable 1 9", "there is no node 9; there are 2"),
        ("transfer-leadership from=1", "transfer-leadership: to: expected a number, got ''"),
        ("transfer-leadership from=1 to=9", "there is no node 9; there are 2"),
        ("propose 1", "propose: expected exactly one key with no vals"),
        ("compact 1", "compact: expected two numbers"),
        ("compact 1 99", "compact 99 is out of bound: 3 is applied"),
        ("send-snapshot 1", "send-snapshot: expected two numbers"),
        ("log-level", "log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]"),
        ("set-randomized-election-timeout 1", "set-randomized-election-timeout: timeout: expected a number, got ''"),
        ("add-nodes", "add-nodes: a number is missing"),
        ("add-nodes 1 voters=(x)", "add-nodes: voters: expected a number, got 'x'"),
        ("add-nodes 1 index=x", "add-nodes: index: expected a number, got 'x'"),
        ("add-nodes 1 inflight=x", "add-nodes: inflight: expected a number, got 'x'"),
        ("deliver-msgs 9 drop=(x)", "deliver-msgs: drop: expected a number, got 'x'"),
        ("process-ready 9", "there is no node 9; there are 2"),
        ("propose-conf-change 1\nv", "unknown token v"),
    ],
)
def test_a_directive_that_cannot_be_carried_out_is_refused_in_one_line(line, words):
    text = f"add-nodes 2 voters=(1,2) index=3\n----\n\n{line}\n----\n{words}\n"
    expected, said = compare.replay(parse(text))
    assert said[-1] == words == expected[-1]


CONVERSATION = """\
# Two members and a learner.
add-nodes 3 voters=(1,2) learners=(3) index=5 inflight=2
----
ok

log-level warn
----
ok

campaign 1
----
ok

stabilize
----
ok

propose 1 x
----
ok

status 1
----
1: StateReplicate match=6 next=7
2: StateReplicate match=6 next=8 inflight=1
3: StateReplicate match=6 next=8 learner inflight=1

propose 2
----
ok

deliver-msgs drop=(3) type=MsgApp
----
no messages

frobnicate
----
unknown command
"""


def test_a_file_is_taken_apart_and_put_together():
    blocks = list(parse(CONVERSATION))
    assert blocks[0].command == "add-nodes"
    assert blocks[0].args == [
        ("3", []),
        ("voters", ["1", "2"]),
        ("learners", ["3"]),
        ("index", ["5"]),
        ("inflight", ["2"]),
    ]
    assert blocks[0].before == ["# Two members and a learner."]
    assert blocks[5].expected[1] == "2: StateReplicate match=6 next=8 inflight=1"


def test_a_file_that_agrees_says_nothing_and_one_that_does_not_is_shown(tmp_path, capsys):
    right, wrong = tmp_path / "right.txt", tmp_path / "wrong.txt"
    said = "\n".join(compare.replay(parse(CONVERSATION))[1])
    right.write_text(said)
    wrong.write_text(said.replace("match=6 next=7", "match=6 next=9"))
    assert compare.main([str(right)]) == 0
    assert capsys.readouterr().out == ""
    assert compare.main([str(right), str(wrong)]) == 1
    out = capsys.readouterr().out
    assert "-1: StateReplicate match=6 next=9" in out and "+1: StateReplicate match=6 next=7" in out


def test_a_log_line_of_ours_that_is_missing_is_a_difference_and_one_of_unknown_words_is_not(tmp_path):
    path = tmp_path / "lines.txt"
    head = "log-level debug\n----\nok\n\nadd-nodes 1 voters=(1) index=3\n----\n"
    lines = ["INFO 1 switched to configuration voters=(1)", "INFO 1 became follower at term 0"]
    start = "INFO newRaft 1 [peers: [1], term: 0, commit: 3, applied: 3, lastindex: 3, lastterm: 1]"
    path.write_text(head + "\n".join([*lines, "INFO the moon is full", start]) + "\n")
    assert compare.difference_in(path) == []
    path.write_text(head + "\n".join([lines[0], start]) + "\n")
    assert compare.difference_in(path) != []


def test_a_majority_of_every_set_is_needed_and_an_empty_set_objects_to_nothing():
    match = {1: 7, 2: 5, 3: 3, 4: 1}.__getitem__
    assert quorum.committed([{1, 2, 3}], match) == 5
    assert quorum.committed([{1, 2, 3}, {3, 4}], match) == 1
    assert quorum.committed([{1, 2, 3}, set()], match) == 5
    assert quorum.verdict([{1, 2}, {3}], {1: True, 2: True, 3: False}) == quorum.LOST
