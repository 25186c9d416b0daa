"""YAML without a library: the same bytes as PyYAML's with the manners of Go's, whatever the texts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.apiserver.decide.forms.yamltext import yaml_bytes
from kubemini.users.decide.kubectl.printing.goyaml import written

WORDS = (
    *("a", "", "1", "1.5", "1.2.3", "true", "y", "no", "null", "~", "a: b", "a:", "a #b", "#a", "- a", "-a", "-", "?"),
    *("*a", "&a", "'a'", '"a"', "a'b", "a\nb", "a\n", "\na", "  a\n b\n", " a", "a ", "2026-01-01", "0x1f", "1e3"),
    *("2026-01-01T00:00:00Z", "010", "1_000", "12:30", "<<", "=", "%a", "@a", "[a]", "a,b", "---", "--- a", "..."),
    *("é ü", "a\\b", "100m", "*/5 * * * *", "x" * 100, "word " * 40, "it's " * 40, "a: " * 40, "x  y " * 20, "\0"),
)


@pytest.mark.parametrize("word", WORDS)
def test_a_text_is_written_as_it_is_read(word):
    key = word if word and "\n" not in word and len(word) < 100 else "key"
    for value in ({"k": word}, {"items": [word, {"a": word}]}, {"a": {"b": {key: word}}}):
        assert written(value) == yaml_bytes(value).decode()


plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120)
names = st.text("abcdefghijklmnopqrstuvwxyz-./_:", min_size=1, max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | plain
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))


@given(st.dictionaries(names, values, min_size=1, max_size=4))
def test_any_object_is_written_so(value):
    assert written(value) == yaml_bytes(value).decode()
