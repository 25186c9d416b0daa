"""What a server is and has: ``version``, ``cluster-info``, ``api-resources``, ``api-versions``.

Models k/kubectl pkg/cmd/version Options.Run; pkg/cmd/clusterinfo ClusterInfoOptions.Run; pkg/cmd/apiresources
APIResourceOptions.RunAPIResources.
"""

from typing import Any

from kubemini.users.decide.kubectl.asking import Ask, Steps, Unreached, fail, fetched
from kubemini.users.decide.kubectl.discovery import Resource
from kubemini.users.decide.kubectl.flags import BOOL, LIST, Flag, Given
from kubemini.users.decide.kubectl.line import Line, with_kinds
from kubemini.users.decide.kubectl.printing.gotext import as_json, as_yaml
from kubemini.users.decide.kubectl.printing.outputs import no_printer
from kubemini.users.decide.kubectl.printing.tabs import aligned

CLIENT, KUSTOMIZE = "v1.37.2", "v5.8.1"
OF_VERSION = (Flag("client", kind=BOOL), Flag("output", "o"))
OF_RESOURCES = (
    Flag("output", "o"),
    Flag("namespaced", kind=BOOL, default=True),
    Flag("api-group"),
    Flag("verbs", kind=LIST),
    Flag("categories", kind=LIST),
    Flag("no-headers", kind=BOOL),
    Flag("sort-by"),
    Flag("cached", kind=BOOL),
)
OF_LISTS = ("json", "kyaml", "name", "wide", "yaml")
OF_CLIENT = (
    *("major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"),
)
BE_BOLD = "To further debug and diagnose cluster problems, use 'kubectl cluster-info dump'."


def version(line: Line, given: Given) -> Steps:
    """``kubectl version``."""
    if given.words:
        raise fail(f"extra arguments: [{' '.join(given.words)}]")
    if given["output"] not in ("", "yaml", "json"):
        raise fail("--output must be 'yaml' or 'json'")
    problem, server = None, None
    if not given.on("client"):
        try:
            server = yield from fetched(Ask("GET", "/version"))
        except Unreached as unreached:
            problem = unreached
    if given["output"]:
        found: dict[str, Any] = {"clientVersion": _ours(server), "kustomizeVersion": KUSTOMIZE}
        found |= {"serverVersion": server} if server else {}
        line.screen.out(as_json(found, 2, in_order=False) + "\n" if given["output"] == "json" else as_yaml(found))
    else:
        line.screen.line(f"Client Version: {CLIENT}\nKustomize Version: {KUSTOMIZE}")
        if server:
            line.screen.line(f"Server Version: {server['gitVersion']}")
    if problem:
        raise problem


def _ours(server: Any) -> dict[str, Any]:
    """This kubectl is of the server's own build."""
    if not server:
        return {"major": "1", "minor": "37", "gitVersion": CLIENT}
    return {key: value for key, value in server.items() if key in OF_CLIENT}


def cluster_info(line: Line, given: Given) -> Steps:
    """``kubectl cluster-info``."""
    query = (("labelSelector", "kubernetes.io/cluster-service=true"),)
    found = yield from fetched(Ask("GET", "/api/v1/namespaces/kube-system/services", query))
    line.screen.line(f"Kubernetes control plane is running at {line.server}")
    for service in with_kinds(found):
        meta, ports = service["metadata"], service["spec"].get("ports") or []
        name = (meta.get("labels") or {}).get("kubernetes.io/name") or meta["name"]
        scheme = "https:" if any(port.get("port") == 443 for port in ports) else ""
        named = f":{ports[0].get('name', '')}" if ports and (ports[0].get("name") or scheme) else ""
        path = f"/api/v1/namespaces/{meta['namespace']}/services/{scheme}{meta['name']}{named}/proxy"
        line.screen.line(f"{name} is running at {line.server}{path}")
    line.screen.line(f"\n{BE_BOLD}")


def api_versions(line: Line, given: Given) -> Steps:
    """``kubectl api-versions``."""
    yield from line.known.load(anew=True)
    for one in sorted({resource.api_version for resource in line.known.resources}):
        line.screen.line(one)


def api_resources(line: Line, given: Given) -> Steps:
    """``kubectl api-resources``."""
    if given.words:
        raise fail(
            f"unexpected arguments: [{' '.join(given.words)}]\nSee 'kubectl api-resources -h' for help and examples"
        )
    if given["output"] not in ("", *OF_LISTS):
        raise fail(no_printer(given["output"], OF_LISTS))
    if given["output"] not in ("", "wide", "name"):
        raise fail(f"api-resources -o {given['output']} is not simulated: leave it out, or say -o wide or -o name")
    yield from line.known.load(anew=True)
    found = [one for one in line.known.preferred if _wanted(given, one)]
    key = {"": _by_group, "name": lambda one: one.name, "kind": lambda one: one.kind}.get(given["sort-by"])
    if key is None:
        raise fail("--sort-by accepts only name or kind")
    found.sort(key=key)
    if given["output"] == "name":
        line.screen.out("".join(f"{one.called}\n" for one in found))
        return
    wide = given["output"] == "wide"
    heads = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", *(("VERBS", "CATEGORIES") if wide else ())]
    rows = [] if given.on("no-headers") else [heads]
    rows += [_row(one, wide) for one in found]
    line.screen.out(aligned("".join("\t".join(row) + "\n" for row in rows)))


def _by_group(one: Resource) -> tuple[str, str]:
    return one.group, one.name


def _wanted(given: Given, one: Resource) -> bool:
    if given.has("api-group") and given["api-group"] != one.group:
        return False
    if given.has("namespaced") and given["namespaced"] != one.namespaced:
        return False
    return bool(one.verbs) and {*given["verbs"]} <= {*one.verbs} and {*given["categories"]} <= {*one.categories}


def _row(one: Resource, wide: bool) -> list[str]:
    row = [one.name, ",".join(one.short), one.api_version, str(one.namespaced).lower(), one.kind]
    return [*row, ",".join(one.verbs), ",".join(one.categories)] if wide else row
