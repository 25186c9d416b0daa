"""The environment of a container, from its manifest and all that it refers to. Pure.

    needed(container)                  (kind, name) of the ConfigMaps and Secrets that have to be fetched first
    variables(world)                   {name: value}, in the order of the manifest; Services last. Raises Wrong
    expanded("$(HOST):$(PORT)", env)   for a command and its arguments as well

Invariant: a variable may refer to those before it, to what envFrom brings, and to Services, never to those after it.
Models k/k pkg/kubelet Kubelet.makeEnvironmentVariables Kubelet.podFieldSelectorRuntimeValue
Models k/k pkg/fieldpath ExtractFieldPathAsString FormatMap; k/k pkg/kubelet/util/env ParseEnv
Models k/k pkg/api/v1/resource ExtractContainerResourceValue MergeContainerResourceLimits
Models k/k third_party/forked/golang/expansion Expand
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.api.quantity import parse

CONFIG_MAP, SECRET = "configmap", "secret"
TITLES = {CONFIG_MAP: "ConfigMap", SECRET: "Secret"}
ELSEWHERE = {"configMapKeyRef", "secretKeyRef", "fileKeyRef"}


class Wrong(Exception):
    """A variable cannot be set; the text is the kubelet's."""


@dataclass(frozen=True, slots=True)
class World:
    """What a kubelet knows when a container starts."""

    pod: Obj
    container: Obj
    services: Mapping[str, str] = field(default_factory=dict)
    ips: tuple[str, ...] = ()
    host_ips: tuple[str, ...] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[tuple[str, str], Obj | None] = field(default_factory=dict)  # by kind and name; None: not there
    read: Callable[[str, str], "str | None"] = lambda volume, path: None  # a file in a volume


def needed(container: Obj) -> Iterator[tuple[str, str]]:
    """What has to be fetched."""
    for one in container.get("envFrom") or ():
        for kind, key in ((CONFIG_MAP, "configMapRef"), (SECRET, "secretRef")):
            if one.get(key):
                yield kind, one[key]["name"]
    for one in container.get("env") or ():
        for kind, key in ((CONFIG_MAP, "configMapKeyRef"), (SECRET, "secretKeyRef")):
            if get(one, "valueFrom", key):
                yield kind, one["valueFrom"][key]["name"]


def by_itself(container: Obj) -> Obj:
    """*container* without the variables that ask for objects or files."""
    own = [one for one in container.get("env") or () if not (one.get("valueFrom") or {}).keys() & ELSEWHERE]
    return {**container, "env": own, "envFrom": ()}


def variables(world: World) -> dict[str, str]:
    """The environment that Kubernetes gives a container."""
    found: dict[str, str] = {}
    for one in world.container.get("envFrom") or ():
        found |= _all_of(world, one)
    for one in world.container.get("env") or ():
        value = _value(world, one, found)
        if value is not None:
            found.pop(one["name"], None)
            found[one["name"]] = value
    return found | {name: value for name, value in world.services.items() if name not in found}


def _all_of(world: World, one: Obj) -> dict[str, str]:
    kind = CONFIG_MAP if one.get("configMapRef") else SECRET
    ref = one.get("configMapRef") or one.get("secretRef") or {}
    data = _data(world, kind, ref) or {}
    return {one.get("prefix", "") + key: text for key, text in data.items()}


def _value(world: World, one: Obj, known: Mapping[str, str]) -> str | None:
    """The value of a variable; None: it is optional, and not there."""
    source = one.get("valueFrom")
    if one.get("value") or not source:
        return expanded(one.get("value") or "", known, world.services)
    if "fieldRef" in source:
        return field_of(world.pod, source["fieldRef"].get("fieldPath", ""), world.ips, world.host_ips)
    if "resourceFieldRef" in source:
        return amount(world.pod, world.container, source["resourceFieldRef"], world.allocatable)
    if "fileKeyRef" in source:
        return _of_file(world, source["fileKeyRef"])
    for kind, key in ((CONFIG_MAP, "configMapKeyRef"), (SECRET, "secretKeyRef")):
        if key in source:
            return _key(world, kind, source[key])
    return ""


def _data(world: World, kind: str, ref: Obj) -> dict[str, str] | None:
    obj = world.objects.get((kind, ref["name"]))
    if obj is None:
        if ref.get("optional"):
            return None
        raise Wrong(f'{kind} "{ref["name"]}" not found')
    texts = dict(obj.get("data") or {})
    return {key: b64decode(text).decode("utf-8", "replace") for key, text in texts.items()} if kind == SECRET else texts


def _key(world: World, kind: str, ref: Obj) -> str | None:
    data = _data(world, kind, ref)
    if data is None:
        return None
    if ref["key"] not in data and not ref.get("optional"):
        where = f"{world.pod['metadata']['namespace']}/{ref['name']}"
        raise Wrong(f"couldn't find key {ref['key']} in {TITLES[kind]} {where}")
    return data.get(ref["key"])


def _of_file(world: World, ref: Obj) -> str | None:
    text = world.read(ref["volumeName"], ref["path"])
    found = parse_file(text, ref["key"]) if text is not None else None
    if found is None and not ref.get("optional"):
        volumes = f"/var/lib/kubelet/pods/{world.pod['metadata']['uid']}/volumes"
        where = f"{volumes}/kubernetes.io~empty-dir/{ref['volumeName']}/{ref['path']}"
        if text is None:
            raise Wrong(f'failed to open environment variable file "{where}": open {where}: no such file or directory')
        raise Wrong(f'environment variable key "{ref["key"]}" not found in file "{where}"')
    return found


def parse_file(text: str, key: str) -> str | None:
    """The value of *key* in a file of lines ``NAME='value'``; None: there is none. Raises Wrong."""
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        line = line.lstrip(" \t")
        if not line or line.startswith("#"):
            continue
        name, there, rest = line.partition("=")
        bad = f"invalid environment variable format at line {number}: "
        if not there:
            raise Wrong(bad + "missing '='")
        if not name.strip(" \t"):
            raise Wrong(bad + "empty variable name")
        if name != name.rstrip(" \t"):
            raise Wrong(bad + "whitespace before '=' is not allowed")
        value = "" if rest[:1] in (" ", "\t") else _quoted(rest, lines, number, bad)
        if name == key:
            return value
    return None


def _quoted(rest: str, lines: Iterator[tuple[int, str]], began: int, bad: str) -> str:
    """A text in single quotes, over as many lines as it takes."""
    if not rest.startswith("'"):
        raise Wrong(bad + "value must be enclosed in single quotes")
    value, rest = "", rest[1:]
    while "'" not in rest:
        value += rest + "\n"
        following = next(lines, None)
        if following is None:
            raise Wrong(f"invalid environment variable format starting at line {began}: unclosed single quote")
        bad = f"invalid environment variable format at line {following[0]}: "
        rest = following[1]
    last, _, after = rest.partition("'")
    if after.strip(" \t") and not after.lstrip(" \t").startswith("#"):
        raise Wrong(bad + "unexpected content after closing quote")
    return value + last


# -- what it may refer to ----------------------------------------------------------------------------------------------
def expanded(text: str, *known: Mapping[str, str]) -> str:
    """*text* with ``$(NAME)`` as the first of *known* says it; ``$$`` is a dollar; an unknown name stays as it is."""

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return next((values[match[1]] for values in known if match[1] in values), match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text)


def field_of(pod: Obj, path: str, ips: tuple[str, ...] = (), host_ips: tuple[str, ...] = ()) -> str:
    """What the downward API says of a field of *pod*."""
    told: dict[str, str] = {
        "spec.nodeName": get(pod, "spec", "nodeName", default=""),
        "spec.serviceAccountName": get(pod, "spec", "serviceAccountName", default=""),
        "status.hostIP": host_ips[0] if host_ips else "",
        "status.hostIPs": ",".join(host_ips),
        "status.podIP": ips[0] if ips else "",
        "status.podIPs": ",".join(ips),
    }
    if path in told:
        return told[path]
    name, subscripted, key = path.removesuffix("']").partition("['")
    values: Any = get(pod, *name.split("."))
    if subscripted:
        return str((values or {}).get(key, ""))
    if name in ("metadata.labels", "metadata.annotations"):
        return "\n".join(f"{key}={_go_quoted(text)}" for key, text in sorted((values or {}).items()))
    return str(values or "")


def _go_quoted(text: str) -> str:
    """As strconv.Quote writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f")


def amount(pod: Obj, container: Obj, ref: Obj, allocatable: Mapping[str, str]) -> str:
    """What the downward API says of a resource, in units of the divisor, rounded up.

    A limit that is not set is what the node has to give.
    """
    named = ref.get("containerName")
    of = [*(pod["spec"].get("containers") or ()), *(pod["spec"].get("initContainers") or ())]
    container = next((one for one in of if one["name"] == named), container) if named else container
    kind, _, name = ref.get("resource", "").partition(".")
    text = get(container, "resources", kind, name)
    if kind == "limits" and (not text or not parse(text).millis):
        text = allocatable.get(name)
    divisor = ref.get("divisor")
    unit = parse(divisor).millis if divisor and parse(divisor).millis else 1000
    return str(-(-parse(text).millis // unit)) if text else "0"
