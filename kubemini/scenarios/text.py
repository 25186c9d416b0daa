"""The text of a scenario file → plain data: YAML or JSON, read once and with suspicion.

Invariant: whatever the text, it is data or one sentence (ScenarioError), and soon: a key stands once in a mapping,
and a few aliases cannot blow a small file up.
"""

import re
from pathlib import Path
from typing import Any

from kubemini.api import documents
from kubemini.api.documents import TextError
from kubemini.api.schema.decode import Doubled


class ScenarioError(ValueError):
    """A scenario that cannot be run; the message names the file, the field and what was expected."""


MANIFEST = re.compile(r"^(apiVersion|kind): *\S", re.MULTILINE)
MANIFESTS = (
    "these are Kubernetes manifests, not a scenario; write one, with a title and a topology, and put them under its"
    " manifests: |"
)


def read(path: Path) -> Any:
    """The data in the file *path*."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is not UTF-8 text; write a scenario as YAML") from None
    return parse(text, path.name)


def parse(text: str, name: str) -> Any:
    """The data in *text*. Raises ScenarioError that names the file *name*."""
    try:
        found = documents.read(text)
    except TextError as error:
        said = error.text.rpartition("yaml: unmarshal errors: ")[2]
        raise ScenarioError(f"{name}: {_meant(text) or _one_line(error.where, said)}") from None
    data = found[0].value if found else None
    if isinstance(data, dict) and {"apiVersion", "kind"} <= data.keys():
        raise ScenarioError(f"{name}: {_meant(text) or MANIFESTS}")
    if len(found) > 1:
        raise ScenarioError(f"{name}: expected one document, the scenario; it holds {len(found)}")
    _refuse_doubled(data, name)
    return data


def _one_line(where: str, said: str) -> str:
    prefix = f"{where}: " if where and not said.startswith("line") else ""
    return " ".join(f"{prefix}{said}".split())


def _meant(text: str) -> str:
    """What the text is, if it is something else that people take for a scenario."""
    if "{{" in text and "}}" in text:
        return "this is a template (of Helm?), not YAML: render it first, as with helm template"
    return MANIFESTS if {found[1] for found in MANIFEST.finditer(text)} == {"apiVersion", "kind"} else ""


def _refuse_doubled(value: Any, where: str) -> None:
    """A key stands once in a map; YAML's reader sees to it itself."""
    if isinstance(value, Doubled):
        raise ScenarioError(f'{where}: key "{value.doubled[0]}" is given twice; keep one')
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        _refuse_doubled(item, f"{where}.{key}")
