"""Quantities, percentages and names: what deciders get, how a bad name is refused. Tables: tests/oracles."""

from kubemini.api import names, quantity


def test_deciders_get_millicores_and_bytes_rounded_up():
    assert [quantity.millicores(text) for text in ("250m", "0.5", 2, "1u", None)] == [250, 500, 2000, 1, 0]
    assert [quantity.in_bytes(text) for text in ("64Mi", "1k", "1500m", None)] == [64 * 2**20, 1000, 2, 0]


def test_surge_rounds_up_and_unavailable_down():
    assert quantity.scaled("25%", 3, round_up=True) == 1
    assert quantity.scaled("25%", 3, round_up=False) == 0


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
