"""Selectors: what they pick, and what is refused. Upstream's tables: tests/oracles."""

import pytest

from kubemini.api import fields, labels
from kubemini.api.kinds import CONFIG_MAP, POD
from kubemini.api.labels import SelectorError
from kubemini.apiserver import served


def test_the_empty_selector_picks_everything_and_a_missing_one_nothing():
    assert labels.matches({}, {"a": "b"}) and labels.matches({}, None)
    assert not labels.matches(None, {"a": "b"})
    assert labels.Selector().matches(None) and not labels.NOTHING.matches({"a": "b"})


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
