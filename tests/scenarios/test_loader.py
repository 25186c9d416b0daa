"""Scenario files: what a good one gives, and what a bad one is told."""

import json

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ({"until": "soon"}, 's.yaml.until: "soon" is not a duration: write a number and a unit, such as 200ms, 1.5s'),
        ({"until": 30}, 's.yaml.until: 30 has no unit; write "30s"'),
        ({"until": "-5s"}, 's.yaml.until: "-5s" is not a duration'),
        ({"until": "1e99d"}, "at most 100 years"),
        ({"until": True}, "s.yaml.until: expected a string, got true"),
        ({"title": ""}, "s.yaml.title: is empty"),
        ({"title": "x" * 5000}, "s.yaml.title: has 5000 characters"),
        ({"seed": 10**30}, "s.yaml.seed: expected -9223372036854775808 to 9223372036854775807"),
        ({"seed": True}, "s.yaml.seed: expected an integer, got true"),
        ({"seed": "9" * 5000}, "s.yaml.seed: expected an integer, got"),
        ({"name": ""}, "s.yaml.name: is empty"),
        ({"params": 5}, "s.yaml.params: expected a mapping, got 5"),
        ({"params": {5: 5}}, "s.yaml.params"),
        ({"manifests": {"kind": "Pod"}}, "s.yaml.manifests: expected a string"),
        ({"manifests": "kind: Pod"}, "s.yaml.manifests: an etcd topology has no API server"),
        (
            {"workload": {"visitors": {"service": "web"}}},
            "s.yaml.workload.visitors: an etcd topology has no",
        ),
        (
            {"workload": {"etcd_writes": {"member": "nope"}}},
            "s.yaml.workload.etcd_writes.member: 'nope' is not",
        ),
        ({"workload": {"etcd_writes": {"size": 10**12}}}, "s.yaml.workload.etcd_writes.size: expected 0 to 10485760"),
        (
            {"workload": {"etcd_writes": {"size": -5}}},
            "size: expected 0 to 10485760, got -5",
        ),
        ({"workload": {"etcd_writes": {"every": 2}}}, 's.yaml.workload.etcd_writes.every: 2 has no unit; write "2s"'),
        ({"topology": {"kind": "etcd", "members": 0}}, "expected a number from 1 to 9, got 0"),
        ({"topology": {"kind": "single", "workers": 10**6}}, "expected a number from 0 to 20"),
        ({"topology": {"kind": "etcd", "zones": ["a,b"]}}, "s.yaml.zones: expected names of zones"),
        ({"topology": {"kind": "etcd", "zones": []}}, "s.yaml.zones: name at least one"),
        ({5: 5}, "s.yaml: 5 is not known here"),
        ({"apiVersion": "v1", "kind": "Pod"}, "s.yaml: these are Kubernetes manifests, not a scenario"),
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


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi")
)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("s.yaml", POD, "^s.yaml: these are Kubernetes manifests, not a scenario; write one, with a title"),
        ("s.yaml", f"{POD}---\n{POD}", "^s.yaml: these are Kubernetes manifests"),
        ("s.json", '{"apiVersion": "v1", "kind": "Pod"}', "^s.json: these are Kubernetes manifests"),
        ("s.yaml", POD + "spec: {replicas: {{ .Values.n }}}", "^s.yaml: this is a template .*: render it first"),
        ("s.yaml", POD + 'spec: {name: "{{ .Release.Name }}"}', "^s.yaml: this is a template .*: render it first"),
        ("s.yaml", "{{- if .Values.on }}\n" + POD + "{{- end }}", "^s.yaml: this is a template .*: render it first"),
        ("s.yaml", "title: a\ntopology: {kind: etcd}\ntitle: b\n", '^s.yaml: line 3: key "title" already set in map'),
        ("s.yaml", "title: a\ntopology: {kind: etcd, kind: single}\n", 'key "kind" already set in map'),
        ("s.json", '{"title": "a", "title": "b"}', '^s.json: key "title" is given twice; keep one'),
        ("s.json", '{"title": }', "^s.json: line 1, column 11: not JSON: Expecting value"),
        ("s.yaml", BOMB, "^s.yaml: document contains excessive aliasing"),
        ("s.yaml", "a: &a [*a]", "^s.yaml: an anchor stands inside of what it names"),
        ("s.yaml", "a: " + "[" * 5000, "^s.yaml: is nested too deep"),
        ("s.json", "[" * 100_000, "^s.json: is nested too deep"),
        ("s.yaml", "seed: " + "9" * 5000, "^s.yaml: holds a number of thousands of digits"),
        ("s.yaml", "? [a]\n: b", "^s.yaml: line 1, column 3: not YAML: found unhashable key"),
        ("s.yaml", "a: !!python/object:os.system {}", "^s.yaml: line 1, column 4: not YAML: could not determine"),
        ("s.yaml", "title: \x00", "^s.yaml: not YAML"),
    ],
)
def test_a_text_that_is_no_scenario_is_one_short_sentence(name, text, sentence, tmp_path):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ScenarioError, match=sentence) as error:
        load(file)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


@pytest.mark.parametrize("source", [None, 5, ["etcd-3"], b"etcd-3", object()])
def test_what_is_no_scenario_at_all_is_one_sentence(source):
    with pytest.raises(ScenarioError, match="expected a scenario's name, file or data, got "):
        load(source)


def test_a_file_in_another_encoding_is_one_sentence(tmp_path):
    (tmp_path / "s.yaml").write_bytes("title: a".encode("utf-16"))
    with pytest.raises(ScenarioError, match="is not UTF-8 text; write a scenario as YAML"):
        load(tmp_path / "s.yaml")


def test_a_date_is_text_as_in_manifests(tmp_path):
    (tmp_path / "s.yaml").write_text("title: 2024-01-01\ntopology: {kind: etcd}\n")
    assert load(tmp_path / "s.yaml").title == "2024-01-01"


names_ = st.sampled_from(
    ["title", "topology", "kind", "until", "seed", "faults", "workload", "params", "etcd", "etcd_writes"]
)
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), names_)
things = st.recursive(leaves, lambda x: st.lists(x, max_size=3) | st.dictionaries(names_, x, max_size=4), max_leaves=12)


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(names_, things, max_size=6))
def test_any_data_are_a_scenario_or_a_sentence(change):
    try:
        from_data({**GOOD, **change}, "s")
    except ScenarioError as error:
        sentence = str(error)
        assert "\n" not in sentence and len(sentence) < 400


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
