"""The DaemonSet controller: a pod on every node that fits, replaced within its limits."""

import pytest

from kubemini.api.objects import evolve, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Patch, Update, UpdateStatus
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.workloads.daemonset import controller, nodes
from kubemini.controllers.decide.workloads.revisions import patch_of
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.parts import a_node
from tests.controllers.workloads.talking import (
    REFUSED,
    TAKEN,
    deeds,
    facts_of,
    of_type,
    refuses,
    report,
    reports,
    talk,
    told,
)

HASH = "of-now"


def a_daemon(image="app:1", surge=0, missing=1, status=None, **spec):
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    how = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}
    meta = {"name": "agent", "namespace": "default", "uid": "ds", "generation": 1}
    selector = {"matchLabels": {"app": "a"}}
    full = {"selector": selector, "template": template, "updateStrategy": how, **spec}
    return freeze(
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": full, "status": status or {}}
    )


def a_revision(daemon, hashed=HASH, number=1):
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "ds", "controller": True}
    labels = {"app": "a", nodes.HASH: hashed}
    meta = {
        "name": f"agent-{hashed}",
        "namespace": "default",
        "labels": labels,
        "uid": hashed,
        "ownerReferences": [owner],
    }
    kind = {"apiVersion": "apps/v1", "kind": "ControllerRevision"}
    return freeze({**kind, "metadata": meta, "data": patch_of(daemon), "revision": number})


def a_pod(daemon, node, hashed=HASH, ready=True, phase="Running", marked=False, born=0, name=""):
    name = name or f"{node}-{hashed}"
    meta = {"name": name, "uid": name, "creationTimestamp": timestamp(born)}
    meta |= {"deletionTimestamp": timestamp(0)} if marked else {}
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": timestamp(0)}
    pod = nodes.pod_for(daemon, node, hashed)
    edits = [(("metadata", key), value) for key, value in meta.items()]
    edits += [(("spec", "nodeName"), node), (("status",), {"phase": phase, "conditions": [condition]})]
    return evolve_many(pod, *edits)


def look(daemon, *objects, known=(), now=0, caught_up=True, memory=None, answers=()):
    known = known or (a_revision(daemon),)
    facts = facts_of(*known, *objects, memory=memory)
    return talk(controller.decide(daemon, facts, caught_up, now), answers)


def names(steps, verb):
    return [name for done, name in deeds(steps) if done == verb]


def homes(steps):
    """The nodes of the pods that are made."""
    return [nodes.target(pod) for pod in of_type(steps, Create, "Pod")]


THREE = [a_node(f"n{n}") for n in (1, 2, 3)]
TAINTED = [a_node("n1"), a_node("n2", taints=[{"key": "k", "effect": "NoSchedule"}])]


# -- where -----------------------------------------------------------------------------------------------------------
def test_every_node_gets_one_and_a_node_that_has_one_none():
    daemon = a_daemon()
    assert homes(look(daemon, *THREE, a_pod(daemon, "n2"))[0]) == ["n1", "n3"]


def test_a_pod_insists_on_its_node_and_puts_up_with_its_troubles():
    (pod, *_) = of_type(look(a_daemon(), *THREE)[0], Create, "Pod")
    (term,) = pod["spec"]["affinity"]["nodeAffinity"][nodes.REQUIRED]["nodeSelectorTerms"]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    tolerated = [(t["key"].removeprefix("node.kubernetes.io/"), t["effect"]) for t in pod["spec"]["tolerations"]]
    assert tolerated == list(nodes.TROUBLES)
    on_host = a_daemon()["spec"]["template"]["spec"] | {"hostNetwork": True}
    assert nodes.tolerations(on_host)[-1]["key"] == "node.kubernetes.io/network-unavailable"
    twice = [
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    ]
    assert nodes.tolerations({"tolerations": twice})[0] == {
        k: v for k, v in twice[0].items() if k != "tolerationSeconds"
    }


def test_nodes_are_chosen_by_selector_affinity_name_and_taint():
    labelled = evolve(a_node("n2"), ("metadata", "labels"), {"disk": "ssd"})
    picky = evolve(a_daemon(), ("spec", "template", "spec", "nodeSelector"), {"disk": "ssd"})
    assert homes(look(picky, a_node("n1"), labelled)[0]) == ["n2"]
    named = evolve(a_daemon(), ("spec", "template", "spec", "nodeName"), "n1")
    assert homes(look(named, *THREE)[0]) == ["n1"]
    assert homes(look(a_daemon(), *TAINTED)[0]) == ["n1"]
    tolerant = evolve(a_daemon(), ("spec", "template", "spec", "tolerations"), [{"operator": "Exists"}])
    assert homes(look(tolerant, *TAINTED)[0]) == ["n1", "n2"]


def test_no_schedule_lets_a_running_pod_stay_and_no_execute_does_not():
    daemon = a_daemon()
    pods = [a_pod(daemon, "n1"), a_pod(daemon, "n2")]
    steps, _ = look(daemon, *TAINTED, *pods)
    assert deeds(steps) == [] and report(steps)["numberMisscheduled"] == 1
    harsh = a_node("n2", taints=[{"key": "k", "effect": "NoExecute"}])
    assert deeds(look(daemon, a_node("n1"), harsh, *pods)[0]) == [("Delete", "n2-of-now")]


def test_a_pod_that_waits_for_a_node_that_is_gone_is_deleted():
    daemon = a_daemon()
    waiting = evolve(a_pod(daemon, "gone"), ("spec", "nodeName"), "")
    assert deeds(look(daemon, waiting)[0]) == [("Delete", "gone-of-now")]
    assert deeds(look(daemon, a_pod(daemon, "gone"))[0]) == []


def test_of_two_on_a_node_the_older_stays():
    daemon = a_daemon()
    pods = [a_pod(daemon, "n1", name="young", born=9 * SECOND), a_pod(daemon, "n1", name="old")]
    assert deeds(look(daemon, a_node("n1"), *pods)[0]) == [("Delete", "young")]


# -- pods that end ---------------------------------------------------------------------------------------------------
def test_a_failed_pod_is_deleted_at_once_and_its_successor_after_a_back_off_that_doubles():
    daemon, node = a_daemon(), a_node("n1")
    failed = a_pod(daemon, "n1", phase="Failed")
    steps, end = look(daemon, node, failed)
    assert deeds(steps) == [("Delete", "n1-of-now")]
    text = "Found failed daemon pod default/n1-of-now on node n1, will try to kill it"
    assert told(steps)[0] == f"FailedDaemonPod: {text}"
    steps, again = look(daemon, node, failed, now=SECOND // 2, memory=end.memory)
    assert deeds(steps) == [] and again.again_at == 3 * SECOND // 2
    steps, third = look(daemon, node, failed, now=SECOND, memory=end.memory)
    assert deeds(steps) == [("Delete", "n1-of-now")]
    assert look(daemon, node, failed, now=5 * SECOND // 2, memory=third.memory)[1].again_at is not None
    forgotten = look(daemon, node, failed, now=40 * MINUTE, memory=third.memory)[1]
    assert list(forgotten.memory.values()) == [(SECOND, 40 * MINUTE)]


def test_a_pod_that_has_succeeded_is_deleted_too():
    daemon = a_daemon()
    steps, _ = look(daemon, a_node("n1"), a_pod(daemon, "n1", phase="Succeeded"))
    assert deeds(steps) == [("Delete", "n1-of-now")]
    assert told(steps)[0].startswith("SucceededDaemonPod: Found succeeded daemon pod default/n1-of-now on node n1")


# -- updates ---------------------------------------------------------------------------------------------------------
def test_without_surge_no_more_go_than_may_be_missing():
    daemon = a_daemon(missing=2)
    old = [a_pod(daemon, f"n{n}", "old") for n in (1, 2, 3)]
    assert names(look(daemon, *THREE, *old)[0], "Delete") == ["n1-old", "n2-old"]
    unready = a_pod(daemon, "n1", ready=False)
    assert names(look(daemon, *THREE, unready, *old[1:])[0], "Delete") == ["n2-old"]
    assert names(look(a_daemon(missing="34%"), *THREE, *old)[0], "Delete") == ["n1-old", "n2-old"]


def test_old_pods_that_do_not_serve_go_first_and_cost_nothing_more():
    daemon = a_daemon(missing=1)
    lame = a_pod(daemon, "n2", "old", ready=False)
    steps, _ = look(daemon, *THREE, a_pod(daemon, "n1", "old"), lame, a_pod(daemon, "n3", "old"))
    assert names(steps, "Delete") == ["n2-old"]


def test_on_delete_waits_for_whoever_deletes():
    daemon = a_daemon(updateStrategy={"type": "OnDelete"})
    old = [a_pod(daemon, f"n{n}", "old") for n in (1, 2)]
    steps, _ = look(daemon, *THREE, *old)
    assert names(steps, "Delete") == [] and homes(steps) == ["n3"]


def test_with_surge_the_new_pod_comes_first_and_the_old_one_goes_when_it_serves():
    daemon = a_daemon(surge=1, missing=0)
    old = [a_pod(daemon, f"n{n}", "old") for n in (1, 2, 3)]
    steps, _ = look(daemon, *THREE, *old)
    assert (homes(steps), names(steps, "Delete")) == (["n1"], [])
    new = a_pod(daemon, "n1", ready=False, born=SECOND)
    steps, _ = look(daemon, *THREE, *old, new)
    assert (homes(steps), names(steps, "Delete")) == ([], [])
    steps, _ = look(daemon, *THREE, *old, a_pod(daemon, "n1"))
    assert names(steps, "Delete") == ["n1-old"]
    lame = a_pod(daemon, "n1", "old", ready=False)
    assert names(look(daemon, *THREE, lame, new, *old[1:])[0], "Delete") == ["n1-old"]
    assert "updatedNumberScheduled" not in report(look(daemon, *THREE, *old, new)[0])


def test_with_surge_a_node_that_fits_no_more_keeps_its_pod_until_another_serves():
    daemon = a_daemon(surge=1, missing=0)
    old = [a_pod(daemon, "n1"), a_pod(daemon, "n2", "old")]
    new_pod_serves = a_pod(daemon, "n3")
    three = [*TAINTED, a_node("n3")]
    assert names(look(daemon, *three, *old)[0], "Delete") == []
    assert names(look(daemon, *three, *old, new_pod_serves)[0], "Delete") == ["n2-old"]


def test_while_nodes_lack_a_pod_the_rollout_waits():
    daemon = a_daemon()
    steps, _ = look(daemon, *THREE, *[a_pod(daemon, f"n{n}", "old") for n in (1, 2)])
    assert homes(steps) == ["n3"] and names(steps, "Delete") == []


# -- revisions -------------------------------------------------------------------------------------------------------
def test_a_new_template_is_kept_as_a_revision_with_the_next_number():
    before, now = a_daemon(), a_daemon("app:2")
    steps, _ = look(now, known=[a_revision(before, number=4)])
    (made,) = of_type(steps, Create, "ControllerRevision")
    assert made["revision"] == 5 and made["data"] == patch_of(now)
    assert made["metadata"]["labels"][nodes.HASH] == made["metadata"]["name"].removeprefix("agent-")


def test_a_revision_keeps_the_template_with_its_keys_in_order_as_clients_compare_bytes():
    kept = patch_of(a_daemon())["spec"]["template"]
    assert list(kept) == ["$patch", "metadata", "spec"]
    assert list(patch_of(a_daemon(image="z"))["spec"]["template"]["spec"]["containers"][0]) == ["image", "name"]


def test_a_template_that_comes_back_gets_the_next_number():
    now, other = a_daemon(), a_daemon("app:2")
    steps, _ = look(now, known=[a_revision(now, number=1), a_revision(other, "other", 2)])
    assert [r["revision"] for r in of_type(steps, Update, "ControllerRevision")] == [3]


def test_of_two_revisions_of_one_template_the_newer_stays_and_pods_are_relabelled():
    daemon = a_daemon()
    known = [a_revision(daemon, "first", 1), a_revision(daemon, HASH, 2)]
    steps, _ = look(daemon, a_node("n1"), a_pod(daemon, "n1", "first"), known=known)
    assert deeds(steps)[:2] == [("Patch", "n1-first"), ("Delete", "agent-first")]
    assert of_type(steps, Patch)[0]["metadata"]["labels"][nodes.HASH] == "first"


def test_beyond_the_limit_the_oldest_revisions_go_that_no_pod_has():
    daemon = a_daemon(revisionHistoryLimit=1)
    past = [a_revision(a_daemon(f"app:{n}"), f"past-{n}", n) for n in range(2, 5)]
    pod = a_pod(daemon, "n1", "past-2", ready=False)
    steps, _ = look(daemon, a_node("n1"), pod, known=[*past, a_revision(daemon, number=9)])
    assert [name for name in names(steps, "Delete") if name.startswith("agent")] == ["agent-past-3", "agent-past-4"]


def test_a_taken_name_counts_a_collision_and_the_next_look_has_another():
    daemon, other = a_daemon(), a_revision(a_daemon("app:9"))

    def taken(step):
        if isinstance(step, Read):
            return Answer(other if step.kind.kind == "ControllerRevision" else daemon)
        return Answer(error=TAKEN) if isinstance(step, Create) else None

    steps, end = look(daemon, known=[a_revision(a_daemon("app:2"), "other")], answers=[taken])
    assert report(steps)["collisionCount"] == 1 and end.error is TAKEN


# -- status, and what goes wrong -------------------------------------------------------------------------------------
def test_the_status_counts_the_oldest_pod_of_each_node():
    daemon = a_daemon()
    pods = [a_pod(daemon, "n1"), a_pod(daemon, "n2", "old", ready=False)]
    assert report(look(daemon, *THREE, *pods)[0]) == {
        "currentNumberScheduled": 2,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 3,
        "numberReady": 1,
        "updatedNumberScheduled": 1,
        "numberAvailable": 1,
        "numberUnavailable": 2,
        "observedGeneration": 1,
    }


def test_a_second_look_writes_nothing():
    daemon = a_daemon()
    pod = a_pod(daemon, "n1")
    steps, _ = look(daemon, a_node("n1"), pod)
    assert look(evolve(daemon, ("status",), report(steps)), a_node("n1"), pod)[0] == []


def test_while_the_cache_lags_only_counts_are_written():
    steps, _ = look(a_daemon(), *THREE, caught_up=False)
    assert deeds(steps) == [] and "observedGeneration" not in report(steps)


def test_refusals_are_told_and_the_status_is_written_all_the_same():
    steps, end = look(a_daemon(), *THREE, answers=[refuses("Pod")])
    assert told(steps) == [f"FailedCreate: Error creating: {REFUSED.message}"]
    assert end.error is REFUSED and len(reports(steps)) == 1
    steps, end = look(a_daemon(), answers=[refuses("DaemonSet", UpdateStatus)])
    assert end.error is REFUSED


def test_one_on_its_way_out_or_that_selects_everything_is_left_alone():
    going = evolve(a_daemon(), ("metadata", "deletionTimestamp"), timestamp(0))
    assert look(going, *THREE)[0] == []
    assert [line.partition(":")[0] for line in told(look(a_daemon(selector={}), *THREE)[0])] == ["SelectingAll"]


# -- who is woken ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("node", "has_pod", "misplaced", "woken"),
    [
        (a_node("n1"), False, 0, True),
        (a_node("n1"), True, 0, False),
        (a_node("n1"), True, 1, True),
        (a_node("n1", taints=[{"key": "k", "effect": "NoSchedule"}]), False, 0, False),
        (a_node("n1", taints=[{"key": "k", "effect": "NoExecute"}]), True, 0, True),
    ],
)
def test_a_node_wakes_those_that_have_something_to_do_there(node, has_pod, misplaced, woken):
    daemon = a_daemon(status={"numberMisscheduled": misplaced})
    facts = facts_of(daemon, *([a_pod(daemon, "n1")] if has_pod else []))
    assert bool(controller.of_node(node, facts)) == woken


def test_only_labels_and_taints_of_a_node_matter_and_that_it_goes_wakes_nobody():
    (watch,) = [watch for watch in controller.CONTROLLER.watches if watch.kind.kind == "Node"]
    node = a_node("n1")
    beating = evolve(node, ("status", "conditions"), [])
    assert not watch.when(node, beating) and not watch.when(node, None) and watch.when(None, node)
    assert watch.when(node, a_node("n1", taints=[{"key": "k", "effect": "NoSchedule"}]))


def test_a_revision_that_is_born_with_an_owner_wakes_nobody_and_its_changes_and_its_end_do():
    (watch,) = [watch for watch in controller.CONTROLLER.watches if watch.kind.kind == "ControllerRevision"]
    daemon = a_daemon()
    revision = a_revision(daemon)
    assert not watch.when(None, revision)
    assert watch.when(revision, evolve(revision, ("revision",), 2)) and watch.when(revision, None)
    assert watch.when(None, evolve(revision, ("metadata", "ownerReferences"), ()))
    assert watch.when(None, evolve(revision, ("metadata", "deletionTimestamp"), timestamp(0)))
