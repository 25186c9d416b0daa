"""Server-side apply: how owners are written down, and what no list may hold. Upstream's tables: tests/oracles."""

import pytest

from kubemini.api.patch import typed
from kubemini.api.patch.typed import KEYED, MAP, Shape

LIST = Shape(MAP, child=lambda key: Shape(KEYED, ("name",), child=lambda key: Shape(MAP)))


def test_fields_are_written_nested_with_a_dot_for_what_is_owned_besides_its_parts():
    paths = frozenset({("f:data",), ("f:data", "f:k"), ("f:spec", 'k:{"name":"c"}', "f:image")})
    tree = typed.fields_v1(paths)
    assert tree == {"f:data": {"f:k": {}, ".": {}}, "f:spec": {'k:{"name":"c"}': {"f:image": {}}}}
    assert set(typed.from_fields_v1(tree)) == paths


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ([{"name": "a"}, {"name": "a"}], r'^\.list: duplicate entries for key \[name="a"\]$'),
        ([{"name": "a"}, {}], r'^\.list: element 1: .* omits all key fields \["name"\]'),
        ([None], r"^\.list: element 0: associative list with keys may not have a null element$"),
    ],
)
def test_an_element_twice_or_without_its_key_is_no_list_by_keys(items, why):
    with pytest.raises(typed.TypedError, match=why):
        typed.check({"list": items}, LIST)
