"""A VolumeAttributesClass goes when no claim and no volume names it."""

from kubemini.api.objects import evolve, freeze
from kubemini.controllers.decide.storage import attributes
from kubemini.controllers.decide.storage.matching import CLAIM, VOLUME
from tests.controllers.storage.test_binding import NOW, bound_pair, facts

KIND = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "driverName": "d"}
META = {"name": "fast", "finalizers": [attributes.FINALIZER]}
DELETED = freeze({**KIND, "metadata": {**META, "deletionTimestamp": "2026-01-01T00:00:00Z"}})


def left(obj, *others):
    """The finalizers that it is left with."""
    plan = attributes.decide(obj, facts(*others), True, NOW)
    return [action.obj["metadata"]["finalizers"] for action in plan.actions]


def test_it_goes_when_nobody_names_it():
    claim, volume = bound_pair()
    assert left(DELETED, claim, volume) == [[]]
    for path in attributes.NAMED:
        assert left(DELETED, evolve(claim, path, "fast")) == []
    assert left(DELETED, evolve(volume, attributes.NAMED[0], "fast")) == []
    assert left(DELETED, evolve(volume, attributes.NAMED[0], "slow")) == [[]]


def test_one_that_is_not_deleted_has_its_finalizer():
    assert left(freeze({**KIND, "metadata": META})) == []
    assert left(freeze({**KIND, "metadata": {"name": "fast"}})) == [[attributes.FINALIZER]]


def test_who_names_it_no_more_wakes_it():
    claim, volume = bound_pair()
    for kind, obj in ((CLAIM, claim), (VOLUME, volume)):
        (watch,) = [watch for watch in attributes.CONTROLLER.watches if watch.kind is kind]
        naming, other = (evolve(obj, attributes.NAMED[0], name) for name in ("fast", "slow"))
        assert watch.change(naming, None, None) == watch.change(naming, other, None) == [("", "fast")]
        assert watch.change(None, naming, None) == watch.change(naming, naming, None) == []
