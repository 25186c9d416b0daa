"""Text → values: the documents of a YAML or JSON text, and where in the text each value stands.

    for document in read(text):  document.value, document.source("spec", "replicas")

Invariant: a text of any content is read in time that grows with its length, or refused with one sentence: aliases and
merge keys that multiply, nesting without end, numbers of thousands of digits, a key that is given twice.
JSON needs nothing but Python; YAML needs PyYAML, imported when the first YAML text is read (the browser reads JSON).
Two manners of Kubernetes: dates stay text, a key comes once. Models sigs.k8s.io/yaml YAMLToJSONStrict
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubemini.api.schema.decode import DEEPEST, depth, read_json

LARGEST = 100_000  # values of one document, aliases written out
TOO_MANY = "document contains excessive aliasing"
NESTED = f"is nested too deeply: more than {DEEPEST} levels of lists and maps"
NO_VALUE = "holds what no manifest can hold"
LONG_NUMBER = "holds a number of thousands of digits"
# what PyYAML raises where a tag like !!timestamp or !!bool stands before something else
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[{\]])')  # YAML may begin with a brace too, but then with a bare key


class TextError(ValueError):
    """A text that cannot be read: *where* ("line 3, column 5", or ""), and *text*, what is wrong."""

    def __init__(self, text: str, where: str = ""):
        super().__init__(f"{where}: {text}" if where else text)
        self.where, self.text = where, text


@dataclass(frozen=True, slots=True)
class Document:
    """A value and, if it was written in YAML, its nodes."""

    value: Any
    node: Any = None

    def written(self, *path: str | int) -> str:
        """The scalar at *path* as it stands in the text; "" if that is not known."""
        node = self.node
        for step in path:
            node = _child(node, step)
        return node.value if node is not None and isinstance(node.value, str) else ""

    def written_key(self, path: tuple[str | int, ...], key: Any) -> str:
        """How *key*, which YAML did not read as text, is written in the map at *path*."""
        import yaml

        node = self.node
        for step in path:
            node = _child(node, step)
        read = yaml.SafeLoader("")
        names = [k.value for k, _ in node.value if read.construct_object(k) == key] if node is not None else []
        return names[0] if names else str(key)

    def items(self) -> "Iterator[Document]":
        """The documents of a List (or a PodList, …), else the document itself."""
        value = self.value
        if not (isinstance(value, dict) and isinstance(value.get("items"), list) and _is_list(value.get("kind"))):
            yield self
            return
        for number, item in enumerate(value["items"]):
            yield Document(item, _child(_child(self.node, "items"), number))


def _is_list(kind: Any) -> bool:
    return isinstance(kind, str) and kind.endswith("List")


def read(text: str) -> list[Document]:
    """The documents of *text*, empty ones included. Raises TextError."""
    found = _json(text) if _JSON.match(text) else _yaml(text)
    if any(depth(document.value) > DEEPEST for document in found):
        raise TextError(NESTED)
    return found


def _json(text: str) -> list[Document]:
    try:
        value = read_json(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return _yaml(text)  # JSON documents with --- between them
        raise TextError(f"not JSON: {error.msg}", f"line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise TextError(NESTED if "depth" in str(error) else LONG_NUMBER) from None
    return [Document(item) for item in (value if isinstance(value, list) else [value])]


# -- YAML ------------------------------------------------------------------------------------------------------------


def _yaml(text: str) -> list[Document]:
    try:
        import yaml
    except ImportError:
        text = "reading YAML needs PyYAML, which is not here; write the manifests as JSON, or run: pip install pyyaml"
        raise TextError(text) from None
    try:
        return list(_yaml_documents(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise TextError(_reason(error, text), where) from None
    except RecursionError:
        raise TextError(NESTED) from None


def _yaml_documents(text: str) -> Iterator[Document]:
    loader = _loader()(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if _size(node) > LARGEST:
                raise TextError(TOO_MANY)
            yield Document(_constructed(loader, node), node)
    finally:
        loader.dispose()


def _constructed(loader: Any, node: Any) -> Any:
    try:
        value = loader.construct_document(node)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()  # what no manifest can hold
    except TextError:
        raise
    except UNREADABLE as error:
        long = "digits" in str(error)
        raise TextError(LONG_NUMBER if long else f"{NO_VALUE}: {error}") from None
    return value


def _size(root: Any) -> int:
    """How many values *root* holds, aliases written out. Each node is looked at once."""
    sizes: dict[int, int] = {}
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in _children(node))
        elif id(node) not in sizes:
            sizes[id(node)] = 0
            stack.append((node, True))
            for child in _children(node):
                if sizes.get(id(child)) == 0:
                    raise TextError("an anchor stands inside of what it names, without end")
                stack.append((child, False))
    return sizes[id(root)]


def _children(node: Any) -> list[Any]:
    if not isinstance(node.value, list):
        return []
    return [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]


def _child(node: Any, step: str | int) -> Any:
    """The node under a key, or at a place in a list; None if there is none."""
    if node is None or not isinstance(node.value, list):
        return None
    if isinstance(step, int):
        return node.value[step] if step < len(node.value) and not isinstance(node.value[step], tuple) else None
    pairs = (pair for pair in node.value if isinstance(pair, tuple))
    return next((value for key, value in pairs if key.value == step), None)


def _reason(error: Any, text: str) -> str:
    context, problem = getattr(error, "context", None), getattr(error, "problem", None)
    said = ", ".join(part for part in (problem, context) if part) or str(error)
    if said.startswith("yaml: "):
        return f"error converting YAML to JSON: {said}"
    template = "; this looks like a template: render it first, with `helm template` for a chart" if "{{" in text else ""
    return f"not YAML: {said}{template}"


def _loader() -> Any:
    """PyYAML's safe loader, with the manners of Kubernetes."""
    import yaml

    class Loader(yaml.SafeLoader):
        nodes = 0  # of the document that is being read: a text without end is left soon

        def compose_document(self) -> Any:
            self.nodes = 0
            return super().compose_document()

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.nodes += 1
            if self.nodes > LARGEST:
                raise TextError(f"holds a document of more than {LARGEST:,} values: split it into several")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            scalars = (key for key, _ in node.value if isinstance(key, yaml.ScalarNode))
            for key in scalars:
                merge = key.tag == "tag:yaml.org,2002:merge"
                if key.value in seen and not merge:
                    line = key.start_mark.line + 1
                    text = f'yaml: unmarshal errors: line {line}: key "{key.value}" already set in map'
                    raise yaml.constructor.ConstructorError(None, None, text, key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
