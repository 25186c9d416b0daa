"""Admission: one file a plugin; priorities come from classes; what is new does not come into what is going away."""

import sys
from dataclasses import replace
from unittest.mock import Mock

import pytest

from kubemini.api.kinds import INGRESS, POD
from kubemini.api.objects import freeze, get
from kubemini.apiserver import admission
from kubemini.apiserver.admission import defaultingressclass
from kubemini.apiserver.decide.attributes import CREATE, UPDATE, Attributes
from tests.apiserver.parts import asked, done, pod
from tests.worlds.kube import World

PODS = "/api/v1/namespaces/default/pods"
OWN = "must not be provided in pod spec; priority admission controller computed"


@pytest.fixture
def world():
    return World()


def test_a_pod_gets_the_priority_of_its_class(world):
    plain = done(world.ask(lambda c: c.create(pod())))["spec"]
    assert (plain["priority"], plain["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    critical = pod("critical", priorityClassName="system-node-critical")
    assert done(world.ask(lambda c: c.create(critical)))["spec"]["priority"] == 2000001000


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "no-such"}, "no PriorityClass with name no-such was found"),
        ({"priority": 1000}, f"the integer value of priority (1000) {OWN} 0 from the given PriorityClass name"),
        ({"runtimeClassName": "rc-missing"}, 'pod rejected: RuntimeClass "rc-missing" not found'),
        (
            {"overhead": {"cpu": "1"}},
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            {"preemptionPolicy": "Never"},
            f"the string value of PreemptionPolicy (Never) {OWN} PreemptLowerPriority from the given PriorityClass "
            "name",
        ),
    ],
)
def test_a_pod_does_not_choose_its_own_priority(world, spec, why):
    assert asked(world, "POST", PODS, None, pod(**spec)) == (403, f'pods "web-1" is forbidden: {why}')


def test_an_update_that_leaves_the_priority_out_keeps_it(world):
    done(world.ask(lambda c: c.create(pod())))
    changed = {**pod(), "metadata": {"name": "web-1", "labels": {"app": "shed"}}}
    kept = done(world.ask(lambda c: c.request("PUT", f"{PODS}/web-1", changed)))
    assert kept["spec"]["priority"] == 0 and len(kept["spec"]["tolerations"]) == 2


TOY = '''
"""A plugin that forbids a name."""
from kubemini.api import errors

NAME = "AlwaysPullImages"


def admit(write):
    """Nobody is called nobody."""
    if write.name == "nobody":
        return errors.forbidden(write.kind, write.name, "nobody is called so")
    return write.obj
'''


def test_a_plugin_is_added_by_one_file(tmp_path, monkeypatch):
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setattr(admission, "__path__", [*admission.__path__, str(tmp_path)])
    admission.plugins.cache_clear()
    try:
        names = [plugin.NAME for plugin in admission.plugins()]
        assert "AlwaysPullImages" in names and names == [name for name in admission.ORDER if name in names]
        refused = admission.admit(Attributes(CREATE, POD, "nobody", pod("nobody"), off=("ServiceAccount",)))
        assert refused.message == 'pods "nobody" is forbidden: nobody is called so'
    finally:
        admission.plugins.cache_clear()
        sys.modules.pop("kubemini.apiserver.admission.toy", None)


# -- DefaultIngressClass: each row as a kube-apiserver 1.37.2 did it ----------
def ingress_class(name, created="2026-01-01T00:00:00Z", default=True):
    notes = {defaultingressclass.DEFAULT: "true"} if default else {}
    return freeze({"metadata": {"name": name, "annotations": notes, "creationTimestamp": created}})


OLD, NEW = ingress_class("z-old"), ingress_class("m-new", "2026-01-02T00:00:00Z")
SAME = [ingress_class(name, "2026-01-03T00:00:00Z") for name in ("b-same", "a-same")]


@pytest.mark.parametrize(
    ("classes", "spec", "notes", "given"),
    [
        ((), {}, {}, None),
        ((OLD,), {}, {}, "z-old"),
        ((OLD, NEW), {}, {}, "m-new"),
        ((OLD, NEW, *SAME), {}, {}, "a-same"),
        ((ingress_class("no", default=False),), {}, {}, None),
        ((OLD,), {"ingressClassName": "gone"}, {}, "gone"),
        ((OLD,), {}, {"kubernetes.io/ingress.class": "x"}, None),
    ],
)
def test_an_ingress_without_a_class_gets_the_newest_default(classes, spec, notes, given):
    obj = freeze({"metadata": {"name": "i", "annotations": notes}, "spec": spec})
    known = Mock(items=lambda kind: classes)
    asked = Attributes(CREATE, INGRESS, "i", obj, known=known)
    assert get(admission.admit(asked), "spec", "ingressClassName") == given
    later = replace(asked, operation=UPDATE, old=obj)
    assert admission.admit(later) is obj
