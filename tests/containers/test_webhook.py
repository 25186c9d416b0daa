"""agnhost's webhook: what it says of what it is asked about."""

import json
from base64 import b64decode

import pytest

from kubemini.containers import Folder, Mount, Request
from kubemini.containers.files import File
from kubemini.sim.units import SECOND
from tests.containers.parts import Bench

CERTS = Mount("/certs", Folder({"tls.crt": File(b"c"), "tls.key": File(b"k")}))
FLAGS = ("webhook", "--tls-cert-file=/certs/tls.crt", "--tls-private-key-file=/certs/tls.key", "--port=8444")


def asked(path, obj, operation="CREATE", old=None, name=""):
    """The response to a question about *obj*, and after how long it comes (µs)."""
    bench = Bench("agnhost", *FLAGS, mounts=(CERTS,)).start()
    request = {"uid": "u1", "operation": operation, "object": obj, "oldObject": old, "name": name}
    body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    answer = bench.inside.request(8444, Request("POST", f"{path}?timeout=10s", {}, json.dumps(body).encode()))
    review = json.loads(answer.body)
    assert review["kind"] == "AdmissionReview" and review["response"]["uid"] == "u1"
    return review["response"], answer.delay


def patched(response):
    return json.loads(b64decode(response["patch"]))


def named(field, value, name="web"):
    return {"metadata": {"name": name, "labels": {field: value}}, "data": {field: value}}


def test_it_does_not_start_without_its_certificate():
    bench = Bench("agnhost", *FLAGS).start()
    assert bench.end is not None and bench.end[1] == 255


@pytest.mark.parametrize(
    ("path", "obj", "why"),
    [
        ("/always-deny", {}, {"message": "this webhook denies all requests"}),
        ("/pods", named("webhook-e2e-test", "webhook-disallow"), {"message": "the pod contains unwanted label;"}),
        (
            "/configmaps",
            named("webhook-e2e-test", "webhook-disallow"),
            {"reason": "the configmap contains unwanted key and value"},
        ),
        ("/crd", named("webhook-e2e-test", "webhook-disallow"), {"message": "the crd contains unwanted label"}),
    ],
)
def test_what_is_unwanted_is_denied_and_all_else_is_not(path, obj, why):
    said, _ = asked(path, obj)
    assert said["allowed"] is False and said["status"] == {"metadata": {}, **why}
    if path != "/always-deny":
        assert asked(path, named("a", "b"))[0]["allowed"] is True


def test_what_is_not_to_be_deleted_is_judged_by_what_it_was():
    old = named("webhook-e2e-test", "webhook-nondeletable")
    said, _ = asked("/custom-resource", None, "DELETE", old)
    assert "cannot be deleted" in said["status"]["reason"]
    assert asked("/custom-resource", old)[0]["allowed"] is True


def test_objects_are_changed_stage_by_stage_and_labels_once():
    first, second = asked("/mutating-configmaps", named("mutation-start", "yes"))[0], named("mutation-stage-1", "yes")
    assert patched(first) == [{"op": "add", "path": "/data/mutation-stage-1", "value": "yes"}]
    assert patched(asked("/mutating-configmaps", second)[0])[0]["path"] == "/data/mutation-stage-2"
    assert patched(asked("/add-label", {"metadata": {}})[0])[0]["path"] == "/metadata/labels"
    assert patched(asked("/add-label", named("added-label", "no"))[0])[0]["op"] == "replace"
    assert "patch" not in asked("/add-label", named("added-label", "yes"))[0]


def test_some_answers_are_late_and_one_never_comes():
    assert asked("/always-allow-delay-5s", {})[1] == 5 * SECOND
    assert asked("/pods", named("webhook-e2e-test", "wait-forever"))[1] > 10**6 * SECOND


def test_a_pod_that_is_attached_to_is_known_by_its_name():
    options = {"stdin": True, "container": "container1"}
    assert asked("/pods/attach", options, "CONNECT", name="to-be-attached-pod")[0]["allowed"] is False
    assert asked("/pods/attach", options, "CONNECT", name="other")[0]["allowed"] is True
