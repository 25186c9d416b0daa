"""The cluster of the scheduler's table: a reader's deeds are felt, and the table is what was decided."""

import json

import pytest

from kubemini import session
from kubemini.explaining import cases, explain
from kubemini.explaining.stage import DEEDS, Stage


def asked(case, *deeds, pod=""):
    return cases.answer({"case": case, "deeds": list(deeds), "pod": pod})


def verdicts(view, node):
    return next(one for one in view["nodes"] if one["name"] == node)


def test_the_table_as_it_was_decided_names_the_node_that_the_pod_has():
    for case in cases.CASES:
        state = cases.played(case)
        placed = next(pod["node"] for pod in state["pods"] if pod["name"] == case.pod)
        assert state["views"][-2]["node"] == placed, case.name


def test_the_table_is_the_text_of_kubemini_explain_and_the_same_each_time():
    stage = Stage()
    stage.do("add", "api-1")
    view = stage.table("api-1")["views"][-1]
    assert view["text"] == str(explain(stage.cluster, "pod/api-1"))
    assert json.dumps(asked("ties")) == json.dumps(asked("ties"))


def test_totals_are_the_sums_of_the_weighted_scores():
    view = cases.played(cases.named("scores"))["views"][0]
    weights = dict(view["scores"])
    for node in view["nodes"]:
        assert node["total"] == sum(marks[2] for marks in node["scores"].values())
        assert all(marks[2] == weights[name] * marks[1] for name, marks in node["scores"].items())


@pytest.mark.parametrize(
    ("deeds", "plugin"),
    [
        ([["cordon", "worker-2"]], "NodeUnschedulable"),
        ([["taint", "worker-2", "NoSchedule"]], "TaintToleration"),
        ([["crash", "worker-2"]], "TaintToleration"),
        ([["add", "other", "3700m", "1Gi"], ["add", "another", "3700m", "1Gi"]], "NodeResourcesFit"),
    ],
)
def test_what_is_done_to_a_node_is_felt_and_can_be_undone(deeds, plugin):
    assert plugin in verdicts(asked("ties", *deeds, pod="api-1")["views"][-1], "worker-2")["refused"]
    back = {
        "cordon": ["uncordon", "worker-2"],
        "taint": ["untaint", "worker-2", "NoSchedule"],
        "add": ["delete", "other"],
    }
    back |= {"crash": ["start", "worker-2"]}
    undone = asked("ties", *deeds, back[deeds[0][0]], pod="api-1")["views"][-1]
    assert verdicts(undone, "worker-2")["refused"] == {}


def test_a_pod_that_waits_is_woken_by_what_its_plugin_said_would_wake_it():
    waits = asked("idle")
    assert [entry["queue"] for entry in waits["queue"]] == ["unschedulable"]
    assert "it asks for less itself" in waits["queue"][0]["wakes"]
    placed = asked("idle", ["resize", "report-1", "1", "256Mi"], pod="report-1")
    assert placed["queue"] == [] and placed["views"][-2]["node"]
    assert "it asks for less itself" in [why for _, why, _ in placed["moves"]]
    unmoved = asked("idle", ["cordon", "worker-1"], pod="report-1")
    assert [entry["attempts"] for entry in unmoved["queue"]] == [1]


def test_the_search_among_many_begins_where_the_last_one_ended():
    first, *rest = [asked("many", pod=name)["views"][-2] for name in ("api-1", "api-2", "api-3")]
    start = first["start"]
    for view in rest:
        start = (start + 100) % 120
        assert (view["start"], view["looked"], view["strip"].count(".")) == (start, 100, 20)


def test_one_sentence_says_what_would_have_to_change():
    view = cases.played(cases.named("reasons"))["views"][-1]
    said = [node["would"] for node in view["nodes"]]
    assert said[0].startswith("For worker-1: kubectl uncordon worker-1") and said[0].count("unschedulable") == 1
    assert said[2] == "For worker-3: it needs 500m more cpu."
    assert said[3] == "Nothing has to change: it goes to worker-4."


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"case": "none"}, "the story 'none': give one of scores, ties"),
        ({"case": "ties", "deeds": [["fly", "worker-1"]]}, "'fly' is no deed; there are: cordon"),
        ({"case": "ties", "deeds": [["cordon", "worker-9"]]}, "there is no node 'worker-9'; there is: worker-1"),
        ({"case": "ties", "deeds": [["cordon"]]}, "cordon: missing a required argument: 'node'; it takes node"),
        ({"case": "ties", "deeds": [["taint", "worker-1", "Never"]]}, "taint: 'Never' is none of NoSchedule"),
        ({"case": "ties", "deeds": [["add", "x", "much"]]}, "quantities must match"),
        (
            {"case": "ties", "deeds": [["add", "x", "1", "1Gi", "", "sometimes"]]},
            "add: 'sometimes' is none of none, zone a",
        ),
        ({"case": "ties", "deeds": ["cordon"]}, 'expected lists such as ["cordon", "worker-2"]'),
        ({"case": "ties", "deeds": [["cordon", "worker-1"]] * 13}, "12 deeds are enough"),
        ({"case": "ties", "pod": "nobody"}, "there is no pod 'nobody'; there is: api-1"),
        ({"case": "many", "deeds": [["crash", "n001"]]}, "'n001' has no machine behind it"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(wrong, words):
    said = session.handle({"op": "placement", "id": 1, "asked": wrong})
    assert said["op"] == "error" and words in said["error"]


def test_every_deed_has_a_button_or_a_form():
    from kubemini.widgets.modules import STATIC

    script = (STATIC / "scheduler" / "deeds.js").read_text(encoding="utf-8")
    assert [deed for deed in DEEDS if f'"{deed}"' not in script] == ["scale"]
