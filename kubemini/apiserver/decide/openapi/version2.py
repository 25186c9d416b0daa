"""The whole API as OpenAPI 2 tells it, in one document. Pure.

Theory of operation. The document is long, and little of it changes when somebody defines a kind. So it is made of
pieces, one a group and version, each remembered as the text of its entries; the whole is these texts, put in order.
Parameters that many routes take stand once, under a name that ends with a hash of what they say.
Models k/kube-openapi pkg/builder BuildOpenAPISpecFromRoutes deduplicateParameters;
k/apiextensions-apiserver pkg/controller/openapi/builder MergeSpecs.
"""

import base64
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from kubemini.apiserver.decide.openapi import schemas
from kubemini.apiserver.decide.openapi.routes import TEXT, Route
from kubemini.apiserver.decide.openapi.schemas import PLAIN_REF, Described
from kubemini.apiserver.decide.openapi.version3 import BEARER, SAID, marks, shared

HEAD = {"swagger": "2.0", "info": {"title": "Kubernetes", "version": "1.37"}}
TAIL = {"securityDefinitions": {"BearerToken": BEARER}, "security": [{"BearerToken": []}]}
ALONE = ("name", "dryRun", "fieldValidation")  # parameters that stand where they are taken
GENERIC = f"{PLAIN_REF}io.k8s.apimachinery"
OFFSET, PRIME = 14695981039346656037, 1099511628211


class Piece(NamedTuple):
    """What one group and version adds."""

    paths: dict[str, Any]
    definitions: dict[str, Any]
    parameters: dict[str, Any]


def piece(routes: Iterable[Route], own: tuple[Described, ...] = ()) -> Piece:
    """What is said of *routes*; *own*: the kinds among them that somebody has defined."""
    found: dict[str, list[Route]] = {}
    names: dict[str, None] = {}
    for route in routes:
        found.setdefault(route.path, []).append(route)
        names |= dict.fromkeys(name for name in (route.takes, route.gives) if name not in ("", TEXT))
    parameters: dict[str, Any] = {}
    told = {path: _path(found[path], parameters) for path in found}
    defined = schemas.of_defined(own, plain=True)
    everything = schemas.needed([schemas.ref(name) for name in names], own)
    published = {name: schemas.plain_schema(name) for name in everything if name not in defined}
    return Piece(told, published | defined, parameters)


def _path(routes: list[Route], parameters: dict[str, Any]) -> dict[str, Any]:
    common, left = shared(routes)
    told: dict[str, Any] = {}
    for route, options in zip(routes, left, strict=True):
        told[route.method] = _operation(route, [_plain(option) for option in options], parameters)
    given = [_pointed(_plain(option), parameters) for option in common]
    return told | ({"parameters": given} if given else {})


def _plain(option: dict[str, Any]) -> dict[str, Any]:
    """A parameter of OpenAPI 3, in the order in which Go writes it."""
    schema = option["schema"]
    must = {"required": True} if option.get("required") else {}
    says = {"description": option["description"], "name": option["name"], "in": option["in"], **must}
    return {"uniqueItems": schema["uniqueItems"], "type": schema["type"], **says}


def _operation(route: Route, options: list[dict[str, Any]], parameters: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": route.says}
    if route.consumes:
        told["consumes"] = [*route.consumes]
    told |= {"produces": [*route.produces], "schemes": ["https"], "tags": [route.tag], "operationId": route.operation}
    if route.takes:
        must = {} if route.takes.endswith("DeleteOptions") else {"required": True}
        options = [{"name": "body", "in": "body", **must, "schema": _ref(route.takes)}, *options]
    options.sort(key=lambda option: (option["name"], option["in"]))
    if options:
        told["parameters"] = [_pointed(option, parameters) for option in options]
    given = {"type": TEXT} if route.gives == TEXT else _ref(route.gives)
    good = {code: {"description": SAID[code], "schema": given} for code in route.codes}
    told["responses"] = {**good, "401": {"description": "Unauthorized"}}
    return told | marks(route)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": PLAIN_REF + name}


def _pointed(option: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """*option*, or a pointer to it among *parameters*."""
    if option["name"] in ALONE and option["in"] in ("query", "path"):
        return option
    if option["in"] == "body" and not option["schema"]["$ref"].startswith(GENERIC):
        return option
    text = json.dumps(option, separators=(",", ":"), ensure_ascii=False)
    name = f"{option['name']}-{_hash(text)}"
    parameters[name] = option
    return {"$ref": f"#/parameters/{name}"}


@lru_cache(maxsize=256)
def _hash(text: str) -> str:
    """Eight letters that stand for *text*. Models k/kube-openapi pkg/builder base64Hash"""
    found = OFFSET
    for byte in text.encode():
        found = (found * PRIME & (1 << 64) - 1) ^ byte
    return base64.urlsafe_b64encode(found.to_bytes(8, "big")[:6]).decode()


def whole(pieces: Iterable[Piece]) -> dict[str, Any]:
    """One document of all *pieces*."""
    merged = Piece({}, {}, {})
    for one in pieces:
        for all_of, some in zip(merged, one, strict=True):
            all_of.update(some)
    paths, definitions, parameters = ({key: found[key] for key in sorted(found)} for found in merged)
    return {**HEAD, "paths": paths, "definitions": definitions, "parameters": parameters, **TAIL}
