"""Strategic merge patches and three-way patches, by Kubernetes' own table."""

import json
from pathlib import Path

import pytest

from kubemini.api.patch.strategic import Field, StrategicError, merge
from kubemini.api.patch.threeway import patch

TABLE = Path(__file__).parents[1] / "oracles" / "kubernetes" / "strategic_merge_patch.json"
VECTORS = [v for v in json.loads(TABLE.read_text(encoding="utf-8"))["vectors"] if v["kind"] == "smp"]
ITEM = {  # the structs at the top of upstream's test
    "mergingList": Field(("merge",), "name", "item"),
    "nonMergingList": Field((), "", "item"),
    "mergingIntList": Field(("merge",)),
    "nonMergingIntList": Field(),
    "mergeItemPtr": Field(("merge",), "name", "item"),
    "simpleMap": Field(),
    "replacingItem": Field(("replace",), "", "item"),
    "retainKeysMap": Field(("retainKeys",), "", "retain"),
    "retainKeysMergingList": Field(("merge", "retainKeys"), "name", "item"),
}


def lookup(type, key):
    return ITEM.get(key, Field()) if type in ("item", "retain") else Field()


@pytest.mark.parametrize("vector", [v for v in VECTORS if "modified" in v], ids=lambda v: v["description"])
def test_a_patch_turns_the_original_into_what_was_wanted(vector):
    wanted = vector.get("twoWayResult", vector["modified"])
    assert merge(vector.get("original"), vector["twoWay"], lookup, "item") == wanted


@pytest.mark.parametrize("vector", [v for v in VECTORS if "expectedError" in v], ids=lambda v: v["description"])
def test_a_patch_that_makes_no_sense_is_refused(vector):
    with pytest.raises(StrategicError) as caught:
        merge(vector.get("original"), vector["twoWay"], lookup, "item")
    assert vector["expectedError"].split(":")[0].strip() in str(caught.value)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.get("threeWay")], ids=lambda v: v["description"])
def test_a_three_way_patch_turns_the_current_state_into_the_result(vector):
    assert merge(vector.get("current"), vector["threeWay"], lookup, "item") == vector["result"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.get("threeWay")], ids=lambda v: v["description"])
def test_three_states_make_the_patch_that_kubectl_sends(vector):
    made = patch(vector.get("original") or {}, vector["modified"], vector.get("current") or {}, lookup, "item")
    assert made == vector["threeWay"]
