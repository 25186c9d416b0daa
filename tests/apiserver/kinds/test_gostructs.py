"""Structs as a refusal shows them: the server's internal types, in Go's order."""

import pytest

from kubemini.api import schema
from kubemini.apiserver.rules.causes import shown
from kubemini.apiserver.rules.gostructs import internal
from tests.oracles.kubernetes import internals


def test_a_budget_shows_all_its_fields_under_go_s_names():
    spec = {"minAvailable": 2, "maxUnavailable": 2, "selector": {"matchLabels": {"a": "b"}}}
    assert shown(internal(spec, "policy.PodDisruptionBudgetSpec")) == (
        '{"MinAvailable":2,"Selector":{"matchLabels":{"a":"b"}},"MaxUnavailable":2,"UnhealthyPodEvictionPolicy":null}'
    )


def test_an_embedded_struct_s_fields_stand_among_the_others():
    volume = internal({"name": "v", "emptyDir": {}}, "core.Volume")
    assert list(volume)[:3] == ["Name", "HostPath", "EmptyDir"]
    assert volume["EmptyDir"] == {"Medium": "", "SizeLimit": None, "Mode": None}


def test_signs_that_mean_something_in_a_page_are_escaped_but_not_in_a_text():
    assert shown({"a": "1 < 2 & 3"}) == '{"a":"1 \\u003c 2 \\u0026 3"}'
    assert shown("1 < 2") == '"1 < 2"'


def test_every_type_that_a_field_names_is_known():
    known = schema.internals()
    named = {type.lstrip("*[]{}") for fields in known.values() for _, type, _ in fields}
    leaves = {
        "string",
        "bool",
        "int32",
        "int64",
        "float64",
        "byte",
        "int",
        "quantity",
        "int-or-string",
        "time",
        "bytes",
    }
    assert {type for type in named if "." in type and not type.startswith("metav1.")} <= set(known)
    assert {type for type in named if "." not in type} <= leaves | {"json"}


@pytest.mark.skipif(internals.source() is None, reason="the source of Kubernetes is not in Go's module cache")
def test_the_types_are_those_of_the_release():
    assert internals.derived(internals.source()) == internals.TARGET.read_text(encoding="utf-8")
