"""Server-side apply by the tables of structured-merge-diff: the object and its owners after applies and writes."""

import json
from pathlib import Path

import pytest

from kubemini.api.patch import apply, typed
from kubemini.api.patch.apply import APPLY, UPDATE, Manager
from kubemini.api.patch.typed import KEYED, MAP, SET, Shape

TABLE = Path(__file__).parents[1] / "oracles" / "kubernetes" / "server_side_apply.json"
LEAF, TEXTS, TEXT_MAP = Shape(), Shape(SET), Shape(MAP)


def struct(**fields):
    return Shape(MAP, child=lambda key: fields.get(key, LEAF), named=lambda key: key in fields)


def keyed(item, *keys):
    return Shape(KEYED, keys, child=lambda key: item)


def map_of(item):
    return Shape(MAP, child=lambda key: item)


RECURSIVE = Shape(MAP, child=lambda key: RECURSIVE)
NESTED = struct(
    listOfLists=keyed(struct(name=LEAF, value=TEXTS), "name"),
    listOfMaps=keyed(struct(name=LEAF, value=TEXT_MAP), "name"),
    mapOfLists=map_of(TEXTS),
    mapOfMaps=map_of(TEXT_MAP),
    mapOfMapsRecursive=RECURSIVE,
    struct=struct(name=LEAF, value=LEAF),
)
NAMED = struct(list=keyed(struct(name=LEAF, value=LEAF, bool=LEAF), "name"))
SCHEMAS = {
    "TestUpdateSet": struct(list=TEXTS),
    "TestUpdateLeaf": struct(numeric=LEAF, string=LEAF, bool=LEAF),
    "TestUpdateAssociativeLists": NAMED,
    "TestMultipleAppliersSet": NAMED,
    "TestUpdateNestedType": NESTED,
    "TestMultipleAppliersNestedType": NESTED,
}
VECTORS = [v for v in json.loads(TABLE.read_text(encoding="utf-8"))["vectors"] if v["function"] in SCHEMAS]


def steps(path):
    """A path as the table spells it, in our words."""
    found = []
    for step in path:
        ((kind, value),) = step.items()
        value = dict(sorted(value.items())) if kind == "k" else value
        found.append(f"{kind}:{value if kind == 'f' else json.dumps(value, separators=(',', ':'))}")
    return tuple(found)


def carry_out(operation, live, owners, shape):
    """The object and its owners after one operation of the table."""
    force, applies = operation["op"] == "ForceApply", "Apply" in operation["op"]
    me = Manager(operation["manager"], APPLY if applies else UPDATE)
    if not applies:
        return operation["obj"], apply.updated(live, operation["obj"], owners, me, shape)
    done = apply.applied(live, operation["obj"], owners, me, shape, force)
    wanted = {(c["manager"], steps(c["path"])) for c in operation.get("conflicts") or ()}
    assert {(c.manager.name, c.path) for c in done if isinstance(done, list)} == wanted
    return (live, owners) if isinstance(done, list) else done


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['function']} {v['name']}")
def test_applies_and_writes_leave_what_upstream_s_table_says(vector):
    live, owners = {}, {}
    for operation in vector["ops"]:
        live, owners = carry_out(operation, live, owners, SCHEMAS[vector["function"]])
    if "object" in vector:
        assert live == vector["object"]
    if vector.get("managed") is not None:
        wanted = {k: {steps(p) for p in m["fields"]} for k, m in vector["managed"].items()}
        assert {manager.name: set(paths) for manager, paths in owners.items()} == wanted


def test_fields_are_written_nested_with_a_dot_for_what_is_owned_besides_its_parts():
    paths = frozenset({("f:data",), ("f:data", "f:k"), ("f:spec", 'k:{"name":"c"}', "f:image")})
    tree = typed.fields_v1(paths)
    assert tree == {"f:data": {"f:k": {}, ".": {}}, "f:spec": {'k:{"name":"c"}': {"f:image": {}}}}
    assert set(typed.from_fields_v1(tree)) == paths


def test_an_element_twice_is_no_list_by_keys():
    with pytest.raises(typed.TypedError, match=r'\.list: duplicate entries for key \[name="a"\]'):
        list(typed.owned({"list": [{"name": "a"}, {"name": "a"}]}, NAMED))
