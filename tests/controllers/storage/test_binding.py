"""Which claim gets which volume, and what is written of it. What the real one does: the histories of volume."""

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD
from kubemini.api.objects import evolve, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.cluster import Cluster
from kubemini.controllers.decide.actions import Delete, Tell, Update, UpdateStatus
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.storage import claims, matching, volumes
from kubemini.controllers.decide.storage.matching import CLAIM, CLASS, VOLUME
from kubemini.params import Params, changed
from kubemini.sim.units import SECOND
from tests.controllers.parts import a_pod
from tests.controllers.workloads.talking import of_type, talk

RESYNC, NOW = 15 * SECOND, 100 * SECOND


def a_claim(size="1Gi", name="claim", modes=("ReadWriteOnce",), notes=None, **spec):
    meta = {
        "name": name,
        "namespace": "ns",
        "uid": f"uid of {name}",
        "resourceVersion": "7",
        "annotations": notes or {},
    }
    asked = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, "storageClassName": "c", **spec}
    return freeze(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": meta,
            "spec": asked,
            "status": {"phase": "Pending"},
        }
    )


def a_volume(name="vol", size="1Gi", modes=("ReadWriteOnce",), phase="Available", notes=None, **spec):
    meta = {"name": name, "uid": f"uid of {name}", "resourceVersion": "3", "annotations": notes or {}}
    has = {"capacity": {"storage": size}, "accessModes": list(modes), "storageClassName": "c", "nfs": {}}
    has |= {"persistentVolumeReclaimPolicy": "Retain", **spec}
    return freeze(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": has, "status": {"phase": phase}}
    )


def a_class(name="c", mode="Immediate", provisioner="example.com/odd", default=False, born=0):
    meta = {"name": name, "creationTimestamp": timestamp(born)}
    meta["annotations"] = {matching.DEFAULT[0]: "true"} if default else {}
    return freeze({"kind": "StorageClass", "metadata": meta, "provisioner": provisioner, "volumeBindingMode": mode})


def facts(*objects):
    kinds = {kind.kind: kind for kind in (CLAIM, VOLUME, CLASS, POD)}
    there = {
        (kinds[one["kind"]], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in objects
    }
    return Facts(
        get=lambda kind, key: there.get((kind, *key)),
        of_namespace=lambda kind, space: [one for (k, s, _), one in there.items() if (k, s) == (kind, space)],
        owned_by=lambda kind, uid: [],
        every=lambda kind: [one for (k, *_), one in there.items() if k == kind],
    )


def of_claim(claim, *objects, answers=()):
    return talk(claims.decide(claim, facts(claim, *objects), True, NOW, RESYNC), answers)


def of_volume(volume, *objects, answers=()):
    return talk(volumes.decide(volume, facts(volume, *objects), True, NOW), answers)


def said(steps):
    return [(step.reason, step.message) for step in steps if isinstance(step, Tell)]


def names(volume):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": "ns",
        "name": volume,
        "uid": f"uid of {volume}",
    }


def bound_pair():
    notes = {claims.COMPLETED: "yes", claims.BY_CONTROLLER: "yes"}
    claim = evolve(
        a_claim(notes=notes, volumeName="vol"),
        ("status",),
        {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}},
    )
    return claim, a_volume(phase="Bound", claimRef=names("claim"), notes={claims.BY_CONTROLLER: "yes"})


def test_a_binding_is_four_writes_each_upon_what_the_one_before_left():
    versions = iter("456789")

    def moves_on(step):
        return Answer(evolve(step.obj, ("metadata", "resourceVersion"), next(versions)))

    steps, end = of_claim(a_claim(), a_volume(), answers=[moves_on])
    assert [(type(step), step.obj["kind"]) for step in steps] == [
        (Update, "PersistentVolume"),
        (UpdateStatus, "PersistentVolume"),
        (Update, "PersistentVolumeClaim"),
        (UpdateStatus, "PersistentVolumeClaim"),
    ]
    assert [step.obj["metadata"]["resourceVersion"] for step in steps] == ["3", "4", "7", "6"]
    volume, claim = steps[1].obj, steps[3].obj
    assert volume["spec"]["claimRef"] == {**names("claim"), "resourceVersion": "7"}
    assert claim["spec"]["volumeName"] == "vol" and claim["status"]["capacity"] == {"storage": "1Gi"}
    assert (volume["status"]["phase"], claim["status"]["phase"], end.error) == ("Bound", "Bound", None)


def test_the_first_write_that_is_refused_ends_the_binding():
    late = ApiError(409, "Conflict", "modified")
    steps, end = of_claim(a_claim(), a_volume(), answers=[lambda step: Answer(error=late)])
    assert len(steps) == 1 and end.error is late


def test_what_is_bound_already_is_not_written():
    claim, volume = bound_pair()
    assert of_claim(claim, volume)[0] == [] and of_volume(volume, claim)[0] == []


@pytest.mark.parametrize(
    ("claim", "offered", "chosen"),
    [
        (a_claim("2Gi"), [a_volume("v5", "5Gi"), a_volume("v1", "1Gi"), a_volume("v3", "3Gi")], "v3"),
        (a_claim(), [a_volume("shared", modes=("ReadWriteOnce", "ReadOnlyMany")), a_volume("big", "9Gi")], "big"),
        (
            a_claim(),
            [a_volume("small"), a_volume("kept", "9Gi", claimRef={"namespace": "ns", "name": "claim"})],
            "kept",
        ),
        (a_claim(), [a_volume(phase="Released")], None),
        (a_claim(), [a_volume(storageClassName="other")], None),
        (a_claim(volumeMode="Block"), [a_volume()], None),
        (a_claim(modes=("ReadWriteMany",)), [a_volume()], None),
        (a_claim(selector={"matchLabels": {"disk": "fast"}}), [a_volume()], None),
    ],
)
def test_a_claim_gets_the_smallest_free_volume_with_the_fewest_modes_that_fits(claim, offered, chosen):
    found = matching.best(claim, offered, waits=False)
    assert (found and found["metadata"]["name"]) == chosen


def test_a_claim_that_waits_for_its_consumer_gets_only_what_is_kept_for_it():
    kept = a_volume("kept", claimRef={"namespace": "ns", "name": "claim"})
    assert matching.best(a_claim(), [a_volume(), kept], waits=True) == kept
    steps, end = of_claim(a_claim(), a_volume(), a_class(mode="WaitForFirstConsumer"))
    assert said(steps) == [("WaitForFirstConsumer", claims.WAITING)] and end.again_at == NOW + RESYNC
    pod = evolve_many(
        a_pod("a", node=None),
        (("spec", "volumes"), [{"name": "d", "persistentVolumeClaim": {"claimName": "claim"}}]),
        (("metadata", "namespace"), "ns"),
    )
    steps, _ = of_claim(a_claim(), a_class(mode="WaitForFirstConsumer"), pod)
    assert said(steps) == [("WaitForPodScheduled", "waiting for pod a to be scheduled")]


def test_why_a_claim_waits_is_told_at_every_look():
    assert said(of_claim(a_claim(storageClassName=""))[0]) == [("FailedBinding", claims.NO_CLASS)]
    assert said(of_claim(a_claim())[0]) == [("ProvisioningFailed", 'storageclass.storage.k8s.io "c" not found')]
    in_tree = a_class(provisioner="kubernetes.io/no-provisioner")
    why = "no volume plugin matched name: kubernetes.io/no-provisioner"
    assert said(of_claim(a_claim(), in_tree)[0]) == [("ProvisioningFailed", why)]


def test_an_outside_provisioner_is_asked_by_two_annotations_once():
    steps, _ = of_claim(a_claim(), a_class())
    (asked,) = of_type(steps, Update)
    assert set(asked["metadata"]["annotations"].values()) == {"example.com/odd"}
    assert said(steps)[0][0] == "ExternalProvisioning" and of_type(of_claim(asked, a_class())[0], Update) == []


def test_a_claim_that_names_no_class_is_given_the_youngest_default():
    claim = evolve(a_claim(), ("spec",), {k: v for k, v in a_claim()["spec"].items() if k != "storageClassName"})
    old, young = a_class("old", default=True), a_class("young", default=True, born=SECOND)
    (written,) = of_type(of_claim(claim, old, young, a_class("none"))[0], Update)
    assert written["spec"]["storageClassName"] == "young"


def test_a_claim_may_name_its_volume_which_must_fit_and_be_free():
    wanted = a_claim("2Gi", volumeName="vol")
    assert said(of_claim(wanted, a_volume())[0]) == [
        ("VolumeMismatch", 'Cannot bind to requested volume "vol": requested PV is too small')
    ]
    taken = a_volume(size="2Gi", claimRef=names("other"))
    assert said(of_claim(wanted, taken)[0]) == [("FailedBinding", 'volume "vol" already bound to a different claim.')]
    assert len(of_claim(wanted, a_volume(size="2Gi"))[0]) == 4 and of_claim(wanted)[0] == []


def test_a_claim_whose_volume_is_gone_or_somebody_elses_is_lost_once():
    claim, volume = bound_pair()
    lost, _ = of_claim(claim)
    assert lost[0].obj["status"]["phase"] == "Lost" and said(lost) == [
        ("ClaimLost", claims.LOST.format("its PersistentVolume"))
    ]
    assert "capacity" not in lost[0].obj["status"] and of_claim(evolve(claim, ("status", "phase"), "Lost"))[0] == []
    other = evolve(volume, ("spec", "claimRef", "uid"), "another")
    assert said(of_claim(claim, other)[0]) == [("ClaimMisbound", claims.MISBOUND)]


def test_a_claim_that_is_gone_wakes_the_volume_that_it_named_and_any_that_names_it():
    claim, volume = bound_pair()
    half = evolve(volume, ("metadata", "name"), "half")
    assert volumes.of_claim(claim, facts(volume, half)) == [("", "vol"), ("", "half")]
    assert volumes.of_claim(a_claim(), facts(half, a_volume("free"))) == [("", "half")]


# -- volumes ---------------------------------------------------------------------------------------------------------
def test_a_new_volume_is_available_and_one_that_is_kept_too():
    for volume in (a_volume(phase="Pending"), a_volume(phase="Pending", claimRef={"namespace": "ns", "name": "x"})):
        assert of_type(of_volume(volume)[0], UpdateStatus)[0]["status"]["phase"] == "Available"


def test_a_volume_is_released_only_when_the_api_server_says_that_its_claim_is_gone():
    claim, volume = bound_pair()
    steps, _ = of_volume(volume, answers=[lambda step: Answer(claim) if isinstance(step, Read) else None])
    assert [type(step) for step in steps] == [Read]
    steps, _ = of_volume(volume)
    assert of_type(steps, UpdateStatus)[0]["status"]["phase"] == "Released" and len(steps) == 2


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({}, 'error getting deleter volume plugin for volume "vol": no deletable volume plugin matched'),
        (
            {"nfs": None, "hostPath": {"path": "/data"}},
            "host_path deleter only supports /tmp/.+ but received provided /data",
        ),
        ({"nfs": None, "hostPath": {"path": "/tmp/x"}}, None),
        ({"nfs": None, "csi": {}}, "left to its driver"),
    ],
)
def test_what_cannot_be_deleted_fails_in_the_words_of_who_tried(spec, why):
    _, volume = bound_pair()
    has = {key: value for key, value in {**volume["spec"], **spec}.items() if value is not None}
    volume = evolve(volume, ("spec",), {**has, "persistentVolumeReclaimPolicy": "Delete"})
    steps, _ = of_volume(volume)
    phases = [obj["status"]["phase"] for obj in of_type(steps, UpdateStatus)]
    if why is None:
        assert phases == ["Released"] and len(of_type(steps, Delete)) == 1
    elif why == "left to its driver":
        assert phases == ["Released"] and len(steps) == 2
    else:
        assert phases == ["Released", "Failed"] and said(steps) == [("VolumeFailedDelete", why)]
        assert of_type(steps, UpdateStatus)[1]["status"]["message"] == why


def test_a_volume_whose_claim_has_another_is_freed():
    claim, volume = bound_pair()
    steps, _ = of_volume(volume, evolve(claim, ("spec", "volumeName"), "other"))
    freed = of_type(steps, Update)[0]
    assert "claimRef" not in freed["spec"] and claims.BY_CONTROLLER not in freed["metadata"]["annotations"]
    by_hand = evolve(volume, ("metadata", "annotations"), {})
    kept = of_type(of_volume(by_hand, evolve(claim, ("spec", "volumeName"), "other"))[0], Update)[0]
    assert kept["spec"]["claimRef"] == {k: v for k, v in names("claim").items() if k != "uid"}


def test_in_a_cluster_a_claim_that_came_first_is_bound_within_fifteen_seconds():
    cluster = Cluster.single(workers=0, params=changed(Params(), {"all_controllers": True}))
    claim, volume = a_claim(), a_volume()
    meta = {"name": "claim", "namespace": "default"}
    cluster.user.apply([freeze({**claim, "metadata": meta, "status": {}})])
    cluster.run("8s")
    nfs = {"server": "192.0.2.1", "path": "/x"}
    cluster.user.apply(
        [freeze({**volume, "metadata": {"name": "vol"}, "spec": {**volume["spec"], "nfs": nfs}, "status": {}})]
    )
    cluster.run("16s")
    informers = cluster.components["apiserver-1"].core
    assert informers.cache(CLAIM).get("default", "claim")["status"]["phase"] == "Bound"
    assert informers.cache(VOLUME).get("", "vol")["spec"]["claimRef"]["name"] == "claim"
