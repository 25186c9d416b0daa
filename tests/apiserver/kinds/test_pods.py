"""What a pod may not be, in the words of a kube-apiserver 1.37.2 that was asked the same."""

import pytest

from kubemini.api.kinds import POD
from kubemini.api.objects import evolve, freeze
from kubemini.apiserver.decide import strategy
from kubemini.apiserver.rules.metadata import readable

CONTAINER = {"name": "c", "image": "i"}


def refusal(spec):
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}
    obj = freeze({**body, "spec": {"containers": [CONTAINER], "serviceAccountName": "default", **spec}})
    wrong = strategy.validate(strategy.begun(strategy.for_create(strategy.default(obj)), 0))
    return wrong.message.removeprefix('Pod "p" is invalid: ') if wrong else ""


@pytest.mark.parametrize(
    "spec, text",
    [
        ({"volumes": [{"name": "a"}, {"name": "a"}]}, 'spec.volumes[1].name: Duplicate value: "a"'),
        (
            {"hostNetwork": True, "containers": [{**CONTAINER, "ports": [{"containerPort": 80, "hostPort": 81}]}]},
            "spec.containers[0].ports[0].hostPort: Invalid value: 81: "
            "must match `containerPort` when `hostNetwork` is true",
        ),
        ({"dnsPolicy": "None"}, "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"),
        (
            {"containers": [{**CONTAINER, "resources": {"claims": [{"name": "gpu"}]}}]},
            'spec.containers[0].resources.claims[0]: Not found: "gpu": '
            "must be one of the names in pod.spec.resourceClaims which is empty",
        ),
        (
            {
                "resourceClaims": [{"name": "gpu", "resourceClaimName": "g"}],
                "containers": [
                    {**CONTAINER, "resources": {"claims": [{"name": "gpu", "request": "a"}, {"name": "gpu"}]}}
                ],
            },
            'spec.containers[0].resources.claims[1]: Duplicate value: "gpu"',
        ),
        ({"hostUsers": False, "hostPID": True}, "spec.HostPID: Forbidden: when `hostUsers` is false"),
        (
            {"containers": [{**CONTAINER, "resources": {"limits": {"cpu": "1", "hugepages-2Mi": "3Mi"}}}]},
            "[spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "
            '"3Mi": 3Mi is not positive integer multiple of hugepages-2Mi, '
            "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "
            '"3Mi": 3Mi is not positive integer multiple of hugepages-2Mi]',
        ),
    ],
)
def test_a_pod_is_refused_in_the_words_of_the_real_server(spec, text):
    assert refusal(spec) == text


def test_in_the_network_of_the_machine_a_port_is_the_machines():
    spec = {"hostNetwork": True, "containers": [{**CONTAINER, "ports": [{"containerPort": 80}]}]}
    obj = strategy.default(freeze({"apiVersion": "v1", "kind": POD.kind, "metadata": {"name": "p"}, "spec": spec}))
    assert obj["spec"]["containers"][0]["ports"][0]["hostPort"] == 80


def test_a_limit_is_a_request_in_a_pod():
    obj = freeze({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [CONTAINER]}})
    limited = evolve(obj, ("spec", "containers", 0, "resources"), {"limits": {"cpu": "1"}})
    assert strategy.default(limited)["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1"}


IN, EXISTS = {"key": "app", "operator": "In"}, {"key": "app", "operator": "Exists"}


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"app": "é"}},
        {"matchLabels": {"a b": "web"}},
        {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "Is"}]},
        {"matchExpressions": [IN]},
        {"matchExpressions": [{**IN, "values": ["a b"]}]},
        {"matchExpressions": [{**EXISTS, "values": ["web"]}]},
    ],
)
def test_a_selector_that_nobody_can_ask_is_told_so_and_picks_no_pods(selector):
    assert not readable(freeze(selector))


@pytest.mark.parametrize("selector", [None, {}, {"matchExpressions": [EXISTS, {**IN, "values": ["web"]}]}])
def test_a_selector_that_can_be_asked_is_readable(selector):
    assert readable(freeze(selector))
