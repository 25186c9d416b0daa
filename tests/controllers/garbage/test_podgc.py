"""Pod garbage collection: pods of nodes that are gone."""

from kubemini.controllers.decide import (
    podgc,
)
from tests.controllers.parts import a_node, a_pod


def test_pods_of_a_node_that_does_not_exist_fail_and_go_without_grace():
    assert podgc.collect([a_pod("a")], a_node(), 0) == []
    mark, step, ended = podgc.collect([a_pod("a"), a_pod("b", node=""), a_pod("c", phase="Succeeded")], None, 0)
    assert (mark.obj["status"]["phase"], mark.obj["status"]["conditions"][-1]["reason"]) == (
        "Failed",
        "DeletionByPodGC",
    )
    assert (step.obj["metadata"]["name"], step.grace) == ("a", 0)
    assert (ended.obj["metadata"]["name"], ended.grace) == ("c", 0)
