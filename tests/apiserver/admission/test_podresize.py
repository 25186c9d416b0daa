"""A pod that runs is not resized beyond its node: the plugin PodResizeValidator, in the recorded words of 1.37.2."""

import pytest

from kubemini.api.kinds import NODE, POD
from kubemini.api.objects import freeze
from kubemini.apiserver.admission.nodes import podresize
from kubemini.apiserver.decide.attributes import UPDATE, Attributes


class Known:
    """One node."""

    def __init__(self, **labels):
        status = {"allocatable": {"cpu": "2", "memory": "24581692Ki"}}
        self.node = freeze({"metadata": {"name": "n1", "labels": labels}, "status": status})

    def get(self, kind, namespace, name):
        return self.node if (kind, name) == (NODE, "n1") else None


def pod(node="n1", **requests):
    spec = {"nodeName": node, "containers": [{"name": "c", "resources": {"requests": requests}}]}
    return freeze({"metadata": {"name": "p"}, "spec": spec})


def resized(new, old=None, known=None, subresource="resize"):
    before = old or pod(cpu="100m", memory="64Mi")
    known = known or Known()
    return podresize.validate(Attributes(UPDATE, POD, "p", new, before, subresource=subresource, known=known))


@pytest.mark.parametrize(
    ("requests", "lacks"),
    [
        ({"cpu": "40", "memory": "64Mi"}, "cpu, requested: 40000, allocatable: 2000"),
        ({"memory": "900Gi"}, "memory, requested: 966367641600, allocatable: 25171652608"),
        (
            {"cpu": "2001m", "memory": "900Gi"},
            "cpu, requested: 2001, allocatable: 2000; memory, requested: 966367641600, allocatable: 25171652608",
        ),
    ],
)
def test_more_than_the_whole_node_has_is_refused(requests, lacks):
    found = resized(pod(**requests))
    assert (found.code, found.details["causes"][0]["reason"]) == (403, "NodeCapacity")
    assert found.message == f'pods "p" is forbidden: node didn\'t have enough allocatable resources: {lacks}'


def test_as_much_as_the_node_has_is_let_through_whoever_else_is_there():
    assert resized(pod(cpu="2", memory="24581692Ki")) is None


def test_who_has_no_node_yet_changes_nothing_or_is_not_resized_is_not_looked_at():
    large = pod(cpu="40")
    assert resized(pod(node="", cpu="40")) is None
    assert resized(large, old=large) is None
    assert resized(large, subresource="") is None


def test_a_node_that_is_gone_or_no_linux_is_told_so():
    assert resized(pod(node="n2", cpu="1")).message.endswith('forbidden: node "n2" not found')
    found = resized(pod(cpu="1"), known=Known(**{"kubernetes.io/os": "windows"}))
    assert found.details["causes"][0]["reason"] == "UnsupportedPlatform"
    assert found.message.endswith('pod resize is only supported on linux nodes, node "n1" is "windows"')
