"""A text is read in time that grows with its length, or refused: counted in values, not in seconds."""

import pytest
import yaml

from kubemini.api.documents import LARGEST, TextError, read


class Counted(str):
    """A key that counts how often it is compared with another."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        Counted.compared += 1
        return str.__eq__(self, other)


def test_a_document_without_end_is_left_where_it_is_too_large(monkeypatch):
    monkeypatch.setattr("kubemini.api.documents.LARGEST", 50)
    read_so_far = []
    fetched = yaml.SafeLoader.get_event
    monkeypatch.setattr(yaml.SafeLoader, "get_event", lambda self: read_so_far.append(1) or fetched(self))
    with pytest.raises(TextError, match="holds a document of more than 50 values: split it into several"):
        read("a:\n" + "- b\n" * 10_000)
    assert len(read_so_far) < 100


def test_several_documents_may_together_hold_more():
    half = "- a\n" * (LARGEST // 20)
    assert len(read(f"{half}---\n" * 3)) == 4


def test_a_key_that_comes_twice_is_found_without_comparing_each_with_each(monkeypatch):
    made = yaml.ScalarNode.__init__
    monkeypatch.setattr(Counted, "compared", 0)
    monkeypatch.setattr(
        yaml.ScalarNode, "__init__", lambda self, tag, value, *rest, **named: made(self, tag, Counted(value), *rest)
    )
    read("\n".join(f"k{n}: v" for n in range(500)))
    assert Counted.compared < 5_000
    with pytest.raises(TextError, match='line 3: key "a" already set in map'):
        read("a: 1\nb: 2\na: 3\n")


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf"])
def test_a_number_that_json_has_not_is_refused(number):
    with pytest.raises(TextError, match="holds what no manifest can hold"):
        read(f"replicas: {number}")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\ud800", "\ufffd"),
        (r"a\uDC00b", "a\ufffdb"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\\ud800", r"\ud800"),
        (r"\\\ud800", "\\\ufffd"),
        ("\ud800", "\ufffd"),
        ("\u00fc", "\u00fc"),
    ],
)
def test_half_a_character_in_json_is_read_as_go_reads_it(written, meant):
    assert read(f'{{"a": "{written}"}}')[0].value == {"a": meant}


def test_half_a_character_in_yaml_is_refused():
    with pytest.raises(TextError, match="holds what no manifest can hold"):
        read(r'a: "\ud800"')
