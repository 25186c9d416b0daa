"""What changed in an object, as lines of YAML."""

import yaml

from kubemini.api.objects import freeze
from kubemini.requests.diffs import diff, lines

POD = freeze(
    {
        "metadata": {"name": "web", "labels": {"app": "web", "on": "yes"}, "managedFields": [{"manager": "me"}]},
        "spec": {"containers": [{"name": "a", "args": [], "ports": [{"containerPort": 80}]}], "deadline": None},
        "data": {"a: b": "1", "n": 3, "t": "true", "empty": "", "text": "two\nlines", "e": "1e3"},
    }
)


def test_lines_are_yaml_that_says_the_same():
    assert yaml.safe_load("\n".join(lines(POD))) == POD


def test_what_is_added_and_what_goes_is_marked_and_the_rest_left_out():
    before = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}
    assert diff(before, {**before, "d": 7}) == ["…", "- d: 4", "+ d: 7", "…"]


def test_a_change_stands_under_the_keys_that_it_lies_in():
    before = {"kind": "Pod", "spec": {"nodeName": "a", "containers": [{"name": "b"}, {"name": "c", "image": "d"}]}}
    after = {**before, "spec": {**before["spec"], "containers": [{"name": "b"}, {"name": "c", "image": "e"}]}}
    under = ["…", "  spec:", "…", "    containers:", "…", "    - name: c", "-     image: d", "+     image: e"]
    assert diff(before, after) == under


def test_the_order_of_keys_is_no_change_and_owners_of_fields_are_left_out():
    assert diff({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}) == []
    assert diff({"metadata": {"name": "a"}}, {"metadata": {"name": "a", "managedFields": [{"manager": "x"}]}}) == []


def test_what_is_no_object_has_no_changes():
    assert diff(None, POD) == diff(POD, None) == diff(POD, POD) == []
