"""The judge of histories, against every order there is, and against what it must say of well-known cases."""

import itertools
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.__main__ import main
from kubemini.check import HistoryError, check, draw, from_events, parse


def history(*rows):
    """Rows (process, type, f, value) on one key."""
    return from_events(enumerate([dict(zip(("process", "type", "f", "value"), row)) for row in rows], start=1))


def any_order_explains(operations, initial=None):
    """The definition, tried out: every subset of unknown fates, every permutation."""
    known = [op for op in operations if op.returned is not None]
    unknown = [op for op in operations if op.returned is None]
    for size in range(len(unknown) + 1):
        for chosen in itertools.combinations(unknown, size):
            if any(explains(order, initial) for order in itertools.permutations([*known, *chosen])):
                return True
    return False


def explains(order, state):
    for earlier, later in itertools.combinations(order, 2):
        if later.returned is not None and later.returned < earlier.invoked:
            return False
    for op in order:
        if op.f == "write":
            state = op.value
        elif op.f == "append":
            state = [*(state or []), op.value]
        elif state != (op.value if op.f == "read" else op.value[0]):
            return False
        else:
            state = op.value[1] if op.f == "cas" else state
    return True


@st.composite
def histories(draw_from, most=5):
    """Up to five operations of overlapping processes on small values, their answers invented."""
    events, open_calls, number = [], {}, 0
    for _ in range(draw_from(st.integers(2, 2 * most))):
        if open_calls and (number >= most or draw_from(st.booleans())):
            process = draw_from(st.sampled_from(sorted(open_calls)))
            f, value = open_calls.pop(process)
            kind = draw_from(st.sampled_from(["ok", "ok", "ok", "info", "fail"]))
            value = draw_from(st.sampled_from([None, 0, 1, 2])) if f == "read" else value
            events.append((process, kind, f, value))
        elif number < most:
            number += 1
            f = draw_from(st.sampled_from(["read", "write", "cas"]))
            value = draw_from(st.integers(0, 2))
            value = [value, draw_from(st.integers(0, 2))] if f == "cas" else value if f == "write" else None
            open_calls[number] = (f, value)
            events.append((number, "invoke", f, value))
    return history(*events)


@settings(max_examples=600, deadline=None)
@given(histories())
def test_the_verdict_is_that_of_trying_every_order(operations):
    assert (check(operations) is None) == any_order_explains(operations)


def test_a_read_that_begins_after_a_write_ended_must_see_it():
    stale = history(
        (0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", None)
    )
    violation = check(stale)
    assert violation is not None and violation.states == (1,)


def test_two_reads_during_a_write_may_not_see_it_come_and_go():
    flicker = history(
        (0, "invoke", "write", 1),
        (1, "invoke", "read", None),
        (1, "ok", "read", 1),
        (2, "invoke", "read", None),
        (2, "ok", "read", None),
        (0, "ok", "write", 1),
    )
    assert check(flicker) is not None


def test_a_write_of_unknown_fate_may_take_effect_long_after():
    late = history(
        (0, "invoke", "write", 1),
        (0, "info", "write", 1),
        (1, "invoke", "write", 2),
        (1, "ok", "write", 2),
        (2, "invoke", "read", None),
        (2, "ok", "read", 1),
    )
    assert check(late) is None


def test_a_write_that_failed_for_certain_may_not_be_seen():
    ghost = history(
        (0, "invoke", "write", 1), (0, "fail", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", 1)
    )
    assert check(ghost) is not None


def test_appends_make_lists_or_texts_as_the_reads_say():
    rows = [
        (0, "invoke", "append", "a"),
        (0, "ok", "append", "a"),
        (0, "invoke", "append", "b"),
        (0, "ok", "append", "b"),
    ]
    assert check(history(*rows, (0, "invoke", "read", None), (0, "ok", "read", ["a", "b"]))) is None
    assert check(history(*rows, (0, "invoke", "read", None), (0, "ok", "read", "ab"))) is None
    assert check(history(*rows, (0, "invoke", "read", None), (0, "ok", "read", ["b", "a"]))) is not None


def lived(operations, processes, seed, keys=1, unknown=0.01, values=9):
    """A history that one register a key really lived through, with *values* different ones."""
    luck, state, events, under_way, active = random.Random(seed), {}, [], {}, list(range(processes))
    left, next_process = operations, processes
    while left or under_way:
        process = luck.choice(active if left else sorted(under_way))
        if process not in under_way:
            left -= 1
            f, key = luck.choice(["read", "write", "cas"]), luck.randrange(keys)
            value = (
                [luck.randrange(values), luck.randrange(values)]
                if f == "cas"
                else luck.randrange(values)
                if f == "write"
                else None
            )
            under_way[process] = [f, key, value, ""]
            events.append({"process": process, "type": "invoke", "f": f, "key": key, "value": value})
            continue
        f, key, value, fate = under_way[process]
        if not fate and luck.random() > unknown:
            now = state.get(key)
            if f == "write" or (f == "cas" and now == value[0]):
                state[key] = value if f == "write" else value[1]
            under_way[process][2] = now if f == "read" else value
            under_way[process][3] = "fail" if f == "cas" and now != value[0] else "ok"
            continue
        if luck.random() < unknown or not fate:
            fate, next_process = "info", next_process + 1
            active[active.index(process)] = next_process
        del under_way[process]
        events.append({"process": process, "type": fate, "f": f, "key": key, "value": value})
    return events


@pytest.mark.parametrize(("processes", "keys"), [(5, 1), (10, 5)])
def test_ten_thousand_operations_are_judged_within_ten_seconds(processes, keys):
    operations = from_events(enumerate(lived(10_000, processes, seed=1, keys=keys), start=1))
    started = time.process_time()
    assert check(operations) is None
    assert time.process_time() - started < 10


def test_one_wrong_answer_in_a_long_history_is_found():
    events = lived(3_000, 5, seed=2, values=10**6)
    reads = [e for e in events if e["f"] == "read" and e["type"] == "ok"]
    reads[len(reads) // 2]["value"] = "never written"
    violation = check(from_events(enumerate(events, start=1)))
    assert violation is not None and violation.operation.value == "never written"


def test_the_picture_shows_the_operation_and_what_the_value_can_have_been():
    stale = history(
        (0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", None)
    )
    assert draw(check(stale)).splitlines() == [
        "the history is not linearizable:",
        "process 0  ├─write 1────┤",
        "process 1                            ├─read None──┤  ✕",
        "✕ process 1 read None (lines 3 to 4), but by then the value can only have been 1, whatever is still open.",
    ]


def test_a_list_that_a_read_returned_can_be_drawn():
    lost = history(
        (0, "invoke", "append", 1), (0, "ok", "append", 1), (1, "invoke", "read", None), (1, "ok", "read", [2]),
        (0, "invoke", "append", 2), (0, "info", "append", 2),
    )  # fmt: skip
    assert "read [2]" in draw(check(lost)) and "only have been [1]," in draw(check(lost))


def test_what_the_nemesis_did_is_no_operation():
    start = '{"process": "nemesis", "type": "info", "f": "start", "value": null}'
    write = '{"process": 0, "type": "invoke", "f": "write", "value": 1}'
    assert [op.f for op in parse(f"{start}\n{write}\n{start}")] == ["write"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "the history is empty"),
        ("{", "line 1: not JSON"),
        ("3", "line 1: expected an object"),
        ('{"process": 0, "type": "invoke"}', "line 1: 'f' is missing"),
        (
            '{"process": 0, "type": "begin", "f": "read"}',
            "line 1: type is 'begin'; expected one of invoke, ok, fail, info",
        ),
        ('{"process": 0, "type": "invoke", "f": "cas", "value": 3}', "line 1: the value of a cas is [old, new], got 3"),
        ('{"process": 0, "type": "ok", "f": "read"}', "line 1: process 0 completes nothing; its invoke is missing"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line, sentence):
    with pytest.raises(HistoryError) as error:
        parse(line)
    assert sentence in str(error.value)


def test_the_command_line_judges_a_file_and_draws_what_is_wrong(tmp_path, capsys):
    file = tmp_path / "history.jsonl"
    good = '{"process":0,"type":"invoke","f":"write","value":1}\n{"process":0,"type":"ok","f":"write","value":1}\n'
    file.write_text(good)
    assert main(["check", str(file)]) == 0
    assert "linearizable: 1 operation" in capsys.readouterr().out
    file.write_text(good + '{"process":1,"type":"invoke","f":"read"}\n{"process":1,"type":"ok","f":"read","value":2}\n')
    assert main(["check", str(file)]) == 1
    assert "read 2" in capsys.readouterr().out
    for content, words in ((b"{", "line 1: not JSON"), (b"\xff\xfe", "it is not text in UTF-8; give a file of JSON")):
        file.write_bytes(content)
        assert main(["check", str(file)]) == 2
        assert words in capsys.readouterr().err
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    assert "No such file or directory; give a file of JSON lines" in capsys.readouterr().err
