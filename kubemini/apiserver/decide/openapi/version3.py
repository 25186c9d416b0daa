"""A group and version as OpenAPI 3 tells it: paths, with all that can be done there, and schemas. Pure.

Models k/kube-openapi pkg/builder3 BuildOpenAPISpecFromRoutes.
"""

from collections.abc import Iterable
from typing import Any

from kubemini.api.schema import described
from kubemini.apiserver.decide.openapi import schemas
from kubemini.apiserver.decide.openapi.routes import TEXT, Route
from kubemini.apiserver.decide.openapi.schemas import Described, ref

BEARER = {"type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header"}
SAID = {"200": "OK", "201": "Created", "202": "Accepted"}
RESOURCE_VERSION = "resourceVersion"


def document(routes: Iterable[Route], own: tuple[Described, ...], version: str) -> dict[str, Any]:
    """All that is said of *routes* of *version*; *own*: the kinds among them that somebody has defined."""
    told = paths(routes)
    found = schemas.needed(told, own, version)
    if own:
        info = {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}
        return {"openapi": "3.0.0", "info": info, "paths": told, "components": {"schemas": found}}
    info = {"title": "Kubernetes", "version": "1.37"}
    components = {"schemas": found, "securitySchemes": {"BearerToken": BEARER}}
    return {"openapi": "3.0.0", "info": info, "paths": told, "components": components}


def paths(routes: Iterable[Route]) -> dict[str, Any]:
    """Path → what can be done there."""
    found: dict[str, list[Route]] = {}
    for route in routes:
        found.setdefault(route.path, []).append(route)
    return {path: _path(found[path]) for path in sorted(found)}


def _path(routes: list[Route]) -> dict[str, Any]:
    common, left = shared(routes)
    told: dict[str, Any] = {}
    for route, options in zip(routes, left, strict=True):
        told[route.method] = _operation(route, options)
    return told | ({"parameters": common} if common else {})


def shared(routes: list[Route]) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """The parameters that all routes of a path take, and what is left of those of each; by name."""
    every = [_parameters(route) for route in routes]
    common = [option for option in every[0] if all(option in options for options in every)]
    left = [[option for option in options if option not in common] for options in every]
    return common, left


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for of in route.options:
        found += [option for option in _options(of) if option["name"] not in route.without and option not in found]
    for place in route.places:
        found += [_name(route.kind[2] if route.kind else "")] if place == "name" else described.options(place)
    return sorted(found, key=lambda option: (option["name"], option["in"]))


def _options(of: str) -> list[dict[str, Any]]:
    if of != "GetOptions":
        return described.options(of)
    return [option for option in described.options("ListOptions") if option["name"] == RESOURCE_VERSION]


def _name(kind: str) -> dict[str, Any]:
    schema = {"type": "string", "uniqueItems": True}
    return {"name": "name", "in": "path", "description": f"name of the {kind}", "required": True, "schema": schema}


def _operation(route: Route, options: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {"tags": [route.tag], "description": route.says, "operationId": route.operation}
    if options:
        told["parameters"] = options
    if route.takes:
        content = {media: {"schema": ref(route.takes)} for media in sorted(route.consumes)}
        must = {} if route.takes.endswith("DeleteOptions") else {"required": True}
        told["requestBody"] = {"content": content, **must}
    given = {"type": TEXT} if route.gives == TEXT else ref(route.gives)
    content = {media: {"schema": given} for media in sorted(route.produces)}
    good = {code: {"description": SAID[code], "content": content} for code in route.codes}
    told["responses"] = {**good, "401": {"description": "Unauthorized"}}
    return told | marks(route)


def marks(route: Route) -> dict[str, Any]:
    """What Kubernetes adds to an operation in words of its own."""
    if route.kind is None:
        return {}
    group, version, kind = route.kind
    return {"x-kubernetes-action": route.action, described.GVK: {"group": group, "version": version, "kind": kind}}
