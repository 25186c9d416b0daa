"""Answers in the form asked for: Tables, and only the metadata."""

import json
from pathlib import Path

import pytest

from kubemini.api.objects import freeze
from kubemini.api.timestamps import human, short_human
from kubemini.apiserver.decide.tables import Form, shown

VECTORS = Path(__file__).parents[1] / "oracles/kubernetes"
DURATIONS = json.loads((VECTORS / "human_duration.json").read_text(encoding="utf-8"))["vectors"]
NOW = 90_000_000
MAP = freeze(
    {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "data": {"k": "v"},
    }
)
LIST = freeze({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": [MAP, MAP]})
TABLE = Form("Table")


@pytest.mark.parametrize("vector", DURATIONS, ids=lambda v: f"{v['kind']} {v['ns']}")
def test_ages_are_written_as_kubectl_shows_them(vector):
    say = {"human": human, "short": short_human}[vector["kind"]]
    assert say(int(vector["ns"] / 1000)) == vector["out"]


def test_a_table_of_one_object_has_its_version_and_its_metadata():
    told = shown(MAP, TABLE, {}, NOW)
    assert told["metadata"] == {"resourceVersion": "7"}
    assert [column["name"] for column in told["columnDefinitions"]] == ["Name", "Data", "Age"]
    (row,) = told["rows"]
    assert row["cells"] == ["a", 1, "90s"]
    about = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": MAP["metadata"]}
    assert row["object"] == about


def test_a_table_of_a_list_has_the_lists_version_and_a_row_an_object():
    told = shown(LIST, TABLE, {"includeObject": "Object"}, NOW)
    assert told["metadata"] == {"resourceVersion": "9"}
    assert [row["object"] for row in told["rows"]] == [MAP, MAP]
    assert [row["object"] for row in shown(LIST, TABLE, {"includeObject": "None"}, NOW)["rows"]] == [None, None]


def test_only_the_first_table_of_a_watch_states_its_columns():
    assert shown(MAP, Form("Table", headers=False), {}, NOW)["columnDefinitions"] is None


def test_an_unknown_include_is_refused():
    refused = shown(MAP, TABLE, {"includeObject": "Some"}, NOW)
    assert (refused.code, refused.message[:40]) == (400, "Unable to convert to Table as requested:")


def test_a_list_is_not_shown_as_one_object_nor_one_object_as_a_list():
    for answer, form, is_a in ((LIST, "PartialObjectMetadata", "a list"), (MAP, "PartialObjectMetadataList", "not a")):
        refused = shown(answer, Form(form), {}, NOW)
        assert refused.code == 406
        assert is_a in refused.message
        assert answer["kind"] in refused.message


def test_a_list_of_metadata_has_what_each_object_has():
    told = shown(LIST, Form("PartialObjectMetadataList", "v1beta1"), {}, NOW)
    assert told["apiVersion"] == "meta.k8s.io/v1beta1"
    assert [item["metadata"] for item in told["items"]] == [MAP["metadata"]] * 2


def test_a_status_stays_a_status():
    status = freeze({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
    assert shown(status, TABLE, {}, NOW) is status
