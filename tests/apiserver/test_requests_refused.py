"""Requests that no reader's mistake turns into a traceback: each gets the words of the real server, nothing changes.

Texts and codes are those of recorded sessions with kube-apiserver 1.37.2, or of its source where the comment says so.
"""

import pytest

from kubemini.api.kinds import CONFIG_MAP
from tests.apiserver.parts import Listener, asked, config, deployment, done, panics, shop

MAPS = "/api/v1/namespaces/default/configmaps"
ONE = f"{MAPS}/a"
SYNTAX = 'strconv.ParseInt: parsing "x": invalid syntax'
NO_UINT = 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'
NO_KIND = "couldn't get version/kind; json parse error: "
META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
LIST = 'ListOptions.meta.k8s.io "" is invalid: '
DELETE = 'DeleteOptions.meta.k8s.io "" is invalid: '
POLICIES = 'supported values: "Foreground", "Background", "Orphan", "nil"'


@pytest.fixture(scope="module")
def world():
    return shop()


# -- the query ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"resourceVersion": "abc"}, (400, "invalid resource version: " + NO_UINT)),
        ({"resourceVersion": "-1"}, (400, "invalid resource version: " + NO_UINT.replace("abc", "-1"))),
        ({"limit": "x"}, (400, SYNTAX)),
        ({"timeoutSeconds": "x"}, (400, SYNTAX)),
        ({"limit": "9" * 25}, (400, f'strconv.ParseInt: parsing "{"9" * 25}": value out of range')),
        (
            {"continue": "x"},
            (400, "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"),
        ),
        (
            {"resourceVersionMatch": "Exact"},
            (
                422,
                LIST + "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is "
                "provided",
            ),
        ),
        (
            {"resourceVersionMatch": "Perhaps", "resourceVersion": "1"},
            (
                422,
                LIST + 'resourceVersionMatch: Unsupported value: "Perhaps": supported values: "Exact", "NotOlderThan", '
                '""',
            ),
        ),
        (
            {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
            (
                422,
                LIST + 'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for '
                'resourceVersion "0"',
            ),
        ),
        (
            {"sendInitialEvents": "true"},
            (422, LIST + "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
        ),
        (
            {"fieldSelector": "bad"},
            (400, "invalid selector: 'bad'; can't understand 'bad'"),
        ),
    ],
)
def test_a_list_with_options_that_cannot_be_is_refused(world, query, said):
    assert asked(world, "GET", MAPS, query) == said


@pytest.mark.parametrize("value", [[], ["a"], None, True, 5, {"a": 1}])
@pytest.mark.parametrize("key", ["labelSelector", "fieldSelector", "watch", "allowWatchBookmarks", "resourceVersion"])
def test_a_parameter_that_is_no_text_is_read_as_a_url_would_have_it(world, key, value):
    world.ask(lambda c: c.request("GET", MAPS, query={key: value}))
    Listener(world, CONFIG_MAP, name=f"odd-{len(world.programs)}", **{key: value} if key != "resourceVersion" else {})
    assert panics(world) == []


def test_a_negative_limit_means_none_and_unknown_parameters_are_ignored(world):
    names = [o["metadata"]["name"] for o in done(world.ask(lambda c: c.list(CONFIG_MAP, limit="-1", x="y")))["items"]]
    assert names == ["a"]


def test_a_version_that_is_no_number_is_the_server_s_error_when_one_object_is_asked_for(world):
    assert asked(world, "GET", ONE, {"resourceVersion": "abc"}) == (500, NO_UINT)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"resourceVersion": "abc"}, (500, NO_UINT)),
        ({"sendInitialEvents": "true"}, (422, "sendInitialEvents requires setting resourceVersionMatch to")),
        ({"resourceVersionMatch": "NotOlderThan", "resourceVersion": "5"}, (422, "is forbidden for watch unless")),
        ({"continue": "x"}, (422, "resourceVersionMatch is forbidden when continue is provided")),
        ({"timeoutSeconds": "soon"}, (400, 'parsing "soon": invalid syntax')),
        ({"fieldSelector": "bad"}, (400, "can't understand 'bad'")),
    ],
)
def test_a_watch_with_options_that_cannot_be_never_begins(world, query, said):
    query = {"version": query.pop("resourceVersion", ""), **query}
    listener = Listener(world, CONFIG_MAP, name=f"bad-{len(world.programs)}", **query)
    (error,) = listener.ended
    assert listener.items == [] and error.code == said[0] and said[1] in error.message


def test_a_watch_ends_in_peace_when_its_time_is_over(world):
    listener = Listener(world, CONFIG_MAP, name="short", timeoutSeconds="1")
    assert listener.ended == []
    world.run(1)
    assert listener.ended == [None] and listener.heard() == [("ADDED", "a")]


@pytest.mark.parametrize("query", [{"dryRun": "Some"}, {"fieldManager": "m" * 129}, {"fieldValidation": "Hard"}])
@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH"])
def test_a_write_with_options_that_cannot_be_is_invalid(world, verb, query):
    code, words = asked(world, verb, MAPS if verb == "POST" else ONE, query, config("b" if verb == "POST" else "a"))
    of = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}[verb]
    assert code == 422 and words.startswith(f'{of}.meta.k8s.io "" is invalid: {next(iter(query))}: ')


# -- the options of DELETE ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("text", (400, f"{NO_KIND}json: cannot unmarshal string into Go value of type {META}")),
        (["Orphan"], (400, f"{NO_KIND}json: cannot unmarshal array into Go value of type {META}")),
        (5, (400, f"{NO_KIND}json: cannot unmarshal number into Go value of type {META}")),
        (
            {"gracePeriodSeconds": "x"},
            (400, "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64"),
        ),
        (
            {"gracePeriodSeconds": 1.5},
            (
                400,
                "json: cannot unmarshal number 1.5 into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
            ),
        ),
        (
            {"preconditions": {"uid": 5}},
            (
                400,
                "json: cannot unmarshal number into Go struct field Preconditions.preconditions.uid of type types.UID",
            ),
        ),
        (
            {"preconditions": "u"},
            (
                400,
                "json: cannot unmarshal string into Go struct field DeleteOptions.preconditions of type "
                "v1.Preconditions",
            ),
        ),
        (
            {"kind": "Pod", "apiVersion": "v1"},
            (400, 'no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"'),
        ),
        ({"propagationPolicy": "Nope"}, (422, f'{DELETE}propagationPolicy: Unsupported value: "Nope": {POLICIES}')),
        ({"dryRun": ["Most"]}, (422, f'{DELETE}dryRun: Unsupported value: ["Most"]: supported values: "All"')),
        (
            {"orphanDependents": True, "propagationPolicy": "Orphan"},
            (
                422,
                f'{DELETE}propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation '
                "cannot be both set",
            ),
        ),
    ],
)
def test_options_of_a_delete_that_cannot_be_delete_nothing(world, body, said):
    assert asked(world, "DELETE", ONE, None, body) == said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"gracePeriodSeconds": "x"}, (400, SYNTAX)),
        (
            {"propagationPolicy": "Sometimes"},
            (422, f'{DELETE}propagationPolicy: Unsupported value: "Sometimes": {POLICIES}'),
        ),
    ],
)
def test_options_of_a_delete_may_stand_in_the_query_and_are_read_there(world, query, said):
    assert asked(world, "DELETE", ONE, query) == said


def test_the_causes_of_a_refused_option_name_no_object(world):
    reply = world.ask(lambda c: c.request("DELETE", ONE, {"propagationPolicy": "Nope"}))
    status = reply.error.status()
    causes = [{"reason": "FieldValueNotSupported", "message": f'Unsupported value: "Nope": {POLICIES}'}]
    assert status["reason"] == "Invalid"
    assert status["details"]["group"] == "meta.k8s.io" and status["details"]["kind"] == "DeleteOptions"
    assert [{k: v for k, v in c.items() if k != "field"} for c in status["details"]["causes"]] == causes


# -- bodies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, f"{NO_KIND}unexpected end of JSON input (<empty>)"),
        ([], f"{NO_KIND}json: cannot unmarshal array into Go value of type {META} (5b5d)"),
        ("x", f"{NO_KIND}json: cannot unmarshal string into Go value of type {META} (227822)"),
    ],
)
@pytest.mark.parametrize("verb", ["POST", "PUT"])
def test_a_body_that_is_no_object_is_not_recognized(world, verb, body, words):
    said = asked(world, verb, MAPS if verb == "POST" else ONE, None, body)
    assert said == (400, f"the object provided is unrecognized (must be of type ConfigMap): {words}")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"metadata": {"name": 5}}, "number into Go struct field ObjectMeta.metadata.name of type string"),
        ({"metadata": {"labels": {"a": True}}}, "bool into Go struct field ObjectMeta.metadata.labels of type string"),
        ({"metadata": "x"}, "string into Go struct field ConfigMap.metadata of type v1.ObjectMeta"),
        (
            {"metadata": {"finalizers": "x"}},
            "string into Go struct field ObjectMeta.metadata.finalizers of type []string",
        ),
    ],
)
def test_a_field_of_a_wrong_type_is_named(world, body, words):
    said = asked(world, "POST", MAPS, None, body)
    assert said == (400, f'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal {words}')


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (
            MAPS,
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}},
            'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): '
            "unknown conversion",
        ),
        (
            "/apis/apps/v1/namespaces/default/deployments",
            {**deployment("b"), "apiVersion": "apps/v1beta1"},
            "the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)",
        ),
        (
            "/apis/apps/v1/namespaces/default/deployments",
            {**deployment("b"), "kind": "StatefulSet"},
            'StatefulSet in version "v1" cannot be handled as a Deployment: converting (v1.StatefulSet) to '
            "(apps.Deployment): unknown conversion",
        ),
    ],
)
def test_another_kind_in_the_body_is_not_converted(world, path, body, words):
    assert asked(world, "POST", path, None, body) == (400, words)


@pytest.mark.parametrize("meta", [{}, {"name": ""}])
def test_a_put_must_name_its_object(world, meta):
    words = "the name of the object (a based on URL) was undeterminable: name must be provided"
    assert asked(world, "PUT", ONE, None, {**config(), "metadata": meta}) == (400, words)


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"x": value}
    return value


@pytest.mark.parametrize(
    "body", [deep(5000), {"data": {1: "x"}}, {"data": {"x": {1, 2}}}, {"data": {"x": float("nan")}}, {"data": 10**5000}]
)
@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_no_json_or_too_deep_is_a_bad_request(world, verb, body):
    assert asked(world, verb, MAPS if verb == "POST" else ONE, None, body)[0] == 400


def test_a_body_that_unfolds_to_more_than_a_server_reads_is_too_large(world):
    value = ["x"] * 10
    for _ in range(8):
        value = [value] * 10
    words = "Request entity too large: limit is 3145728"
    assert asked(world, "POST", MAPS, None, {"metadata": {"name": "b"}, "data": value}) == (413, words)
