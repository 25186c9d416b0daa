"""A program discovers the kinds that are defined while it runs, on the real ones' grid, and is silent otherwise."""

import pytest

from kubemini.api.kinds import CONFIG_MAP
from kubemini.client.discovery import PERIOD, kinds_of
from kubemini.sim.units import SECOND
from tests.oracles.sessions.world import Inside

GROUP = "shop.example.com"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"


def told(group, *versions):
    """A group of discovery: (version, plural, verbs) …"""
    listed = []
    for version, plural, verbs in versions:
        kind = {"group": group, "version": version, "kind": plural.title()}
        one = {"resource": plural, "responseKind": kind, "scope": "Namespaced", "verbs": verbs.split()}
        listed.append({"version": version, "resources": [one]})
    return {"metadata": {"name": group}, "versions": listed}


def test_of_several_versions_the_first_told_is_preferred_and_each_can_be_found():
    all = "delete list watch get"
    found = kinds_of({"items": [told("a.io", ("v2", "things", all), ("v1", "things", all), ("v1", "olds", all))]})
    assert [(kind.api_version, kind.plural) for kind in found.preferred] == [("a.io/v2", "things"), ("a.io/v1", "olds")]
    assert [kind.api_version for kind in found.all] == ["a.io/v2", "a.io/v1", "a.io/v1"]


def test_what_a_program_knows_of_itself_or_cannot_watch_is_not_discovered():
    found = kinds_of(
        {"items": [told("apps", ("v1", "deployments", "delete list watch")), told("b.io", ("v1", "x", "list"))]}
    )
    assert found.preferred == () and [kind.group for kind in found.all] == ["b.io"]


def definition():
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]}
    meta = {"name": f"widgets.{GROUP}"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


@pytest.fixture
def inside():
    world = Inside(("api", "controllers"))
    world.sleep(5)
    return world


def manager(world):
    (one,) = [part for name, part in world.cluster.components.items() if name.startswith("controller-manager")]
    return one


def ask(world, method, path, body=None):
    return world.send({"method": method, "path": path, "body": body}, "test/1.0").status


def test_a_kind_is_watched_from_the_next_look_until_its_definition_is_gone(inside):
    discovery = manager(inside).discovery
    assert ask(inside, "POST", CRDS, definition()) == 201
    inside.until(lambda: discovery.found.preferred)
    assert (inside.sim.now - discovery._begun) // SECOND % (PERIOD // SECOND) == 0
    assert [kind.plural for kind in discovery.found.preferred] == ["widgets"]
    assert ask(inside, "DELETE", f"{CRDS}/widgets.{GROUP}") == 200
    inside.until(lambda: not discovery.found.preferred)
    counted, heard = inside.server.core.counted, []
    begun, counted.begun = counted.begun, lambda info: heard.append(info.resource) or begun(info)
    inside.sleep(120)
    assert heard and "widgets" not in heard


def test_when_nothing_is_defined_any_more_nobody_asks_again(inside):
    asked = []
    discovery = manager(inside).discovery
    real, discovery._ask = discovery._ask, lambda: asked.append(inside.sim.now) or real()
    inside.sleep(200)
    assert not asked, "nothing was ever defined"
    ask(inside, "POST", CRDS, definition())
    inside.sleep(200)
    assert 1 <= len(asked) <= 2, "once, and once more if a server heard of the rest later"
    seen = len(asked)
    inside.sleep(1000)
    assert len(asked) == seen


def test_an_owner_whose_kind_comes_later_is_looked_for_then(inside):
    owner = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "name": "w", "uid": "11111111-1111-1111-1111-111111111111"}
    child = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "ownerReferences": [owner]}}
    path = CONFIG_MAP.path("default", "c")
    assert ask(inside, "POST", CONFIG_MAP.path("default"), child) == 201
    inside.sleep(100)
    assert ask(inside, "GET", path) == 200, "of a kind that nobody knows: nobody can say that it is gone"
    ask(inside, "POST", CRDS, definition())
    inside.sleep(40)
    assert ask(inside, "GET", path) == 200, "its next try is due when the last wait of 5 ms · 2ⁿ is over, after 164 s"
    inside.sleep(30)
    assert ask(inside, "GET", path) == 404
