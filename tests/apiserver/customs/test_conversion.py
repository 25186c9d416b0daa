"""Versions that a webhook turns into one another."""

from tests.apiserver.customs.parts import ANYTHING, Definer
from tests.apiserver.deeds.parts import outside


def hubs(space, plural, url):
    versions = [
        {"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": ANYTHING}}
        for name in ("v1", "v2")
    ]
    body_of = {"conversionReviewVersions": ["v1"], "clientConfig": {"url": url}}
    conversion = {"strategy": "Webhook", "webhook": body_of}
    return Definer(space).define(plural, plural[:-1].title(), versions=versions, spec={"conversion": conversion})


def renamed(review):
    """A webhook: host and port are one field in v1."""
    asked, made = review["request"], []
    for obj in asked["objects"]:
        spec = dict(obj["spec"])
        if asked["desiredAPIVersion"].endswith("v2"):
            spec["host"], _, spec["port"] = spec.pop("address").partition(":")
        else:
            spec["address"] = f"{spec.pop('host')}:{spec.pop('port')}"
        made.append({**obj, "apiVersion": asked["desiredAPIVersion"], "spec": spec})
    return {"response": {"uid": asked["uid"], "convertedObjects": made, "result": {"status": "Success"}}}


def test_a_webhook_turns_an_object_into_the_version_that_is_asked_for_and_back():
    outside().server.flags.webhooks["https://hubs.test/convert"] = renamed
    mine = hubs("crd-ba", "hubs", "https://hubs.test/convert")
    assert mine.make("a", spec={"address": "h:1"})[0] == 201
    other = mine.path.replace("/v1/", "/v2/")
    assert mine.ask("GET", f"{other}/a")[1]["spec"] == {"host": "h", "port": "1"}
    assert mine.patch(f"{other}/a", {"spec": {"port": "2"}})[1]["spec"] == {"host": "h", "port": "2"}
    assert mine.ask("GET", f"{mine.path}/a")[1]["spec"] == {"address": "h:2"}


def test_without_the_webhook_another_version_can_be_neither_read_nor_written():
    mine = hubs("crd-bb", "rims", "https://127.0.0.1:1/convert")
    mine.make("a", spec={"address": "h:1"})
    other = mine.path.replace("/v1/", "/v2/")
    why = 'failed: Post "https://127.0.0.1:1/convert?timeout=30s": dial tcp 127.0.0.1:1: connect: connection refused'
    code, refused = mine.ask("GET", f"{other}/a")
    assert code == 500 and refused["message"].endswith(f"conversion webhook for rims.example.com/v1, Kind=Rim {why}")
    code, refused = mine.ask("GET", other)
    assert (code, refused["reason"]) == (500, "StorageReadError")
    head = {**mine.head, "apiVersion": "rims.example.com/v2", "metadata": {"name": "b"}}
    code, refused = mine.ask("POST", other, head)
    assert (code, refused["message"]) == (500, f"conversion webhook for rims.example.com/v2, Kind=Rim {why}")
    assert mine.ask("GET", mine.path)[1]["items"][0]["metadata"]["name"] == "a"
