"""``kubectl logs`` and ``kubectl exec``: into a container, through the API server and its node's kubelet.

Models k/kubectl pkg/cmd/logs LogsOptions.RunLogsContext; pkg/cmd/exec ExecOptions.Run; pkg/polymorphichelpers
logsForObject; pkg/util/podutils ByLogging; k/client-go tools/remotecommand NewWebSocketExecutor.
Simplified: no terminal (-t is taken for -i), and a log of several pods is followed one pod after the other.
"""

import json
from typing import Any

from kubemini.frames import websocket
from kubemini.frames.websocket import BINARY, Frames, from_client
from kubemini.sim.units import SECOND
from kubemini.users.decide.kubectl import targets
from kubemini.users.decide.kubectl.asking import (
    Ask,
    Failed,
    Raw,
    ReadFile,
    Refused,
    Send,
    Steps,
    checked,
    fail,
    together,
)
from kubemini.users.decide.kubectl.flags import BOOL, INT, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import usage

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
ATTACH = "attach to"
KINDS = ("containers", "initContainers", "ephemeralContainers")
IN_LOGS = ("initContainers", "containers", "ephemeralContainers")
DEFAULT = "kubectl.kubernetes.io/default-container"


# -- logs --------------------------------------------------------------------------------------------------------------
def logs(line: Line, given: Given) -> Steps:
    """What a container has written."""
    words = given.words
    if len(words) > 2 or not (words or given["selector"]):
        raise usage(EXPECTED, "logs")
    if len(words) == 1 and given["selector"]:
        raise usage("only a selector (-l) or a POD name is allowed", "logs")
    if words and given["selector"]:
        raise fail("selectors and the all flag cannot be used when passing resource/name arguments")
    pods = yield from _pods(line, given, words)
    wanted = words[1] if len(words) == 2 else given["container"]
    if given.on("all-containers") and wanted:
        raise fail(f"--all-containers=true should not be specified with container name {wanted}")
    if len(words) == 2 and given["container"]:
        raise fail("only one of -c or an inline [CONTAINER] arg is allowed")
    if given["tail"] < -1:
        raise fail("--tail must be greater than or equal to -1")
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


def pods_behind(line: Line, info: Any, all: bool, doing: str = "get the logs from") -> Steps:
    """The pods of a workload, or the one that kubectl takes. Raises Failed."""
    selector = (info.obj.get("spec") or {}).get("selector")
    if selector is None:
        type = f"*{info.resource.version}.{info.resource.kind}"
        raise fail(f"cannot {doing} {type}: selector for {type} not implemented")
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
    if len(found) > 1 and doing != ATTACH:
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
    every = [one["name"] for key in IN_LOGS for one in spec.get(key) or []]
    if given.on("all-containers"):
        return every
    if wanted:
        if wanted not in every:
            raise fail(f"container {wanted} is not valid for pod {meta['name']} out of: {_told(spec)}")
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
    added = [f"{one['name']} (ephem)" for one in spec.get("ephemeralContainers") or []]
    return ", ".join([*own, *added, *(f"{one['name']} (init)" for one in spec.get("initContainers") or [])])


def _log(line: Line, given: Given, pod: Any, name: str) -> Steps:
    meta = pod["metadata"]
    query = [("container", name)]
    query += [(key, "true") for key in ("follow", "previous", "timestamps") if given.on(key)]
    tail = 10 if given["selector"] and not given.has("tail") else given["tail"]
    query += [("tailLines", str(tail))] if tail >= 0 else []
    query += [("sinceSeconds", str(given["since"] // SECOND))] if given["since"] else []
    query += [("sinceTime", given["since-time"])] if given["since-time"] else []
    query += [("limitBytes", str(given["limit-bytes"]))] if given["limit-bytes"] else []
    prefix = f"[pod/{meta['name']}/{name}] " if given.on("prefix") or given.on("all-pods") else ""
    yield from print_log(line, pod, query, prefix)


def print_log(line: Line, pod: Any, query: list[tuple[str, str]], prefix: str = "") -> Steps:
    """The log that *query* asks for, each line behind *prefix*. Raises Refused."""
    meta = pod["metadata"]
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/log"
    answer = checked((yield Ask("GET", path, tuple(query), accept="*/*")))
    piece: bytes | None = answer.body
    while piece is not None:
        text = piece.decode(errors="replace")
        line.screen.out("".join(f"{prefix}{one}" for one in text.splitlines(keepends=True)) if prefix else text)
        piece = (yield Raw(answer.watch)) if answer.watch is not None else None


# -- exec --------------------------------------------------------------------------------------------------------------
OF_EXEC = (
    Flag("container", "c"),
    Flag("stdin", "i", BOOL),
    Flag("tty", "t", BOOL),
    Flag("quiet", "q", BOOL),
    Flag("filename", "f"),
    Flag("pod-running-timeout", kind=TIME, default=60 * SECOND),
)
STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255  # channels of v5.channel.k8s.io
UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "a3ViZW1pbmkga3ViZWN0bA=="),
    ("Sec-WebSocket-Protocol", "v5.channel.k8s.io"),
)


def execute(line: Line, given: Given) -> Steps:
    """Run a command in a container; its exit status."""
    words, dash = given.words, given.dash
    if dash not in (0, 1) and len(words) > 1:
        text = "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead"
        raise usage(text, "exec")
    name, command = ("", words) if dash == 0 else (words[0] if words else "", words[1:])
    if not name:
        raise fail("pod, type/name or --filename must be specified")
    if not command:
        raise fail("you must specify at least one command for the container")
    given.values.setdefault("selector", "")
    pod = yield from _pod(line, name)
    phase = (pod.get("status") or {}).get("phase", "")
    if phase in ("Succeeded", "Failed"):
        raise fail(f"cannot exec into a container in a completed pod; current phase is {phase}")
    container = _container(line, given, pod)
    return (yield from talk(line, given, pod, ("exec", container), command))


def _pod(line: Line, word: str) -> Steps:
    meant = yield from targets.meant(line, [word if "/" in word else f"pods/{word}"])
    (info,) = yield from targets.fetched_all(line, meant)
    if info.resource.name == "pods":
        return info.obj
    return (yield from pods_behind(line, info, False, ATTACH))[0]


def _container(line: Line, given: Given, pod: Any) -> str:
    spec, meta = pod["spec"], pod["metadata"]
    every = [one["name"] for key in KINDS for one in spec.get(key) or []]
    wanted = given["container"]
    if wanted:
        if wanted not in every:
            raise fail(f"container {wanted} is not valid for pod {meta['name']} out of: {_told(spec)}")
        return str(wanted)
    default = (meta.get("annotations") or {}).get(DEFAULT)
    if default in every:
        return str(default)
    if len(every) > 1 and not given.on("quiet"):
        line.screen.complain(f'Defaulted container "{every[0]}" out of: {_told(spec)}')
    return every[0]


# -- attach ------------------------------------------------------------------------------------------------------------
OF_ATTACH = (
    Flag("container", "c"),
    *(Flag(name, short, BOOL) for name, short in (("stdin", "i"), ("tty", "t"), ("quiet", "q"))),
    Flag("pod-running-timeout", kind=TIME, default=60 * SECOND),
)
RECORDED = (
    "All commands and output from this session will be recorded in container logs, "
    "including credentials and sensitive information passed through the command prompt.\n"
    "If you don't see a command prompt, try pressing enter."
)


def attach(line: Line, given: Given) -> Steps:
    """See what the program of a container writes from now on, and type into its input."""
    words = given.words
    if not words:
        raise fail("at least 1 argument is required for attach")
    if len(words) > 2:
        told = f"[{' '.join(words)}]"
        raise fail(f"expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {len(words)}: {told}")
    given.values.setdefault("selector", "")
    pod = yield from _pod(line, "/".join(words))
    phase = (pod.get("status") or {}).get("phase", "")
    if phase in ("Succeeded", "Failed"):
        raise fail(f"cannot attach a container in a completed pod; current phase is {phase}")
    container = _container(line, given, pod)
    has = next(one for key in KINDS for one in pod["spec"].get(key) or [] if one["name"] == container)
    if given.on("tty") and not has.get("tty") and not given.on("quiet"):
        line.screen.complain(f"error: Unable to use a TTY - container {container} did not allocate one")
    if not given.on("quiet"):
        line.screen.complain(RECORDED)
    return (yield from talk(line, given, pod, ("attach", container), []))


def talk(line: Line, given: Given, pod: Any, where: tuple[str, str], command: list[str]) -> Steps:
    """Open the stream, say what there is to say, and print what comes, to the end; *where*: subresource, container."""
    meta, talks = pod["metadata"], given.on("stdin") or given.on("tty")
    query = [*(("command", word) for word in command), ("container", where[1])]
    query += [("stdin", "true")] if talks else []
    query += [("stdout", "true"), ("stderr", "true")]
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/{where[0]}"
    answer = yield Ask("GET", path, tuple(query), accept="*/*", headers=UPGRADE)
    if answer.watch is None:
        raise not_upgraded(answer)
    if talks:
        said = (yield ReadFile("-")).encode()
        for data in (bytes([STDIN]) + said, bytes([CLOSE, STDIN])):
            yield Send(answer.watch, from_client(BINARY, data))
    frames, status = Frames(masked=False), b""
    while (piece := (yield Raw(answer.watch))) is not None:
        for message in frames.receive(piece):
            if message.opcode == websocket.CLOSE or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == ERROR:
                status += data
            elif channel == STDERR:
                line.screen.err(data.decode(errors="replace"))
            elif channel == STDOUT:
                line.screen.out(data.decode(errors="replace"))
    return _ended(status)


def not_upgraded(answer: Any) -> Failed:
    """Why a server has not opened the stream."""
    try:
        checked(answer)
    except Refused as problem:
        return problem if problem.reason else fail(f"unable to upgrade connection: {problem.message}")
    return fail(f"unable to upgrade connection: {answer.body.decode(errors='replace')}")


def _ended(status: bytes) -> int:
    """The exit status of the command. Raises Failed."""
    said: Any = json.loads(status) if status else {"message": "the stream has broken"}
    if said.get("status") == "Success":
        return 0
    causes = (said.get("details") or {}).get("causes") or []
    code = next((one.get("message", "") for one in causes if one.get("reason") == "ExitCode"), "")
    if code.isdigit():
        raise Failed(f"command terminated with exit code {code}", int(code))
    raise fail(str(said.get("message", "")))
