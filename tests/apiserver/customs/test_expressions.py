"""Rules in CEL that stand in a schema."""

from tests.apiserver.customs.parts import Definer
from tests.apiserver.customs.test_schemas import causes

FIXED = [{"rule": "self == oldSelf", "message": "cannot change"}]
SPEC = {
    "type": "object",
    "x-kubernetes-validations": [
        {"rule": "self.min <= self.max", "message": "min must not exceed max"},
        {"rule": "self.a__dash__b != 'no'", "fieldPath": ".a-b", "reason": "FieldValueRequired"},
        {"rule": "!has(self.until) || self.until > timestamp('2020-01-01T00:00:00Z')"},
    ],
    "properties": {
        "min": {"type": "integer", "default": 1},
        "max": {"type": "integer", "default": 9},
        "a-b": {"type": "string", "default": "yes"},
        "until": {"type": "string", "format": "date-time"},
        "fixed": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "cannot change"}],
        },
        "once": {
            "type": "string",
            "x-kubernetes-validations": [
                {"rule": "oldSelf.hasValue() || self == 'new'", "message": "begins new", "optionalOldSelf": True}
            ],
        },
        "list": {
            "type": "array",
            "items": {"type": "string"},
            "x-kubernetes-validations": [
                {"rule": "self.all(x, x.startsWith('a'))", "messageExpression": "'bad: ' + self[0]"}
            ],
        },
    },
}
SCHEMA = {"type": "object", "properties": {"spec": SPEC}}
NAMED = {**SCHEMA, "x-kubernetes-validations": [{"rule": "self.metadata.name.size() < 3"}]}


def test_a_rule_refuses_with_its_message_at_its_field_for_its_reason():
    mine = Definer("crd-l").define("jars", "Jar", SCHEMA)
    assert causes(mine.make("a", spec={"min": 5, "max": 3})) == [("spec", "Invalid value: min must not exceed max")]
    rule = "self.a__dash__b != 'no'"
    assert causes(mine.make("a", spec={"a-b": "no"})) == [("spec.a-b", f"Required value: failed rule: {rule}")]
    assert causes(mine.make("a", spec={"list": ["b"]})) == [("spec.list", "Invalid value: bad: b")]
    late = "!has(self.until) || self.until > timestamp('2020-01-01T00:00:00Z')"
    assert causes(mine.make("a", spec={"until": "2019-01-01T00:00:00Z"})) == [
        ("spec", f"Invalid value: failed rule: {late}")
    ]


def test_a_rule_that_compares_is_asked_where_there_was_something():
    mine = Definer("crd-m").define("vans", "Van", SCHEMA)
    assert mine.make("a", spec={"fixed": "x", "once": "new"})[0] == 201
    path = f"{mine.path}/a"
    found = causes(mine.patch(path, {"spec": {"fixed": "y"}}))
    assert found == [("spec.fixed", 'Invalid value: "y": cannot change')]
    assert mine.patch(path, {"spec": {"fixed": None}})[0] == 200
    assert mine.patch(path, {"spec": {"fixed": "z", "once": "other"}})[0] == 200
    assert causes(mine.make("b", spec={"once": "old"})) == [("spec.once", 'Invalid value: "old": begins new')]


def test_rules_are_not_asked_of_an_object_that_lacks_what_they_speak_of():
    mine = Definer("crd-n").define("lids", "Lid", NAMED)
    said = causes(mine.make("toolong", spec={"min": "x"}))
    assert [field for field, _ in said] == ["spec.min", "<nil>"]
    assert said[1][1].startswith("Invalid value: null: some validation rules were not checked")
    found = causes(mine.make("toolong", spec={}))
    assert found == [("<nil>", "Invalid value: failed rule: self.metadata.name.size() < 3")]
