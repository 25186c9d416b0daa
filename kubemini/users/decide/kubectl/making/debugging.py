"""What ``kubectl debug`` makes: a container to look at a pod with, a copy of the pod, or a pod that looks at a node.

Models k/kubectl pkg/cmd/debug DebugOptions.Validate DebugOptions.generateDebugContainer
DebugOptions.generatePodCopyWithDebugContainer DebugOptions.generateNodeDebugPod; pkg/cmd/debug NewProfileApplier
"""

import hashlib
from typing import Any

from kubemini.api import names
from kubemini.api.objects import thaw
from kubemini.kubelet.decide.pods.images import problem
from kubemini.users.decide.kubectl.asking import Failed, fail
from kubemini.users.decide.kubectl.flags import BOOL, LIST, Flag, Given

FLAGS = (
    Flag("container", "c"),
    *(Flag(name) for name in ("copy-to", "image", "image-pull-policy", "target")),
    *(Flag(name, kind=LIST) for name in ("env", "set-image")),
    Flag("profile", default="general"),
    *(Flag(name, kind=BOOL) for name in ("arguments-only", "attach", "replace", "same-node")),
    *(Flag(f"keep-{name}", kind=BOOL) for name in ("annotations", "labels", "liveness", "readiness", "startup")),
    *(Flag(name, kind=BOOL, default=True) for name in ("keep-init-containers", "share-processes")),
    *(Flag(name, short, BOOL) for name, short in (("stdin", "i"), ("tty", "t"), ("quiet", "q"))),
    *(Flag(name, unheard=True) for name in ("custom", "filename")),
)
EPHEMERAL, COPY, NODE = "an ephemeral container", "a copy of a pod", "a pod for a node"  # what is made
LEGACY = (
    "--profile=legacy is deprecated and planned to be removed in v1.39. "
    'It is recommended to specify other profile, for example "--profile=general".'
)
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTEXTS: dict[str, Any] = {  # profile: what a debugging container may do
    "legacy": {},
    "general": {"capabilities": {"add": ["SYS_PTRACE"]}},
    "baseline": {},
    "restricted": RESTRICTED,
    "netadmin": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
    "sysadmin": {"privileged": True},
}
ON_HOST, WITH_ROOT = ("legacy", "general", "netadmin", "sysadmin"), ("legacy", "general", "sysadmin")
POLICIES = ("", "Always", "IfNotPresent", "Never")
LABEL = {"app.kubernetes.io/managed-by": "kubectl-debug"}


def check(given: Given, arguments: list[str]) -> None:
    """Complain of what makes no sense. Raises Failed."""
    for name in ("env", "set-image"):
        pairs(given, name)
    if given["profile"] not in CONTEXTS:
        raise fail(f"unknown profile: {given['profile']}")
    if given["copy-to"]:
        _check_copy(given, arguments)
    else:
        for name in ("replace", "same-node", "set-image"):
            if given[name]:
                raise fail(f"--{name} may only be used with --copy-to.")
        if not given["image"]:
            raise fail("you must specify --image when not using --copy-to.")
    if given["image"] and problem(given["image"]):
        raise fail(f'invalid image name "{given["image"]}": invalid reference format')
    if given["image-pull-policy"] not in POLICIES:
        raise fail(f"invalid image pull policy: {given['image-pull-policy']}")
    if given["target"] and given["copy-to"]:
        raise fail("--target is incompatible with --copy-to. Use --share-processes instead.")
    if given.on("tty") and not given.on("stdin"):
        raise fail("-i/--stdin is required for containers with -t/--tty=true")


def _check_copy(given: Given, arguments: list[str]) -> None:
    if not (given["image"] or given["set-image"] or arguments):
        raise fail("you must specify --image, --set-image or command arguments.")
    if arguments and not (given["container"] or given["image"]):
        raise fail("you must specify an existing container or a new image when specifying args.")


def pairs(given: Given, name: str) -> dict[str, str]:
    """The keys and values of a flag. Raises Failed."""
    for text in given[name]:
        if "=" not in text:
            wrong = f'error: invalid argument "{text}" for "--{name}" flag: {text} must be formatted as key=value'
            raise Failed(f"{wrong}\nSee 'kubectl debug --help' for usage.")
    return dict(text.split("=", 1) for text in given[name])


def suffix(seed: str) -> str:
    """Five letters for a name; the same for the same *seed*."""
    return "".join(names.ALPHABET[byte % len(names.ALPHABET)] for byte in hashlib.sha256(seed.encode()).digest()[:5])


def container(given: Given, arguments: list[str], name: str, what: str, known: Any = None) -> dict[str, Any]:
    """The container to look with; *known*: as it is already there, in a copy."""
    made = thaw(known) if known is not None else {"name": name, "terminationMessagePolicy": "File"}
    if arguments:
        made.pop("args", None)
        made["args" if given.on("arguments-only") else "command"] = arguments
    if given["env"]:
        made["env"] = [{"name": key, "value": value} for key, value in pairs(given, "env").items()]
    made |= {
        field: given[flag]
        for field, flag in (("image", "image"), ("imagePullPolicy", "image-pull-policy"))
        if given[flag]
    }
    made |= {field: True for field in ("stdin", "tty") if given.on(field)}
    made |= {"resources": made.get("resources") or {}}
    context = {} if what == NODE and given["profile"] == "general" else CONTEXTS[given["profile"]]
    return made | ({"securityContext": _merged(made.get("securityContext") or {}, context)} if context else {})


def _merged(old: Any, new: Any) -> dict[str, Any]:
    found = {**old, **new}
    if "add" in (new.get("capabilities") or {}):
        before = (old.get("capabilities") or {}).get("add") or []
        more = [one for one in new["capabilities"]["add"] if one not in before]
        found["capabilities"] = {**(old.get("capabilities") or {}), "add": [*before, *more]}
    return found


def new_name(pod: Any, seed: str) -> str:
    """A name for a debugging container that no other of *pod* has."""
    fields = ("containers", "initContainers", "ephemeralContainers")
    taken = {one["name"] for field in fields for one in pod["spec"].get(field) or ()}
    tries = (f"debugger-{suffix(f'{seed}/{number}')}" for number in range(len(taken) + 1))
    return next(name for name in tries if name not in taken)


def added(pod: Any, made: Any, target: str) -> dict[str, Any]:
    """The patch that adds *made* to *pod*, which is to see the processes of *target*."""
    there = [{"name": one["name"]} for one in pod["spec"].get("ephemeralContainers") or ()]
    order = [*there, {"name": made["name"]}]
    one = made | ({"targetContainerName": target} if target else {})
    return {"spec": {"$setElementOrder/ephemeralContainers": order, "ephemeralContainers": [one]}}


def copied(given: Given, arguments: list[str], pod: Any, seed: str) -> tuple[dict[str, Any], str]:
    """A copy of *pod*, and the name of its debugging container; "": it has none. Raises Failed."""
    meta, spec = pod["metadata"], thaw(pod["spec"])
    made: dict[str, Any] = {"name": given["copy-to"], "namespace": meta["namespace"]}
    notes = {key: thaw(meta[key]) for key in ("annotations", "labels") if meta.get(key)}
    spec.pop("ephemeralContainers", None)
    if given.has("share-processes"):
        spec["shareProcessNamespace"] = given.on("share-processes")
    if not given.on("same-node"):
        spec.pop("nodeName", None)
    images = pairs(given, "set-image")
    for one in spec["containers"]:
        one["image"] = images.get(one["name"]) or images.get("*") or one["image"]
    head = {"apiVersion": "v1", "kind": "Pod"}
    name = given["container"]
    at = next((number for number, one in enumerate(spec["containers"]) if one["name"] == name), None)
    if at is None and not given["image"]:
        if not images:
            raise fail("you must specify image when creating new container")
        return {**head, "metadata": made | notes, "spec": spec}, ""
    name = name or new_name({"spec": spec}, seed)
    known = spec["containers"].pop(at) if at is not None else None
    _strip(given, spec, notes)
    place = len(spec["containers"]) if at is None else at
    spec["containers"].insert(place, container(given, arguments, name, COPY, known))
    return {**head, "metadata": made | notes, "spec": spec}, name


def _strip(given: Given, spec: dict[str, Any], notes: dict[str, Any]) -> None:
    """A copy is no twin: nobody selects it, nobody probes it, and it shows its processes."""
    if given["profile"] == "legacy":
        return
    for key in ("annotations", "labels"):
        if not given.on(f"keep-{key}"):
            notes.pop(key, None)
    for one in spec["containers"]:
        for kind in ("liveness", "readiness", "startup"):
            if not given.on(f"keep-{kind}"):
                one.pop(f"{kind}Probe", None)
    if not given.on("keep-init-containers"):
        spec.pop("initContainers", None)
    if not given.has("share-processes"):
        spec["shareProcessNamespace"] = True


def of_node(given: Given, arguments: list[str], node: str, seed: str) -> dict[str, Any]:
    """A pod that sees what the machine of *node* has."""
    one = container(given, arguments, given["container"] or "debugger", NODE)
    spec: dict[str, Any] = {"containers": [one], "nodeName": node, "restartPolicy": "Never"}
    spec["tolerations"] = [{"operator": "Exists"}]
    if given["profile"] in ON_HOST:
        spec |= dict.fromkeys(("hostIPC", "hostNetwork", "hostPID"), True)
    if given["profile"] in WITH_ROOT:
        spec["volumes"] = [{"name": "host-root", "hostPath": {"path": "/"}}]
        one["volumeMounts"] = [{"name": "host-root", "mountPath": "/host"}]
    meta = {"name": f"node-debugger-{node}-{suffix(seed)}", "labels": LABEL}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
