"""kubectl.url: from what discovery tells of a resource to the URLs that kubectl asks. Tried on a server."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from kubemini.cluster import Cluster
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.asking import Asking, Refused
from kubemini.params import Params, changed
from kubemini.ranges import shown

Resource = dict[str, Any]


@cache
def server() -> Asking:
    """A cluster that runs, and has something of many kinds."""
    cluster = Cluster.single(workers=1, params=changed(Params(), {"all_controllers": True}))
    cluster.run("12s")
    return Asking(cluster)


def resources() -> list[Resource]:
    """All that discovery tells of and that can be listed: group, version, resource, kind, namespaced."""
    found = []
    for group, version, listed in _discovered(server()):
        for entry in listed:
            if "list" in entry["verbs"] and entry["name"] != "componentstatuses":  # which are stored nowhere
                about = {"resource": entry["name"], "kind": entry["kind"], "namespaced": entry["namespaced"]}
                found.append({"group": group, "version": version, **about})
    return found


def _discovered(client: Asking) -> Iterator[tuple[str, str, list[Any]]]:
    yield "", "v1", client.ask("GET", "/api/v1")["resources"]
    for group in client.ask("GET", "/apis")["groups"]:
        version = group["preferredVersion"]["version"]
        yield group["name"], version, client.ask("GET", f"/apis/{group['name']}/{version}")["resources"]


@exercise("kubectl.url")
def check_url(answer: Any) -> Report:
    """*answer*: url(resource, namespace, name) → the path; each is asked for, and what is meant must come back."""
    kinds = resources()
    lists = objects = 0
    for resource in kinds:
        everywhere = _asked(answer, resource, "", "")
        lists += 1
        if everywhere.get("kind") != f"{resource['kind']}List":
            raise NotYet(f"{_named(resource)}: you were answered with a {everywhere.get('kind')}, no list of them.")
        _asked(answer, resource, "kube-system", "")
        for obj in everywhere["items"][:1]:
            meta = obj["metadata"]
            found = _asked(answer, resource, meta.get("namespace", ""), meta["name"])
            objects += 1
            if found["metadata"].get("uid") != meta["uid"]:
                raise NotYet(f"{_named(resource)}: you asked for {meta['name']}, and got something else.")
    return Report(
        "pass",
        (
            f"{len(kinds)} resources: {lists} lists in all namespaces, {lists} in kube-system, {objects} objects",
            "not one was answered with 404",
        ),
        "Whatever discovery tells of can be asked in the same way: kubectl needs to know no kind beforehand.",
    )


def _named(resource: Resource) -> str:
    return f"{resource['resource']} of {resource['group'] or 'the core group, which has no name'}"


def _asked(answer: Any, resource: Resource, namespace: str, name: str) -> Any:
    path = ask(answer, dict(resource), namespace, name)
    if not isinstance(path, str) or not path.startswith("/"):
        raise NotYet(f"{_named(resource)}: return a path that begins with a slash; it was {shown(path)}.")
    try:
        return server().ask("GET", path)
    except Refused as error:
        wish = ", ".join(
            filter(None, (f"namespace {namespace!r}" if namespace else "", f"name {name!r}" if name else ""))
        )
        raise NotYet(
            f"{_named(resource)}{', ' if wish else ''}{wish}: GET {path} is answered with {error.code}.",
            next=_advice(resource, path, namespace),
        ) from None


def _advice(resource: Resource, path: str, namespace: str) -> str:
    if not resource["group"] and path.startswith("/apis"):
        return "The core group is older than the others: its root is /api/v1, and it has no name."
    if resource["group"] and not path.startswith(f"/apis/{resource['group']}/{resource['version']}/"):
        return "A group's root is /apis/GROUP/VERSION."
    if namespace and not resource["namespaced"]:
        return "What is not namespaced, such as a node, stands in no namespace: leave it out of the path."
    if namespace:
        return "…/namespaces/NAMESPACE/RESOURCE/NAME: the namespace stands before the resource."
    return "No namespace means all of them: then the word namespaces is not in the path at all."
