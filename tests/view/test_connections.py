"""Who hangs on whom follows from the records of connections: each tells one that opened, broke or was closed."""

import pytest

from kubemini.cluster import build
from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND
from kubemini.view.connections import at, clients, counts, hanging, sheet, through, told, unevenness

TOPOLOGY = build("stacked", members=3, workers=2).header()
DOOR = "haproxy-1"


def connection(second, client, server, state="open", why="", to=DOOR):
    detail = {"to": to, "server": server, "state": state, "why": why, "before": ""}
    return Record(round(second * SECOND), client, "connection", detail)


def trace(*records, until=60):
    return Trace({"topology": TOPOLOGY, "until": until * SECOND}, sorted(records, key=lambda record: record.at))


def now(*records, second=60):
    return hanging(at(trace(*records), second * SECOND))


ONE = connection(1, "kubelet@worker-1", "apiserver-1")
TWO = connection(2, "kubelet@worker-2", "apiserver-2")
LOCAL = connection(1, "scheduler-2", "apiserver-2", to="apiserver-2")


def test_a_client_hangs_on_the_server_of_the_connection_it_opened_last():
    moved = connection(9, "kubelet@worker-1", "apiserver-3")
    assert now(ONE, TWO) == {"kubelet@worker-1": "apiserver-1", "kubelet@worker-2": "apiserver-2"}
    assert now(ONE, moved)["kubelet@worker-1"] == "apiserver-3"
    assert now(ONE, moved, second=8)["kubelet@worker-1"] == "apiserver-1"


def test_a_connection_on_its_way_out_changes_nothing_when_it_is_closed():
    new = connection(9, "kubelet@worker-1", "apiserver-3")
    old = connection(20, "kubelet@worker-1", "apiserver-1", "closed")
    assert now(ONE, new, old)["kubelet@worker-1"] == "apiserver-3"
    again = connection(9, "kubelet@worker-1", "apiserver-1")
    (kept,) = at(trace(ONE, again, old), 60 * SECOND).connections["kubelet@worker-1"]["kept"]
    assert kept == {"to": DOOR, "server": "apiserver-1", "since": 9 * SECOND}  # the older one is over


def test_who_has_lost_its_connection_or_gets_none_hangs_on_nobody():
    broken = connection(5, "kubelet@worker-1", "apiserver-1", "broken", "EOF")
    refused = connection(6, "kubelet@worker-2", "", "refused", "connect: connection refused")
    state = at(trace(ONE, broken, refused), 60 * SECOND)
    assert hanging(state) == {"kubelet@worker-1": "", "kubelet@worker-2": ""}
    assert state.connections["kubelet@worker-1"]["why"] == "EOF"
    assert through(state, "kubelet@worker-1") == ""


@pytest.mark.parametrize("late", [4.9, 5])
def test_a_dead_client_hangs_on_nobody_and_is_not_listed_whatever_its_kernel_still_says(late):
    closed = connection(late, "kubelet@worker-1", "apiserver-1", "closed")
    crash = Record(5 * SECOND, "kubelet@worker-1", "crash", {})
    assert now(ONE, TWO, crash, closed) == {"kubelet@worker-2": "apiserver-2"}


def test_servers_and_balancers_dial_too_and_are_no_clients():
    inner = [connection(1, "apiserver-1", "etcd-1", to="etcd-1"), connection(1, DOOR, "apiserver-1", to="apiserver-1")]
    assert now(ONE, *inner) == {"kubelet@worker-1": "apiserver-1"}
    assert clients(trace(ONE, *inner)) == ["kubelet@worker-1"]


def test_numbers_count_all_or_those_who_are_meant():
    state = at(trace(ONE, TWO, LOCAL), 60 * SECOND)
    assert counts(state) == {"apiserver-1": 1, "apiserver-2": 2, "apiserver-3": 0}
    assert counts(state, of=["kubelet@worker-1", "kubelet@worker-2"])["apiserver-2"] == 1
    assert through(state, "scheduler-2") == "apiserver-2" and through(state, "kubelet@worker-1") == DOOR


def test_unevenness_is_none_where_all_are_equal_and_the_most_where_one_has_everything():
    assert unevenness([4, 4, 4]) == 0 == unevenness([0, 0, 0])
    assert unevenness([28, 0, 0]) == pytest.approx(2**0.5)
    assert unevenness([9, 9, 6]) == pytest.approx(0.1768, abs=1e-4)


def test_the_sheet_sets_instants_side_by_side_servers_first():
    moved = connection(9, "kubelet@worker-1", "apiserver-3")
    broken = connection(9, "kubelet@worker-2", "apiserver-2", "broken", "EOF")
    assert sheet(trace(ONE, TWO, moved, broken), 5 * SECOND, 10 * SECOND) == [
        ["", "5.000s", "10.000s"],
        ["apiserver-1", "1", "0"],
        ["apiserver-2", "1", "0"],
        ["apiserver-3", "0", "1"],
        ["kubelet@worker-1", "apiserver-1", "apiserver-3"],
        ["kubelet@worker-2", "apiserver-2", "nobody"],
    ]


def test_it_is_told_just_before_each_deed_and_at_the_end():
    deed = Record(8 * SECOND, "you", "command", {"action": "crash", "args": ["apiserver-1"]})
    moved = connection(9, "kubelet@worker-1", "apiserver-3")
    lines = told(trace(ONE, deed, moved)).splitlines()
    assert lines[:2] == ["who hangs on whom", "                  7.999s       60.000s"]
    assert lines[-1] == "kubelet@worker-1  apiserver-1  apiserver-3"
