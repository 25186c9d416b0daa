"""The decisions of the namespace controller; a whole namespace that goes: `test_gone`."""

from kubemini.api.kinds import CONFIG_MAP, POD
from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide import namespace as decide
from kubemini.sim.units import SECOND
from tests.controllers.parts import a_pod

REMAINING, FAILED = "NamespaceContentRemaining", "NamespaceDeletionContentFailure"


def a_namespace(*finalizers, deleted=0, **status):
    meta = {"name": "ns", "deletionTimestamp": timestamp(deleted)}
    return freeze({"kind": "Namespace", "metadata": meta, "spec": {"finalizers": finalizers}, "status": status})


def a_config(name="x", *finalizers):
    return freeze({"kind": "ConfigMap", "metadata": {"name": name, "finalizers": finalizers}})


def said(namespace, type):
    return next(one for one in namespace["status"]["conditions"] if one["type"] == type)


def test_others_finalizers_keep_it_at_work_and_only_its_own_is_taken_off():
    assert decide.is_done(a_namespace()) and not decide.is_done(a_namespace("example.com/hold"))
    assert decide.finalized(a_namespace("z", decide.FINALIZER, "a"))["spec"]["finalizers"] == ["a", "z"]


def test_the_next_look_is_after_half_the_longest_grace_of_running_pods_and_a_second():
    slow = evolve(a_pod("a"), ("spec", "terminationGracePeriodSeconds"), 300)
    ended = evolve(evolve(slow, ("status", "phase"), "Succeeded"), ("metadata", "name"), "b")
    grace = decide.grace_left(a_namespace(), [a_pod("c"), slow, ended], 0)
    assert grace == 300 and decide.grace_left(a_namespace(), [a_pod("c"), ended], 0) == 30
    assert decide.look_again_in(decide.Content(grace, {POD: [a_pod("c")]})) == 151 * SECOND


def test_when_the_grace_is_over_or_nothing_holds_what_is_left_that_is_a_failure():
    assert decide.grace_left(a_namespace(), [a_pod("a")], 30 * SECOND) == 0
    content = decide.Content(0, {POD: [a_pod("a")], CONFIG_MAP: [a_config()]})
    left = "unexpected items still remain in namespace: ns for gvr: /v1, Resource"
    assert content.failures(a_namespace()) == [f"{left}=configmaps", f"{left}=pods"]
    told = said(decide.with_conditions(a_namespace(), content, 0), FAILED)
    text = f"Failed to delete all resource types, 2 remaining: {left}=configmaps, {left}=pods"
    assert (told["status"], told["reason"], told["message"]) == ("True", "ContentDeletionFailed", text)


def test_what_a_finalizer_holds_is_looked_at_again_after_eight_seconds():
    content = decide.Content(0, {CONFIG_MAP: [a_config("x", "example.com/hold")]})
    assert content.failures(a_namespace()) == [] and decide.look_again_in(content) == 8 * SECOND


def test_while_a_pod_is_left_nothing_is_said_of_what_remains():
    content = decide.Content(30, {POD: [a_pod("a")]})
    assert said(decide.with_conditions(a_namespace(), content, 0), REMAINING)["reason"] == "ContentRemoved"


def test_a_condition_keeps_its_place_and_its_time_until_its_status_changes():
    other = {"type": "Other", "status": "True"}
    one, two = (decide.Content(0, {CONFIG_MAP: [a_config(n, "hold") for n in names]}) for names in ("xy", "x"))
    first = decide.with_conditions(a_namespace(conditions=[other]), one, 5 * SECOND)
    assert [found["type"] for found in first["status"]["conditions"]] == ["Other", *decide.GOOD]
    second = decide.with_conditions(first, two, 9 * SECOND)
    assert said(second, REMAINING)["message"].endswith("configmaps. has 1 resource instances")
    assert said(second, REMAINING)["lastTransitionTime"] == timestamp(5 * SECOND)
    third = decide.with_conditions(second, decide.Content(), 12 * SECOND)
    assert said(third, REMAINING)["lastTransitionTime"] == timestamp(12 * SECOND)
    assert decide.with_conditions(third, decide.Content(), 20 * SECOND) is third
