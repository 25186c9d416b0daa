"""Protobuf: the bytes of the real server, both ways, and no bytes that do harm."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.api.schema import wire
from kubemini.apiserver.decide.forms import protobuf

RECORDED = json.loads((Path(__file__).parents[2] / "oracles/kubernetes/messages.json").read_text(encoding="utf-8"))


def named(row):
    return f"{row[0]['kind']} {row[0]['metadata'].get('name', '')}"


@pytest.mark.parametrize("row", RECORDED, ids=named)
def test_an_object_is_written_as_the_real_server_writes_it(row):
    obj, packed = row
    assert protobuf.encoded(obj) == base64.b64decode(packed)


@pytest.mark.parametrize("row", RECORDED, ids=named)
def test_what_was_written_is_read_again(row):
    obj, packed = row
    again = protobuf.decoded(protobuf.opened(base64.b64decode(packed)))
    assert protobuf.encoded(again) == base64.b64decode(packed)
    assert without_zeros(again) == without_zeros(obj)


def without_zeros(value):
    """What says nothing is left out: in protobuf nobody can tell it from what was never said."""
    if isinstance(value, dict):
        shown = {key: without_zeros(item) for key, item in value.items()}
        return {key: item for key, item in shown.items() if item not in (None, "", {}, 0)}
    return [without_zeros(item) for item in value] if isinstance(value, list) else value


def test_a_zero_behind_a_pointer_is_kept_and_any_other_is_nothing():
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 0, "minReadySeconds": 0}}
    assert protobuf.decoded(protobuf.opened(protobuf.encoded(scaled)))["spec"] == {"replicas": 0}


def test_an_event_of_a_watch_stands_in_a_frame_of_its_length():
    event = {"type": "ADDED", "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}}
    frame = protobuf.framed(event)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert frame[4:].startswith(b"\n\x05ADDED")


@pytest.mark.parametrize("value", [0, 1, -1, 2**31 - 1, -(2**31), 300])
def test_numbers_of_any_sign_are_read_again(value):
    rule = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": value}
    assert protobuf.decoded(protobuf.opened(protobuf.encoded(rule))).get("value", 0) == value


@given(st.binary(max_size=60))
def test_bytes_that_are_no_message_are_refused_in_words(noise):
    try:
        found = protobuf.decoded(protobuf.Unknown("v1", "Pod", noise))
    except protobuf.Malformed as refused:
        found = {"refused": str(refused)}
    assert found.get("kind") == "Pod" or found["refused"]


def test_a_field_whose_type_has_no_fields_is_there_all_the_same():
    version = {"name": "v1", "subresources": {"status": {}}}
    obj = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {"versions": [version]}}
    again = protobuf.decoded(protobuf.opened(protobuf.encoded(obj)))
    assert again["spec"]["versions"][0]["subresources"] == {"status": {}}


def test_custom_resources_have_no_form_in_protobuf():
    assert wire.of_kind("x.io/v1", "Toy") is None
    assert protobuf.serves("apps/v1", "DeploymentList")


LEAVES = {
    "string": st.text(max_size=5),
    "bool": st.booleans(),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(-1e6, 1e6).map(lambda number: int(number) if number.is_integer() else number),
    "bytes": st.binary(max_size=5).map(lambda raw: base64.b64encode(raw).decode()),
    "quantity": st.sampled_from(["0", "1", "500m", "2Gi", "-1k"]),
    "time": st.sampled_from(["2026-01-02T03:04:05Z", "1970-01-01T00:00:01Z"]),
    "microtime": st.sampled_from(["2026-01-02T03:04:05.000006Z", "2031-12-31T23:59:59.999999Z"]),
    "int-or-string": st.integers(0, 70000) | st.text(max_size=4),
    "texts": st.lists(st.text(max_size=3), max_size=2),
    "raw": st.dictionaries(
        st.text(max_size=2), st.integers() | st.none() | st.lists(st.booleans(), max_size=2), max_size=2
    ),
}


@st.composite
def values(draw, name, depth):
    """A value of a message, by its fields."""
    found, fields = {}, list(wire.message(name).fields.values())
    fields = [field for field in fields if depth or field.type in LEAVES]
    chosen = draw(st.lists(st.sampled_from(fields), max_size=3, unique=True)) if fields else []
    for field in chosen:
        leaf = field.type in LEAVES
        one = LEAVES[field.type] if leaf else values(field.type, depth - 1)
        if field.inline:
            found |= draw(one)
        elif field.many:
            found[field.name] = draw(st.lists(one, min_size=1, max_size=2))
        elif field.map:
            found[field.name] = draw(st.dictionaries(st.text(max_size=3), one, min_size=1, max_size=2))
        else:
            found[field.name] = draw(one)
    return found


KINDS = [
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "Event"),
    ("v1", "Secret"),
    ("v1", "NodeList"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("authorization.k8s.io/v1", "SubjectAccessReview"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "Ingress"),
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
    ("coordination.k8s.io/v1", "Lease"),
    ("policy/v1", "PodDisruptionBudget"),
]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_is_written_is_read_as_the_same(data):
    api_version, kind = data.draw(st.sampled_from(KINDS))
    body = data.draw(values(wire.of_kind(api_version, kind).name, 3))
    obj = {**body, "apiVersion": api_version, "kind": kind}
    packed = protobuf.encoded(obj)
    again = protobuf.decoded(protobuf.opened(packed))
    assert protobuf.encoded(again) == packed
    assert without_zeros(again) == without_zeros(obj)
