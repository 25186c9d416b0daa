"""LimitRange and ResourceQuota: what is filled in, what is refused in which words, what is charged."""

import pytest

from kubemini.api.kinds import KNOWN, POD, SERVICE
from kubemini.api.objects import freeze, get
from kubemini.api.usage import amounts, pods
from kubemini.apiserver.admission import limitranger, resourcequota
from kubemini.apiserver.decide.attributes import CREATE, UPDATE, Attributes
from tests.apiserver.parts import pod

CLAIM = KNOWN["v1", "PersistentVolumeClaim"]


class Known:
    """A namespace with these objects, whatever is asked for."""

    def __init__(self, *objects):
        self.objects = objects

    def items(self, kind, namespace=""):
        return self.objects


def limit_range(**limit):
    return freeze({"metadata": {"name": "l"}, "spec": {"limits": [limit]}})


def with_resources(requests=None, limits=None, **more):
    resources = {"requests": requests or {}, "limits": limits or {}}
    return pod("p", containers=[{"name": "c", "image": "i:1", "resources": resources}], **more)


def asked(obj, *known, kind=POD, **more):
    return Attributes(CREATE, kind, "p", freeze(obj), namespace="n", known=Known(*known), **more)


def test_a_container_that_says_nothing_gets_what_its_namespace_gives():
    given = limit_range(type="Container", default={"cpu": "1"}, defaultRequest={"cpu": "100m", "memory": "1Gi"})
    filled = limitranger.admit(asked(with_resources({"cpu": "200m"}), given))
    assert get(filled, "spec", "containers", 0, "resources") == {
        "requests": {"cpu": "200m", "memory": "1Gi"},
        "limits": {"cpu": "1"},
    }
    note = "LimitRanger plugin set: memory request for container c; cpu limit for container c"
    assert get(filled, "metadata", "annotations", limitranger.NOTE) == note


@pytest.mark.parametrize(
    ("limit", "requests", "limits", "why"),
    [
        ({"min": {"cpu": "1"}}, {"cpu": "500m"}, {}, "minimum cpu usage per Container is 1, but request is 500m"),
        ({"min": {"cpu": "1"}}, {}, {}, "minimum cpu usage per Container is 1.  No request is specified"),
        ({"max": {"cpu": "1"}}, {}, {"cpu": "2"}, "maximum cpu usage per Container is 1, but limit is 2"),
        ({"max": {"cpu": "1"}}, {"cpu": "1"}, {}, "maximum cpu usage per Container is 1.  No limit is specified"),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"cpu": "100m"},
            {"cpu": "900m"},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 9.000000",
        ),
    ],
)
def test_what_lies_outside_of_the_bounds_is_refused(limit, requests, limits, why):
    refused = limitranger.validate(asked(with_resources(requests, limits), limit_range(type="Container", **limit)))
    assert refused.message == f'pods "p" is forbidden: {why}'


def test_several_reasons_stand_in_brackets():
    both = limit_range(type="Container", max={"cpu": "1", "memory": "1Gi"})
    refused = limitranger.validate(asked(with_resources({}, {"cpu": "2", "memory": "2Gi"}), both))
    assert "[maximum cpu usage per Container is 1, but limit is 2, maximum memory" in refused.message


def test_a_pod_is_bounded_by_the_sum_of_its_containers_and_its_largest_init_container():
    init = [{"name": "i", "resources": {"requests": {"cpu": "3"}}}]
    side = [{"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}]
    assert str(pods.requests(with_resources({"cpu": "1"}, initContainers=init))["cpu"]) == "3"
    assert str(pods.requests(with_resources({"cpu": "1"}, initContainers=side))["cpu"]) == "2"
    assert str(pods.requests(with_resources({"cpu": "1"}, initContainers=side + init))["cpu"]) == "4"


def quota(hard, used=None, **spec):
    status = {"hard": hard} | ({} if used is None else {"used": used})
    return freeze({"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": hard, **spec}, "status": status})


@pytest.mark.parametrize(
    ("obj", "hard", "used", "why"),
    [
        (pod("p"), {"requests.cpu": "1"}, {"requests.cpu": "0"}, "failed quota: q: must specify requests.cpu for: web"),
        (pod("p"), {"pods": "1"}, None, "status unknown for quota: q, resources: pods"),
        (
            pod("p"),
            {"pods": "1"},
            {"pods": "1"},
            "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1",
        ),
        (
            with_resources({"cpu": "600m"}),
            {"requests.cpu": "1"},
            {"requests.cpu": "500m"},
            "exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1",
        ),
    ],
)
def test_a_quota_says_why_it_lets_nothing_more_in(obj, hard, used, why):
    refused = resourcequota.validate(asked(obj, quota(hard, used)))
    assert refused.message == f'pods "p" is forbidden: {why}'


def charged(asked, one):
    found = resourcequota.charges(asked, [one])
    return amounts.written(found[0][1]) if found else {}


def test_what_fits_is_charged():
    hard, used = {"pods": "3", "requests.cpu": "1"}, {"pods": "1", "requests.cpu": "500m"}
    assert charged(asked(with_resources({"cpu": "250m"})), quota(hard, used)) == {"pods": "2", "requests.cpu": "750m"}


@pytest.mark.parametrize(
    ("scope", "counted"),
    [("BestEffort", False), ("NotBestEffort", True), ("Terminating", False), ("NotTerminating", True)],
)
def test_a_quota_with_a_scope_counts_only_what_lies_in_it(scope, counted):
    one = quota({"pods": "3"}, {"pods": "0"}, scopes=[scope])
    assert charged(asked(with_resources({"cpu": "1"})), one) == ({"pods": "1"} if counted else {})


def test_a_service_that_changes_its_type_is_charged_for_the_difference():
    service = {"metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}}
    before = {**service, "spec": {"type": "ClusterIP", "ports": service["spec"]["ports"]}}
    change = Attributes(UPDATE, SERVICE, "s", freeze(service), freeze(before), namespace="n")
    used = {"services": "1", "services.nodeports": "0"}
    assert charged(change, quota({"services": "1", "services.nodeports": "2"}, used))["services.nodeports"] == "2"


def test_a_claim_is_charged_for_its_class_as_well():
    claim = {"metadata": {}, "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}}
    names = ("requests.storage", "fast.storageclass.storage.k8s.io/requests.storage")
    hard, used = dict.fromkeys(names, "2Gi"), dict.fromkeys(names, "0")
    assert charged(asked(claim, kind=CLAIM), quota(hard, used)) == dict.fromkeys(names, "1Gi")
