"""The controllers of a whole kube-controller-manager: what every namespace has, what a quota uses, roles of roles."""

import pytest

from kubemini.api.kinds import CONFIG_MAP, KNOWN, POD
from kubemini.api.objects import freeze, get
from kubemini.controllers.decide.actions import Create, Update, UpdateStatus
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.further import (
    aggregation,
    resourcequota,
    rootca,
    serviceaccount,
)
from kubemini.controllers.decide.workloads import replicationcontroller
from tests.controllers.parts import play

ACTIVE = freeze({"kind": "Namespace", "metadata": {"name": "n"}, "status": {"phase": "Active"}})
ENDING = freeze({**ACTIVE, "status": {"phase": "Terminating"}})


def facts(*objects):
    """What a program sees that has heard of these."""
    objects = [freeze(obj) for obj in objects]

    def of(kind):
        return [obj for obj in objects if obj["kind"] == kind.kind]

    return Facts(
        get=lambda kind, key: next((obj for obj in of(kind) if obj["metadata"]["name"] == key[1]), None),
        of_namespace=lambda kind, namespace: of(kind),
        owned_by=lambda kind, uid: [obj for obj in of(kind) if _owner(obj) == uid],
    )


def _owner(obj):
    references = obj["metadata"].get("ownerReferences") or [{"uid": ""}]
    return references[0]["uid"]


def named(kind, name, **more):
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, "namespace": "n"}, **more}


@pytest.mark.parametrize("controller", [serviceaccount.CONTROLLER, rootca.publisher("PEM")])
def test_a_namespace_that_lives_gets_what_every_pod_needs(controller):
    (made,) = controller.decide(ACTIVE, facts(), True, 0).actions
    assert isinstance(made, Create) and made.obj["metadata"]["namespace"] == "n"
    assert controller.decide(ENDING, facts(), True, 0).actions == ()
    assert controller.decide(ACTIVE, facts(made.obj), True, 0).actions == ()


def test_a_changed_certificate_is_published_again():
    old = named(CONFIG_MAP, rootca.NAME, data={"ca.crt": "OLD"})
    (mended,) = rootca.publisher("NEW").decide(ACTIVE, facts(old), True, 0).actions
    assert isinstance(mended, Update) and mended.obj["data"] == {"ca.crt": "NEW"}


def role(name, *verbs, labels=None, **more):
    meta = {"name": name, "labels": labels or {}}
    return {"kind": "ClusterRole", "metadata": meta, "rules": [{"verbs": [verb]} for verb in verbs], **more}


def test_a_role_gathers_the_rules_of_those_it_selects_each_once():
    chosen = {"agg": "yes"}
    rule = {"clusterRoleSelectors": [{"matchLabels": chosen}]}
    whole = role("whole", aggregationRule=rule)
    others = role("b", "get", "list", labels=chosen), role("a", "list", labels=chosen), role("c", "watch")
    (update,) = aggregation.decide(freeze(whole), facts(whole, *others), True, 0).actions
    assert [one["verbs"] for one in update.obj["rules"]] == [["list"], ["get"]]
    assert aggregation.decide(update.obj, facts(update.obj, *others), True, 0).actions == ()


def pod(name, phase="Running", cpu="100m"):
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    return named(POD, name, spec={"containers": [container]}, status={"phase": phase})


def test_a_quota_says_what_is_used_and_not_what_has_ended():
    quota = named(KNOWN["v1", "ResourceQuota"], "q", spec={"hard": {"pods": "5", "requests.cpu": "1", "secrets": "1"}})
    (said,) = resourcequota.decide(freeze(quota), facts(pod("a"), pod("b"), pod("c", "Succeeded")), True, 0, 0).actions
    assert isinstance(said, UpdateStatus)
    assert said.obj["status"]["used"] == {"pods": "2", "requests.cpu": "200m", "secrets": "0"}


def test_only_what_frees_something_wakes_a_quota():
    running, ended = pod("a"), pod("a", "Failed")
    assert resourcequota.frees(running, None) and resourcequota.frees(running, ended)
    assert not resourcequota.frees(None, running) and not resourcequota.frees(ended, ended)


def test_a_replication_controller_keeps_its_number_of_pods():
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}}
    spec = {"replicas": 2, "selector": {"app": "a"}, "template": template}
    one = named(replicationcontroller.KIND, "rc", spec=spec)
    one["metadata"]["uid"] = "u"
    plan = play(replicationcontroller.decide(freeze(one), facts(), True, 0))
    made = [action.obj for action in plan.actions if isinstance(action, Create)]
    assert len(made) == 2 and get(made[0], "metadata", "labels") == {"app": "a"}
    (report,) = [action.obj for action in plan.actions if isinstance(action, UpdateStatus)]
    assert report["status"]["replicas"] == 0 and report["spec"]["selector"] == {"app": "a"}
