"""What an object lacks in the store and has in an answer: what Go's encoder makes of its type."""

import pytest

from kubemini.api.schema.decode import decode
from kubemini.api.schema.written import written

NAMED = {"name": "x"}


def test_a_struct_that_nobody_gave_is_written_all_the_same():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": NAMED}
    assert written(pod) == {**pod, "spec": {"containers": None}, "status": {}}


def test_a_list_that_is_always_written_is_null_when_it_is_empty_and_others_are_left_out():
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {**NAMED, "labels": {}}}
    assert written({**role, "rules": []}) == {**role, "metadata": NAMED, "rules": None}
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": []}
    assert written({**role, "rules": [rule]})["rules"] == [{"verbs": ["get"], "apiGroups": [""]}]


def test_what_is_zero_is_left_out_where_go_cannot_tell_it_from_nothing():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": NAMED, "status": {}}
    spec = {"containers": [], "hostNetwork": False, "automountServiceAccountToken": False, "nodeName": ""}
    assert written({**pod, "spec": spec})["spec"] == {"containers": None, "automountServiceAccountToken": False}


def test_times_and_texts_that_are_always_written_are_null_and_empty():
    event = written({"apiVersion": "v1", "kind": "Event", "metadata": NAMED, "involvedObject": {"kind": "Pod"}})
    assert event["eventTime"] is None and event["reportingComponent"] == "" and event["source"] == {}
    assert "count" not in event


@pytest.mark.parametrize("spec", [{}, {"drivers": []}, {"drivers": [{"name": "a", "nodeID": "b"}]}])
def test_it_is_written_once_and_read_back_as_it_was(spec):
    node = {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": NAMED, "spec": spec}
    once = written(node)
    assert written(once) is once
    assert written(decode(once, "storage.k8s.io/v1", "CSINode").value) == once


def test_what_the_schema_does_not_have_stays_as_it_is():
    strange = {"apiVersion": "x.io/v1", "kind": "Toy", "spec": {"list": []}}
    assert written(strange) is strange
