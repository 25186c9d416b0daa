"""What a kubelet's server is asked for, and what a client must be allowed to do for it. Pure.

    parse("GET", "/containerLogs/shop/web-1/nginx")   → Wanted("containerLogs", "shop", "web-1", "nginx")
    subresources("/healthz")                          → ("healthz", "proxy"): either will do

Models k/k pkg/kubelet/server nodeAuthorizerAttributesGetter.GetRequestAttributes Server.InstallAuthFilter
Server.InstallAuthRequiredHandlers.
Simplified: of what it serves beside pods' logs and streams only /pods and /healthz; no statistics, no
metrics, no files of the node; clients show a certificate, so nobody's token is reviewed.
"""

from typing import NamedTuple

from kubemini.api.objects import Obj

VERBS = {"POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
LOGS, EXEC, ATTACH, FORWARD = "containerLogs", "exec", "attach", "portForward"
PODS, HEALTH = "pods", "healthz"
PARTS = {LOGS: 3, EXEC: 3, ATTACH: 3, FORWARD: 2, PODS: 0, HEALTH: 0}  # that follow in the path
METHODS = {EXEC: ("GET", "POST"), ATTACH: ("GET", "POST"), FORWARD: ("GET", "POST")}
FINE = ("/pods", "/healthz", "/configz", "/runningpods")  # those with a sub-resource of their own beside proxy
OWN = {"/stats": "stats", "/metrics": "metrics", "/logs": "log", "/checkpoint": "checkpoint", "/statusz": "statusz"}
NOT_FOUND, NOT_THERE, NOT_SO = "404 page not found\n", "404: Page Not Found", "405: Method Not Allowed"
UNAUTHORIZED = "Unauthorized"
NO_POD = "pod does not exist"


class Wanted(NamedTuple):
    """What a path asks for."""

    what: str
    namespace: str = ""
    pod: str = ""
    container: str = ""


def parse(method: str, path: str) -> Wanted | None:
    """What is asked for, or None: there is no such page."""
    what, *parts = path.strip("/").split("/")
    known = what in PARTS and len(parts) == PARTS[what] and all(parts)
    return Wanted(what, *parts) if known and method in METHODS.get(what, ("GET",)) else None


def missing(method: str, path: str) -> tuple[int, str]:
    """Status and text, where `parse` finds nothing."""
    what, *parts = path.strip("/").split("/")
    if what not in PARTS:
        return 404, NOT_FOUND
    return (405, NOT_SO) if len(parts) == PARTS[what] and all(parts) else (404, NOT_THERE)


def subresources(path: str) -> tuple[str, ...]:
    """The sub-resources of nodes of which a client must be allowed one."""
    fine = tuple(_name(page) for page in FINE if _is_under(path, page))
    own = next((name for page, name in OWN.items() if _is_under(path, page)), None)
    if own is None:
        own = "configz" if _is_under(path, "/flagz") else "proxy"
    return (*fine, own)


def _name(page: str) -> str:
    return "pods" if page == "/runningpods" else page[1:]


def _is_under(path: str, page: str) -> bool:
    return path == page or path.startswith(page + "/")


def review(user: str, groups: tuple[str, ...], verb: str, subresource: str, node: str) -> dict:
    """The question whether *user* may do that at *node*."""
    attributes = {"verb": verb, "version": "v1", "resource": "nodes", "subresource": subresource, "name": node}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {"user": user, "groups": list(groups), "resourceAttributes": attributes},
    }


def forbidden(user: str, verb: str, asked: tuple[str, ...]) -> str:
    """403: none of the sub-resources is allowed."""
    return f"Forbidden (user={user}, verb={verb}, resource=nodes, subresource(s)=[{' '.join(asked)}])\n"


def not_authorized(user: str, verb: str, subresource: str) -> str:
    """500: nobody says whether it is allowed."""
    return f"Authorization error (user={user}, verb={verb}, resource=nodes, subresource={subresource})"


def containers(pod: Obj) -> list[str]:
    """The names of all containers of *pod*, of whatever kind."""
    fields = ("initContainers", "containers", "ephemeralContainers")
    return [one["name"] for field in fields for one in pod["spec"].get(field) or ()]


def not_there(wanted: Wanted) -> str:
    """500: what is meant does not run here."""
    full = f"{wanted.pod}_{wanted.namespace}"
    return {
        FORWARD: f'pod not found ("{full}")',
        ATTACH: f"container {wanted.container} not found in pod {full}",
        EXEC: f'container not found ("{wanted.container}")',
    }[wanted.what]
