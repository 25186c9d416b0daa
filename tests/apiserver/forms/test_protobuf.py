"""Protobuf: the bytes of the real server, both ways, and no bytes that do harm."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
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
        return {key: item for key, item in shown.items() if item not in (None, "", {}, 0) or item is False}
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


def test_custom_resources_have_no_form_in_protobuf():
    assert wire.of_kind("x.io/v1", "Toy") is None
    assert protobuf.serves("apps/v1", "DeploymentList")
