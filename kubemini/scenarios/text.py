"""The text of a scenario file → plain data: YAML or JSON, read once and with suspicion.

Invariant: whatever the text, it is data or one sentence (ScenarioError), and soon: a key stands once in a mapping,
and a few aliases cannot blow a small file up.
"""

import json
import re
from pathlib import Path
from typing import Any


class ScenarioError(ValueError):
    """A scenario that cannot be run; the message names the file, the field and what was expected."""


MOST_NODES = 100_000  # values of a file, an alias counted as often as it is used
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
    return parse(text, path.name, path.suffix == ".json")


def parse(text: str, name: str, as_json: bool) -> Any:
    """The data in *text*. Raises ScenarioError that names the file *name*."""
    try:
        data = _json(text) if as_json else _yaml(text)
    except RecursionError:
        raise ScenarioError(f"{name}: is nested too deep; a scenario is flat") from None
    except ValueError as error:
        raise ScenarioError(f"{name}: {_meant(text) or error}") from None
    if isinstance(data, dict) and {"apiVersion", "kind"} <= data.keys():
        raise ScenarioError(f"{name}: {_meant(text) or MANIFESTS}")
    return data


def _meant(text: str) -> str:
    """What the text is, if it is something else that people take for a scenario."""
    if "{{" in text and "}}" in text:
        return "this is a template (of Helm?), not YAML: render it first, as with helm template"
    return MANIFESTS if {found[1] for found in MANIFEST.finditer(text)} == {"apiVersion", "kind"} else ""


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f'key "{key}" is given twice; keep one')
        found[key] = value
    return found


def _yaml(text: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """A key comes once, a date is text."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[Any] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    raise yaml.MarkedYAMLError(
                        None, None, f'key "{key.value}" is given twice; keep one', key.start_mark
                    )
                seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
            return super().construct_mapping(node, deep)

    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.items()
    Loader.yaml_implicit_resolvers = {
        first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"] for first, rules in resolvers
    }
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_NODES:
            raise ValueError("grows too large when its aliases are written out; use fewer")
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise ValueError(f"{where}not YAML: {reason}") from None


def _size(node: Any, known: dict[int, int]) -> int:
    """How many values *node* stands for, its aliases written out. Raises ValueError if it holds itself."""
    if isinstance(node.value, str):
        return 1
    if id(node) not in known:
        known[id(node)] = -1
        inner = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_size(part, known) for part in inner)
    if known[id(node)] < 0:
        raise ValueError("an alias stands inside what it names")
    return known[id(node)]
