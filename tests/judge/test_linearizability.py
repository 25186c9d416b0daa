"""The judge of histories, against every order there is, and against what it must say of well-known cases."""

import contextlib
import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.__main__ import main
from kubemini.judge import HistoryError, check, draw, from_events, parse
from kubemini.judge.linearizability import Search


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
def test_ten_thousand_operations_take_few_steps_each(processes, keys):
    operations = from_events(enumerate(lived(10_000, processes, seed=1, keys=keys), start=1))
    assert check(operations) is None
    steps = 0
    for key in range(keys):
        search = Search(key, [op for op in operations if op.key == key], None)
        assert search.run() is None
        steps += search.steps
    assert 0 < steps < 3 * len(operations)


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


def lines(*rows):
    return "\n".join(json.dumps(dict(zip(("process", "type", "f", "value"), row, strict=False))) for row in rows)


def verdict(*rows):
    """True: linearizable."""
    return check(parse(lines(*rows))) is None


@pytest.mark.parametrize(
    ("written", "read", "same"),
    [
        (True, 1, False),
        (False, 0, False),
        (1, True, False),
        (True, True, True),
        ([True], [1], False),
        ({"a": True}, {"a": 1}, False),
        ({"a": 1}, [["a", 1]], False),
        ({}, [], False),
        ("1", 1, False),
        (1, 1.0, True),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
    ],
)
def test_a_read_sees_what_was_written_and_not_what_python_thinks_equal(written, read, same):
    wrote = [(0, "invoke", "write", written), (0, "ok", "write", written)]
    assert verdict(*wrote, (1, "invoke", "read", None), (1, "ok", "read", read)) == same
    swapped = [(1, "invoke", "cas", [read, 5]), (1, "ok", "cas", [read, 5])]
    assert verdict(*wrote, *swapped) == same


def test_process_true_is_not_process_one_nor_is_key_true_key_one():
    assert verdict(
        (True, "invoke", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", 1), (True, "ok", "write", 1)
    )
    rows = [
        {"process": 0, "type": "invoke", "f": "write", "key": True, "value": 1},
        {"process": 0, "type": "ok", "f": "write", "key": True, "value": 1},
        {"process": 0, "type": "invoke", "f": "read", "key": 1},
        {"process": 0, "type": "ok", "f": "read", "key": 1, "value": None},
    ]
    assert check(parse("\n".join(map(json.dumps, rows)))) is None


@pytest.mark.parametrize("state", [5, True, 0, False, {"a": 1}])
def test_nothing_can_be_appended_to_a_number(state):
    """So an append that succeeded has no explanation, and one of unknown fate did not take place."""
    wrote = [(0, "invoke", "write", state), (0, "ok", "write", state), (0, "invoke", "append", "x")]
    assert not verdict(*wrote, (0, "ok", "append", "x"))
    assert verdict(*wrote, (0, "info", "append", "x"), (1, "invoke", "read", None), (1, "ok", "read", state))


def test_a_text_that_was_written_grows_as_a_text_and_a_list_as_a_list():
    for begin, more, end in (("x", "y", "xy"), (["x"], "y", ["x", "y"]), (None, "y", "y"), (None, "y", ["y"])):
        rows = [(0, "invoke", "write", begin), (0, "ok", "write", begin), (0, "invoke", "append", more)]
        rows += [(0, "ok", "append", more), (1, "invoke", "read", None), (1, "ok", "read", end)]
        assert verdict(*rows)


def test_a_completion_without_a_value_has_that_of_its_invocation():
    asked = [(0, "invoke", "write", 1), (0, "ok", "write"), (0, "invoke", "cas", [1, 2])]
    read = [(1, "invoke", "read"), (1, "ok", "read", 2)]
    assert verdict(*asked, (0, "info", "cas"), *read) and verdict(*asked, (0, "ok", "cas"), *read)
    assert not verdict(*asked, (0, "fail", "cas"), *read)
    assert verdict(*asked, (0, "info", "cas", "timed out"), *read)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1: not JSON"),
        ('{"process": 0, "process": 1}', "line 1: not JSON ('process' stands there twice)"),
        (
            '\n{"process": 0, "type": "invoke", "f": "write", "value": NaN}',
            "line 2: not JSON (NaN is no number of JSON)",
        ),
        ('{"process": 0, "type": "invoke", "f": "write", "value": ' + "1" * 5000 + "}", "line 1: not JSON"),
        ("[" * 100_000, "line 1: nested more than 50 levels deep"),
        (lines((0, "invoke", "write", json.loads("[" * 60 + "]" * 60))), "line 1: nested more than 50 levels deep"),
        (lines((0, "invoke", "write")), "line 1: write what? its value is missing"),
        (lines((0, "invoke", "append")), "line 1: append what? its value is missing"),
        (lines((0, "invoke", "cas", 5)), "line 1: the value of a cas is [old, new], got 5"),
        (lines((0, "invoke", "cas")), "line 1: the value of a cas is [old, new], got null"),
        (lines((0, "ok", "read", 5)), "line 1: process 0 completes nothing; its invoke is missing"),
        (lines((0, "invoke", "read"), (0, "ok", "write", 5)), "line 2: process 0 invoked read, and completes write"),
        (lines(([], "invoke", "read")), "line 1: process and key are numbers or texts"),
        (lines((0, ["invoke"], "read")), "line 1: type is ['invoke']"),
        ("5", "line 1: expected an object"),
        ("  \n", "the history is empty"),
    ],
)
def test_a_history_that_means_nothing_ends_with_one_sentence_and_exit_code_2(text, words, tmp_path, capsys):
    with pytest.raises(HistoryError) as refused:
        parse(text)
    assert str(refused.value).startswith(words)
    (tmp_path / "h").write_text(text)
    assert main(["check", str(tmp_path / "h")]) == 2 and words in capsys.readouterr().err


def test_a_completion_of_another_key_is_refused():
    asked = {"process": 0, "type": "invoke", "f": "read", "key": "x"}
    with pytest.raises(HistoryError, match="line 2: process 0 invoked read of key x, and completes y"):
        parse("\n".join(map(json.dumps, [asked, {**asked, "type": "ok", "key": "y", "value": 1}])))


def test_half_a_character_can_be_drawn():
    wrote = [(0, "invoke", "write", "\ud800"), (0, "ok", "write"), (1, "invoke", "read"), (1, "ok", "read", "\ud801")]
    assert "\\ud801" in draw(check(parse(lines(*wrote))))


def test_a_line_ends_where_a_file_says_so_not_inside_a_text():
    row = (0, "invoke", "write", "a\u2028b\x1cc")
    [op] = parse(
        json.dumps(dict(zip(("process", "type", "f", "value"), row)), ensure_ascii=False).replace("\\u001c", "\x7f")
    )
    assert op.value == "a\u2028b\x7fc"


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)
lines_of_any_kind = st.fixed_dictionaries(
    {},
    optional={
        "process": st.integers(0, 2) | anything,
        "type": st.sampled_from(["invoke", "ok", "fail", "info"]) | anything,
        "f": st.sampled_from(["read", "write", "cas", "append"]) | anything,
        "key": st.sampled_from(["x", 1, True]) | anything,
        "value": st.lists(anything, min_size=2, max_size=2) | anything,
    },
)
likely = st.fixed_dictionaries(
    {
        "process": st.integers(0, 2),
        "type": st.sampled_from(["invoke", "ok", "fail", "info"]),
        "f": st.just("append") | st.sampled_from(["read", "write", "cas"]),
        "value": st.lists(anything, min_size=2, max_size=2) | anything,
    }
)


@settings(max_examples=250, deadline=None)
@given(st.lists(likely | lines_of_any_kind, max_size=8))
def test_whatever_stands_in_a_history_there_is_a_verdict_or_one_clear_error(rows):
    with contextlib.suppress(HistoryError):
        violation = check(parse("\n".join(map(json.dumps, rows))))
        assert violation is None or draw(violation)
