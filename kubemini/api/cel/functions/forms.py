"""Forms of text that have a name: `format.dns1123Label().validate(self.name)`.

Models k/apiserver pkg/cel/library Format ConstantFormats.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from kubemini.api import names
from kubemini.api.cel.functions.overloads import function
from kubemini.api.cel.types import STRING, Type, list_of, optional
from kubemini.api.cel.values import Optional

FORM = Type("kubernetes.NamedFormat")


@dataclass(frozen=True, slots=True)
class Form:
    """A form by its name; *wrong*: text → what is wrong with it."""

    name: str
    wrong: Callable[[str], list[str]]

    @property
    def cel_type(self) -> Type:
        """What it is in an expression."""
        return FORM


def _fits(expression: str, why: str) -> Callable[[str], list[str]]:
    return lambda text: [] if re.fullmatch(expression, text) else [why]


def _uri(text: str) -> list[str]:
    parts = urlsplit(text)
    return [] if parts.scheme or text.startswith("/") else [f'parse "{text}": invalid URI for request']


def _byte(text: str) -> list[str]:
    try:
        b64decode(text, validate=True)
    except ValueError:
        return ["invalid base64"]
    return []


def _date(text: str) -> list[str]:
    try:
        date.fromisoformat(text)
    except ValueError:
        return ["invalid date"]
    return []


_UUID = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
FORMS = {
    "dns1123Label": names.dns_label,
    "dns1123Subdomain": names.dns_subdomain,
    "dns1035Label": names.dns1035_label,
    "qualifiedName": names.qualified_name,
    "labelValue": names.label_value,
    "uri": _uri,
    "uuid": _fits(_UUID, "does not match the UUID format"),
    "byte": _byte,
    "date": _date,
    "datetime": _fits(_TIME, "invalid datetime"),
}


def _given(name: str) -> Form:
    return Form(name, FORMS[name])


for _name in FORMS:
    function(f"format.{_name}", gives=FORM)(lambda name=_name: _given(name))


@function("format.named", STRING, gives=optional(FORM))
def named(name: str) -> Optional:
    """The form of that name, if there is one."""
    return Optional(True, _given(name)) if name in FORMS else Optional()


@function("validate", FORM, STRING, gives=optional(list_of(STRING)), method=True)
def validate(form: Form, text: str) -> Optional:
    """What is wrong with *text*, if something is."""
    found = form.wrong(text)
    return Optional(True, found) if found else Optional()
