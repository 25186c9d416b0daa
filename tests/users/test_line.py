"""A line of etcdctl is read once, whoever carries it out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.users.decide import etcdctl, members
from kubemini.users.decide.etcdctl import Ask
from kubemini.users.decide.line import COMMANDS, Terminal, Unknown, read
from kubemini.wire.rpc import DEADLINE, Reply

LISTED = {
    "members": [
        {"ID": 1, "name": "etcd-1", "peerURLs": ["http://etcd-1:2380"], "clientURLs": [], "isLearner": False},
        {"ID": 4, "name": "", "peerURLs": ["http://etcd-4:2380"], "clientURLs": [], "isLearner": True},
    ]
}


def terminal():
    return Terminal(["etcd-1", "etcd-2"], {1: "etcd-1", 2: "etcd-2", 3: "etcd-3"})


def talk(command, *answers):
    """What *command* asks, answer by answer, and what it prints in the end."""
    asked, reply, answers = [], None, list(answers)
    while True:
        try:
            asked.append(command.send(reply))
        except StopIteration as end:
            return asked, end.value
        reply = answers.pop(0)


@pytest.mark.parametrize(
    ("line", "ask"),
    [
        ("put color red", Ask("put", {"key": "color", "value": "red", "lease": 0}, "color")),
        ("etcdctl put color red --lease=5", Ask("put", {"key": "color", "value": "red", "lease": 5}, "color")),
        ("del --prefix a", Ask("delete_range", {"key": "a", "range_end": "b"}, "a")),
        ("compact 9", Ask("compact", {"revision": 9}, "9")),
        ("defrag --endpoints=etcd-3", Ask("defragment", {}, "etcd-3", "etcd-3")),
        ("member remove 4", Ask("member_remove", {"ID": 4}, hurried=True)),
    ],
)
def test_a_line_asks_what_it_says(line, ask):
    assert next(read(line, terminal())) == ask


@pytest.mark.parametrize(
    "line", ["", "put", "put a", "get", "compact", "compact now", "compact ²", "put a b --lease=x"]
)
def test_a_line_that_lacks_something_asks_nothing(line):
    with pytest.raises(Unknown, match=r"lacks something|etcdctl knows no"):
        read(line, terminal())


@given(
    st.text(max_size=20)
    | st.lists(st.sampled_from([w for c in COMMANDS for w in c.split()] + ["1", "x"])).map(" ".join)
)
def test_any_line_is_read_or_unknown(line):
    try:
        read(line, terminal())
    except Unknown as error:
        assert "\n" not in str(error) or "\n" in line  # noqa: PT017


def test_a_lease_is_numbered_when_it_is_asked_for_and_not_when_the_line_is_wrong():
    mine = terminal()
    with pytest.raises(Unknown):
        read("lease grant soon", mine)
    assert next(read("lease grant 5", mine)).payload == {"TTL": 5, "ID": 1}


def test_what_must_be_known_first_ends_the_command_if_nobody_tells():
    late = Reply(False, None, DEADLINE)
    for command in (etcdctl.compact(0), etcdctl.disarm(), members.by_name(members.remove, "etcd-4")):
        asked, said = talk(command, late)
        assert len(asked) == 1 and asked[0].first and said == "Error: context deadline exceeded"


def test_a_member_is_removed_by_the_id_that_the_list_tells():
    asked, said = talk(members.by_name(members.remove, "etcd-4"), Reply(True, LISTED), Reply(True, {}))
    assert asked[1].payload == {"ID": 4} and said == "Member 4 removed"


def test_leadership_is_moved_by_its_leader():
    status = Reply(True, {"leader": "etcd-1"})
    asked, said = talk(members.move_leader("etcd-4"), status, Reply(True, LISTED), Reply(True, {}))
    assert (asked[-1].to, asked[-1].payload) == (
        "etcd-1",
        {"targetID": 4},
    ) and said == "Leadership transferred to etcd-4"


def test_every_alarm_there_is_is_disarmed():
    alarms = [{"memberID": 1, "alarm": "NOSPACE"}, {"memberID": 2, "alarm": "NOSPACE"}]
    asked, said = talk(etcdctl.disarm(), Reply(True, {"alarms": alarms}), Reply(True), Reply(True))
    assert [a.payload.get("memberID") for a in asked] == [None, 1, 2] and said == "2 disarmed"
