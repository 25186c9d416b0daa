"""Label selectors and field selectors: what can be read, how it is printed, what it picks."""

from kubemini.api import fields, labels
from kubemini.api.fields import FieldSelectorError
from kubemini.api.labels import Requirement, Selector, SelectorError
from tests.oracles.kubernetes.vectors import differs, refuses


def _requirement(row):
    return Requirement(row["key"], row["op"], tuple(row["values"]))


def _plain(requirements):
    return sorted((r.key, r.operator, sorted(r.values)) for r in requirements)


def _parsed(row):
    if not row["valid"]:
        return differs(True, refuses(SelectorError, labels.parse, row["selector"]), "a refusal")
    found = labels.parse(row["selector"])
    wrong = []
    if "roundtrip" in row:
        wrong += differs(row["roundtrip"].replace(" ", ""), str(found)) + differs(found, labels.parse(str(found)))
    if "requirements" in row:
        wrong += differs(_plain(map(_requirement, row["requirements"])), _plain(found.requirements))
    return wrong


def _match_labels(row):
    ways = (
        labels.contains(row["labels"], row["set"]),
        labels.matches({"matchLabels": row["set"]}, row["labels"]),
        labels.from_labels(row["set"]).matches(row["labels"]),
    )
    return differs((row["matches"],) * 3, ways)


LABELS = {
    "parse": _parsed,
    "match": lambda row: differs(row["matches"], labels.parse(row["selector"]).matches(row["labels"])),
    "matchLabels": _match_labels,
    "requirement": lambda row: differs(bool(row["errors"]), bool(_requirement(row).problems())),
    "requirementsMatch": lambda row: differs(
        row["matches"], Selector(tuple(map(_requirement, row["requirements"]))).matches(row["labels"])
    ),
    "toString": lambda row: differs(row["out"], ",".join(str(_requirement(r)) for r in row["requirements"])),
}


def _nested(pairs):
    """An object whose fields are *pairs*."""
    obj = {}
    for key, value in pairs.items():
        place = obj
        *way, last = key.split(".")
        for step in way:
            place = place.setdefault(step, {})
        place[last] = value
    return obj


def _term(row):
    found = fields.split_term(row["input"])
    return differs((row["lhs"], row["op"], row["rhs"]) if row["ok"] else None, found)


def _field_selector(row):
    if row["valid"]:
        found = fields.parse(row["selector"])
        return differs(found, fields.parse(",".join(map(str, found))))
    return differs(True, refuses(FieldSelectorError, fields.parse, row["selector"]), "a refusal")


FIELDS = {
    "splitTerms": lambda row: differs(row["out"] or [], fields.split_terms(row["input"])),
    "splitTerm": _term,
    "escape": lambda row: (
        differs(row["out"], fields.escape(row["input"]))
        + differs(row["input"], fields.unescape(fields.escape(row["input"])))
    ),
    "unescapeInvalid": lambda row: differs(True, refuses(FieldSelectorError, fields.unescape, row["input"])),
    "parse": _field_selector,
    "match": lambda row: differs(row["matches"], fields.matches(fields.parse(row["selector"]), _nested(row["fields"]))),
}

JUDGES = {
    "label_selectors": lambda row: LABELS[row["kind"]](row),
    "field_selectors": lambda row: FIELDS[row["kind"]](row),
}
