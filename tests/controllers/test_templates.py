"""The hash of a pod template: the numbers are those of Go, of k8s.io/utils/dump and hash/fnv."""

import pytest

from kubemini.api import names
from kubemini.api.objects import evolve, freeze
from kubemini.controllers.decide.workloads.deployment import templates

RICH = freeze(
    {
        "metadata": {"labels": {"b": "x", "app": "web"}, "annotations": {"k": 'a "q" \n é'}},
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": "i",
                    "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": "1"}},
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "command": ["a", "b"],
                    "readinessProbe": {"httpGet": {"path": "/", "port": "web", "scheme": "HTTP"}},
                    "securityContext": {"privileged": True, "runAsUser": 5},
                    "env": [
                        {"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
                    ],
                    "terminationMessagePath": "/dev/termination-log",
                }
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "nodeSelector": {"a": "b"},
            "volumes": [{"name": "e", "emptyDir": {"sizeLimit": "1536Mi"}}],
        },
    }
)


def test_a_template_is_named_as_go_names_it():
    assert templates.hashed(RICH) == names.safe_encoded("1981028086")


def test_what_is_empty_is_not_there():
    empty = evolve(RICH, ("spec", "tolerations"), [])
    assert templates.hashed(evolve(empty, ("spec", "overhead"), {})) == templates.hashed(RICH)
    assert templates.hashed(evolve(RICH, ("spec", "affinity"), {})) != templates.hashed(RICH), "a struct is there"


def test_a_collision_changes_it_and_none_is_not_the_same_as_no_count():
    assert len({templates.hashed(RICH, collisions) for collisions in (None, 0, 1, 2)}) == 4


@pytest.mark.parametrize(
    ("text", "value", "scale", "kept"),
    [("0", 0, 0, "0"), ("100m", 100, -3, "100m"), ("1k", 1, 3, "1k"), ("1Gi", 2**30, 0, "1Gi"), ("8Mi", 2**23, 0, "")],
)
def test_an_amount_is_a_number_a_power_of_ten_and_perhaps_its_text(text, value, scale, kept):
    limits = (("spec", "containers", 0, "resources"), {"limits": {"x": text}})
    written = templates.written(evolve(RICH, *limits))
    assert f"{{value:(int64){value} scale:(resource.Scale){scale}}}" in written
    assert f"s:(string){kept} Format" in written
