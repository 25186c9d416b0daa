"""YAML: an answer as Go writes it, a body as Go reads it, and its complaints in Go's words. Pure.

Keys that come twice count once, the last; who asks for strictness hears of them. Of several documents the first counts.
PyYAML, which reads it, names things otherwise than libyaml, whose words Go uses; and Go counts lines in its own way:
where a rule of the grammar breaks it tells the line before.
Models k/apimachinery pkg/runtime/serializer/json NewSerializerWithOptions; k/apimachinery pkg/util/yaml ToJSON.
"""

import re
from functools import cache
from typing import Any

from kubemini.api.schema.decode import FromYaml

LARGEST = 100_000  # values of one document, aliases written out
TOO_MANY = "yaml: document contains excessive aliasing"
_WORDS = (  # PyYAML's words, and those of libyaml
    ("expected the node content", "did not find expected node content"),
    ("expected <block end>", "did not find expected key"),
    ("expected ',' or ']'", "did not find expected ',' or ']'"),
    ("expected ',' or '}'", "did not find expected ',' or '}'"),
    ("expected '<document start>'", "did not find expected <document start>"),
    ("mapping values are not allowed", "mapping values are not allowed in this context"),
    ("mapping keys are not allowed", "mapping keys are not allowed in this context"),
    ("sequence entries are not allowed", "block sequence entries are not allowed in this context"),
    ("found character", "found character that cannot start any token"),
    ("found unknown escape character", "found unknown escape character"),
    ("expected escape sequence of", "did not find expected hexdecimal number"),
    ("expected a digit or '.'", "did not find expected digit or '.' character"),
)
_ALIAS = re.compile(r"found undefined alias '(.*)'")


class Unreadable(ValueError):
    """A text that is no YAML: in Go's words."""


def yaml_bytes(value: Any) -> bytes:
    """*value* as YAML: keys in order, lists not indented, quotes where a text would be read as something else."""
    import yaml

    form: dict[str, Any] = {"default_flow_style": False, "sort_keys": True, "allow_unicode": True, "width": 80}
    return str(yaml.dump(value, Dumper=_dumper(), **form)).encode()


def read(text: str) -> Any:
    """The first document of *text*; one without any is an empty map. Raises Unreadable."""
    import yaml

    try:
        loader = _loader()(text)
        value = loader.get_single_or_first()
    except yaml.YAMLError as error:
        raise Unreadable(f"yaml: {_reason(error, text)}") from None
    except (RecursionError, ValueError, TypeError, LookupError) as error:
        raise Unreadable(f"yaml: {error}") from None
    complaints = tuple(loader.complaints)
    return FromYaml(value, complaints) if complaints and isinstance(value, dict) else value


def _reason(error: Any, text: str) -> str:
    """What Go says, and of which line."""
    import yaml

    if isinstance(error, yaml.reader.ReaderError):
        return "control characters are not allowed"
    said = error.problem or error.context or ""
    undefined = _ALIAS.match(said)
    if undefined:
        return f"unknown anchor '{undefined[1]}' referenced"
    words = next((ours for theirs, ours in _WORDS if said.startswith(theirs)), said)
    if said.startswith("expected <block end>") and "collection" in (error.context or ""):
        words = "did not find expected '-' indicator"
    mark = error.problem_mark
    at_end = mark is not None and mark.index >= len(text) and not text.endswith("\n")
    line = 0 if mark is None else mark.line + at_end
    where = line + isinstance(error, yaml.scanner.ScannerError) if line else 0
    return f"line {where}: {words}" if where else words


@cache
def _loader() -> Any:
    """PyYAML's safe loader with the manners of Go's: dates are texts, keys too, and the last of two counts."""
    import yaml

    class Loader(yaml.SafeLoader):
        def __init__(self, text: str):
            super().__init__(text)
            self.complaints: list[str] = []
            self.nodes = 0

        def get_single_or_first(self) -> Any:
            """The first document, not a look at what follows."""
            if not self.check_node():
                return {}
            node = self.get_node()
            found = self.construct_document(node) if node is not None else {}
            return {} if found is None else found

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.nodes += 1
            if self.nodes > LARGEST:
                raise Unreadable(TOO_MANY)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in seen:
                        self.complaints.append(f'line {key.start_mark.line + 1}: key "{key.value}" already set in map')
                    seen.add(key.value)
            found = super().construct_mapping(node, deep)
            return {_as_key(key): value for key, value in found.items()}

        def construct_undefined(self, node: Any) -> Any:
            """A tag that nobody knows says nothing."""
            if isinstance(node, yaml.MappingNode):
                return self.construct_mapping(node, True)
            return self.construct_sequence(node, True) if isinstance(node, yaml.SequenceNode) else node.value

    Loader.add_constructor(None, Loader.construct_undefined)
    Loader.bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}
    Loader.yaml_implicit_resolvers = _resolvers()
    return Loader


def _resolvers(dates: bool = False) -> dict[str, Any]:
    """Which plain texts are no texts: y and n, and 1e3; *dates* only where Go writes them."""
    import yaml

    found = {
        letter: [(tag, pattern) for tag, pattern in rules if dates or tag != "tag:yaml.org,2002:timestamp"]
        for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    more = [("bool", re.compile("^[yYnN]$"), "yYnN")]
    more += [("float", re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"), "-+.0123456789")]
    for name, pattern, letters in more:
        for letter in letters:
            found.setdefault(letter, []).append((f"tag:yaml.org,2002:{name}", pattern))
    return found


def _as_key(key: Any) -> str:
    """A key as JSON has it."""
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)


@cache
def _dumper() -> Any:
    """PyYAML's dumper with the manners of Go's."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        plain = dumper.resolve(yaml.ScalarNode, value, (True, False)) == "tag:yaml.org,2002:str"
        style = "|" if "\n" in value else None if plain else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    def mapping(dumper: Any, value: Any) -> Any:
        return dumper.represent_dict({str(key): item for key, item in value.items()})

    Dumper.yaml_implicit_resolvers = _resolvers(dates=True)
    Dumper.add_representer(str, text)
    Dumper.add_multi_representer(dict, mapping)
    Dumper.add_multi_representer(tuple, lambda dumper, value: dumper.represent_list(value))
    Dumper.add_multi_representer(list, lambda dumper, value: dumper.represent_list(value))
    return Dumper
