"""What an authorizer is asked: who wants to do what. And the words of a refusal. Pure.

Models k/apiserver pkg/authorization/authorizer AttributesRecord; pkg/endpoints/filters GetAuthorizerAttributes;
pkg/endpoints/handlers/responsewriters ForbiddenStatusError; k/apimachinery pkg/api/errors NewForbidden.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemini.api import fields
from kubemini.api.errors import ApiError
from kubemini.api.objects import freeze
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.request import RequestInfo


@dataclass(frozen=True, slots=True)
class Attributes:
    """One question. *selected*: field → value that a field selector demands."""

    user: UserInfo
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    is_resource: bool = True
    selected: dict[str, str] = field(default_factory=dict)


class Decision(NamedTuple):
    """The answer of an authorizer; one that is not *allowed* may have no opinion."""

    allowed: bool
    reason: str = ""


def of(info: RequestInfo, user: UserInfo) -> Attributes:
    """The question that a request raises."""
    if not info.is_resource:
        return Attributes(user, info.verb, path=info.path, is_resource=False)
    return Attributes(
        user,
        info.verb,
        info.group,
        info.resource,
        info.subresource,
        info.namespace,
        info.name,
        selected=selected(info.field_selector),
    )


def selected(selector: str) -> dict[str, str]:
    """The fields that *selector* demands a value of; a selector that cannot be read demands none."""
    try:
        terms = fields.parse(selector)
    except fields.FieldSelectorError:
        return {}
    return {term.field: term.value for term in terms if term.equal}


def forbidden(asked: Attributes, reason: str = "") -> ApiError:
    """403, in the words that users know."""
    why = f"{_sentence(asked)}: {reason}" if reason else _sentence(asked)
    return forbidden_object(asked.group, asked.resource, asked.name, why)


def forbidden_object(group: str, resource: str, name: str, why: str) -> ApiError:
    """403 about an object, a collection, or a path if there is no *resource*."""
    qualified = f"{resource}.{group}" if group else resource
    subject = f'{qualified} "{name}" is forbidden' if name else f"{qualified} is forbidden"
    details = {"name": name, "group": group, "kind": resource}
    shown: Any = freeze({key: value for key, value in details.items() if value})
    message = f"{subject}: {why}" if resource else f"forbidden: {why}"
    return ApiError(403, "Forbidden", message, shown, generic=True)


def _sentence(asked: Attributes) -> str:
    who = f'User "{asked.user.name}" cannot {asked.verb}'
    if not asked.is_resource:
        return f'{who} path "{asked.path}"'
    what = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    return f'{who} resource "{what}" in API group "{asked.group}" {where}'
