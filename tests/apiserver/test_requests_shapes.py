"""Patches and sub-resources that cannot be, bodies of every shape on every path, and random requests: no traceback."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.api.kinds import served
from kubemini.apiserver.served import of as served_kind
from tests.apiserver.parts import asked, config, done, panics, refusal, shop
from tests.worlds.kube import World

MAPS = "/api/v1/namespaces/default/configmaps"
ONE = f"{MAPS}/a"


@pytest.fixture(scope="module")
def world():
    return shop()


DECODING = "error decoding patch: json: cannot unmarshal "


# -- patches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "body", "said"),
    [
        (
            "merge",
            [],
            (400, DECODING + "array into Go value of type map[string]interface {}"),
        ),
        (
            "merge",
            "x",
            (400, "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}"),
        ),
        (
            "merge",
            {"metadata": None},
            (400, "the name of the object (a based on URL) was undeterminable: name must be provided"),
        ),
        (
            "json",
            {"op": "add"},
            (400, DECODING + "object into Go value of type []handlers.jsonPatchOp"),
        ),
        ("json", [{"op": "add"}], (422, "the server rejected our request due to an error in our request")),
        (
            "json",
            [{"op": "add", "path": "/data/m", "value": "x"}, {"op": "test", "path": "/data/x", "value": "2"}],
            (422, "the server rejected our request due to an error in our request"),
        ),
        ("guess", {}, (415, "415: Unsupported Media Type")),
    ],
)
def test_a_patch_that_cannot_be_applied_changes_nothing(world, type, body, said):
    assert asked(world, "PATCH", ONE, {"type": type}, body) == said


@pytest.mark.parametrize("value", ["", 5, [], None, True])
@pytest.mark.parametrize("path", [ONE, "/apis/apps/v1/namespaces/default/deployments/web/scale"])
def test_a_json_patch_that_leaves_no_object_is_invalid(world, path, value):
    steps = [{"op": "add", "path": "", "value": value}]
    assert asked(world, "PATCH", path, {"type": "json"}, steps)[0] in (400, 422)


@pytest.mark.parametrize("body", [{"data": "x"}, {"data": {"k": 5}}, {"metadata": {"labels": 5}}])
def test_a_patch_whose_result_cannot_be_decoded_is_invalid_without_a_name(world, body):
    code, words = asked(world, "PATCH", ONE, {"type": "merge"}, body)
    assert (
        code == 422
        and words.startswith(' "" is invalid: patch: Invalid value: "{')
        and "json: cannot unmarshal" in words
    )


def test_a_patch_that_speaks_of_another_uid_is_invalid_where_a_put_is_a_conflict(world):
    other = {"metadata": {"name": "a", "uid": "00000000-0000-0000-0000-000000000001"}}
    words = 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "00000000-0000-0000-0000-000000000001": field is '
    assert asked(world, "PATCH", ONE, {"type": "merge"}, other) == (422, words + "immutable")
    assert asked(world, "PUT", ONE, None, {**config(), **other})[0] == 409


# -- sub-resources -----------------------------------------------------------------------------------------------------

BIND = "/api/v1/namespaces/default/pods/web-1/binding"
OF_WEB_1 = {"metadata": {"name": "web-1"}}
SCALE = "/apis/apps/v1/namespaces/default/deployments/web/scale"


NO_NAME = "the name of the object (web based on URL) was undeterminable: name must be provided"
NO_NODE = 'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"'
NEGATIVE = 'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
UNFIT = 'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field '
PLAIN = 'Namespace "default" is invalid: spec.finalizers[0]: Invalid value: "plain": name is neither a standard '
WEB = {"metadata": {"name": "web"}}


@pytest.mark.parametrize(
    ("verb", "path", "body", "said"),
    [
        ("POST", BIND, {**OF_WEB_1, "target": {"kind": "Pod", "name": "x"}}, (500, NO_NODE)),
        ("POST", BIND, {**OF_WEB_1, "target": {"kind": "Node"}}, (500, "target.name: Required value")),
        (
            "POST",
            BIND,
            {"metadata": {"name": "x"}, "target": {"name": "n"}},
            (400, "name in URL does not match name in Binding object"),
        ),
        ("PUT", SCALE, {**WEB, "spec": {"replicas": -1}}, (422, NEGATIVE)),
        ("PUT", SCALE, {"spec": {"replicas": 1}}, (400, NO_NAME)),
        ("PUT", SCALE, {**WEB, "spec": {"replicas": "3"}}, (400, UNFIT + "ScaleSpec.spec.replicas of type int32")),
        (
            "PUT",
            "/api/v1/namespaces/default/finalize",
            {"metadata": {"name": "default"}, "spec": {"finalizers": ["plain"]}},
            (422, PLAIN + "finalizer name nor is it fully qualified"),
        ),
    ],
)
def test_a_sub_resource_says_what_is_wrong_with_its_body(world, verb, path, body, said):
    assert asked(world, verb, path, None, body) == said


@pytest.mark.parametrize("body", [None, [], "x", 5, {"spec": "x", "target": "x", "status": "x", "metadata": 7}])
@pytest.mark.parametrize("type", ["merge", "json", "strategic"])
def test_every_path_survives_every_shape_of_body(body, type):
    world = World()
    for kind in list(served().values()):
        tails = ["", *(f"/{sub}" for sub in served_kind(kind).subresources)]
        for verb in ("POST", "PUT", "PATCH", "DELETE"):
            for path in (kind.path("default"), *(kind.path("default", "default") + tail for tail in tails)):
                world.ask(lambda c, v=verb, p=path: c.request(v, p, body, {"type": type}))
    assert panics(world) == []


# -- paths and verbs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", ONE),
        ("PUT", MAPS),
        ("PATCH", MAPS),
        ("FOO", MAPS),
        ("DELETE", "/api/v1/namespaces"),
        ("GET", BIND),
        ("DELETE", "/api/v1/namespaces/default/services/web/status"),
        ("GET", "/api/v1/namespaces/default/finalize"),
        ("POST", "/api/v1/configmaps"),
        ("GET", "/api/v1/proxy/configmaps"),
    ],
)
def test_a_verb_that_a_path_does_not_have_is_405(world, verb, path):
    words = "the server does not allow this method on the requested resource"
    assert asked(world, verb, path, None, {}) == (405, words)


@pytest.mark.panics
def test_a_fault_of_ours_costs_one_request_and_is_told(monkeypatch):
    world = World()

    def broken(*args):
        raise KeyError("oops")

    monkeypatch.setattr("kubemini.apiserver.decide.update.named", broken)
    code, words = refusal(world.ask(lambda c: c.create(config())))
    panic = "This request caused apiserver to panic. Look in the logs for details."
    assert (code, words) == (500, f"Internal error occurred: {panic}")
    notes = [r.detail["text"] for r in world.sim.trace.of("note", "apiserver-1")]
    assert notes == [f"apiserver panic'd on POST {MAPS}: KeyError: 'oops'"]
    monkeypatch.undo()
    done(world.ask(lambda c: c.create(config())))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
# fmt: off
FIELDS = [
    "apiVersion", "kind", "metadata", "spec", "status", "name", "labels", "uid",
    "resourceVersion", "replicas", "selector", "template", "containers", "ports", "type",
    "target", "finalizers", "data", "op", "path", "value", "from", "gracePeriodSeconds",
    "preconditions", "dryRun", "propagationPolicy",
]
# fmt: on
KNOWN = st.sampled_from(FIELDS)
BODIES = JSON | st.dictionaries(KNOWN, st.dictionaries(KNOWN, JSON, max_size=3) | JSON, max_size=5)
VALUES = st.sampled_from(["", "0", "1", "abc", "-1", "999999", "All", "Exact", "a=b", "a in (", "=", "true", "x" * 200])
# fmt: off
PARAMETERS = [
    "resourceVersion", "resourceVersionMatch", "limit", "continue", "timeoutSeconds",
    "labelSelector", "fieldSelector", "type", "dryRun", "fieldManager", "fieldValidation",
    "force", "propagationPolicy", "gracePeriodSeconds", "sendInitialEvents", "watch",
]
# fmt: on
QUERIES = st.dictionaries(
    st.sampled_from(PARAMETERS),
    VALUES | st.sampled_from(["merge", "json", "strategic", "apply"]),
    max_size=4,
)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.sampled_from(list(served().values())),
    st.sampled_from(["", "/web", "/web-1", "/a", "/web/status", "/web/scale", "/web-1/binding", "/default/finalize"]),
    QUERIES,
    BODIES,
)
def test_no_random_request_makes_our_own_code_raise(world, verb, kind, tail, query, body):
    world.ask(lambda c: c.request(verb, kind.path("default") + tail, body, query))
    assert panics(world) == []
