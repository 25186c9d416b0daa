"""etcd-io/raft's own conversations, and random ones that its library had, replayed against our machine.

The files lie beside the checkout, in ``shared/reference/raft``; they are others' work and no part of this project.
"""

from pathlib import Path

import pytest

from kubemini.etcd import quorum
from tests import conversations

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT.parent / "shared" / "reference" / "raft"
FILES = sorted(FOLDER.rglob("*.txt"))

there = pytest.mark.skipif(not FILES, reason=f"no conversations of etcd-io/raft in {FOLDER}")


@there
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_our_machine_says_what_etcds_says(path):
    assert conversations.difference(path) == []


@there
def test_every_line_that_etcd_logs_there_is_one_that_we_can_say():
    unknown = [
        line
        for path in FILES
        for block in conversations.parse(path.read_text(encoding="utf-8"))
        for line in block.expected
        if conversations.LOG_LINE.match(line) and not conversations.SAYABLE.match(line)
    ]
    assert unknown == []


@there
def test_the_folder_is_whole():
    assert {path.parent.name for path in FILES} == {"raft", "quorum", "confchange", "oracle"}


EDGES = sorted((Path(__file__).resolve().parent / "oracles" / "raft" / "edges").glob("*.txt"))


@pytest.mark.parametrize("path", EDGES, ids=lambda path: path.stem)
def test_at_the_edges_too(path):
    """What go.etcd.io/raft/v3 v3.7.0 says to several ids, to strangers, and to lines that it can refuse."""
    assert conversations.difference(path) == []


@pytest.mark.parametrize(
    ("directive", "words"),
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
def test_a_directive_that_cannot_be_carried_out_is_refused_in_one_line(directive, words):
    text = f"add-nodes 2 voters=(1,2) index=3\n----\n\n{directive}\n----\n{words}\n"
    expected, said = conversations.replay(text)
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
    blocks = list(conversations.parse(CONVERSATION))
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
    said = "\n".join(conversations.replay(CONVERSATION)[1])
    right.write_text(said)
    wrong.write_text(said.replace("match=6 next=7", "match=6 next=9"))
    assert conversations.main([str(right)]) == 0
    assert capsys.readouterr().out == ""
    assert conversations.main([str(right), str(wrong)]) == 1
    out = capsys.readouterr().out
    assert "-1: StateReplicate match=6 next=9" in out and "+1: StateReplicate match=6 next=7" in out


def test_a_log_line_of_ours_that_is_missing_is_a_difference_and_one_of_unknown_words_is_not(tmp_path):
    path = tmp_path / "lines.txt"
    head = "log-level debug\n----\nok\n\nadd-nodes 1 voters=(1) index=3\n----\n"
    lines = ["INFO 1 switched to configuration voters=(1)", "INFO 1 became follower at term 0"]
    start = "INFO newRaft 1 [peers: [1], term: 0, commit: 3, applied: 3, lastindex: 3, lastterm: 1]"
    path.write_text(head + "\n".join([*lines, "INFO the moon is full", start]) + "\n")
    assert conversations.difference(path) == []
    path.write_text(head + "\n".join([lines[0], start]) + "\n")
    assert conversations.difference(path) != []


def test_a_majority_of_every_set_is_needed_and_an_empty_set_objects_to_nothing():
    match = {1: 7, 2: 5, 3: 3, 4: 1}.__getitem__
    assert quorum.committed([{1, 2, 3}], match) == 5
    assert quorum.committed([{1, 2, 3}, {3, 4}], match) == 1
    assert quorum.committed([{1, 2, 3}, set()], match) == 5
    assert quorum.verdict([{1, 2}, {3}], {1: True, 2: True, 3: False}) == quorum.LOST
