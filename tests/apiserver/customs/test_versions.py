"""One resource in several versions."""

from tests.apiserver.customs.parts import DEFINITIONS, Definer
from tests.apiserver.deeds.parts import outside


def version(name, field, storage=False, **more):
    spec = {"type": "object", "properties": {field: {"type": "string", "default": field}, "both": {"type": "string"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {"name": name, "served": True, "storage": storage, "schema": schema, **more}


def two(space, plural):
    versions = [version("v1", "old", True, deprecated=True), version("v2", "new")]
    return Definer(space).define(plural, plural[:-1].title(), versions=versions)


def test_what_is_stored_is_filled_by_its_version_and_read_without_what_another_does_not_know():
    mine = two("crd-q", "hats")
    assert mine.make("a", spec={"both": "x"})[1]["spec"] == {"both": "x", "old": "old"}
    other = mine.path.replace("/v1/", "/v2/")
    seen = mine.ask("GET", f"{other}/a")[1]
    assert (seen["apiVersion"], seen["spec"]) == ("hats.example.com/v2", {"both": "x"})
    head = {**mine.head, "apiVersion": "hats.example.com/v2"}
    code, made = mine.ask("POST", other, {**head, "metadata": {"name": "b"}, "spec": {"new": "lost"}})
    assert (code, made["spec"]) == (201, {})  # the version that is stored does not know it


def test_whatever_version_has_been_stored_is_remembered():
    mine = two("crd-r", "caps")
    swap = [{"op": "replace", "path": f"/spec/versions/{n}/storage", "value": bool(n)} for n in (0, 1)]
    path = f"{DEFINITIONS}/{mine.name}"
    code, changed = mine.ask("PATCH", path, swap, "application/json-patch+json")
    assert (code, changed["status"]["storedVersions"]) == (200, ["v1", "v2"])


def test_a_version_that_is_old_says_which_is_newer():
    mine = two("crd-s", "ties")
    said = dict(outside().ask("GET", mine.path).headers)["Warning"]
    assert said == '299 - "ties.example.com/v1 Tie is deprecated; use ties.example.com/v2 Tie"'


def test_a_body_says_what_it_is():
    mine = two("crd-t", "pins")
    meta = {"metadata": {"name": "a"}}
    code, refused = mine.ask("POST", mine.path, {"apiVersion": "pins.example.com/v1", **meta})
    assert code == 400 and "Object 'Kind' is missing in" in refused["message"]
    wrong = "does not match the expected API version (pins.example.com/v1)"
    code, refused = mine.ask("POST", mine.path, {"kind": "Pin", **meta})
    assert (code, refused["message"]) == (400, f"the API version in the data () {wrong}")
    code, refused = mine.ask("POST", mine.path, {"apiVersion": "pins.example.com/v1", "kind": "Needle", **meta})
    assert (code, refused["message"]) == (
        422,
        'Needle.pins.example.com "a" is invalid: kind: Invalid value: "Needle": must be Pin',
    )


def test_what_is_defined_is_described():
    mine = two("crd-u", "bows")
    document = mine.ask("GET", "/openapi/v3/apis/bows.example.com/v2")[1]
    told = document["components"]["schemas"]["com.example.bows.v2.Bow"]
    assert told["properties"]["spec"]["properties"]["new"] == {"type": "string", "default": "new"}
    assert mine.code("/openapi/v3/apis/none.example.com/v1") == 404
