"""Volumes of a pod, as a real server completes them."""

import pytest

from kubemini.apiserver.rules.pods.volumes import volume_defaults

TOKEN = {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}
FIELD = {"path": "p", "fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}}


@pytest.mark.parametrize(
    "given, stored",
    [
        ({}, {"emptyDir": {}}),
        ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s", "defaultMode": 420}}),
        ({"configMap": {"name": "c", "defaultMode": 0}}, {"configMap": {"name": "c", "defaultMode": 0}}),
        ({"hostPath": {"path": "/x"}}, {"hostPath": {"path": "/x", "type": ""}}),
        ({"image": {"reference": "x:1"}}, {"image": {"reference": "x:1", "pullPolicy": "IfNotPresent"}}),
        (
            {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {"projected": {"sources": [TOKEN], "defaultMode": 420}},
        ),
        (
            {"downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {"downwardAPI": {"items": [FIELD], "defaultMode": 420}},
        ),
    ],
)
def test_a_volume_is_completed(given, stored):
    assert volume_defaults({"name": "v", **given}) == {"name": "v", **stored}
