"""Kubernetes objects are values: read like a manifest, changed only by evolve, shared where untouched."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.api.objects import changes, evolve, evolve_many, freeze, get, thaw, without
from kubemini.api.patch import merge as patch

POD = freeze(
    {
        "metadata": {"name": "web-1", "labels": {"app.kubernetes.io/name": "web"}},
        "spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}]},
        "status": {"phase": "Pending"},
    }
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=12,
)
MAPS = st.dictionaries(st.text("ab.", max_size=2), VALUES, max_size=3)


def test_a_changed_copy_shares_every_branch_it_did_not_change():
    running = evolve(POD, ("status", "phase"), "Running")
    assert running["status"]["phase"] == "Running" and POD["status"]["phase"] == "Pending"
    assert running["spec"] is POD["spec"] and running["metadata"] is POD["metadata"]


def test_a_path_may_pass_through_a_list_and_through_what_is_not_there_yet():
    second = evolve(POD, ("spec", "containers", 1, "image"), "log:2")
    assert second["spec"]["containers"][1]["image"] == "log:2"
    assert second["spec"]["containers"][0] is POD["spec"]["containers"][0]
    assert evolve(POD, ("spec", "affinity", "x"), 1)["spec"]["affinity"] == {"x": 1}


def test_a_label_key_may_contain_dots():
    assert get(evolve(POD, ("metadata", "labels", "a.b/c"), "d"), "metadata", "labels", "a.b/c") == "d"


def test_many_edits_at_once_equal_the_same_edits_one_by_one():
    edits = [(("status", "phase"), "Running"), (("status", "podIP"), "10.0.1.7"), (("spec",), {}), (("spec", "a"), [1])]
    one_by_one = POD
    for path, value in edits:
        one_by_one = evolve(one_by_one, path, value)
    assert evolve_many(POD, *edits) == one_by_one
    assert evolve_many(POD, *edits)["metadata"] is POD["metadata"]
    assert evolve_many(POD) is POD


@pytest.mark.parametrize(
    "write",
    [
        lambda pod: pod.update(a=1),
        lambda pod: pod["spec"].pop("containers"),
        lambda pod: pod["spec"]["containers"].append({}),
        lambda pod: pod["spec"]["containers"][0].__setitem__("image", "x"),
        lambda pod: pod["spec"]["containers"].sort(),
        lambda pod: pod.__ior__({}),
    ],
)
def test_writing_into_an_object_says_what_to_do_instead(write):
    with pytest.raises(TypeError, match="use evolve"):
        write(POD)


def test_what_is_frozen_is_shared_and_what_is_thawed_is_not():
    assert freeze(POD) is POD
    plain = thaw(POD)
    plain["spec"]["containers"].append({})
    assert len(POD["spec"]["containers"]) == 2 and type(copy.deepcopy(POD)) is dict


def test_an_object_travels_as_json_and_by_pickle():
    assert freeze(json.loads(json.dumps(POD))) == POD
    assert pickle.loads(pickle.dumps(POD)) == POD


def test_a_missing_step_gives_the_default():
    assert get(POD, "status", "conditions", 0, "type", default="none") == "none"
    assert get(POD, "metadata", "name", "deeper") is None


def test_removing_a_field_that_is_not_there_changes_nothing():
    assert without(POD, ("metadata", "finalizers")) is POD
    assert "phase" not in without(POD, ("status", "phase"))["status"]
    assert without(POD, ("status",)).keys() == {"metadata", "spec"}


def test_changes_name_every_leaf_that_differs():
    later = evolve_many(POD, (("status", "phase"), "Running"), (("metadata", "labels", "new"), "x"))
    assert list(changes(POD, later)) == [
        (("metadata", "labels", "new"), None, "x"),
        (("status", "phase"), "Pending", "Running"),
    ]


@given(MAPS, MAPS)
def test_there_are_changes_exactly_between_objects_that_differ(old, new):
    old, new = _no_nulls(old), _no_nulls(new)
    found = list(changes(freeze(old), freeze(new)))
    assert bool(found) == (old != new)
    assert all(get(old, *path) == before and get(new, *path) == after for path, before, after in found)


@given(MAPS, MAPS)
def test_the_diff_between_two_objects_is_a_merge_patch_from_one_to_the_other(old, new):
    old, new = _no_nulls(old), _no_nulls(new)
    assert patch.merge(freeze(old), patch.diff(old, new)) == new


def test_a_patch_that_changes_nothing_gives_back_the_very_object():
    assert patch.merge(POD, {"status": {"phase": "Pending"}}) is POD
    assert patch.merge(POD, {"status": {"podIP": "1"}})["spec"] is POD["spec"]


def _no_nulls(value):
    """A merge patch cannot say null, and cannot tell true from 1."""
    if isinstance(value, dict):
        return {k: _no_nulls(v) for k, v in value.items() if v is not None}
    return "text" if isinstance(value, bool) else value


RFC_7386 = [  # RFC 7386, appendix A
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize("target, change, result", RFC_7386)
def test_a_merge_patch_does_what_the_rfc_says(target, change, result):
    assert patch.merge(freeze(target), change) == result
