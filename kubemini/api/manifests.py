"""Manifests: the YAML (or JSON) text that people write → objects. All of a file is good, or one clear error.

    load(text, "shop.yaml")   [Namespace, Deployment, Service] as frozen objects
    shop.yaml, document 2 (Deployment web), spec.replcas: Deployment in version "v1" cannot be handled as a
    Deployment: strict decoding error: unknown field "spec.replcas"
      did you mean replicas?

Invariant: nothing is returned before everything has been read, so a bad manifest changes nothing. The first line is in
the words of kubectl and the API server (asked as kubectl asks: fieldValidation=Strict); the second line is our hint.
What breaks a rule (a name, a port, a selector) is not judged here: the API server refuses it with its own words.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from kubemini.api import documents, hints, kinds
from kubemini.api.documents import Document, TextError
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.schema.decode import Decoded, Doubled, decode, spelled


class ManifestError(ValueError):
    """A manifest that cannot be used: which file, which document, what the API server would say, and our hint."""

    def __init__(self, file: str, document: int, about: str, field: str, text: str, hint: str = ""):
        where = [file] + ([f"document {document}{about}"] if document else []) + ([field] if field else [])
        super().__init__(f"{', '.join(where)}: {text}" + (f"\n  {hint}" if hint else ""))
        self.file, self.document, self.field, self.text, self.hint = file, document, field, text, hint


def load(text: str, filename: str = "manifest") -> list[Obj]:
    """The objects of *text*, in order. Raises ManifestError."""
    try:
        found = [item for document in documents.read(text) for item in document.items() if item.value is not None]
    except TextError as error:
        raise ManifestError(filename, 0, "", error.where, error.text) from None
    if not found:
        raise ManifestError(filename, 0, "", "", "holds no manifest; expected apiVersion, kind and metadata")
    _refuse_unknown_kinds(found, filename)
    objects: list[Obj] = []
    seen: dict[tuple[str, str, str], int] = {}
    for number, document in enumerate(found, 1):
        value = document.value
        for problem in _problems(document):
            raise ManifestError(filename, number, _about(value), *problem)
        key = (value["kind"], get(value, "metadata", "namespace", default="default"), value["metadata"]["name"])
        if key in seen:
            text = f"document {seen[key]} has this name already"
            raise ManifestError(filename, number, _about(value), "metadata.name", text)
        seen[key] = number
        objects.append(freeze(_without_nulls(value)))
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


# -- which kinds -----------------------------------------------------------------------------------------------------


def _refuse_unknown_kinds(found: list[Document], filename: str) -> None:
    """All kinds that are real but not simulated, in one error."""
    named = [(number, get(d.value, "apiVersion"), get(d.value, "kind")) for number, d in enumerate(found, 1)]
    missing = [(number, kind) for number, version, kind in named if _is_known(version, kind, kinds.KNOWN)]
    missing = [(n, kind) for n, kind in missing if not _is_known(*named[n - 1][1:], kinds.served())]
    if not missing:
        return
    listed = ", ".join(f"{kind} (document {number})" for number, kind in missing)
    known = ", ".join(sorted({kind for _, kind in kinds.served()}))
    raise ManifestError(filename, 0, "", "", f"not simulated here: {listed}", f"simulated are {known}")


def _is_known(version: Any, kind: Any, table: Any) -> bool:
    return isinstance(version, str) and isinstance(kind, str) and (version, kind) in table


def _no_match(version: str, kind: str) -> tuple[str, str, str]:
    """What kubectl says of a kind that the server does not know, and what there is instead."""
    text = f'no matches for kind "{kind}" in version "{version}"'
    other = [k.api_version for k in (*kinds.served().values(), *kinds.KNOWN.values()) if k.kind == kind]
    if other:
        return "", text, f"Kubernetes 1.37 serves {kind} as {other[0]}"
    return "", text, hints.nearest(kind, sorted({k for _, k in kinds.served()}))


# -- what is wrong with one document ---------------------------------------------------------------------------------


def _problems(document: Document) -> Iterator[tuple[str, str, str]]:
    """(field, text, hint) of each; the caller takes the first."""
    value = document.value
    if not isinstance(value, dict):
        yield "", f"expected a map with apiVersion, kind and metadata, found {hints.found(value)}", ""
        return
    for key in ("kind", "apiVersion"):
        if not isinstance(value.get(key), str):
            yield key, "missing" if value.get(key) is None else f"expected text, found {hints.found(value[key])}", ""
            return
    version, kind = value["apiVersion"], value["kind"]
    if (version, kind) not in kinds.served():
        yield _no_match(version, kind)
        return
    yield from _keys_that_are_no_text(value, document)
    found = decode(_as_sent(value), version, kind)
    text = found.error or found.strict_error
    if text:
        last = version.rpartition("/")[2]
        place = found.place if found.error else next(iter(found.unknown), ())
        said = f'{kind} in version "{last}" cannot be handled as a {kind}: {text}'
        yield spelled(place), said, _hint(found, document)
    if not get(value, "metadata", "name"):
        generated = get(value, "metadata", "generateName")
        text = (
            f"from {generated}: cannot use generate name with apply" if generated else "resource name may not be empty"
        )
        yield "metadata.name", text, "expected a name such as web-1"


def _as_sent(value: Any) -> Any:
    """*value* as kubectl sends it: keys in the order of their names."""
    if isinstance(value, list):
        return [_as_sent(item) for item in value]
    if not isinstance(value, dict):
        return value
    sent = {key: _as_sent(value[key]) for key in sorted(value)}
    if not isinstance(value, Doubled):
        return sent
    written = [(key, _as_sent(item)) for key, item in sorted(value.written, key=lambda pair: pair[0])]
    return Doubled(sent, value.doubled, tuple(written))


def _keys_that_are_no_text(value: Any, document: Document) -> Iterator[tuple[str, str, str]]:
    """``on:`` and ``8080:`` as keys: YAML reads a boolean and a number."""
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while waiting:
        inner, path = waiting.pop(0)
        for key, item in inner.items() if isinstance(inner, dict) else enumerate(inner):
            if isinstance(inner, dict) and not isinstance(key, str):
                own = document.written_key(path, key)
                yield spelled(path), f"expected text as a key, found {hints.found(key)}", f'put it in quotes: "{own}"'
            elif isinstance(item, dict | list):
                waiting.append((item, (*path, key)))


def _hint(found: Decoded, document: Document) -> str:
    value = document.value
    if found.error:
        if not found.place:
            return ""
        return hints.of_type(value, found.place, document.written(*found.place))
    return hints.of_unknown(value, found.unknown[0]) if found.unknown else ""
