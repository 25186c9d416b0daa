"""The API as it describes itself: what kubectl explain reads, and what clients check their objects by. Pure.

    answer("/openapi/v2", {}, headers, lines())       the whole API in one document, as JSON or protobuf
    answer("/openapi/v3", {}, headers, lines())       where the documents are, one a group and version
    page("/openapi/v3/apis/apps/v1", lines())         one of them, as a value

Theory of operation. The routes follow from discovery (routes.py); version2.py and version3.py write them, and the types
that they speak of (schemas.py), each in its form. Nothing is made before somebody asks. What was made is remembered by
what it was made of, a group and version at a time: whoever defines a kind changes a few pieces.
Models k/kube-openapi pkg/handler OpenAPIService.RegisterOpenAPIVersionedService, pkg/handler3
OpenAPIService.HandleGroupVersion OpenAPIService.HandleDiscovery, compared with the documents of kube-apiserver 1.37.2.
Simplified: no OpenAPI 3 as protobuf; nothing of it is compressed, served in ranges, or says when it was made.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from kubemini.api.schema import custom
from kubemini.apiserver.decide.discovery import Lines
from kubemini.apiserver.decide.forms.media import JSON, clauses
from kubemini.apiserver.decide.forms.plain import TEXT, Ready
from kubemini.apiserver.decide.openapi import gnostic, routes, version2, version3
from kubemini.apiserver.decide.openapi.routes import Route
from kubemini.apiserver.decide.openapi.schemas import Described, known
from kubemini.apiserver.decide.request import first

WHOLE, ROOT = "/openapi/v2", "/openapi/v3"
OLD_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
BESIDE = ("api", "apis", "version")  # documents that are of no group
KEPT = 256  # pieces that are remembered
FOR_EVER = "public, immutable"


def answer(
    path: str, query: Mapping[str, Any], headers: Mapping[str, str], lines: Lines, own: tuple[Described, ...] = ()
) -> Ready | None:
    """What a client reads at *path*; None if OpenAPI is not there. *own*: the kinds that are defined at one server."""
    if path == WHOLE:
        accepted = {JSON: JSON, OLD_PROTOBUF: PROTOBUF, PROTOBUF: PROTOBUF}
        media = next((media for media in _wanted(headers, [*accepted])), None)
        vary = (("Vary", "Accept-Encoding"), ("Vary", "Accept"))
        if media is None:
            return Ready(406, vary, b"")
        body, digest = _whole_bytes(lines, own, accepted[media] == PROTOBUF)
        return _fresh(headers, body, digest, (("Content-Type", accepted[media]), *vary))
    if path.rstrip("/") == ROOT:
        return Ready(200, (("Content-Type", TEXT),), _index(lines, own))
    if not path.startswith(ROOT + "/"):
        return None
    return _one(path, query, headers, lines, own)


def _one(
    path: str, query: Mapping[str, Any], headers: Mapping[str, str], lines: Lines, own: tuple[Described, ...]
) -> Ready:
    """A document of OpenAPI 3: who says which hash it had is told where it is now, or may keep it for ever."""
    where = path.removeprefix(ROOT + "/")
    told, vary = _parts(lines, own).get(where), ("Vary", "Accept")
    if told is None:
        return Ready(404, (), b"")
    if not _wanted(headers, [JSON]):
        return Ready(406, (vary,), b"")
    body, digest = _document_bytes(where, *told)
    said: tuple[tuple[str, str], ...] = (("Content-Type", JSON), vary)
    asked = first(query, "hash")
    if asked and asked != digest:
        return Ready(301, (*said, ("Etag", f'"{digest}"'), ("Location", _url(where, digest))), b"")
    return _fresh(headers, body, digest, (*said, *((("Cache-Control", FOR_EVER),) if asked else ())))


def _fresh(headers: Mapping[str, str], body: bytes, digest: str, said: tuple[tuple[str, str], ...]) -> Ready:
    """*body*, or 304 if the client has it already."""
    etag = f'"{digest}"'
    had = [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]
    if etag in had or "*" in had:
        return Ready(304, (*(header for header in said if header[0] != "Content-Type"), ("Etag", etag)), b"")
    return Ready(200, (*said, ("Etag", etag)), body)


def _wanted(headers: Mapping[str, str], supported: Sequence[str]) -> list[str]:
    """Those of *supported* that the client takes, the most wanted first."""
    found = []
    for clause in clauses(headers.get("accept") or "*/*"):
        for media in supported:
            type, _, subtype = media.partition("/")
            if clause.type in (type, "*") and clause.subtype in (subtype, "*"):
                found.append(media)
    return found


# -- documents ---------------------------------------------------------------------------------------


def page(path: str, lines: Lines, own: tuple[Described, ...] = ()) -> Any:
    """The document at *path* as a value; None if there is none."""
    if path == WHOLE:
        return _whole(lines, own)
    told = _parts(lines, own).get(path.removeprefix(ROOT + "/"))
    return None if told is None else _document(path.removeprefix(ROOT + "/"), *told)


@lru_cache(maxsize=8)
def _parts(lines: Lines, own: tuple[Described, ...]) -> dict[str, tuple[Lines, tuple[Described, ...]]]:
    """Path below the root → the lines of discovery that it is made of, and which of its kinds somebody has defined."""
    found: dict[str, tuple[Lines, tuple[Described, ...]]] = dict.fromkeys(BESIDE, ((), ()))
    always = {(words[0], words[2]): known(words[0], words[2], words[1]) for words in custom.resources()}
    here = {(one.api_version, one.kind): one for one in own}
    for words in lines:
        api_version, group = words[0], words[0].rpartition("/")[0]
        where = f"apis/{api_version}" if group else f"api/{api_version}"
        of, defined = found.get(where, ((), ()))
        one = here.get((api_version, words[2])) or always.get((api_version, words[2]))
        found[where] = (*of, words), (*defined, one) if one else defined
        if group and not one:
            found[f"apis/{group}"] = (), ()
    return {where: found[where] for where in sorted(found)}


@lru_cache(maxsize=KEPT)
def _routes(where: str, of: Lines, own: tuple[Described, ...]) -> tuple[Route, ...]:
    listed = {one.kind: one.listed for one in own}
    found = [] if own else routes.of_page(where)
    for words in of:
        found += routes.of_resource(words, listed.get(words[2], ""), words[2] in listed)
    return tuple(found)


def _document(where: str, of: Lines, own: tuple[Described, ...]) -> dict[str, Any]:
    version = where.partition("/")[2]
    return version3.document(_routes(where, of, own), own, version)


@lru_cache(maxsize=KEPT)
def _document_bytes(where: str, of: Lines, own: tuple[Described, ...]) -> tuple[bytes, str]:
    return _hashed(_written(_document(where, of, own)))


def _written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _hashed(body: bytes) -> tuple[bytes, str]:
    return body, hashlib.sha512(body).hexdigest().upper()


@lru_cache(maxsize=8)
def _index(lines: Lines, own: tuple[Described, ...]) -> bytes:
    told = _parts(lines, own)
    urls = {where: {"serverRelativeURL": _url(where, _document_bytes(where, *told[where])[1])} for where in told}
    return _written({"paths": urls})


def _url(where: str, digest: str) -> str:
    return f"{ROOT}/{where}?hash={digest}"


@lru_cache(maxsize=KEPT)
def _piece(where: str, of: Lines, own: tuple[Described, ...]) -> version2.Piece:
    return version2.piece(_routes(where, of, own), own)


def _whole(lines: Lines, own: tuple[Described, ...]) -> dict[str, Any]:
    return version2.whole(_piece(where, *told) for where, told in _parts(lines, own).items())


@lru_cache(maxsize=2)
def _whole_json(lines: Lines, own: tuple[Described, ...]) -> tuple[bytes, str]:
    return _hashed(_written(_whole(lines, own)))


@lru_cache(maxsize=4)
def _whole_bytes(lines: Lines, own: tuple[Described, ...], protobuf: bool) -> tuple[bytes, str]:
    """The document of OpenAPI 2, and its hash, which is that of JSON in any form."""
    body, digest = _whole_json(lines, own)
    return (gnostic.encoded(_whole(lines, own)) if protobuf else body), digest
