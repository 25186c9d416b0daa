"""Definitions: their names, their service, their end."""

from tests.apiserver.customs.parts import DEFINITIONS, Definer, definition
from tests.apiserver.deeds.parts import outside


def conditions(status):
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def test_a_definition_is_established_and_its_kind_is_served():
    client = Definer("crd-a").define("cups", "Cup")
    assert conditions(client.status()) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    names = {"plural": "cups", "singular": "cup", "kind": "Cup", "listKind": "CupList"}
    assert client.status()["acceptedNames"] == names
    code, made = client.make("a", spec={"any": 1})
    assert (code, made["metadata"]["generation"], made["spec"]) == (201, 1, {"any": 1})
    assert client.ask("GET", client.path)[1]["kind"] == "CupList"


def test_what_is_defined_is_told_by_discovery_with_its_parts_in_order():
    parts = {"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}}
    client = Definer("crd-b").define("mugs", "Mug", names={"shortNames": ["mg"]}, subresources=parts)
    told = client.ask("GET", f"{client.group}/v1")[1]["resources"]
    assert [one["name"] for one in told] == ["mugs", "mugs/status", "mugs/scale"]
    assert (told[0]["shortNames"], told[0]["singularName"]) == (["mg"], "mug")
    assert told[0]["verbs"][0] == "delete" and told[2]["kind"] == "Scale"
    assert any(group["name"] == "mugs.example.com" for group in client.ask("GET", "/apis")[1]["groups"])


def test_the_newest_version_of_a_group_is_preferred_whichever_is_stored():
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = ("v1alpha1", "v1", "v2beta1", "v2", "first")
    versions = [{"name": name, "served": True, "storage": name == "v1alpha1", "schema": schema} for name in names]
    client = Definer("crd-c").define("pots", "Pot", versions=versions)
    told = client.ask("GET", client.group)[1]
    assert [one["version"] for one in told["versions"]] == ["v2", "v1", "v2beta1", "v1alpha1", "first"]
    assert told["preferredVersion"]["version"] == "v2"


def test_who_wants_a_name_that_another_of_the_group_has_is_not_served_until_it_is_free():
    client = Definer("crd-d").define("cats", "Cat", group="pets.test.io")
    assert client.ask("POST", DEFINITIONS, definition("lions", "Cat", group="pets.test.io"))[0] == 201
    client.wait()
    status = client.status("lions.pets.test.io")
    said = {"NamesAccepted": ("False", "ListKindConflict"), "Established": ("False", "NotAccepted")}
    assert conditions(status) == said
    assert status["conditions"][0]["message"] == '"CatList" is already in use'
    assert client.code("/apis/pets.test.io/v1/lions") == 404
    client.ask("DELETE", f"{DEFINITIONS}/cats.pets.test.io")
    client.wait(30)
    assert conditions(client.status("lions.pets.test.io"))["Established"][0] == "True"
    assert client.code("/apis/pets.test.io/v1/lions") == 200


def test_a_definition_that_is_deleted_serves_until_its_last_object_is_gone():
    client = Definer("crd-e").define("bags", "Bag")
    held = {"metadata": {"name": "held", "finalizers": ["example.com/f"]}}
    assert client.ask("POST", client.path, {**client.head, **held})[0] == 201
    code, marked = client.ask("DELETE", f"{DEFINITIONS}/{client.name}")
    assert (code, marked["metadata"]["finalizers"]) == (200, ["customresourcecleanup.apiextensions.k8s.io"])
    client.wait()
    assert conditions(client.status())["Terminating"] == ("True", "InstanceDeletionInProgress")
    assert "deletionTimestamp" in client.ask("GET", f"{client.path}/held")[1]["metadata"]
    code, refused = client.make("late")
    why = "create not allowed while custom resource definition is terminating"
    assert (code, refused["message"]) == (403, f'bags.bags.example.com "late" is forbidden: {why}')
    assert client.patch(f"{client.path}/held", {"metadata": {"finalizers": None}})[0] == 200
    client.wait(30)
    assert client.code(f"{DEFINITIONS}/{client.name}") == 404
    assert client.code(client.path) == 404


def test_a_kind_of_a_cluster_is_in_no_namespace():
    client = Definer("crd-f").define("orbs", "Orb", scope="Cluster")
    assert "namespace" not in client.make("a")[1]["metadata"]
    assert client.code(f"{client.group}/v1/namespaces/crd-f/orbs/a") == 404


def test_news_of_one_definition_does_not_make_the_kinds_of_others_anew():
    Definer("crd-news").define("kettles", "Kettle")
    definitions = outside().server.core.definitions
    before = definitions.find("kettles.example.com", "v1", "kettles")
    Definer("crd-news").define("ladles", "Ladle")
    assert definitions.find("ladles.example.com", "v1", "ladles")
    assert definitions.find("kettles.example.com", "v1", "kettles") is before
