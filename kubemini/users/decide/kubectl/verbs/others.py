"""``kubectl top``, ``logs`` and ``exec``.

Models k/kubectl pkg/cmd/top TopNodeOptions.RunTopNode TopPodOptions.RunTopPod; pkg/cmd/logs LogsOptions.RunLogsContext;
pkg/polymorphichelpers logsForObject.
Simplified: nothing here measures use, so there is no metrics API; exec is for a kubectl of one's own.
"""

from typing import Any

from kubemini.sim.units import SECOND
from kubemini.users.decide.kubectl import targets
from kubemini.users.decide.kubectl.asking import Ask, Refused, Steps, checked, fail, together
from kubemini.users.decide.kubectl.flags import BOOL, INT, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import usage

OF_TOP = (
    *targets.SELECTOR,
    *targets.FIELDS,
    *targets.EVERYWHERE,
    Flag("no-headers", kind=BOOL),
    Flag("containers", kind=BOOL),
    Flag("sort-by"),
    Flag("sum", kind=BOOL),
    Flag("show-capacity", kind=BOOL),
)
OF_LOGS = (
    *targets.SELECTOR,
    Flag("container", "c"),
    Flag("follow", "f", BOOL),
    Flag("previous", "p", BOOL),
    Flag("tail", kind=INT, default=-1),
    Flag("since", kind=TIME),
    Flag("since-time"),
    Flag("timestamps", kind=BOOL),
    Flag("limit-bytes", kind=INT),
    Flag("prefix", kind=BOOL),
    *(Flag(name, kind=BOOL) for name in ("all-containers", "all-pods", "ignore-errors")),
    Flag("max-log-requests", kind=INT, default=5),
    Flag("pod-running-timeout", kind=TIME, default=20 * SECOND),
)
EXPECTED = (
    "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n"
    "POD or TYPE/NAME is a required argument for the logs command"
)
DEFAULT = "kubectl.kubernetes.io/default-container"


def top(line: Line, given: Given) -> Steps:
    """``top node`` and ``top pod``: nobody measures here."""
    if given["sort-by"] not in ("", "cpu", "memory"):
        raise fail("--sort-by accepts only cpu or memory")
    yield from line.known.load()
    raise fail("Metrics API not available")


# -- logs --------------------------------------------------------------------------------------------------------------
def logs(line: Line, given: Given) -> Steps:
    """What a container has written."""
    words = given.words
    if len(words) > 2 or not (words or given["selector"]):
        raise usage(EXPECTED, "logs")
    if words and given["selector"]:
        raise usage("only a selector (-l) or a POD name is allowed", "logs")
    if len(words) == 2 and given["container"]:
        raise fail("only one of -c or an inline [CONTAINER] arg is allowed")
    wanted = words[1] if len(words) == 2 else given["container"]
    if given.on("all-containers") and wanted:
        raise fail(f"--all-containers=true should not be specified with container name {wanted}")
    if given["tail"] < -1:
        raise fail("--tail must be greater than or equal to -1")
    pods = yield from _pods(line, given, words)
    errors = []
    for pod in pods:
        for name in _containers(line, given, pod, wanted):
            try:
                yield from _log(line, given, pod, name)
            except Refused as problem:
                errors.append(problem)
    together(list(errors))


def _pods(line: Line, given: Given, words: list[str]) -> Steps:
    resource = yield from line.known.find("pods")
    if given["selector"]:
        found = yield from line.list(resource, line.namespace, ("labelSelector", given["selector"]))
        if not found:
            line.screen.complain(f"No resources found in {line.namespace} namespace.")
        return found
    word = words[0] if "/" in words[0] else f"pods/{words[0]}"
    meant = yield from targets.meant(line, [word])
    try:
        (info,) = yield from targets.fetched_all(line, meant)
    except Refused as problem:
        if problem.reason == "NotFound":
            raise fail(f'error from server (NotFound): {problem.message} in namespace "{line.namespace}"') from None
        raise
    if info.resource.name == "pods":
        return [info.obj]
    return (yield from pods_behind(line, info, given.on("all-pods")))


def pods_behind(line: Line, info: Any, all: bool) -> Steps:
    """The pods of a workload, or the one that kubectl takes. Raises Failed."""
    selector = (info.obj.get("spec") or {}).get("selector")
    if selector is None:
        raise fail(f"cannot get the logs from {info.resource.group}/{info.resource.version}, Kind={info.resource.kind}")
    text = (
        targets.selector_of(selector)
        if {"matchLabels", "matchExpressions"} & set(selector)
        else ",".join(f"{key}={selector[key]}" for key in sorted(selector))
    )
    resource = yield from line.known.find("pods")
    found = yield from line.list(resource, info.namespace, ("labelSelector", text))
    if not found:
        raise fail(
            f"no pods found for {info.resource.name}/{info.name}" if all else "timed out waiting for the condition"
        )
    found.sort(key=_worth)
    if all:
        return found
    if len(found) > 1:
        first = f"pod/{found[0]['metadata']['name']}"
        line.screen.complain(f"Found {len(found)} pods, using {first}")
    return found[:1]


def _worth(pod: Any) -> tuple[Any, ...]:
    """Pods that run, are ready, are old, come first. Models k/kubectl pkg/util/podutils ByLogging"""
    status = pod.get("status") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])
    order = {"Pending": 2, "Unknown": 1}.get(status.get("phase", ""), 0)
    return (not pod["spec"].get("nodeName"), order, not ready, status.get("startTime", "~"), pod["metadata"]["name"])


def _containers(line: Line, given: Given, pod: Any, wanted: str) -> list[str]:
    spec, meta = pod["spec"], pod["metadata"]
    every = [one["name"] for key in ("initContainers", "containers") for one in spec.get(key) or []]
    if given.on("all-containers"):
        return every
    if wanted:
        if wanted not in every:
            raise fail(f"container {wanted} is not valid for pod {meta['name']}")
        return [wanted]
    default = (meta.get("annotations") or {}).get(DEFAULT)
    if default in every:
        return [str(default)]
    own = [one["name"] for one in spec["containers"]]
    if len(every) > 1:
        line.screen.complain(f'Defaulted container "{own[0]}" out of: {_told(spec)}')
    return own[:1]


def _told(spec: Any) -> str:
    own = [one["name"] for one in spec["containers"]]
    return ", ".join([*own, *(f"{one['name']} (init)" for one in spec.get("initContainers") or [])])


def _log(line: Line, given: Given, pod: Any, name: str) -> Steps:
    meta = pod["metadata"]
    query = [("container", name)]
    query += [(key, "true") for key in ("follow", "previous", "timestamps") if given.on(key)]
    tail = 10 if given["selector"] and not given.has("tail") else given["tail"]
    query += [("tailLines", str(tail))] if tail >= 0 else []
    query += [("sinceSeconds", str(given["since"] // SECOND))] if given["since"] else []
    query += [("sinceTime", given["since-time"])] if given["since-time"] else []
    query += [("limitBytes", str(given["limit-bytes"]))] if given["limit-bytes"] else []
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/log"
    answer = checked((yield Ask("GET", path, tuple(query), accept="*/*")))
    text = answer.body.decode(errors="replace")
    prefix = f"[pod/{meta['name']}/{name}] " if given.on("prefix") or given.on("all-pods") else ""
    line.screen.out("".join(f"{prefix}{one}" for one in text.splitlines(keepends=True)) if prefix else text)
