"""Whatever somebody writes as a command: it can be done, or one sentence says why not, and nothing has happened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini import faults, run
from kubemini.cluster import Cluster, build
from kubemini.commands import ACTIONS, read_line

LONG = "9" * 5000
WRONG = (None, True, -1, 2.5, [], {}, ["etcd-1"], "NaN", "-5s", "²", LONG, "X" * 5000, "No!", "etcd-1,", "a/b/c", b"a")
NO_TARGET, ANY_TEXT = ("heal", "alarm_disarm", "compact"), ("put", "get", "apply", "kubectl")
CLUSTER = Cluster(build("stacked", members=3, workers=2))


def refusal(*entry):
    """The sentence about a command that cannot be done; "" if it can."""
    try:
        faults.schedule(CLUSTER, faults.parse_all([entry], by="you"))
    except faults.FaultError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("action", [a for a in ACTIONS if a not in (*NO_TARGET, *ANY_TEXT)])
@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
def test_a_wrong_target_is_one_short_sentence_and_nothing_happens(action, wrong):
    kind = ACTIONS[action]
    names = [name for name, _ in kind.arguments()]
    good = {"low": "1ms", "high": "2ms", "p": 0.5, "extra": "1ms", "replicas": 3, "kind": "pod", "b": "cp-2"}
    entry = ["5s", action, wrong, *(good.get(name, "web") for name in names[1:] if name in good or name == "name")]
    sentence = refusal(*entry)
    assert sentence and "\n" not in sentence and len(sentence) < 600
    assert len(CLUSTER.trace) == 0 and CLUSTER.sim.events == 0


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("-5s", "negative"),
        ("nan", "not a duration"),
        ("inf", "not a duration"),
        ("soon", "not a duration"),
        (None, "not a duration"),
        (True, "not a duration"),
        ([5], "not a duration"),
        ("1e300s", "longer than 100 years"),
        (1e300, "longer than 100 years"),
        (LONG, "not a duration"),
    ],
)
def test_an_instant_that_is_none_is_refused(at, sentence):
    said = refusal(at, "crash", "etcd-1")
    assert said.startswith("command 1: crash: ") and sentence in said and len(said) < 200


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (("5s", "slow_disk", "cp-1", "-1s"), "slow_disk: extra:"),
        (("5s", "slow_disk", "cp-1", "1e18s"), "longer than 100 years"),
        (("5s", "skew_clock", "cp-1", "-nan"), "skew_clock: offset:"),
        (("5s", "skew_clock", "cp-1", "--1s"), "negative"),
        (("5s", "skew_clock", "cp-1", "1s", 0), "expected a rate from 0.01 to 100, got 0"),
        (("5s", "skew_clock", "cp-1", "1s", "1e999999"), "expected a rate from 0.01 to 100"),
        (("5s", "skew_clock", "cp-1", "1s", True), "expected a rate from 0.01 to 100"),
        (("5s", "skew_clock", "a", "1s"), "'a' is not a host or a component of this cluster"),
        (("5s", "latency", "cp-1", "cp-2", "nan", "1ms"), "latency: low:"),
        (("5s", "latency", "cp-1", "cp-1", "1ms", "2ms"), "cp-1 is both ends; name two hosts"),
        (("5s", "loss", "cp-1", "cp-2", "nan"), "expected a share from 0 to 1"),
        (("5s", "loss", "cp-1", "", 0.5), "one end is empty"),
        (("5s", "cut", ""), "one side is empty"),
        (("5s", "cut", "cp-1", "a"), "cp-1 cannot stand on both sides"),
        (("5s", "cut", "a,b,c,lb-1,client-1"), "one side is empty"),
        (("5s", "cut", "cp-1", "cp-2", "both-ways"), "expected one-way"),
        (("5s", "get", "k", "etcd-1", 5), "expected linearizable or serializable"),
        (("5s", "put", True, "v"), 'put it in quotes, such as "yes"'),
        (("5s", "put", "k", "\ud800"), "half a character"),
        (("5s", "scale", "web", "²"), "write a whole number from 0 to 2147483647"),
        (("5s", "scale", "web", -1), "expected a number of replicas, got -1"),
        (("5s", "scale", "web", 2**31), "expected a number of replicas"),
        (("5s", "compact", LONG), "expected a revision such as 40"),
        (("5s", "delete", "pod", "a/b/c"), "expected the name of an object"),
        (("5s", "delete", "unicorn", "x"), "unicorn"),
        (("5s", "snapshot_restore", "etcd-1,etcd-1"), "etcd-1 is named twice; name each member once"),
        (("5s", "snapshot_restore", ""), "name at least one member"),
        (("5s", "snapshot_restore", "etcd-1", -1), "expected how far to bump the revision"),
        (("5s", "member_add", "etcd-1", "observer"), "expected voter or learner"),
        (("5s", "apply", "kind: Pod"), "apply: text: the command, document 1"),
        (("5s", "apply", {"kind": "Pod"}), "expected manifests as text"),
        (("5s", "restrt", "etcd-1"), "did you mean restart?"),
        (("5s", ["crash"], "etcd-1"), "there is no action ['crash']"),
        (("5s", "heal", "cp-1"), "heal takes nothing, got 1 argument(s)"),
        (("crash",), "is not a command: write [time, action, target]"),
    ],
)
def test_a_wrong_argument_is_named(entry, sentence):
    assert sentence in refusal(*entry)


@pytest.mark.parametrize("entries", [None, 5, "crash", {"at": 5}, [5], [None], [{}], ["crash"], [[]]])
def test_what_is_no_list_of_commands_is_one_sentence(entries):
    with pytest.raises(faults.FaultError, match="command"):
        faults.parse_all(entries, by="you")


def test_commands_for_kubernetes_need_an_api_server():
    cluster = Cluster(build("etcd"))
    for entry in (["1s", "scale", "web", 3], ["1s", "delete", "pod", "p"], ["1s", "apply", '{"kind": "Pod"}']):
        with pytest.raises(faults.FaultError, match=r"no API server; use put and get|the command, document 1"):
            faults.schedule(cluster, faults.parse_all([entry]))


words = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("etcd-1"))


@settings(max_examples=250, deadline=None)
@given(st.lists(st.one_of(words, st.lists(words, max_size=6), st.sampled_from(list(ACTIONS))), max_size=6))
def test_any_list_is_a_command_or_a_sentence(entry):
    assert "\n" not in refusal(*entry)


# -- on the command line -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("12s,crash,etcd-1", ["12s", "crash", "etcd-1"]),
        (" 12s , crash , etcd-1 ", ["12s", "crash", "etcd-1"]),
        ("1s,heal", ["1s", "heal"]),
        ('1s,cut,"cp-1,cp-2",b', ["1s", "cut", "cp-1,cp-2", "b"]),
        ('1s,put,k,"a, b"', ["1s", "put", "k", "a, b"]),
        ('1s,apply,{"a": [1, 2], "b": "c"}', ["1s", "apply", '{"a": [1, 2], "b": "c"}']),
        ("1s,apply,a: [b, c]\nd: e,\n", ["1s", "apply", "a: [b, c]\nd: e,\n"]),
        ("", []),
    ],
)
def test_a_line_is_split_at_commas_but_not_inside_quotes_or_manifests(text, entry):
    assert read_line(text) == entry


def test_a_line_with_an_open_quote_is_one_sentence():
    with pytest.raises(faults.FaultError, match="write TIME,ACTION,TARGET"):
        read_line('1s,put,k,"a')


@pytest.mark.parametrize("commands", [5, [5], [None], "crash", {"a": 1}, [{"at": 1}], [["1s"]]])
def test_a_run_refuses_what_is_no_list_of_commands(commands):
    with pytest.raises(faults.FaultError, match="command"):
        run("etcd-3", commands=commands, until="1s")
