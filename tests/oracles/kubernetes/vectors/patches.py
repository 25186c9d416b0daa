"""Merge patches: JSON merge patch, strategic merge patch, and those that kubectl makes of three states."""

from kubemini.api.patch import merge, strategic, threeway
from kubemini.api.patch.strategic import Field, StrategicError
from tests.oracles.kubernetes.vectors import differs

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


def merge_patch(row):
    """JSON merge patch."""
    if row["kind"] == "filterNull":
        found = merge.nulls_of(row["originalObj"]), merge.values_of(row["originalObj"])
        return differs((row["expectedWithNull"], row["expectedWithoutNull"]), found)
    original, modified, current = (row.get(part) or {} for part in ("original", "modified", "current"))
    found = merge.three_way(original, modified, current)
    return differs(row["threeWay"], found, "patch") + differs(row["result"], merge.merge(current, found), "result")


def strategic_patch(row):
    """Strategic merge patch."""
    if row["kind"] == "sortMergeLists":  # how upstream compares; ours merges nothing into it, and nothing moves
        return differs(_sorted(row["sorted"]), _sorted(strategic.merge(row["original"], {}, lookup, "item")))
    if "expectedError" in row:
        return _refused(row)
    wrong = []
    if row.get("modified") is not None and row.get("twoWay") is not None:
        made = strategic.merge(row.get("original"), row["twoWay"], lookup, "item")
        wrong += differs(row.get("twoWayResult", row["modified"]), made, "two-way result")
    if row.get("threeWay") is not None:
        current = row.get("current") or {}
        wrong += differs(row["result"], strategic.merge(current, row["threeWay"], lookup, "item"), "result")
        made = threeway.patch(row.get("original") or {}, row["modified"], current, lookup, "item")
        wrong += differs(row["threeWay"], made, "three-way patch")
    return wrong


def _refused(row):
    try:
        made = strategic.merge(row.get("original"), row["twoWay"], lookup, "item")
    except StrategicError as error:
        return [] if row["expectedError"].split(":")[0].strip() in str(error) else [f"another refusal: {error}"]
    return [f"wanted the refusal {row['expectedError']!r}, got {made}"]


def _sorted(value, merges=True):
    """*value* with the lists that merge in order of their keys; not those inside lists that do not."""
    if isinstance(value, dict):
        return {key: _sorted(item, "merge" in lookup("item", key).strategies) for key, item in value.items()}
    if isinstance(value, list) and merges:
        return sorted((_sorted(item) for item in value), key=lambda item: item.get("name", 0))
    return value


JUDGES = {"json_merge_patch": merge_patch, "strategic_merge_patch": strategic_patch}
