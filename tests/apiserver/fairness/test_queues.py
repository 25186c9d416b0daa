"""Priority and fairness: no more sit than there are seats, mice pass elephants, and who floods is told to stay away."""

from hypothesis import given
from hypothesis import strategies as st

from kubemini.apiserver import bootstrap
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.fairness import flows, levels, seats
from kubemini.apiserver.decide.fairness.levels import Dropped
from kubemini.apiserver.decide.fairness.queues import FULL, NO_SEAT, Level, Ticket
from kubemini.apiserver.decide.fairness.seats import Work
from kubemini.apiserver.decide.request import parse
from kubemini.sim.units import MS

SCHEMAS = flows.in_order(obj for kind, obj in bootstrap.objects() if kind.kind == "FlowSchema")
LEVELS = [obj for kind, obj in bootstrap.objects() if kind.kind == "PriorityLevelConfiguration"]


def schema(user, groups, method, path):
    found = flows.schema_of(SCHEMAS, parse(method, path), UserInfo(user, groups))
    return found["metadata"]["name"]


def test_a_request_belongs_to_the_first_schema_that_fits_it():
    known, nodes = "system:authenticated", "system:nodes"
    lease = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1"
    assert schema("x", ("system:masters",), "GET", "/api/v1/pods") == "exempt"
    assert schema("system:anonymous", ("system:unauthenticated",), "GET", "/healthz") == "probes"
    assert schema("system:node:n1", (nodes, known), "PUT", lease) == "system-node-high"
    assert schema("system:node:n1", (nodes, known), "GET", "/api/v1/pods") == "system-nodes"
    assert schema("system:kube-scheduler", (known,), "GET", "/api/v1/pods") == "kube-scheduler"
    assert schema("dev", (known,), "GET", "/api/v1/pods") == "global-default"
    assert schema("system:anonymous", ("system:unauthenticated",), "GET", "/api/v1/pods") == "global-default"
    assert schema("nobody", (), "GET", "/api/v1/pods") == "catch-all"


def test_seats_are_shared_out_as_the_real_server_does():
    found = {name: level.limit for name, level in levels.configured(LEVELS, 600).items()}
    assert found["catch-all"] == 13 and found["exempt"] == 0
    assert found["leader-election"] == 25 and found["system"] == 74 - round(74 * 0.33) // 2


@given(st.integers(0, 2**64 - 1), st.integers(1, 12), st.integers(12, 512))
def test_a_hand_holds_different_cards_always_the_same(number, hand, deck):
    cards = flows.dealt(number, deck, hand)
    assert len(set(cards)) == hand and all(0 <= card < deck for card in cards)
    assert cards == flows.dealt(number, deck, hand)


def test_without_queues_who_finds_no_seat_is_refused():
    level = Level(2)
    first = level.arrive(Work(), 0, 0)
    assert level.arrive(Work(), 0, 0).sits and level.arrive(Work(), 0, 0) == NO_SEAT
    level.ran(first, MS)
    level.released(first, MS)
    assert level.arrive(Work(), 0, MS).sits


def test_one_request_wider_than_all_seats_runs_alone():
    level = Level(2)
    assert level.arrive(Work(5), 0, 0).sits and level.arrive(Work(), 0, 0) == NO_SEAT


def crowd(level, flow, count, now=0):
    """So many requests of a flow arrive at once."""
    tickets = []
    for _ in range(count):
        tickets.append(level.arrive(Work(), flow, now))
        level.seated(now)
    return tickets


def finish(level, tickets, now):
    """All who sit end, and who may sits down."""
    for ticket in [one for one in tickets if isinstance(one, Ticket) and one.sits]:
        level.ran(ticket, now)
        level.released(ticket, now)
        ticket.sits = False
        tickets.remove(ticket)
    level.seated(now)


def test_a_mouse_passes_an_elephant():
    level = Level(4, queues=64, hand=6, length=50)
    elephant, mouse = flows.hashed("s", "elephant"), flows.hashed("s", "mouse")
    many = crowd(level, elephant, 150)
    assert sum(one.sits for one in many) == 4
    (small,) = crowd(level, mouse, 1, MS)
    assert not small.sits
    finish(level, many, 2 * MS)
    assert small.sits


def test_a_full_queue_refuses_when_all_seats_are_taken():
    level = Level(1, queues=1, hand=1, length=2)
    found = crowd(level, 0, 4)
    assert [one if isinstance(one, str) else one.sits for one in found] == [True, False, False, FULL]


def test_who_leaves_the_queue_makes_room_in_it():
    level = Level(1, queues=1, hand=1, length=1)
    _, waits = crowd(level, 0, 2)
    level.leave(waits, MS)
    assert not isinstance(level.arrive(Work(), 0, MS), str) and level.waiting == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 10), st.booleans()), max_size=60))
def test_no_more_seats_are_taken_than_there_are(steps):
    level, now, sitting = Level(8, queues=8, hand=3, length=4), 0, []
    for flow, width, ends in steps:
        now += MS
        ticket = level.arrive(Work(width), flows.hashed("s", str(flow)), now)
        sitting += level.seated(now)
        if ends and sitting:
            done = sitting.pop(0)
            level.ran(done, now)
            level.released(done, now)
            sitting += level.seated(now)
        assert level.seats <= 8 or level.running == 1
        assert level.seats == sum(one.work.seats for one in sitting)
        assert isinstance(ticket, str) or ticket.sits == (ticket in sitting) or not ticket.sits or ends


def test_the_flood_is_told_to_stay_away_longer_and_longer():
    dropped, said = Dropped(), []
    for second in range(100, 140):
        said += [dropped.note(second) for _ in range(100)]
    assert said[0] == 1 and sorted(set(said)) == [1, 2, 4, 8, 16, 32]
    calm = [dropped.note(second) for second in range(200, 260, 10)]
    assert calm == sorted(calm, reverse=True) and calm[-1] < calm[0]


def test_a_write_keeps_seats_until_its_watchers_have_heard():
    assert seats.of_write(9, 10) == Work()
    assert seats.of_write(50, 10) == Work(1, 5, 5 * MS)
    assert seats.of_write(1000, 10) == Work(1, 10, 50 * MS)
