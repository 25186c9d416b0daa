"""What nobody behind the API server could bear is refused at its door: CASES K02, K04, K06, K23 and their kind."""

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD, by_name
from kubemini.apiserver.decide import strategy, update
from kubemini.apiserver.decide.options import Options
from tests.apiserver.parts import with_addresses

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
HOST = "kubernetes.io/hostname"


def said(kind, spec, **more):
    """code and message of creating an object with this spec; 201 if nothing is wrong."""
    body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "p", **more.pop("metadata", {})}}
    body |= {"spec": spec, **more} if spec is not None else more
    found = update.Write(kind, None, Options(), "admin", 0, None, []).decoded(body)
    if isinstance(found, ApiError):
        return found.code, found.message
    obj = strategy.default(update.named(kind, found, "default"))
    made = with_addresses(strategy.begun(strategy.for_create(obj), 0))
    wrong = made if isinstance(made, ApiError) else strategy.validate(made)
    return (wrong.code, wrong.message.partition(" is invalid: ")[2]) if wrong else (201, "")


def pod(container=None, **spec):
    return said(POD, {"containers": [{"name": "c", "image": "i", **(container or {})}], **spec})


def spread(**change):
    wanted = {"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule", **change}
    return pod(topologySpreadConstraints=[{key: value for key, value in wanted.items() if value is not None}])


def nodes(term, how=REQUIRED):
    value = {"nodeSelectorTerms": term} if how == REQUIRED else term
    return pod(affinity={"nodeAffinity": {how: value}})


def priced(cost):
    metadata = {"annotations": {"controller.kubernetes.io/pod-deletion-cost": cost}}
    return said(POD, {"containers": [{"name": "c", "image": "i"}]}, metadata=metadata)


def expression(**change):
    return nodes([{"matchExpressions": [{"key": "a", **change}]}])


COST = "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]"
SPREAD, NODES = "spec.topologySpreadConstraints[0]", f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
LIKES = f"spec.affinity.nodeAffinity.{PREFERRED}[0]"
CASES = [  # (what is said, code, what the message begins with)
    (spread(), 201, ""),
    (
        spread(whenUnsatisfiable=None),
        422,
        f'{SPREAD}.whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ),
    (spread(maxSkew=None), 422, f"{SPREAD}.maxSkew: Invalid value: 0: must be greater than zero"),
    (spread(topologyKey=None), 422, f"{SPREAD}.topologyKey: Required value: can not be empty"),
    (spread(maxSkew="1"), 400, 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go'),
    (spread(whenUnsatisfiable="Never"), 422, f'{SPREAD}.whenUnsatisfiable: Unsupported value: "Never"'),
    (
        spread(labelSelector=5),
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into',
    ),
    (spread(minDomains=0), 422, f"{SPREAD}.minDomains: Invalid value: 0: must be greater than zero"),
    (
        spread(nodeTaintsPolicy="No"),
        422,
        f'{SPREAD}.nodeTaintsPolicy: Unsupported value: "No": supported values: "Honor"',
    ),
    (
        pod(topologySpreadConstraints={}),
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal obj',
    ),
    (
        expression(operator="Gt", values=[4]),
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarsha',
    ),
    (expression(operator="Gt", values=["4"]), 201, ""),
    (
        expression(operator="Gt", values=["4", "5"]),
        422,
        f"{NODES}[0].matchExpressions[0].values: Required value: must be",
    ),
    (expression(), 422, f'{NODES}[0].matchExpressions[0].operator: Invalid value: "": not a valid selector operator'),
    (expression(operator="Equals"), 422, f'{NODES}[0].matchExpressions[0].operator: Invalid value: "Equals": not a'),
    (expression(operator="In"), 422, f"{NODES}[0].matchExpressions[0].values: Required value: must be specified when"),
    (nodes([]), 422, f"{NODES}: Required value: must have at least one node selector term"),
    (nodes([{}]), 201, ""),
    (nodes([{"preference": {}}], PREFERRED), 422, f"{LIKES}.weight: Invalid value: 0: must be in the range 1-100"),
    (nodes([{"weight": 500, "preference": {}}], PREFERRED), 422, f"{LIKES}.weight: Invalid value: 500: must be in the"),
    (nodes([{"weight": 1}], PREFERRED), 201, ""),
    (
        pod(affinity="x"),
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go stru',
    ),
    (
        pod(overhead={"cpu": "zz"}),
        400,
        'Pod in version "v1" cannot be handled as a Pod: quantities must match the regula',
    ),
    (
        pod(initContainers=[{"name": "i", "image": "i", "resources": {"requests": {"cpu": "lots"}}}]),
        400,
        'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression',
    ),
    (
        pod(priority="high"),
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go s',
    ),
    (pod(schedulingGates=[{}]), 422, '[spec.schedulingGates[0]: Invalid value: "": name part must be non-empty'),
    (
        pod(schedulingGates=[{"name": "a"}], nodeName="n"),
        422,
        "spec.nodeName: Forbidden: cannot be set until all schedul",
    ),
    (pod({"lifecycle": {"preStop": {"exec": {"command": ["sleep", "5s"]}}}}), 201, ""),
    (
        pod({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}),
        422,
        "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than",
    ),
    (
        pod({"readinessProbe": {"tcpSocket": {}}}),
        422,
        "spec.containers[0].readinessProbe.tcpSocket.port: Invalid value",
    ),
    (pod({"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 0}}), 201, ""),
    (
        pod({"ports": [{"containerPort": 1, "hostPort": 2}, {"containerPort": 3, "hostPort": 2}]}),
        422,
        "spec.containers[0].",
    ),
    (
        pod({"resources": {"requests": {"cpu": "-1"}}}),
        422,
        'spec.containers[0].resources.requests[cpu]: Invalid value: "',
    ),
    (
        pod({"resources": {"limits": {"bananas": 1}}}),
        422,
        "[spec.containers[0].resources.limits[bananas]: Invalid value",
    ),
    (
        pod({"resources": {"requests": {"example.com/gpu": 1}}}),
        422,
        "spec.containers[0].resources.limits: Required value",
    ),
    (pod({"env": [{"value": "x"}]}), 422, "spec.containers[0].env[0].name: Required value"),
    (pod(tolerations=[{"key": "a", "operator": "Lt", "value": "5"}]), 422, "spec.tolerations[0].operator: Unsupported"),
    (pod(terminationGracePeriodSeconds=-1), 201, ""),
    (
        said(
            POD,
            {"containers": [{"name": "c", "image": "i"}]},
            metadata={"annotations": {"kubemini.io/exit-after": "soon"}},
        ),
        422,
        'metadata.annotations[kubemini.io/exit-after]: Invalid value: "soon": must be a duration such as 30s, 500ms or',
    ),
    *((priced(cost), 201, "") for cost in ("0", "-100", "2147483647")),
    *(
        (priced(cost), 422, f'{COST}: Invalid value: "{cost}": must be a 32bit')
        for cost in ("x", "+1", "01", "2147483648")
    ),
    (said(POD, None), 422, "spec.containers: Required value"),
    (
        said(POD, "x"),
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct',
    ),
]
SERVICE = by_name("Service")


def service(**spec):
    return said(SERVICE, {"ports": [{"port": 80}], **spec})


def node_port(number, how="NodePort", **more):
    ports = [{"port": 80, "nodePort": number, **more}]
    return service(type=how, ports=ports)


CASES += [
    (
        node_port(2181, "ClusterIP"),
        422,
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ),
    (
        service(
            type="NodePort",
            ports=[{"name": "a", "port": 1, "nodePort": 30001}, {"name": "b", "port": 2, "nodePort": 30001}],
        ),
        422,
        "spec.ports[1].nodePort: Invalid value: 30001: provided port",
    ),
    (
        service(clusterIP="banana"),
        422,
        'spec.clusterIPs[0]: Invalid value: "banana": must be a valid IP address, (e.g. 1',
    ),
    (
        service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}),
        422,
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than",
    ),
    (
        service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 99999}}),
        422,
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 99999",
    ),
    (service(sessionAffinity="ClientIP"), 201, ""),
    (
        service(ports=[{"port": 80, "targetPort": "A_B"}]),
        422,
        '[spec.ports[0].targetPort: Invalid value: "A_B": must con',
    ),
    (
        service(clusterIP="None", type="NodePort"),
        422,
        'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'N',
    ),
    (
        service(externalTrafficPolicy="Local"),
        422,
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set',
    ),
    (
        said(by_name("Lease"), "x"),
        400,
        'Lease in version "v1" cannot be handled as a Lease: json: cannot unmarshal string',
    ),
    (said(by_name("Lease"), None), 201, ""),
    (
        said(by_name("Lease"), {"renewTime": "soon"}),
        400,
        'Lease in version "v1" cannot be handled as a Lease: parsing ti',
    ),
    (
        said(by_name("Node"), "x"),
        400,
        'Node in version "v1" cannot be handled as a Node: json: cannot unmarshal string',
    ),
    (said(by_name("Node"), None), 201, ""),
    (said(by_name("Node"), {"taints": [{"key": "a"}]}), 422, "metadata.taints[0].effect: Required value"),
    (
        said(by_name("Node"), {"taints": [{"effect": "NoSchedule"}]}),
        422,
        '[metadata.taints[0].key: Invalid value: "": name',
    ),
    (
        said(by_name("Node"), {}, status={"capacity": {"cpu": "lots"}}),
        400,
        'Node in version "v1" cannot be handled as a Node: quantities must match',
    ),
]


def piece(addresses, family="IPv4"):
    ends = [{"addresses": addresses} if addresses is not None else {}]
    return said(by_name("EndpointSlice"), None, addressType=family, endpoints=ends, ports=[{"port": 80}])


CASES += [
    (piece(["10.0.0.1"]), 201, ""),
    (piece(None), 422, "endpoints[0].addresses: Required value"),
    (piece([]), 422, "endpoints[0].addresses: Required value"),
    (piece(["fd00::1"]), 422, 'endpoints[0].addresses: Invalid value: "fd00::1": must be an IPv4 address'),
    (piece(["fd00::1"], "IPv6"), 201, ""),
    (piece(["banana"]), 422, 'endpoints[0].addresses[0]: Invalid value: "banana": must be a valid IP address'),
    (piece([None]), 422, 'endpoints[0].addresses[0]: Invalid value: "": must be a valid IP address'),
]


@pytest.mark.parametrize(
    "found, code, begins", CASES, ids=[f"{n}-{begins[:50]}" for n, (_, _, begins) in enumerate(CASES)]
)
def test_it_is_refused_on_that_field_or_taken(found, code, begins):
    assert found[0] == code and found[1].startswith(begins), found


def rolling(**change):
    spec = {"selector": {"matchLabels": {"a": "b"}}, "strategy": {"rollingUpdate": change}}
    spec["template"] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return said(by_name("Deployment"), spec)


@pytest.mark.parametrize("amount", ["9" * 5000 + "%", "5 %", "-1", "x", "101%"])
def test_a_rollout_can_be_reckoned(amount):
    code, message = rolling(maxUnavailable=amount)
    assert code == 422 and "spec.strategy.rollingUpdate.maxUnavailable" in message


def test_a_selector_that_nobody_can_read_is_refused_and_asked_no_further():
    spec = {"selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}, "template": {}}
    code, message = said(by_name("ReplicaSet"), spec)
    assert (
        code == 422 and "spec.selector.matchExpressions[0].operator" in message and "invalid label selector" in message
    )


# -- what may change ---------------------------------------------------------------------------------------------------


def changed(spec, change):
    """Why a pod of *spec* may not be changed so; "" if it may."""
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}
    old = strategy.default({**body, "spec": {"containers": [{"name": "c", "image": "i:1"}], **spec}})
    wrong = strategy.validate(strategy.default({**old, "spec": {**old["spec"], **change}}), old)
    return wrong.message.partition(" is invalid: ")[2] if wrong else ""


GATES = {"schedulingGates": [{"name": "a"}]}


@pytest.mark.parametrize(
    "spec, change, begins",
    [
        (GATES, {"schedulingGates": []}, ""),
        (
            GATES,
            {"schedulingGates": [{"name": "b"}]},
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed",
        ),
        (GATES, {"nodeSelector": {"a": "b"}}, ""),
        ({**GATES, "nodeSelector": {"a": "b"}}, {"nodeSelector": {"a": "c"}}, "spec.nodeSelector: Invalid value: "),
        ({}, {"nodeSelector": {"a": "b"}}, "spec: Forbidden: pod updates may not change fields"),
        ({}, {"containers": [{"name": "c", "image": ""}]}, "spec.containers[0].image: Required value"),
        ({"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 4}, ""),
        (
            {"activeDeadlineSeconds": 5},
            {"activeDeadlineSeconds": 6},
            "spec.activeDeadlineSeconds: Invalid value: 6: must",
        ),
        ({}, {"tolerations": [{"operator": "Exists"}]}, ""),
    ],
)
def test_a_pod_changes_only_as_the_real_server_lets_it(spec, change, begins):
    found = changed(spec, change)
    assert found.startswith(begins) and bool(found) == bool(begins)


@pytest.mark.parametrize(
    "kind, data, field",
    [("ConfigMap", {"k": "x" * 2**20, "l": "x"}, "[]"), ("Secret", {"k": "A" * 1_400_000}, "data")],
)
def test_no_object_holds_more_than_a_mebibyte(kind, data, field):
    assert said(by_name(kind), None, data=data) == (422, f"{field}: Too long: may not be more than 1048576 bytes")
    assert said(by_name(kind), None, data={"k": "A" * 2**20})[0] == 201
