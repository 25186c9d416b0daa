"""Who owns what of a custom resource: apply by the schema of its definition; finalizers; embedded objects."""

from tests.apiserver.customs.parts import DEFINITIONS, Definer

PAIRS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}},
}
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
EMBEDDED = {**FREE, "x-kubernetes-embedded-resource": True}
SPEC = {"type": "object", "properties": {"pairs": PAIRS, "free": FREE, "inner": EMBEDDED, "n": {"type": "integer"}}}
SCHEMA = {"type": "object", "properties": {"spec": SPEC, "status": FREE}}


def apply(mine, who, name="a", **content):
    body = {**mine.head, "metadata": {"name": name}, **content}
    return mine.patch(f"{mine.path}/{name}?fieldManager={who}", body, "apply")


def test_elements_have_an_owner_each_and_so_has_each_field_that_no_schema_knows():
    mine = Definer("crd-v").define("kits", "Kit", SCHEMA)
    assert apply(mine, "one", spec={"pairs": [{"k": "a", "v": 1}], "free": {"x": {"y": 1}, "l": [1]}})[0] == 201
    code, both = apply(mine, "two", spec={"pairs": [{"k": "b"}], "free": {"x": {"z": 2}}})
    assert (code, both["spec"]["pairs"]) == (200, [{"k": "a", "v": 1}, {"k": "b"}])
    assert both["spec"]["free"]["x"] == {"y": 1, "z": 2}
    code, refused = apply(mine, "two", spec={"free": {"l": [2]}})
    assert (code, refused["details"]["causes"][0]["field"]) == (409, ".spec.free.l")
    code, refused = apply(mine, "one", spec={"pairs": {"k": "a"}})
    assert code == 500 and refused["message"].endswith("Kind=Kit): .spec.pairs: expected list, got &{map[k:a]}")


def test_without_the_sub_resource_a_status_is_applied_like_all_else():
    mine = Definer("crd-w").define("rods", "Rod", SCHEMA)
    assert apply(mine, "one", status={"a": 1})[1]["status"] == {"a": 1}
    parts = Definer("crd-x").define("reels", "Reel", SCHEMA, subresources={"status": {}})
    assert "status" not in apply(parts, "one", status={"a": 1})[1]


def test_a_list_without_its_keys_is_judged_though_nobody_can_own_it():
    mine = Definer("crd-y").define("nets", "Net", SCHEMA)
    code, refused = mine.make("a", spec={"pairs": [{"v": 1}]})
    assert (code, refused["details"]["causes"][0]["field"]) == (422, "spec.pairs[0].k")


def test_a_finalizer_needs_no_domain_but_a_definition_that_ends_can_be_labelled():
    mine = Definer("crd-z").define("hoes", "Hoe", SCHEMA)
    body = {**mine.head, "metadata": {"name": "a", "finalizers": ["plain"]}}
    assert mine.ask("POST", mine.path, body)[0] == 201
    assert mine.ask("DELETE", f"{DEFINITIONS}/{mine.name}")[0] == 200
    assert mine.patch(f"{DEFINITIONS}/{mine.name}", {"metadata": {"labels": {"a": "b"}}})[0] == 200


def test_an_object_within_another_says_what_it_is_and_has_true_metadata():
    mine = Definer("crd-aa").define("axes", "Axe", SCHEMA)
    code, refused = mine.make("a", spec={"inner": {"x": 1}})
    assert (code, [one["field"] for one in refused["details"]["causes"]]) == (
        422,
        ["spec.inner.apiVersion", "spec.inner.kind"],
    )
    inner = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n", "odd": 1}, "x": 1}
    made = mine.make("a", spec={"inner": inner})[1]
    assert made["spec"]["inner"] == {**inner, "metadata": {"name": "n"}}
