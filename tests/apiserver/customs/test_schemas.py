"""Objects judged, filled and pruned by the schema of their definition."""

from tests.apiserver.customs.parts import Definer

SPEC = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 10},
        "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "port": {"x-kubernetes-int-or-string": True},
        "maybe": {"type": "string", "nullable": True},
        "when": {"type": "string", "format": "date-time"},
        "pairs": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
            "items": {
                "type": "object",
                "required": ["k"],
                "properties": {"k": {"type": "string"}, "v": {"type": "integer", "maximum": 5}},
            },
        },
    },
}


def schema(**more):
    return {"type": "object", "properties": {"spec": {**SPEC, "properties": {**SPEC["properties"], **more}}}}


def client(space, plural, **more):
    return Definer(space).define(plural, plural[:-1].title(), schema(**more))


def causes(answer):
    assert answer[0] == 422, answer
    return [(one["field"], one["message"]) for one in answer[1]["details"]["causes"]]


def test_what_a_schema_does_not_know_is_dropped_and_what_it_says_by_default_is_there():
    mine = client("crd-g", "cans")
    spec = {"size": 1, "extra": 1, "color": None, "maybe": None, "name": None, "free": {"a": {"b": None}}}
    code, made = mine.make("a", spec=spec, other=1)
    wanted = {"size": 1, "color": "red", "maybe": None, "free": {"a": {"b": None}}}
    assert (code, made["spec"], "other" in made) == (201, wanted, False)


def test_every_complaint_is_told_in_the_words_of_the_server():
    mine = client("crd-h", "tins")
    spec = {"size": 0, "color": "blue", "name": "toolong", "tags": ["a", "b", "c"], "port": True, "when": "now"}
    assert causes(mine.make("a", spec=spec)) == [
        ("spec.color", 'Unsupported value: "blue": supported values: "red", "green"'),
        ("spec.name", "Too long: may not be more than 5 bytes"),
        (
            "spec.port",
            'Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
        ),
        ("spec.size", "Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        ("spec.tags", "Too many: 3: must have at most 2 items"),
        ("spec.when", 'Invalid value: "now": spec.when in body must be of type date-time: "now"'),
    ]
    assert causes(mine.make("a", spec={})) == [("spec.size", "Required value")]
    pairs = [{"k": "a"}, {"k": "a"}, {"k": "a"}]
    assert causes(mine.make("a", spec={"size": 1, "pairs": pairs})) == [("spec.pairs[1]", 'Duplicate value: {"k":"a"}')]


def test_what_was_wrong_before_may_stay_as_it_is_and_nothing_else_may():
    mine = client("crd-i", "urns")
    mine.make("a", spec={"size": 9, "tags": ["x"], "pairs": [{"k": "a", "v": 4}]})
    version = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{mine.name}"
    at = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
    steps = [
        {"op": "replace", "path": f"{at}/size/maximum", "value": 5},
        {"op": "replace", "path": f"{at}/pairs/items/properties/v/maximum", "value": 3},
        {"op": "add", "path": f"{at}/tags/items/maxLength", "value": 0},
    ]
    assert mine.ask("PATCH", version, steps, "application/json-patch+json")[0] == 200
    mine.wait()
    path = f"{mine.path}/a"
    assert mine.patch(path, {"spec": {"color": "green", "pairs": [{"k": "b"}, {"k": "a", "v": 4}]}})[0] == 200
    assert causes(mine.patch(path, {"spec": {"size": 8}}))[0][0] == "spec.size"
    assert causes(mine.patch(path, {"spec": {"tags": ["x", "y"]}}))[0][0] == "spec.tags[0]"


def test_a_status_is_judged_alone_and_its_numbers_too():
    status = {"type": "object", "properties": {"n": {"type": "integer"}}}
    spec = {"type": "object", "properties": {"n": {"type": "integer"}}}
    parts = {"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}}
    whole = {"type": "object", "properties": {"spec": spec, "status": status}}
    mine = Definer("crd-j").define("vats", "Vat", whole, subresources=parts)
    mine.make("a", spec={"n": 1})
    found = causes(mine.patch(f"{mine.path}/a/status", {"status": {"n": "x"}}))
    assert found == [
        ("status.n", 'Invalid value: "string": n in body must be of type integer: "string"'),
        (".status.n", "Invalid value: 0: .status.n accessor error: x is of the type string, expected int64"),
    ]
    found = causes(mine.patch(f"{mine.path}/a/status", {"status": {"n": -1}}))
    assert found == [(".status.n", "Invalid value: -1: should be a non-negative integer")]


def test_of_alternatives_that_do_not_fit_the_nearest_is_told():
    either = {"x-kubernetes-preserve-unknown-fields": True, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    mine = client("crd-k", "jugs", either=either)
    found = causes(mine.make("a", spec={"size": 1, "either": {"a": 1, "b": 2}}))
    text = '"spec.either" must validate one and only one schema (oneOf). Found 2 valid alternatives'
    assert found == [("<nil>", f'Invalid value: "": {text}')]
    assert mine.make("a", spec={"size": 1, "either": {"b": 2}})[0] == 201
