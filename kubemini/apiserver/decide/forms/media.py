"""Which form a client wants its answer in, and which its body has: two looks at the same headers. Pure.

    routed(headers, …)    first: does the path serve such a type at all? 406 415, in go-restful's words
    negotiated("application/json;as=Table;v=v1;g=meta.k8s.io, application/json")   → Accepted(JSON, Form("Table"))

Models k/apiserver pkg/endpoints/handlers/negotiation NegotiateMediaTypeOptions NegotiateInputSerializer,
pkg/endpoints/handlers RequestScope.AllowsMediaTypeTransform.
What is refused before a handler is asked follows go-restful: its RouterJSR311, detectRoute.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.apiserver.decide.request import first
from kubemini.apiserver.decide.tables import FORMS, GROUP, TABLE, VERSIONS, Form

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
SUPPORTED = (JSON, YAML, PROTOBUF)
BROWSERS = ("curl", "Wget", "Mozilla/5.0")  # whoever reads with his own eyes gets spaces
PATCHES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The form of an answer. *convert*: what to make of the object."""

    media: str = JSON
    convert: Form | None = None
    pretty: bool = False


PLAIN = Accepted()


class Clause(NamedTuple):
    """One range of an Accept header."""

    type: str
    subtype: str
    quality: float
    params: Mapping[str, str]


def clauses(accept: str) -> list[Clause]:
    """The ranges of an Accept header, the most wanted first."""
    found = []
    for part in accept.split(","):
        media, *params = part.strip().split(";")
        type, slash, subtype = (piece.strip() for piece in media.partition("/"))
        if not slash and type == "*":
            subtype = "*"
        elif not slash or "/" in subtype:
            continue
        given = {key.strip(): value.strip() for key, equals, value in (p.partition("=") for p in params) if equals}
        found.append(Clause(type, subtype, _quality(given.pop("q", "1")), given))
    return sorted(found, key=lambda clause: (-clause.quality, clause.type == "*", clause.subtype == "*"))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def negotiated(
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    supported: Sequence[str] = SUPPORTED,
    forms: Collection[str] = FORMS,
) -> "Accepted | ApiError":
    """The form of the answer, or 406. *forms*: as what the object may be shown."""
    accept = headers.get("accept", "")
    for clause in clauses(accept) if accept else [Clause("*", "*", 1.0, {})]:
        for media in supported:
            if _matches(clause, media) and (found := _accepted(clause, media, headers, query, forms)):
                return found
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(supported)}")


def not_streamed(found: Accepted, supported: Sequence[str] = SUPPORTED) -> ApiError | None:
    """Why the events of a watch cannot be had in this form, or None: YAML has no end."""
    if found.media != YAML:
        return None
    text = f"only the following media types are accepted: {', '.join(streams(supported))}"
    return ApiError(406, "NotAcceptable", text)


def streams(supported: Sequence[str]) -> list[str]:
    """The media types in which events can be had; YAML has no end."""
    return [f"{media};stream=watch" for media in supported if media != YAML]


def _matches(clause: Clause, media: str) -> bool:
    type, _, subtype = media.partition("/")
    return (
        clause.type in (type, "*")
        and clause.subtype in (subtype, "*")
        and (clause.type, clause.subtype)
        != (
            "*",
            subtype,
        )
    )


def _accepted(
    clause: Clause, media: str, headers: Mapping[str, str], query: Mapping[str, Any], forms: Collection[str]
) -> Accepted | None:
    params = clause.params
    if params.get("stream", "watch") != "watch" or params.get("sv", "v1") not in ("", "v1"):
        return None
    if "stream" in params and media == YAML:
        return None
    form = None
    if any(key in params for key in ("as", "g", "v")):
        form = Form(params.get("as", ""), params.get("v", ""))
        known = form.kind in forms and params.get("g") == GROUP and form.version in VERSIONS
        if not known or (form.kind == TABLE and media == PROTOBUF):
            return None
    asked = first(query, "pretty")
    browser = headers.get("user-agent", "").startswith(BROWSERS)
    pretty = asked.lower() in ("1", "t", "true") if asked else browser
    return Accepted(media, form, pretty or params.get("pretty") == "1")


# -- what the router says before any handler sees the request ----------------------------------------------------------


def routed(
    headers: Mapping[str, str], verb: str, watchable: bool, supported: Sequence[str] = SUPPORTED
) -> ApiError | None:
    """Why no route serves such a body (415) or such an answer (406), or None."""
    content = headers.get("content-type", "").partition(";")[0].strip()
    if verb == "patch" and content not in PATCHES:
        return errors.generic(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    produced = [*supported, *(streams(supported) if watchable else ())]
    accept = headers.get("accept") or "*/*"
    ranges = [part.partition(";")[0].strip() for part in accept.split(",")]
    if any(one == "*/*" or one in produced for one in ranges):
        return None
    text = f"406: Not Acceptable\n\nAvailable representations: {', '.join(produced)}"
    return errors.generic(406, "NotAcceptable", text)


def body_type(headers: Mapping[str, str], supported: Sequence[str] = SUPPORTED) -> "str | ApiError":
    """The media type of a body that is an object, or 415."""
    said = headers.get("content-type", "").partition(";")[0].strip().lower() or JSON
    if said in supported:
        return said
    text = "the body of the request was in an unknown format - accepted media types include: "
    return errors.unsupported_media_type(text + ", ".join(supported))
