"""Scenario files: what a good one gives, and what a bad one is told."""

import json

import jsonschema
import pytest
import yaml

from kubemini import run, session, show
from kubemini.scenarios import ScenarioError, load, names
from kubemini.scenarios.loader import FOLDER, from_data

GOOD = {"title": "A story", "topology": {"kind": "etcd", "members": 3}}


@pytest.mark.parametrize("name", names())
def test_every_scenario_fits_the_schema_as_jsonschema_reads_it(name):
    schema = json.loads((FOLDER / "schema.json").read_text())
    jsonschema.validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()), schema)


@pytest.mark.parametrize("name", names())
def test_every_scenario_says_what_it_shows(name):
    scenario = load(name)
    assert scenario.title and scenario.about


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"topology": {"kind": "ring"}},
            "s.yaml.topology.kind: expected one of single, stacked, external, etcd, got 'ring'",
        ),
        (
            {"topology": {"kind": "etcd", "members": "three"}},
            's.yaml.topology.members: expected an integer, got "three"',
        ),
        ({"topology": {"kind": "etcd", "members": 12}}, "s.yaml.members: expected a number from 1 to 9, got 12"),
        (
            {"topology": {"kind": "single", "members": 3}},
            "s.yaml.topology.members: a single topology takes workers, zones",
        ),
        ({"topologie": {}}, "s.yaml: 'topologie' is not known here; there are: title, about"),
        ({"until": "soon"}, 's.yaml: "soon" is not a duration: write a number and a unit, such as 200ms, 1.5s or 2m'),
        ({"params": {"etcd_election_timout": "2s"}}, "did you mean etcd_election_timeout?"),
        ({"workload": {"etcd_writes": {"every": "0s"}}}, "the shortest interval is 1ms"),
        ({"faults": ["crash"]}, 's.yaml.faults[0]: expected an array, got "crash"'),
    ],
)
def test_a_bad_scenario_names_the_field_and_what_was_expected(change, message):
    with pytest.raises(ScenarioError) as error:
        from_data({**GOOD, **change}, "s", "s.yaml")
    assert message in str(error.value)


def test_an_unknown_name_lists_the_scenarios_and_guesses():
    with pytest.raises(ScenarioError, match=r"Did you mean quorum\? There are: anatomy, "):
        load("quorom")


def test_broken_yaml_names_line_and_column(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("title: [unclosed\ntopology:\n")
    with pytest.raises(ScenarioError, match=r"mine\.yaml: line \d+, column \d+: not YAML"):
        load(file)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / "nothing.yaml")


def test_an_empty_file_says_what_a_scenario_is(tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ScenarioError, match=r"empty\.yaml: expected a mapping, got null"):
        load(tmp_path / "empty.yaml")


MINE = """
title: Mine
topology: {kind: etcd, members: 3}
faults: [[1s, crash, etcd-1]]
until: 2s
"""


def test_a_widget_can_ask_again_for_a_scenario_from_a_file_where_there_is_no_such_file(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(MINE)
    first = session.handle({"op": "simulate", "id": 1, "spec": {"scenario": str(file)}})["run"]
    file.unlink()
    source = json.loads(json.dumps(first["header"]["source"]))
    again = session.handle({"op": "simulate", "id": 2, "spec": {"scenario": source}})["run"]
    assert again == first
    assert first["header"]["scenario"] == "mine"
    broken = session.handle({"op": "simulate", "id": 3, "spec": {"scenario": {"title": "Mine"}}})
    assert broken == {"op": "error", "id": 3, "error": "scenario: topology is missing; it is a mapping"}


def test_a_scenario_of_the_book_is_asked_for_by_its_name():
    assert "source" not in run("etcd-3", until="1s").header


def test_a_file_opens_in_the_desk_and_in_the_stepper_with_its_own_settings(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(MINE + "params: {etcd_election_timeout: 2s}\n")
    assert show(file).run["header"]["title"] == "Mine"
    assert show(str(file), widget="raft-stepper").options["settings"]["etcd_election_timeout"] == "2000ms"


def test_a_bad_file_in_a_widget_is_one_sentence(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(MINE.replace("etcd-1", "etcd-9"))
    answer = session.handle({"op": "simulate", "id": 1, "spec": {"scenario": str(file)}})
    there = "etcd-1, etcd-2, etcd-3, etcd-client"
    assert answer["error"] == f"'etcd-9' is not a component of this cluster; there are: {there}"
    with pytest.raises(ValueError, match="is not a component"):
        show(file)
