"""Whatever is asked for: a topology that can be built, or one sentence."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.cluster import Cluster, TopologyError, build

WRONG = (None, True, -1, 0.5, 10**6, "three", "3", [], {}, [3], b"3", "x" * 5000, 10**5000)
COUNTS = [
    ("single", "workers"),
    ("stacked", "members"),
    ("stacked", "workers"),
    ("external", "api_servers"),
    ("external", "etcd_members"),
    ("external", "workers"),
    ("etcd", "members"),
    ("etcd", "spares"),
]


@pytest.mark.parametrize("kind, option", COUNTS)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: type(value).__name__)
def test_a_number_that_is_none_or_too_large_is_refused_with_its_range(kind, option, wrong):
    with pytest.raises(TopologyError, match=f"^{option}: expected a number from [01] to (9|20), got ") as error:
        build(kind, **{option: wrong})
    assert len(str(error.value)) < 150


@pytest.mark.parametrize("option", ["members", "api_servers", "etcd_members"])
def test_a_cluster_without_members_is_none(option):
    kind = "stacked" if option == "members" else "external"
    with pytest.raises(TopologyError, match="from 1 to 9, got 0"):
        build(kind, **{option: 0})


@pytest.mark.parametrize("wrong", [5, None, [], "", [""], [1], ["a,b"], ["A"], ["a b"], ["x" * 64], ["a"] * 41, [None]])
@pytest.mark.parametrize("kind, option", [("single", "zones"), ("etcd", "zones"), ("external", "etcd_zones")])
def test_zones_are_names_that_a_node_may_have_as_a_label(kind, option, wrong):
    if wrong is None and option == "etcd_zones":
        return
    with pytest.raises(TopologyError, match=f"^{option}: "):
        build(kind, **{option: wrong})


@pytest.mark.parametrize("wrong", ["no", 0, None, "false"])
def test_a_switch_is_true_or_false(wrong):
    with pytest.raises(TopologyError, match="load_balancer: expected true or false, got "):
        build("stacked", load_balancer=wrong)


@pytest.mark.parametrize("kind", [None, 5, "ring", [], {}])
def test_an_unknown_kind_lists_the_known_ones(kind):
    with pytest.raises(TopologyError, match="is not one of single, stacked, external, etcd"):
        build(kind)


def test_an_option_of_another_kind_is_refused_with_those_of_this_one():
    with pytest.raises(
        TopologyError, match=r"topology\.spares: a stacked topology takes members, workers, zones, load"
    ):
        Cluster.stacked(spares=1)
    with pytest.raises(TopologyError, match=r"topology\.workers: an etcd topology takes members, zones, spares"):
        build("etcd", workers=1)


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.text(max_size=3), max_size=3)
)


@given(st.sampled_from([*COUNTS, ("single", "zones"), ("external", "etcd_zones")]), values)
def test_any_value_gives_a_topology_or_a_sentence(option, value):
    with suppress(TopologyError):
        assert build(option[0], **{option[1]: value}).hosts
