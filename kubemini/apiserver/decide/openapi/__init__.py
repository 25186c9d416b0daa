"""The API as OpenAPI 3 describes it: what kubectl explain reads, and apply asks what a server can check. Pure.

    page("/openapi/v3", lines())                 where the documents are, one a group and version
    page("/openapi/v3/apis/apps/v1", lines())    paths (paths.py) and the types that they speak of (schemas.py)

Models k/kube-openapi pkg/handler3 OpenAPIService, pkg/builder3 BuildOpenAPISpecFromRoutes, compared with the documents
of kube-apiserver 1.37.2.
Simplified: no descriptions, no enumerations; no paths for watch/, connecting sub-resources and groups alone.
"""

import hashlib
from functools import cache
from typing import Any

from kubemini.apiserver.decide.discovery import Lines
from kubemini.apiserver.decide.forms.response import json_bytes
from kubemini.apiserver.decide.openapi import paths, schemas

ROOT = "/openapi/v3"
BEARER = {"type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header"}


def page(path: str, lines: Lines) -> Any:
    """The index, or the document of a group and version; None if there is none."""
    where = path.rstrip("/")
    if where == ROOT:
        return _index(lines)
    if not where.startswith(ROOT + "/"):
        return None
    api_version = _versions(lines).get(where.removeprefix(ROOT + "/"))
    return None if api_version is None else document(api_version, lines)


def _versions(lines: Lines) -> dict[str, str]:
    """Path below the root → group/version."""
    return {("apis/" if "/" in words[0] else "api/") + words[0]: words[0] for words in lines}


@cache
def _index(lines: Lines) -> Any:
    found = {}
    for where, api_version in sorted(_versions(lines).items()):
        digest = hashlib.sha512(json_bytes(document(api_version, lines))).hexdigest().upper()
        found[where] = {"serverRelativeURL": f"{ROOT}/{where}?hash={digest}"}
    return {"paths": found}


@cache
def document(api_version: str, lines: Lines) -> Any:
    """All that is said of *api_version*."""
    told = paths.of(api_version, lines)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "1.37"},
        "paths": told,
        "components": {"schemas": schemas.needed(told), "securitySchemes": {"BearerToken": BEARER}},
    }
