"""The API as OpenAPI 3 describes it: what kubectl explain reads, and apply asks what a server can check. Pure.

    page("/openapi/v3", lines())                 where the documents are, one a group and version
    page("/openapi/v3/apis/apps/v1", lines())    paths (paths.py) and the types that they speak of (schemas.py)

Models k/kube-openapi pkg/handler3 OpenAPIService, pkg/builder3 BuildOpenAPISpecFromRoutes, compared with the documents
of kube-apiserver 1.37.2.
Simplified: no descriptions, no enumerations; no paths for watch/, connecting sub-resources and groups alone.
"""

import hashlib
from functools import lru_cache
from typing import Any

from kubemini.apiserver.decide.discovery import Lines
from kubemini.apiserver.decide.forms.response import json_bytes
from kubemini.apiserver.decide.openapi import paths, schemas
from kubemini.apiserver.decide.openapi.schemas import Described

ROOT = "/openapi/v3"
KEPT = 16  # of so many states of a server the pages are remembered
BEARER = {"type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header"}


def page(path: str, lines: Lines, described: Described = ()) -> Any:
    """The index, or the document of a group and version; None if there is none. *described*: see schemas.needed."""
    where = path.rstrip("/")
    if where == ROOT:
        return _index(lines, described)
    if not where.startswith(ROOT + "/"):
        return None
    api_version = _versions(lines).get(where.removeprefix(ROOT + "/"))
    return None if api_version is None else document(api_version, lines, described)


def _versions(lines: Lines) -> dict[str, str]:
    """Path below the root → group/version."""
    return {("apis/" if "/" in words[0] else "api/") + words[0]: words[0] for words in lines}


@lru_cache(maxsize=KEPT)
def _index(lines: Lines, described: Described) -> Any:
    found = {}
    for where, api_version in sorted(_versions(lines).items()):
        digest = hashlib.sha512(json_bytes(document(api_version, lines, described))).hexdigest().upper()
        found[where] = {"serverRelativeURL": f"{ROOT}/{where}?hash={digest}"}
    return {"paths": found}


@lru_cache(maxsize=16 * KEPT)
def document(api_version: str, lines: Lines, described: Described = ()) -> Any:
    """All that is said of *api_version*."""
    told = paths.of(api_version, lines)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "1.37"},
        "paths": told,
        "components": {"schemas": schemas.needed(told, described), "securitySchemes": {"BearerToken": BEARER}},
    }
