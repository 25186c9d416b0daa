"""The log of a container: which lines there are, and which of them a reader gets."""

import pytest

from kubemini.kubelet.decide import logs
from kubemini.kubelet.decide.logs import NEVER, Check, Line, Log, Wanted
from kubemini.kubelet.decide.streams import Refusal
from kubemini.sim.units import HOUR, MS, SECOND

EVERY_TEN = Check("web", 5 * SECOND, 10 * SECOND, "GET /healthz")


def texts(log, now, container="web"):
    return [(line.at // SECOND, line.text) for line in log.lines(container, now)]


def test_a_probe_leaves_a_line_each_period_while_it_is_asked():
    log = Log()
    log.probe(2 * SECOND, [EVERY_TEN])
    log.say(16 * SECOND, "GET /")
    log.probe(30 * SECOND, ())
    assert texts(log, 20 * SECOND) == [(5, "GET /healthz"), (15, "GET /healthz"), (16, "GET /")]
    assert texts(log, HOUR) == [*texts(log, 20 * SECOND), (25, "GET /healthz")]


def test_what_was_answered_before_a_change_stays_as_it_was():
    log, failing = Log(), Check("web", 5 * SECOND, 10 * SECOND, "503")
    log.probe(0, [EVERY_TEN])
    log.probe(20 * SECOND, [failing])
    assert texts(log, 30 * SECOND) == [(5, "GET /healthz"), (15, "GET /healthz"), (25, "503")]


def test_a_reader_knows_when_the_next_line_of_a_probe_comes():
    log = Log()
    assert log.next_probe(0) == NEVER
    log.probe(0, [EVERY_TEN, Check("web", 7 * SECOND, 60 * SECOND, "GET /ready")])
    assert [log.next_probe(at * SECOND) // SECOND for at in (0, 5, 6, 7, 15)] == [5, 7, 7, 15, 25]


def test_each_container_has_its_own_lines_and_those_of_all():
    log = Log()
    log.say(1, "both")
    log.say(2, "mine", "web")
    log.say(3, "yours", "side")
    assert [line.text for line in log.lines("web", 9)] == ["both", "mine"]
    assert [line.text for line in log.lines("side", 9)] == ["both", "yours"]


def test_an_old_log_forgets_its_first_lines():
    log = Log()
    for number in range(logs.MOST + 3):
        log.say(number, str(number))
    assert log.lines("web", HOUR)[0].text == "3"


def shown(lines, **asked):
    wanted = Wanted(**asked)
    data = b"".join(logs.shown(line, wanted) for line in logs.tail(lines, wanted))
    return logs.cut(data, wanted, 0).decode()


LINES = [Line(at * SECOND, "", text) for at, text in ((1, "one"), (2, "two"), (3, "three"))]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "one\ntwo\nthree\n"),
        ({"tail": 2}, "two\nthree\n"),
        ({"tail": 0}, ""),
        ({"since": 2 * SECOND}, "two\nthree\n"),
        ({"tail": 2, "since": 3 * SECOND}, "three\n"),
        ({"limit": 6}, "one\ntw"),
        ({"tail": 1, "timestamps": True}, "2026-01-01T00:00:03.000000000Z three\n"),
        ({"tail": 1, "timestamps": True, "limit": 10}, "2026-01-01"),
    ],
)
def test_a_reader_gets_what_it_asks_for(asked, text):
    """The tail is cut first, then what is too old is left out, then bytes are counted, timestamps included."""
    assert shown(LINES, **asked) == text


def test_a_query_is_read_as_the_api_server_writes_it():
    query = {"follow": ["true"], "tailLines": ["5"], "sinceSeconds": ["2"]}
    assert logs.wanted(query, 10 * SECOND) == Wanted(follow=True, tail=5, since=8 * SECOND)
    date = {"sinceTime": ["2026-01-01T00:00:01Z"], "limitBytes": ["7"], "previous": ["true"]}
    assert logs.wanted(date, 0) == Wanted(previous=True, since=1 * SECOND, limit=7)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(
            ({name: text}, 400)
            for name in ("tailLines", "limitBytes", "sinceSeconds")
            for text in ("", "x", "²", "1_0")
        ),
        ({"tailLines": "9" * 20}, 400),
        ({"sinceTime": "soon"}, 400),
        ({"tailLines": "-1"}, 422),
        ({"limitBytes": "0"}, 422),
        ({"sinceSeconds": "0"}, 422),
        ({"sinceSeconds": "1", "sinceTime": "2026-01-01T00:00:01Z"}, 422),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(query, status):
    found = logs.wanted({name: [text] for name, text in query.items()}, 10 * SECOND)
    assert isinstance(found, Refusal) and found.status == status


@pytest.mark.parametrize(("text", "follow"), [("1", True), ("", True), ("False", False), ("0", False)])
def test_a_flag_is_set_unless_it_says_no(text, follow):
    assert logs.wanted({"follow": [text]}, 0) == Wanted(follow=follow)


def status(**state):
    return [{"name": "c", **state}]


TERMINATED = {"terminated": {"exitCode": 1}}


@pytest.mark.parametrize(
    ("statuses", "previous", "why"),
    [
        ([], False, 'container "c" in pod "p" is not available'),
        (status(state={"running": {}}), False, ""),
        (status(state=TERMINATED), False, ""),
        (status(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=TERMINATED), False, ""),
        (
            status(state={"waiting": {"reason": "ContainerCreating"}}),
            False,
            'container "c" in pod "p" is waiting to start: ContainerCreating',
        ),
        (
            status(state={"waiting": {"reason": "ErrImagePull"}}),
            False,
            'container "c" in pod "p" is waiting to start: image can\'t be pulled',
        ),
        (
            status(state={"waiting": {"reason": "ImagePullBackOff"}}),
            False,
            'container "c" in pod "p" is waiting to start: trying and failing to pull image',
        ),
        (status(state={}), False, 'container "c" in pod "p" is waiting to start - no logs yet'),
        (status(state={"running": {}}), True, 'previous terminated container "c" in pod "p" not found'),
        (status(state={"running": {}}, lastState=TERMINATED), True, ""),
    ],
)
def test_whether_there_is_a_log_follows_from_the_status(statuses, previous, why):
    """Texts: those of a kubelet 1.37.2, and its source for those that a hollow one cannot be brought to say."""
    assert logs.unavailable("p", "c", statuses, previous) == why


def test_a_runtime_writes_nine_digits():
    assert logs.nano_timestamp(1500 * MS) == "2026-01-01T00:00:01.500000000Z"
