"""Selectors read, print and match as in Kubernetes' own test tables."""

import json
from pathlib import Path

import pytest

from kubemini.api import fields, labels
from kubemini.api.kinds import CONFIG_MAP, POD
from kubemini.api.labels import Requirement, Selector, SelectorError
from kubemini.apiserver import served

TABLE = json.loads((Path(__file__).parents[1] / "oracles/kubernetes/label_selectors.json").read_text())["vectors"]


def rows(kind: str) -> list[dict]:
    return [row for row in TABLE if row["kind"] == kind]


def requirement(row: dict) -> Requirement:
    return Requirement(row["key"], row["op"], tuple(row["values"]))


@pytest.mark.parametrize("row", rows("parse"), ids=lambda row: row["selector"])
def test_a_selector_is_read_as_kubernetes_reads_it(row):
    if not row["valid"]:
        with pytest.raises(SelectorError):
            labels.parse(row["selector"])
        return
    found = labels.parse(row["selector"])
    if "roundtrip" in row:
        assert labels.parse(str(found)) == found
        assert str(found) == row["roundtrip"].replace(" ", "")
    if "requirements" in row:
        wanted = sorted((requirement(r) for r in row["requirements"]), key=lambda r: r.key)
        assert [(r.key, r.operator, sorted(r.values)) for r in found.requirements] == [
            (r.key, r.operator, sorted(r.values)) for r in wanted
        ]


@pytest.mark.parametrize("row", rows("match"), ids=lambda row: row["selector"])
def test_a_selector_matches_what_kubernetes_matches(row):
    assert labels.parse(row["selector"]).matches(row["labels"]) is row["matches"]


@pytest.mark.parametrize("row", rows("matchLabels"), ids=str)
def test_match_labels_want_every_pair(row):
    assert labels.contains(row["labels"], row["set"]) is row["matches"]
    assert labels.matches({"matchLabels": row["set"]}, row["labels"]) is row["matches"]
    assert labels.from_labels(row["set"]).matches(row["labels"]) is row["matches"]


@pytest.mark.parametrize("row", rows("requirement"), ids=lambda row: f"{row['key'][:5]} {row['op']}")
def test_a_requirement_is_judged_as_by_kubernetes(row):
    assert bool(requirement(row).problems()) is bool(row["errors"])


@pytest.mark.parametrize("row", rows("requirementsMatch"), ids=str)
def test_all_requirements_must_be_met(row):
    assert Selector(tuple(map(requirement, row["requirements"]))).matches(row["labels"]) is row["matches"]


@pytest.mark.parametrize("row", rows("toString"), ids=lambda row: row["out"])
def test_requirements_print_as_in_kubernetes(row):
    assert ",".join(str(requirement(r)) for r in row["requirements"]) == row["out"]


def test_the_empty_selector_picks_everything_and_a_missing_one_nothing():
    assert labels.matches({}, {"a": "b"}) and labels.matches({}, None)
    assert not labels.matches(None, {"a": "b"})
    assert labels.EVERYTHING.matches(None) and not labels.NOTHING.matches({"a": "b"})


def test_not_in_also_picks_what_lacks_the_label():
    selector = {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}
    assert labels.matches(selector, {}) and not labels.matches(selector, {"tier": "front"})


def test_an_unreadable_selector_says_what_was_expected():
    with pytest.raises(SelectorError, match="found '=', expected: ',' or 'end of string'"):
        labels.parse("a=b=c")


def test_a_field_selector_picks_by_fields():
    terms = fields.parse("spec.nodeName=worker-1,status.phase!=Failed", served.of(POD).fields)
    pod = {"spec": {"nodeName": "worker-1"}, "status": {"phase": "Running"}}
    assert fields.matches(terms, pod)
    assert not fields.matches(terms, {**pod, "status": {"phase": "Failed"}})
    assert not fields.matches(fields.parse("spec.nodeName=", served.of(POD).fields), pod)
    assert fields.matches(fields.parse("spec.nodeName=", served.of(POD).fields), {"spec": {}})
    assert fields.required(terms, "spec.nodeName") == "worker-1"
    assert ",".join(map(str, terms)) == "spec.nodeName=worker-1,status.phase!=Failed"


def test_a_field_that_the_kind_does_not_offer_is_refused():
    with pytest.raises(
        fields.FieldSelectorError,
        match=r'"spec\.nodeName" is not a known field selector: only "metadata\.name", "metadata\.namespace"',
    ):
        fields.parse("spec.nodeName=x", served.of(CONFIG_MAP).fields)


@pytest.mark.parametrize("text", ["a", "x in (a)", "x==a==b", "x=a,b", "k=\\a"])
def test_an_unreadable_field_selector_is_refused(text):
    with pytest.raises(fields.FieldSelectorError):
        fields.parse(text)


def test_a_comma_in_a_value_is_escaped():
    (term,) = fields.parse("k=a\\,b\\=c\\\\")
    assert term.value == "a,b=c\\" and fields.parse(str(term)) == (term,)
