"""The Node authorizer: a way from what a node asks for to the node must lead over one of its pods."""

import pytest

from kubemini.api.objects import freeze
from kubemini.apiserver.decide.access import nodes
from kubemini.apiserver.decide.access.attributes import Attributes
from kubemini.apiserver.decide.access.users import UserInfo

ME = UserInfo("system:node:n1", ("system:nodes",))
SPEC = {
    "nodeName": "n1",
    "serviceAccountName": "robot",
    "imagePullSecrets": [{"name": "pull"}],
    "initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "from"}}]}],
    "containers": [{"name": "c", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "env", "key": "k"}}}]}],
    "volumes": [
        {"name": "a", "secret": {"secretName": "vol"}},
        {"name": "b", "projected": {"sources": [{"configMap": {"name": "projected"}}, {"secret": {"name": "mixed"}}]}},
        {"name": "d", "persistentVolumeClaim": {"claimName": "claim"}},
        {"name": "e", "ephemeral": {}},
        {"name": "f", "ephemeral": {"volumeClaimTemplate": {}}},
    ],
}


def bound(**meta):
    pod = freeze({"metadata": {"name": "p", "namespace": "shop", **meta}, "spec": SPEC})
    ref = {"namespace": "shop", "name": "claim"}
    csi = {"nodeStageSecretRef": {"name": "stage", "namespace": "vault"}}
    volume = freeze({"metadata": {"name": "pv"}, "spec": {"claimRef": ref, "csi": csi}})
    attached = freeze({"metadata": {"name": "va"}, "spec": {"nodeName": "n1"}})
    return lambda: nodes.Bound([pod], [volume], [attached])


def may(resource, name, namespace="shop", verb="get", facts=None, **more):
    asked = Attributes(ME, verb, more.pop("group", ""), resource, namespace=namespace, name=name, **more)
    return nodes.authorize(facts or bound(), asked)


@pytest.mark.parametrize("name", ["pull", "env", "vol", "mixed"])
def test_a_node_may_read_the_secrets_that_its_pods_use(name):
    assert may("secrets", name).allowed and may("secrets", name, verb="watch").allowed
    assert not may("secrets", name, namespace="bank").allowed


@pytest.mark.parametrize("name", ["from", "projected"])
def test_a_node_may_read_the_config_maps_that_its_pods_use(name):
    assert may("configmaps", name).allowed


def test_a_secret_of_a_volume_is_two_steps_away():
    assert may("persistentvolumeclaims", "claim").allowed and may("persistentvolumes", "pv", "").allowed
    assert may("secrets", "stage", namespace="vault").allowed
    assert may("volumeattachments", "va", "", group="storage.k8s.io").allowed


def test_a_claim_made_for_a_pod_has_its_name():
    assert may("persistentvolumeclaims", "p-f").allowed


def test_what_no_pod_of_the_node_uses_is_not_for_it():
    other = nodes.Bound([freeze({"metadata": {"name": "p", "namespace": "shop"}, "spec": {**SPEC, "nodeName": "n2"}})])
    found = may("secrets", "vol", facts=lambda: other)
    assert found == nodes.Decision(False, "no relationship found between node 'n1' and this object")


def test_a_mirror_pod_opens_nothing():
    facts = bound(annotations={nodes.MIRROR: "x"})
    assert not may("secrets", "vol", facts=facts).allowed and may("pods", "p", facts=facts).allowed


def test_who_is_no_node_gets_no_opinion():
    asked = Attributes(UserInfo("system:node:n1"), "get", "", "secrets", namespace="shop", name="vol")
    assert nodes.authorize(bound(), asked) == nodes.NO_OPINION
