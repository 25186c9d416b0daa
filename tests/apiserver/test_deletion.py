"""What a DELETE does, by Kubernetes' own tables and by its rules."""

import json
from pathlib import Path

import pytest

from kubemini.api.objects import freeze
from kubemini.api.timestamps import instant
from kubemini.apiserver.decide import deletion
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.options import Options
from kubemini.sim.units import SECOND

TABLES = Path(__file__).parents[1] / "oracles" / "kubernetes"
NOW = 100 * SECOND


def vectors(name):
    return json.loads((TABLES / f"{name}.json").read_text(encoding="utf-8"))["vectors"]


def obj(kind="Pod", spec=None, status=None, **meta):
    base = {"name": "x", "namespace": "default", "uid": "u1", "resourceVersion": "7"}
    spec = {"nodeName": "worker-1", "terminationGracePeriodSeconds": 30} if spec is None else spec
    version = "v1" if kind in ("Pod", "ConfigMap", "Namespace") else "apps/v1"
    body = {"apiVersion": version, "kind": kind, "metadata": base | meta, "spec": spec}
    return freeze(body | ({"status": status} if status else {}))


POLICIES = {True: "Orphan", False: "Background", None: None}


def explicit(vector):
    """The policy that a request names; the older ``orphanDependents`` says the same in another word."""
    policy = vector.get("propagationPolicy", POLICIES[vector.get("orphanDependents")])
    return policy if policy is not None or vector["defaultPolicy"] == "none" else "skip"


@pytest.mark.parametrize("vector", [v for v in vectors("gc_delete_policy") if explicit(v) != "skip"], ids=str)
def test_the_policy_of_a_deletion_decides_on_finalizers(vector):
    config = obj("ConfigMap", spec={}, finalizers=vector["finalizers"])
    done = deletion.delete(config, Options(policy=explicit(vector)), NOW)
    assert isinstance(done, Remove) == vector["deletedImmediately"]
    if not vector["deletedImmediately"]:
        assert done["metadata"]["finalizers"] == vector["finalizersAfter"]


@pytest.mark.parametrize(("policy", "finalizer"), [("Orphan", "orphan"), ("Foreground", "foregroundDeletion")])
def test_a_policy_keeps_the_object_until_the_garbage_collector_has_done_its_part(policy, finalizer):
    marked = deletion.delete(obj("Deployment", spec={}), Options(policy=policy), NOW)
    assert marked["metadata"]["finalizers"] == [finalizer]
    assert "deletionTimestamp" in marked["metadata"] and not deletion.finished(marked)


def test_a_shorter_grace_that_is_already_over_means_a_second_from_now():
    marked = deletion.delete(obj(), Options(), NOW)
    late = deletion.delete(marked, Options(grace=5), NOW + 20 * SECOND)
    assert late["metadata"]["deletionGracePeriodSeconds"] == 1
    assert instant(late["metadata"]["deletionTimestamp"]) == NOW + 20 * SECOND


def test_a_pod_on_a_node_is_given_its_own_grace():
    marked = deletion.delete(obj(spec={"nodeName": "n", "terminationGracePeriodSeconds": 7}), Options(), NOW)
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 7
    assert instant(marked["metadata"]["deletionTimestamp"]) == NOW + 7 * SECOND
    assert marked["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    "pod",
    [obj(spec={"terminationGracePeriodSeconds": 30}), obj(status={"phase": "Succeeded"}), obj("Deployment", spec={})],
    ids=["never scheduled", "ended", "not a pod"],
)
def test_what_runs_nowhere_goes_at_once(pod):
    assert isinstance(deletion.delete(pod, Options(grace=5), NOW), Remove)


def test_the_kubelet_s_word_ends_a_pod():
    marked = deletion.delete(obj(), Options(), NOW)
    assert isinstance(deletion.delete(marked, Options(grace=0), NOW), Remove)


def test_a_namespace_with_content_is_terminating():
    marked = deletion.delete(obj("Namespace", spec={"finalizers": ["kubernetes"]}), Options(), NOW)
    assert marked["status"]["phase"] == "Terminating"
    assert not deletion.finished(marked)


def test_a_precondition_names_what_was_meant_and_what_was_found():
    said = deletion.delete(obj(), Options(preconditions={"uid": "u0"}), NOW)
    assert (said.code, said.message) == (
        409,
        'Operation cannot be fulfilled on Pod "x": the UID in the precondition (u0) does not match the UID in record '
        "(u1). The object might have been deleted and then recreated",
    )
