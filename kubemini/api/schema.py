"""The shape of the manifests that kubemini reads: which fields there are, which must be, what each holds.

A shape is data; ``problems`` walks a value and its shape together and says what does not fit, first problem first.
Fields that exist in Kubernetes but have no effect here are ``unused``: accepted, and only their name is checked.
Source: fields of Kubernetes 1.37 (protobuf descriptions of core/v1, apps/v1, meta/v1).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api import names, quantity


@dataclass(frozen=True, slots=True)
class Leaf:
    """A single value: what is expected, in words, whether a value is that, and the Go type that holds it."""

    expected: str
    fits: Callable[[Any], bool]
    type: str = "string"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; ``filled`` if it must not be empty."""

    item: "Shape"
    filled: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map from names of the reader's own choice."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class Fields:
    """A map with known fields."""

    known: Mapping[str, "Shape"]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what would be right."""

    field: str
    text: str


Shape = Leaf | ListOf | MapOf | Fields


def fields(required: str = "", unused: str = "", **known: Shape) -> Fields:
    """A map with the fields *known*, and the *unused* ones."""
    return Fields({**known, **dict.fromkeys(unused.split(), ANYTHING)}, tuple(required.split()))


def is_number(value: Any) -> bool:
    """A whole number (Python counts booleans among them, Kubernetes does not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_quantity(value: Any) -> bool:
    try:
        quantity.parse(str(value))
    except quantity.QuantityError:
        return False
    return isinstance(value, str | int | float) and not isinstance(value, bool) and not str(value).startswith("-")


def _one_of(*choices: str) -> Leaf:
    return Leaf("one of " + ", ".join(choices), lambda value: value in choices)


def _text_that(expected: str, wrong: Callable[[str], list[str]]) -> Leaf:
    return Leaf(expected, lambda value: isinstance(value, str) and not wrong(value))


ANYTHING = Leaf("anything", lambda value: True, "any")
TEXT = Leaf("text", lambda value: isinstance(value, str))
NUMBER = Leaf("a whole number", is_number, "int64")
COUNT = Leaf("a whole number, 0 or more", lambda value: is_number(value) and value >= 0, "int32")
POSITIVE = Leaf("a whole number, 1 or more", lambda value: is_number(value) and value >= 1, "int32")
BOOLEAN = Leaf("true or false", lambda value: isinstance(value, bool), "bool")
PORT = Leaf("a port number from 1 to 65535", lambda value: is_number(value) and not names.port_number(value), "int32")
PORT_REF = Leaf(
    "a port number from 1 to 65535, or the name of a container port",
    lambda value: PORT.fits(value) or (isinstance(value, str) and not names.port_name(value)),
    "int or string",
)
PORT_NAME = _text_that("a port name: at most 15 lower case letters, digits and hyphens", names.port_name)
QUANTITY = Leaf("a quantity such as 100m, 0.5, 64Mi or 1Gi", _is_quantity, "Quantity")
AMOUNT = Leaf(
    "a whole number, 0 or more, or a percentage such as 25%",
    lambda value: COUNT.fits(value) or (isinstance(value, str) and not names.percent(value)),
    "int or string",
)
NAME = _text_that("a name of lower case letters, digits, '-' and '.', such as web-1", names.dns_subdomain)
LABEL_NAME = _text_that("a name of at most 63 lower case letters, digits and '-', such as web-1", names.dns_label)
LABEL_VALUE = _text_that("a label value: at most 63 letters, digits, '-', '_' and '.'", names.label_value)
LABELS = MapOf(LABEL_VALUE)

METADATA = fields(
    "",
    "selfLink uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds "
    "ownerReferences managedFields generateName",
    name=NAME,
    namespace=LABEL_NAME,
    labels=LABELS,
    annotations=MapOf(TEXT),
    finalizers=ListOf(TEXT),
)
SELECTOR = fields(
    matchLabels=LABELS,
    matchExpressions=ListOf(
        fields(
            "key operator",
            key=TEXT,
            operator=_one_of("In", "NotIn", "Exists", "DoesNotExist"),
            values=ListOf(LABEL_VALUE),
        )
    ),
)
PROBE = fields(
    "",
    "exec grpc terminationGracePeriodSeconds",
    httpGet=fields("port", "host scheme httpHeaders protocol", path=TEXT, port=PORT_REF),
    tcpSocket=fields("port", "host", port=PORT_REF),
    initialDelaySeconds=COUNT,
    timeoutSeconds=POSITIVE,
    periodSeconds=POSITIVE,
    successThreshold=POSITIVE,
    failureThreshold=POSITIVE,
)
CONTAINER = fields(
    "name image",
    "command args workingDir envFrom resizePolicy restartPolicy restartPolicyRules volumeMounts volumeDevices "
    "lifecycle terminationMessagePath terminationMessagePolicy securityContext stdin stdinOnce tty",
    name=LABEL_NAME,
    image=TEXT,
    imagePullPolicy=_one_of("Always", "IfNotPresent", "Never"),
    env=ListOf(fields("name", "valueFrom", name=TEXT, value=TEXT)),
    ports=ListOf(
        fields(
            "containerPort",
            "hostIP",
            name=PORT_NAME,
            containerPort=PORT,
            hostPort=PORT,
            protocol=_one_of("TCP", "UDP", "SCTP"),
        )
    ),
    resources=fields("", "claims", limits=MapOf(QUANTITY), requests=MapOf(QUANTITY)),
    readinessProbe=PROBE,
    livenessProbe=PROBE,
    startupProbe=PROBE,
)
TOLERATION = fields(
    key=TEXT,
    operator=_one_of("Exists", "Equal", "Lt", "Gt"),
    value=TEXT,
    effect=_one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
    tolerationSeconds=NUMBER,
)
POD_SPEC = fields(
    "containers",
    "volumes initContainers ephemeralContainers activeDeadlineSeconds dnsPolicy serviceAccountName serviceAccount "
    "automountServiceAccountToken hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets "
    "hostname subdomain affinity hostAliases priorityClassName priority dnsConfig readinessGates runtimeClassName "
    "enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os hostUsers "
    "schedulingGates resourceClaims resources hostnameOverride schedulingGroup evictionResponders",
    containers=ListOf(CONTAINER, filled=True),
    restartPolicy=_one_of("Always", "OnFailure", "Never"),
    terminationGracePeriodSeconds=COUNT,
    nodeSelector=LABELS,
    nodeName=NAME,
    schedulerName=TEXT,
    tolerations=ListOf(TOLERATION),
)
TEMPLATE = fields("spec", metadata=METADATA, spec=POD_SPEC)
REPLICA_SET_SPEC = fields(
    "selector template", replicas=COUNT, minReadySeconds=COUNT, selector=SELECTOR, template=TEMPLATE
)
DEPLOYMENT_SPEC = fields(
    "selector template",
    replicas=COUNT,
    minReadySeconds=COUNT,
    revisionHistoryLimit=COUNT,
    progressDeadlineSeconds=COUNT,
    paused=BOOLEAN,
    selector=SELECTOR,
    template=TEMPLATE,
    strategy=fields(
        type=_one_of("RollingUpdate", "Recreate"), rollingUpdate=fields(maxSurge=AMOUNT, maxUnavailable=AMOUNT)
    ),
)
SERVICE_SPEC = fields(
    "",
    "clusterIPs externalIPs sessionAffinityConfig loadBalancerIP loadBalancerSourceRanges healthCheckNodePort "
    "ipFamilies ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass trafficDistribution",
    type=_one_of("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    selector=LABELS,
    clusterIP=TEXT,
    externalName=TEXT,
    sessionAffinity=_one_of("None", "ClientIP"),
    externalTrafficPolicy=_one_of("Cluster", "Local"),
    internalTrafficPolicy=_one_of("Cluster", "Local"),
    publishNotReadyAddresses=BOOLEAN,
    ports=ListOf(
        fields(
            "port",
            "appProtocol",
            name=PORT_NAME,
            port=PORT,
            targetPort=PORT_REF,
            nodePort=PORT,
            protocol=_one_of("TCP", "UDP", "SCTP"),
        )
    ),
)


def _manifest(required: str = "", unused: str = "status", **known: Shape) -> Fields:
    everything = {"apiVersion": TEXT, "kind": TEXT, "metadata": METADATA, **known}
    return fields(f"apiVersion kind metadata {required}", unused, **everything)


MANIFESTS: dict[str, Fields] = {
    "Deployment": _manifest("spec", spec=DEPLOYMENT_SPEC),
    "ReplicaSet": _manifest("spec", spec=REPLICA_SET_SPEC),
    "Pod": _manifest("spec", spec=POD_SPEC),
    "Service": _manifest("spec", spec=SERVICE_SPEC),
    "Namespace": _manifest("", "spec status"),
    "ConfigMap": _manifest("", "binaryData", data=MapOf(TEXT), immutable=BOOLEAN),
    "Secret": _manifest("", "", data=MapOf(TEXT), stringData=MapOf(TEXT), type=TEXT, immutable=BOOLEAN),
}


def problems(value: Any, shape: Shape, path: str = "") -> Iterator[Problem]:
    """What does not fit, in the order of the manifest; null counts as absent, as in Kubernetes."""
    if isinstance(shape, Leaf):
        if not shape.fits(value):
            yield Problem(path, f"expected {shape.expected}, found {found(value)}{_hint(value, shape)}")
    elif isinstance(shape, ListOf):
        yield from _in_list(value, shape, path)
    elif not isinstance(value, dict):
        yield Problem(path, f"expected {expected(shape)}, found {found(value)}")
    elif isinstance(shape, MapOf):
        for key, item in value.items():
            if not isinstance(key, str):
                yield Problem(path, f'expected text as a key, found {found(key)}; put it in quotes: "{key}"')
            elif item is not None:
                yield from problems(item, shape.item, f"{path}[{key}]" if "." in key else f"{path}.{key}")
    else:
        yield from _in_fields(value, shape, path)


def expected(shape: Shape) -> str:
    """What a value of *shape* is, in words."""
    if isinstance(shape, Leaf):
        return shape.expected
    if isinstance(shape, ListOf):
        return f"a list{' of at least one' if shape.filled else ''}: each {expected(shape.item)}"
    if isinstance(shape, MapOf):
        return f"a map from names to {expected(shape.item)}"
    return "a map with the fields " + ", ".join((*shape.required, "…") if shape.required else list(shape.known)[:4])


def found(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def nearest(word: str, words: list[str]) -> str:
    """`; did you mean …?`, or the words there are."""
    from difflib import get_close_matches

    close = {name.lower(): name for name in words}
    guess = get_close_matches(str(word).lower(), list(close), 1, 0.6)
    return f"; did you mean {close[guess[0]]}?" if guess else "; known here: " + ", ".join(words)


def _in_list(value: Any, shape: ListOf, path: str) -> Iterator[Problem]:
    if not isinstance(value, list) or (shape.filled and not value):
        yield Problem(path, f"expected {expected(shape)}, found {found(value)}")
        return
    for number, item in enumerate(value):
        yield from problems(item, shape.item, f"{path}[{number}]")


def _in_fields(value: dict, shape: Fields, path: str) -> Iterator[Problem]:
    for key, item in value.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in shape.known:
            yield Problem(where, "unknown field" + nearest(key, list(shape.known)))
        elif item is not None:
            yield from problems(item, shape.known[key], where)
    for key in shape.required:
        if value.get(key) is None:
            where = f"{path}.{key}" if path else key
            yield Problem(where, f"missing; expected {expected(shape.known[key])}")


def _hint(value: Any, shape: Leaf) -> str:
    """How to write a number where text is wanted."""
    scalar = isinstance(value, int | float)
    return f'; put it in quotes: "{found(value)}"' if scalar and shape.fits(found(value)) else ""
