"""Whatever has no description of its own: its fields, with names that a person reads.

Models k/kubectl pkg/describe genericDescriber.Describe printUnstructuredContent smartLabelFor.
"""

import re
from typing import Any

from kubemini.users.decide.kubectl.asking import Steps
from kubemini.users.decide.kubectl.describing import around
from kubemini.users.decide.kubectl.describing.page import Page
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing.gotext import printed
from kubemini.users.decide.kubectl.targets import Info

ACRONYMS = ("API", "URL", "UID", "GUID")
TOLD = tuple(f".metadata.{key}" for key in ("managedFields", "name", "namespace", "labels", "annotations"))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|-+")


def anything(line: Line, info: Info, page: Page) -> Steps:
    """The page of an object of any kind."""
    events = yield from around.events(line, info)
    page.head(info.obj)
    page.marks(info.obj)
    _content(page, info.obj, 0, "")
    page.events(events)


def _content(page: Page, content: dict[str, Any], level: int, prefix: str) -> None:
    for field in sorted(content):
        value, path = content[field], f"{prefix}.{field}"
        if path in TOLD:
            continue
        if isinstance(value, dict):
            page.line(f"{titled(field)}:", level)
            _content(page, value, level + 1, path)
        elif isinstance(value, list):
            page.line(f"{titled(field)}:", level)
            for one in value:
                if isinstance(one, dict):
                    _content(page, one, level + 1, path)
                else:
                    page.line(printed(one), level + 1)
        else:
            page.field(titled(field), printed(value), level)


def titled(field: str) -> str:
    """``lastHeartbeatTime`` → ``Last Heartbeat Time``."""
    if re.search(r"[^a-zA-Z-]", field):
        return field
    words = _joined(_WORDS.findall(field))
    return " ".join(_title(word) for word in words)


def _joined(words: list[str]) -> list[str]:
    """Two capitals and more stay with the word behind them."""
    found: list[str] = []
    for word in words:
        if found and len(found[-1]) > 1 and found[-1].isupper() and word[0].isupper():
            found[-1] += word
        else:
            found.append(word)
    return found


def _title(word: str) -> str:
    if word.upper() in ACRONYMS:
        return word.upper()
    return word.capitalize() if word.islower() else word
