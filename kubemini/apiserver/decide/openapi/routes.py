"""What can be asked for under a group and version: every route, with all that OpenAPI tells of it. Pure.

Theory of operation. A route follows from a line of discovery by rule: the verbs of a resource say which routes there
are, its kind what goes in and out, its scope the path. ``version2`` and ``version3`` write the same routes, each as its
form has it. Kinds that somebody has defined go by the rules of another program, which differ a little: no old paths
under watch/, no protobuf, no strategic patch, other options and codes.
Models k/apiserver pkg/endpoints APIInstaller.registerResourceHandlers GetArticleForNoun,
pkg/endpoints/openapi GetOperationIDAndTags; k/apiextensions-apiserver pkg/controller/openapi/builder generateBuilder.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kubemini.api.schema.described import META
from kubemini.apiserver.decide.discovery import ALL, part_of
from kubemini.apiserver.decide.forms.media import JSON, PATCHES, PROTOBUF, SUPPORTED, YAML
from kubemini.apiserver.decide.openapi.schemas import of_kind

Words = tuple[str, ...]
TEXT = "string"  # an answer that is no object
INFO = "io.k8s.apimachinery.pkg.version.Info"
ANY: Words = ("*/*",)
STREAMS = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
STRATEGIC = "application/strategic-merge-patch+json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
DEPRECATED = "deprecated: use the 'watch' parameter with a list operation instead"
DELETED_OBJECTS = (  # a DELETE answers the object itself
    "CSIDriver",
    "CSINode",
    "DeviceClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceQuota",
    "ResourceSlice",
    "Service",
    "ServiceAccount",
    "StorageClass",
    "VolumeAttachment",
    "VolumeAttributesClass",
)


class Verb(NamedTuple):
    """How a verb reads: HTTP's method, the word in the operation's name, the action, its options and good codes."""

    method: str
    word: str
    action: str
    options: Words
    codes: Words
    says: str


VERBS = {
    "list": Verb("get", "list", "list", ("ListOptions",), ("200",), "list or watch objects of kind {kind}"),
    "create": Verb("post", "create", "post", ("CreateOptions",), ("200", "201", "202"), "create{sub}{a} {kind}"),
    "deletecollection": Verb(
        *("delete", "deleteCollection", "deletecollection"),
        ("DeleteOptions", "ListOptions"),
        ("200",),
        "delete collection of {kind}",
    ),
    "get": Verb("get", "read", "get", (), ("200",), "read{sub} the specified {kind}"),
    "update": Verb("put", "replace", "put", ("UpdateOptions",), ("200", "201"), "replace{sub} the specified {kind}"),
    "delete": Verb("delete", "delete", "delete", ("DeleteOptions",), ("200", "202"), "delete{sub}{a} {kind}"),
    "patch": Verb(
        *("patch", "patch", "patch"),
        ("PatchOptions",),
        ("200", "201"),
        "partially update{sub} the specified {kind}",
    ),
}
OF_A_COLLECTION, OF_AN_OBJECT = ("list", "create", "deletecollection"), ("get", "update", "delete", "patch")
WHOLE = ("watch", "allowWatchBookmarks")  # of ListOptions: what a delete of a collection does not take


class Route(NamedTuple):
    """One way to ask. *takes* and *gives* are names of schemas; *options*: Go types, *without* some parameters."""

    path: str
    method: str
    operation: str
    tag: str
    says: str
    options: Words
    takes: str
    consumes: Words
    gives: str
    produces: Words
    codes: Words
    action: str = ""
    kind: tuple[str, str, str] | None = None  # group, version, kind; None: it speaks of none
    places: Words = ()  # parameters that stand in the path, and what every request takes
    without: Words = ()


class _Of(NamedTuple):
    """What the routes of one resource share."""

    api_version: str
    kind: str
    plural: str
    spaced: bool
    verbs: list[str]
    custom: bool
    listed: str

    @property
    def called(self) -> str:
        return f"Namespaced{self.kind}" if self.spaced else self.kind

    @property
    def inside(self) -> Words:
        return ("namespace",) if self.spaced else ()

    @property
    def collection(self) -> str:
        within = "namespaces/{namespace}/" if self.spaced else ""
        return f"{root_of(self.api_version)}/{within}{self.plural}"

    @property
    def produces(self) -> Words:
        return (JSON, YAML) if self.custom else SUPPORTED


def root_of(api_version: str) -> str:
    """The path under which a group and version is."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def of_resource(words: Words, listed: str = "", custom: bool = False) -> list[Route]:
    """The routes of a line of discovery; *listed*: the kind of its lists; *custom*: somebody has defined it."""
    api_version, plural, kind, scope, *_ = words
    facts = dict(word.split("=", 1) for word in words[4:])
    verbs = (ALL if custom else facts.get("verbs", ALL)).split(",")  # also of a kind that is on its way out
    of = _Of(api_version, kind, plural, scope == "namespaced", verbs, custom, listed or f"{kind}List")
    found = [*_of_objects(of), *(() if custom else _of_watches(of))]
    for part in filter(None, facts.get("sub", "").split(",")):
        found += _of_part(of, part)
    return found


def _of_objects(of: _Of) -> Iterator[Route]:
    if of.spaced and "list" in of.verbs:
        path = f"{root_of(of.api_version)}/{of.plural}"
        yield _route(of, "list", path, f"{of.kind}ForAllNamespaces", ())
    for path, places, can in (
        (of.collection, of.inside, OF_A_COLLECTION),
        (f"{of.collection}/{{name}}", ("name", *of.inside), OF_AN_OBJECT),
    ):
        for verb in can:
            if verb in of.verbs:
                yield _route(of, verb, path, of.called, places)


def _route(of: _Of, verb: str, path: str, called: str, places: Words) -> Route:
    """What *verb* does there to the kind itself."""
    what, name = VERBS[verb], of_kind(of.api_version, of.kind)
    says = "list objects of kind {kind}" if verb == "list" and (of.custom or "watch" not in of.verbs) else what.says
    route = _said(of, what, path, called, places, ("", "", of.kind))._replace(
        says=says.format(sub="", a=_article(of.kind), kind=of.kind), takes=_taken(verb, name), gives=name
    )
    if verb == "list":
        streams = () if of.custom else STREAMS
        return route._replace(gives=of_list(of), produces=(*of.produces, *streams))
    if verb == "deletecollection" and of.custom:
        return route._replace(gives=f"{META}Status", takes="", options=("ListOptions",), without=())
    if verb == "deletecollection" or (verb == "delete" and (of.custom or of.kind not in DELETED_OBJECTS)):
        return route._replace(gives=f"{META}Status")
    return route


def of_list(of: _Of) -> str:
    """The name of the schema of its lists."""
    return f"{of_kind(of.api_version, of.kind).rpartition('.')[0]}.{of.listed}"


def _said(of: _Of, what: Verb, path: str, called: str, places: Words, spoken: tuple[str, str, str]) -> Route:
    """A route of *of* without its prose, and without what goes in and out. *spoken*: whose kind it speaks of."""
    group, _, version = of.api_version.rpartition("/")
    options, codes, consumes = what.options, what.codes, (JSON, YAML) if of.custom else ANY
    if of.custom:
        options = ("GetOptions",) if what.action == "get" else options
        codes = ("200",) if what.action == "patch" else codes
    if what.action == "patch":
        consumes = tuple(media for media in PATCHES if not (of.custom and media == STRATEGIC))
    whose = spoken[:2] if spoken[1] else (group, version)
    return Route(
        path,
        what.method,
        operation(what.word, of.api_version, called),
        tag(of.api_version),
        "",
        options,
        "",
        consumes,
        "",
        of.produces,
        codes,
        what.action,
        (*whose, spoken[2]),
        (*places, "pretty"),
        WHOLE if what.action == "deletecollection" else (),
    )


def _taken(verb: str, name: str) -> str:
    """The schema of the body."""
    if verb in ("delete", "deletecollection"):
        return f"{META}DeleteOptions"
    return f"{META}Patch" if verb == "patch" else name if verb in ("create", "update") else ""


def _of_watches(of: _Of) -> Iterator[Route]:
    """The old paths under watch/."""
    if "watch" not in of.verbs:
        return
    one, many = f"watch changes to an object of kind {of.kind}", f"watch individual changes to a list of {of.kind}"
    only = "filtered to a single item with the 'fieldSelector' parameter"
    watch, root = "/watch", root_of(of.api_version)
    below = of.collection.removeprefix(root)
    found = [
        (f"{root}{watch}{below}", f"{of.called}List", "watchlist", of.inside, f"{many}. {DEPRECATED}."),
        (f"{root}{watch}{below}/{{name}}", of.called, "watch", ("name", *of.inside), f"{one}. {DEPRECATED}, {only}."),
    ]
    if of.spaced:
        path = f"{root}{watch}/{of.plural}"
        found.append((path, f"{of.kind}ListForAllNamespaces", "watchlist", (), f"{many}. {DEPRECATED}."))
    for path, called, action, places, says in found:
        what = Verb("get", "watch", action, ("ListOptions",), ("200",), says)
        route = _said(of, what, path, called, places, ("", "", of.kind))
        yield route._replace(says=says, gives=f"{META}WatchEvent", produces=(*SUPPORTED, *STREAMS))


# -- parts of an object ------------------------------------------------------------------------------


def _of_part(of: _Of, part: str) -> Iterator[Route]:
    group_version, kind, doable = part_of(of.plural, of.kind, part)
    path, places = f"{of.collection}/{{name}}/{part}", ("name", *of.inside)
    if kind.endswith("Options"):
        yield from _connecting(of, part, kind, "options" if part == "proxy" else "")
        return
    group, _, version = (group_version or of.api_version).rpartition("/")
    spoken = ("", "", of.kind) if of.custom else (group, version, kind)
    for verb in ("create", *OF_AN_OBJECT):
        if verb not in doable:
            continue
        what, name = VERBS[verb], of_kind(group_version or of.api_version, kind)
        route = _said(of, what, path, f"{of.called}{part.capitalize()}", places, spoken)
        a = _article(of.kind) if verb == "create" else ""
        says = what.says.format(sub=f" {part} of", a=a, kind=of.kind)
        if part == "log":
            route = route._replace(options=("PodLogOptions",), produces=("text/plain", *SUPPORTED))
            name = TEXT
        yield route._replace(says=says, takes=_taken(verb, name), gives=name)


def _connecting(of: _Of, part: str, kind: str, every: str) -> Iterator[Route]:
    """The routes of a part that is a connection; with *every*, of any method and to any path behind it."""
    base, places = f"{of.collection}/{{name}}/{part}", ("name", *of.inside)
    methods = METHODS if every else ("get", "post")
    paths = [(base, "", places)]
    if every:
        paths.append((f"{base}/{{path}}", "WithPath", (*places, "path")))
    for path, behind, there in paths:
        for method in methods:
            what = Verb(method, f"connect-{method.capitalize()}", "connect", (kind,), ("200",), "")
            route = _said(of, what, path, f"{of.called}{part.capitalize()}{behind}", there, ("", "", kind))
            says = f"connect {method.upper()} requests to {part} of {of.kind}"
            yield route._replace(says=says, gives=TEXT, produces=ANY, consumes=ANY, places=there)


# -- pages of discovery ------------------------------------------------------------------------------


def of_page(where: str) -> list[Route]:
    """The route of the page of discovery at *where*: ``api``, ``apis/apps``, ``apis/apps/v1``, ``version``."""
    root, _, rest = where.partition("/")
    if where == "version":
        return [_page(where, "version", "getCodeVersion", "get the version information for this server", (JSON,))]
    if where == "api":
        return [_page(where, "core", "getCoreAPIVersions", "get available API versions", gives=f"{META}APIVersions")]
    if where == "apis":
        return [_page(where, "apis", "getAPIVersions", "get available API versions", gives=f"{META}APIGroupList")]
    if root == "apis" and "/" not in rest:
        named = operation("get", f"{rest}/", "APIGroup")
        told = tag(f"{rest}/").removesuffix("_")
        return [_page(where, told, named, "get information of a group", gives=f"{META}APIGroup")]
    named, told = operation("get", rest, "APIResources"), tag(rest)
    return [_page(where, told, named, "get available resources", gives=f"{META}APIResourceList")]


def _page(where: str, told: str, named: str, says: str, media: Words = SUPPORTED, gives: str = INFO) -> Route:
    return Route(f"/{where}/", "get", named, told, says, (), "", media, gives, media, ("200",))


# -- names -------------------------------------------------------------------------------------------


def operation(word: str, api_version: str, called: str) -> str:
    """The name of an operation: ``listCoreV1NamespacedPod``."""
    verb, _, method = word.partition("-")
    group, _, version = api_version.rpartition("/")
    short = "".join(part[:1].upper() + part[1:] for part in (group.removesuffix(".k8s.io") or "core").split("."))
    collection = "Collection" if verb == "deleteCollection" else ""
    return f"{verb.removesuffix('Collection')}{short}{version.capitalize()}{method}{collection}{called}"


def tag(api_version: str) -> str:
    """Under which heading a group and version stands: ``core_v1``."""
    group, _, version = api_version.rpartition("/")
    first, *rest = (group.removesuffix(".k8s.io") or "core").split(".")
    return f"{first}{''.join(part.capitalize() for part in rest)}_{version}"


def _article(noun: str) -> str:
    if noun.endswith("s") and not noun.endswith("ss"):
        return ""
    return " an" if noun[:1].lower() in "aeiou" else " a"
