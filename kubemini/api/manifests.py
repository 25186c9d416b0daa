"""Manifests: the YAML (or JSON) text that people write → objects. All of a file is good, or one clear error.

    load(text, "shop.yaml")   [Namespace, Deployment, Service] as frozen objects
    shop.yaml, document 2 (Deployment web), spec.replicas: expected a whole number, 0 or more, found "three"

Invariant: nothing is returned before everything has been checked, so a bad manifest changes nothing.
JSON needs nothing but Python; YAML needs PyYAML, imported when the first YAML text is read (the browser reads JSON).
Simplified: checks names, types, quantities and selectors; the API server checks the rest (``apiserver/validation``).
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from kubemini.api import labels, schema
from kubemini.api.kinds import BY_KIND
from kubemini.api.objects import Obj, freeze, get

_JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[{\]])')  # YAML may begin with a brace too, but then with a bare key


class ManifestError(ValueError):
    """A manifest that cannot be used: which file, which document, which field, and what was expected there."""

    def __init__(self, file: str, document: int, about: str, field: str, text: str):
        where = [file] + ([f"document {document}{about}"] if document else []) + ([field] if field else [])
        super().__init__(f"{', '.join(where)}: {text}")
        self.file, self.document, self.field, self.text = file, document, field, text


def load(text: str, filename: str = "manifest") -> list[Obj]:
    """The objects of *text*, in order. Raises ManifestError."""
    objects: list[Obj] = []
    seen: dict[tuple[str, str, str], int] = {}
    for number, value in _documents(text, filename):
        for problem in _problems(value):
            raise ManifestError(filename, number, _about(value), problem.field, problem.text)
        key = (value["kind"], get(value, "metadata", "namespace", default="default"), value["metadata"]["name"])
        if key in seen:
            raise ManifestError(
                filename, number, _about(value), "metadata.name", f"document {seen[key]} has this name already"
            )
        seen[key] = number
        objects.append(freeze(_without_nulls(value)))
    if not objects:
        raise ManifestError(filename, 0, "", "", "holds no manifest; expected apiVersion, kind and metadata")
    return objects


def as_json(objects: Iterable[Obj]) -> str:
    """*objects* as a text that `load` reads without PyYAML."""
    return json.dumps(list(objects), ensure_ascii=False)


def _about(value: Any) -> str:
    kind, name = get(value, "kind"), get(value, "metadata", "name")
    words = " ".join(word for word in (kind, name) if isinstance(word, str))
    return f" ({words})" if words else ""


def _without_nulls(value: Any) -> Any:
    """``key:`` with nothing behind it means that the key is absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


# -- what is wrong with one document ---------------------------------------------------------------------------------


def _problems(value: Any) -> Iterator[schema.Problem]:
    if not isinstance(value, dict):
        text = f"expected a map with apiVersion, kind and metadata, found {schema.found(value)}"
        yield schema.Problem("", text)
        return
    kind, known = value.get("kind"), list(schema.MANIFESTS)
    if kind is None:
        yield schema.Problem("kind", "missing; expected one of " + ", ".join(known))
    elif not isinstance(kind, str) or kind not in known:
        near = schema.nearest(kind, known)
        more = "" if "known here" in near else "; known here: " + ", ".join(known)
        yield schema.Problem("kind", f"unknown kind {schema.found(kind)}{near}{more}")
    else:
        yield from _problems_of(kind, value)


def _problems_of(kind: str, value: dict) -> Iterator[schema.Problem]:
    wanted, version = BY_KIND[kind].api_version, value.get("apiVersion")
    if version != wanted:
        said = "missing; " if version is None else ""
        also = "" if version is None else f", found {schema.found(version)}"
        yield schema.Problem("apiVersion", f"{said}expected {wanted} for a {kind}{also}")
    yield from schema.problems(value, schema.MANIFESTS[kind])
    if not get(value, "metadata", "name"):
        yield schema.Problem("metadata.name", f"missing; expected {schema.NAME.expected}")
    yield from _broken_promises(kind, value)


def _broken_promises(kind: str, value: dict) -> Iterator[schema.Problem]:
    """Fields that fit each alone but not together."""
    spec = get(value, "spec", default={})
    if "template" in spec:
        selector, wanted = spec["selector"], get(spec, "template", "metadata", "labels", default={})
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield schema.Problem("spec.selector", "expected at least one label: an empty one would pick every pod")
        elif not labels.matches(selector, wanted):
            text = f"expected labels that spec.selector picks ({_spelled(selector)}), found {json.dumps(wanted)}"
            yield schema.Problem("spec.template.metadata.labels", text)
    pod, path = (spec, "spec") if kind == "Pod" else (get(spec, "template", "spec", default={}), "spec.template.spec")
    yield from _repeated([c["name"] for c in pod.get("containers", [])], f"{path}.containers")
    if kind == "Service":
        yield from _service_promises(spec)


def _spelled(selector: dict) -> str:
    """A selector as people write it: ``app=web``."""
    pairs, terms = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    parts = [labels.from_labels(pairs)] + ([labels.from_object({"matchExpressions": terms})] if terms else [])
    return ",".join(str(part) for part in parts if part.requirements)


def _service_promises(spec: dict) -> Iterator[schema.Problem]:
    ports = spec.get("ports") or []
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield schema.Problem("spec.ports", "missing; expected at least one port")
    for number, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            yield schema.Problem(f"spec.ports[{number}].name", "missing; of several ports each needs a name")
    yield from _repeated([port.get("name") for port in ports], "spec.ports")


def _repeated(names: list[str | None], path: str) -> Iterator[schema.Problem]:
    for number, name in enumerate(names):
        if name and name in names[:number]:
            yield schema.Problem(f"{path}[{number}].name", f'expected another name: "{name}" is taken')


# -- text → documents ------------------------------------------------------------------------------------------------


def _documents(text: str, filename: str) -> Iterator[tuple[int, Any]]:
    """(number, value) of each document that is not empty; the items of a List count as documents."""
    values = _json_documents(text, filename) if _JSON.match(text) else _yaml_documents(text, filename)
    number = 0
    for value in values:
        for item in value["items"] if _is_list(value) else [value]:
            number += 1
            if item is not None:
                yield number, item


def _is_list(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list)


def _json_documents(text: str, filename: str) -> list[Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ManifestError(filename, 0, "", where, f"not JSON: {error.msg}") from None
    return value if isinstance(value, list) else [value]


def _yaml_documents(text: str, filename: str) -> list[Any]:
    try:
        import yaml
    except ImportError:
        text = "reading YAML needs PyYAML, which is not here; write the manifests as JSON, or run: pip install pyyaml"
        raise ManifestError(filename, 0, "", "", text) from None
    try:
        values = list(yaml.load_all(text, _loader()))
        json.dumps(values)  # a cycle of anchors, or a value that no manifest can hold
        return values
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ManifestError(filename, 0, "", where, f"not YAML: {_reason(error)}") from None
    except (TypeError, ValueError) as error:
        raise ManifestError(filename, 0, "", "", f"holds what no manifest can hold: {error}") from None


def _reason(error: Any) -> str:
    context, problem = getattr(error, "context", None), getattr(error, "problem", None)
    return ", ".join(part for part in (problem, context) if part) or str(error)


def _loader() -> Any:
    """PyYAML's safe loader, with the two manners of Kubernetes: dates stay text, a key comes once."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: list[Any] = []
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                    raise yaml.constructor.ConstructorError(
                        None, None, f'key "{key.value}" is given twice', key.start_mark
                    )
                seen.append(key.value)
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
