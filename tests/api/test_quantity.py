"""Quantities, percentages and names: Kubernetes' own test tables."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from kubemini.api import names, quantity
from kubemini.api.patch import merge as patch
from kubemini.api.quantity import Quantity, QuantityError

FOLDER = Path(__file__).parents[1] / "oracles/kubernetes"


def rows(file: str, kind: str, column: str = "kind") -> list[dict]:
    return [row for row in json.loads((FOLDER / f"{file}.json").read_text())["vectors"] if row[column] == kind]


def amount(row: dict) -> Quantity:
    return Quantity(row["int"] * Fraction(10) ** row["scale10"], row["format"])


@pytest.mark.parametrize("row", rows("quantities", "parse"), ids=lambda row: row["input"])
def test_a_quantity_is_read_as_kubernetes_reads_it(row):
    if row["valid"]:
        assert quantity.parse(row["input"]) == amount(row)
    else:
        with pytest.raises(QuantityError, match="quantities must match the regular expression"):
            quantity.parse(row["input"])


@pytest.mark.parametrize("row", rows("quantities", "toString"), ids=lambda row: row["out"])
def test_a_quantity_prints_in_canonical_form(row):
    assert str(amount(row)) == row["out"]


@pytest.mark.parametrize("row", rows("quantities", "parseEmit") + rows("quantities", "parseExact"), ids=str)
def test_a_quantity_loses_nothing(row):
    found = quantity.parse(row["input"])
    assert found.amount == Fraction(row["decimal"]) if "decimal" in row else str(found) == row["out"]
    assert str(found) == row.get("canonical", str(found))


@pytest.mark.parametrize("row", rows("quantities", "add") + rows("quantities", "sub"), ids=str)
def test_quantities_add_up_in_the_form_of_the_first(row):
    left, right = amount(row["a"]), amount(row["b"])
    assert (left + right if row["kind"] == "add" else left - right) == amount(row["out"])


def test_deciders_get_millicores_and_bytes_rounded_up():
    assert [quantity.millicores(text) for text in ("250m", "0.5", 2, "1u", None)] == [250, 500, 2000, 1, 0]
    assert [quantity.in_bytes(text) for text in ("64Mi", "1k", "1500m", None)] == [64 * 2**20, 1000, 2, 0]
    assert (quantity.of_millicores(250), quantity.of_millicores(2000)) == ("250m", "2")
    assert quantity.of_bytes(64 * 2**20) == "64Mi"


@pytest.mark.parametrize("row", rows("int_or_percent", "scaled"), ids=str)
def test_a_percentage_scales_as_in_kubernetes(row):
    if row["error"]:
        with pytest.raises(QuantityError, match="25%"):
            quantity.scaled(row["input"], row["total"], row["roundUp"])
    else:
        assert quantity.scaled(row["input"], row["total"], row["roundUp"]) == row["out"]


def test_surge_rounds_up_and_unavailable_down():
    assert quantity.scaled("25%", 3, round_up=True) == 1
    assert quantity.scaled("25%", 3, round_up=False) == 0


@pytest.mark.parametrize("row", rows("int_or_percent", "parse"), ids=lambda row: row["input"])
def test_a_number_is_one_only_if_it_fits_in_32_bits(row):
    wanted = row["out"]["intVal"] if row["out"]["type"] == "Int" else row["out"]["strVal"]
    assert quantity.int_or_string(row["input"]) == wanted


VALIDATORS = {
    "IsDNS1123Label": names.dns_label,
    "IsDNS1123Subdomain": names.dns_subdomain,
    "IsDNS1035Label": names.dns1035_label,
    "IsQualifiedName": names.qualified_name,
    "IsLabelKey": names.qualified_name,
    "IsValidLabelValue": names.label_value,
    "IsLabelValue": names.label_value,
    "IsConfigMapKey": names.config_key,
    "IsValidPortNum": names.port_number,
    "IsValidPortName": names.port_name,
    "IsValidPercent": names.percent,
}


@pytest.mark.parametrize("validator", VALIDATORS)
def test_a_name_is_judged_as_by_kubernetes(validator):
    table = rows("name_validation", validator, "validator")
    assert table
    for row in table:
        assert (not VALIDATORS[validator](row["value"])) is row["valid"], row


def test_a_bad_name_is_refused_in_kubernetes_words():
    assert names.dns_subdomain("Web") == [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    ]
    assert names.dns_label("a.b") == ["must not contain dots"]
    assert names.label_value("-")[0].endswith(
        "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    )


@pytest.mark.parametrize("row", rows("json_merge_patch", "threeWay"), ids=lambda row: row["description"])
def test_a_three_way_patch_is_kubectl_applys(row):
    original, modified, current = (row.get(part) or {} for part in ("original", "modified", "current"))
    found = patch.three_way(original, modified, current)
    assert found == row["threeWay"]
    assert patch.merge(current, found) == row["result"]
