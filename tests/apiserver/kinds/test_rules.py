"""What the API server fills in, what it refuses and in which words, and what a write may touch."""

import pytest

from kubemini.api import kinds
from kubemini.api.manifests import load
from kubemini.api.objects import evolve, evolve_many, freeze, get, without
from kubemini.apiserver.admission.defaulttolerationseconds import add_tolerations
from kubemini.apiserver.decide import strategy
from kubemini.apiserver.decide.options import Options
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.decide.strategy import default, validate
from kubemini.apiserver.decide.update import Write
from kubemini.apiserver.rules.pods.changing import POD_UPDATE
from kubemini.apiserver.rules.podspec import qos_class
from tests.api.test_manifests import SHOP

NAMESPACE, DEPLOYMENT, SERVICE, CONFIG = (
    default(obj if obj["kind"] == "Namespace" else evolve(obj, ("metadata", "namespace"), "shop")) for obj in load(SHOP)
)
POD = default(
    freeze(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web-1", "namespace": "shop"},
            "spec": DEPLOYMENT["spec"]["template"]["spec"],
        }
    )
)
ALL = [NAMESPACE, DEPLOYMENT, SERVICE, CONFIG, POD]
CONTAINER = ("spec", "containers", 0)
DROP = object()


def changed(obj, path, value):
    return without(obj, path) if value is DROP else evolve(obj, path, value)


def decoded(kind, body):
    """What the server reads of a body that somebody sends it."""
    info = RequestInfo("create", kind.path())
    return Write(kind, info, Options(), "", 0, admit=lambda new, old: new, warnings=[]).decoded(body)


@pytest.mark.parametrize("obj", ALL, ids=lambda obj: obj["kind"])
def test_a_good_object_is_allowed_and_defaulting_it_again_changes_nothing(obj):
    assert validate(obj) is None and decoded(kinds.kind_of(obj), obj) is obj
    assert default(obj) is obj
    stored = strategy.begun(strategy.for_create(obj), 0)
    assert validate(stored, stored) is None


REFUSED = [  # (object, path, value, what stands behind `… is invalid: `)
    (DEPLOYMENT, ("spec", "replicas"), -1, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    (
        DEPLOYMENT,
        ("spec", "selector"),
        DROP,
        '[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does '
        "not match template `labels`]",
    ),
    (
        DEPLOYMENT,
        ("spec", "selector"),
        {},
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
    ),
    (
        DEPLOYMENT,
        ("spec", "selector", "matchLabels", "app"),
        "wob",
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ),
    (
        DEPLOYMENT,
        ("spec", "template", "spec", "restartPolicy"),
        "Never",
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ),
    (
        DEPLOYMENT,
        ("spec", "strategy", "rollingUpdate"),
        {"maxSurge": 0, "maxUnavailable": "0%"},
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ),
    (
        DEPLOYMENT,
        ("spec", "strategy", "type"),
        "Recreate",
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ),
    (
        DEPLOYMENT,
        ("spec", "minReadySeconds"),
        600,
        "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
    ),
    (POD, ("metadata", "name"), DROP, "metadata.name: Required value: name or generateName is required"),
    (
        POD,
        ("metadata", "labels"),
        {"app": "-"},
        'metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric '
        "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ),
    (POD, ("spec", "containers"), [], "spec.containers: Required value"),
    (POD, (*CONTAINER, "image"), "", "spec.containers[0].image: Required value"),
    (
        POD,
        ("spec", "containers"),
        [POD["spec"]["containers"][0]] * 2,
        'spec.containers[1].name: Duplicate value: "web"',
    ),
    (
        POD,
        (*CONTAINER, "resources", "limits"),
        {"cpu": "50m"},
        'spec.containers[0].resources.requests: Invalid value: "100m": must be less than or equal to cpu limit of 50m',
    ),
    (
        POD,
        (*CONTAINER, "readinessProbe", "httpGet"),
        DROP,
        "spec.containers[0].readinessProbe: Required value: must specify a handler type",
    ),
    (
        POD,
        ("spec", "tolerations"),
        [{"key": "a", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5}],
        "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
        "`tolerationSeconds` is set",
    ),
    (NAMESPACE, ("metadata", "namespace"), "shop", "metadata.namespace: Forbidden: not allowed on this type"),
    (SERVICE, ("spec", "ports"), [], "spec.ports: Required value"),
    (
        SERVICE,
        ("spec", "ports", 0, "port"),
        70000,
        "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
    (
        SERVICE,
        ("spec", "type"),
        "Cluster",
        'spec.type: Unsupported value: "Cluster": supported values: "ClusterIP", "ExternalName", "LoadBalancer", '
        '"NodePort"',
    ),
    (
        CONFIG,
        ("data",),
        {"a b": "c"},
        "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or "
        "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ),
]


@pytest.mark.parametrize("obj, path, value, message", REFUSED, ids=[message[:60] for *_, message in REFUSED])
def test_what_breaks_a_rule_is_refused_in_the_real_words(obj, path, value, message):
    bad = changed(obj, path, value)
    error = validate(bad)
    name = bad["metadata"].get("name", "")
    assert error and error.message == f'{kinds.kind_of(obj).group_kind} "{name}" is invalid: {message}'
    assert (error.code, error.reason, error.definite) == (422, "Invalid", True)


DELETING = evolve(POD, ("metadata", "deletionTimestamp"), "2026-01-01T00:00:00Z")
FORBIDDEN_CHANGES = [
    (DEPLOYMENT, ("spec", "selector", "matchExpressions"), [{"key": "app", "operator": "Exists"}], IMM := "immutable"),
    (POD, ("spec", "nodeName"), "worker-1", POD_UPDATE),
    (POD, ("spec", "tolerations"), [], None),
    (POD, (*CONTAINER, "image"), "web:2", None),
    (add_tolerations(POD, 300), ("spec", "tolerations"), [], "existing toleration can not be modified"),
    (DELETING, ("metadata", "finalizers"), ["a.b/c"], 'found new finalizers []string{"a.b/c"}'),
    (
        evolve(SERVICE, ("spec", "clusterIPs"), ["10.96.0.2"]),
        ("spec", "clusterIPs"),
        ["10.96.0.3"],
        "may not change once set",
    ),
    (evolve(SERVICE, ("spec", "clusterIPs"), ["10.96.0.2"]), ("spec", "clusterIPs"), DROP, "primary clusterIP can not"),
    (evolve(CONFIG, ("immutable",), True), ("data", "x"), "y", "data: Forbidden: field is immutable when `immutable`"),
    (evolve(POD, ("metadata", "uid"), "a"), ("metadata", "uid"), "b", 'metadata.uid: Invalid value: "b": field is imm'),
]


@pytest.mark.parametrize("old, path, value, message", FORBIDDEN_CHANGES, ids=[str(row[1]) for row in FORBIDDEN_CHANGES])
def test_what_must_stay_stays(old, path, value, message):
    error = validate(changed(old, path, value), old)
    assert (error is None) if message is None else (error is not None and message in error.message)


@pytest.mark.parametrize(
    "path, value, message",
    [
        (
            ("spec", "replicas"),
            "three",
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go '
            "struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (("spec", "template", "spec", "containers"), {}, "cannot unmarshal object into Go struct field"),
        (
            ("metadata", "labels"),
            {"a": 1},
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of",
        ),
        (("spec", "template", "spec", *CONTAINER[1:], "resources", "requests", "cpu"), "1x", "quantities must match"),
    ],
)
def test_a_body_of_the_wrong_types_is_a_bad_request(path, value, message):
    error = decoded(kinds.DEPLOYMENT, evolve(DEPLOYMENT, path, value))
    assert error and (error.code, error.reason) == (400, "BadRequest") and message in error.message


def test_a_silent_manifest_gets_kubernetes_defaults():
    spec = DEPLOYMENT["spec"]
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert get(POD, "spec", "restartPolicy") == "Always" and POD["spec"]["terminationGracePeriodSeconds"] == 30
    probe = POD["spec"]["containers"][0]["readinessProbe"]
    assert [probe[key] for key in ("timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")] == [
        *(1, 10, 1, 3)
    ]
    assert SERVICE["spec"]["type"] == "ClusterIP"
    assert default(without(SERVICE, ("spec", "type"))) == SERVICE
    bare = evolve(SERVICE, ("spec", "ports"), [{"port": 80}])
    assert default(bare)["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert default(without(DEPLOYMENT, ("spec", "replicas")))["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    "image, policy",
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1.0", "IfNotPresent"),
        ("localhost:5000/web", "Always"),
        ("web@sha256:abc", "IfNotPresent"),
    ],
)
def test_an_image_without_a_fixed_tag_is_always_pulled(image, policy):
    bare = evolve(without(POD, (*CONTAINER, "imagePullPolicy")), (*CONTAINER, "image"), image)
    assert default(bare)["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_a_limit_without_a_request_is_the_request_and_amounts_are_canonical():
    pod = default(evolve(POD, (*CONTAINER, "resources"), {"limits": {"cpu": 4, "memory": "1024Mi"}}))
    both = {"cpu": "4", "memory": "1Gi"}
    assert pod["spec"]["containers"][0]["resources"] == {"limits": both, "requests": both}
    assert qos_class(pod["spec"]) == "Guaranteed"


def test_a_pod_may_stay_five_minutes_on_a_lost_node_unless_it_says_otherwise():
    assert [t["tolerationSeconds"] for t in add_tolerations(POD, 300)["spec"]["tolerations"]] == [300, 300]
    own = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    pod = add_tolerations(evolve(POD, ("spec", "tolerations"), [own]), 300)
    assert [t["tolerationSeconds"] for t in pod["spec"]["tolerations"]] == [5, 300]
    forever = evolve(POD, ("spec", "tolerations"), [{"operator": "Exists"}])
    assert add_tolerations(forever, 300) is forever


def test_the_generation_counts_changes_of_what_is_wanted():
    stored = strategy.begun(strategy.for_create(DEPLOYMENT), 0)
    assert stored["metadata"]["generation"] == 1
    scaled = strategy.for_update(stored, evolve(stored, ("spec", "replicas"), 5))
    assert scaled["metadata"]["generation"] == 2
    labelled = strategy.for_update(stored, evolve(stored, ("metadata", "labels"), {"a": "b"}))
    assert labelled["metadata"]["generation"] == 1 and labelled["metadata"]["labels"] == {"a": "b"}


def test_a_write_never_touches_status_and_a_write_of_status_nothing_else():
    stored = strategy.begun(strategy.for_create(evolve(POD, ("status",), {"phase": "Running"})), 0)
    assert stored["status"] == {"phase": "Pending", "qosClass": "Burstable"}
    both = evolve_many(stored, (("status", "phase"), "Running"), (*[(*CONTAINER, "image")], "web:2"))
    assert strategy.for_update(stored, both)["status"] == stored["status"]
    through_status = strategy.for_update(stored, both, "status")
    assert through_status["status"]["phase"] == "Running" and through_status["spec"] is stored["spec"]
    assert through_status["metadata"].get("generation") == 1


def test_a_writer_cannot_forge_what_the_server_owns():
    made = strategy.begun(strategy.for_create(POD), 0)
    stored = evolve_many(made, (("metadata", "uid"), "a"), (("metadata", "creationTimestamp"), "t"))
    forged = strategy.for_update(stored, evolve(stored, ("metadata",), {"name": "web-1", "uid": "b"}))
    assert forged["metadata"] == {"name": "web-1", "uid": "a", "creationTimestamp": "t", "generation": 1}
