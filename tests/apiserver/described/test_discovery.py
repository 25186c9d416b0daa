"""What there is to ask for: each way of asking tells the same, and what is told is there."""

import base64
import hashlib
import json

import pytest

from kubemini.api import kinds
from kubemini.apiserver.decide import discovery
from kubemini.apiserver.decide.discovery import AGGREGATED, page

LINES = (
    ("v1", "pods", "Pod", "namespaced", "short=po", "categories=all", "sub=eviction,log,status"),
    ("stable.example.com/v1", "widgets", "Widget", "cluster"),
    ("apps/v1", "deployments", "Deployment", "namespaced", "short=deploy", "sub=scale,status"),
    ("authorization.k8s.io/v1", "subjectaccessreviews", "SubjectAccessReview", "cluster", "verbs=create"),
)


def told(path, lines=LINES, accept="application/json"):
    return page(path, {"accept": accept}, lines).content


def test_groups_come_in_the_order_of_their_priority_and_those_of_others_behind():
    names = [group["name"] for group in told("/apis")["groups"]]
    assert names == ["apps", "authorization.k8s.io", "stable.example.com"]


def test_a_resource_is_told_with_its_names_and_its_parts():
    pods, eviction, log, status = told("/api/v1")["resources"]
    assert (pods["name"], pods["singularName"], pods["shortNames"], pods["categories"]) == (
        "pods",
        "pod",
        ["po"],
        ["all"],
    )
    assert (eviction["group"], eviction["kind"], eviction["verbs"]) == ("policy", "Eviction", ["create"])
    assert (log["verbs"], status["verbs"]) == (["get"], ["get", "patch", "update"])


def test_what_is_stored_has_a_hash_of_its_stored_version_and_what_is_only_answered_has_none():
    (widgets,) = told("/apis/stable.example.com/v1")["resources"]
    digest = hashlib.sha256(b"stable.example.com/v1/Widget").digest()[:8]
    assert widgets["storageVersionHash"] == base64.b64encode(digest).decode()
    (review,) = told("/apis/authorization.k8s.io/v1")["resources"]
    assert "storageVersionHash" not in review


def test_an_event_is_one_object_under_two_groups():
    hashes = {discovery.storage_version_hash(version, "Event") for version in ("v1", "events.k8s.io/v1")}
    assert len(hashes) == 1


def test_all_at_once_is_what_is_told_one_by_one():
    for root in ("api", "apis"):
        for group in told(f"/{root}", accept=AGGREGATED)["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                single = told("/".join(part for part in (f"/{root}", name, version["version"]) if part))["resources"]
                whole = [one["name"] for one in single if "/" not in one["name"]]
                assert [resource["resource"] for resource in version["resources"]] == whole
                parts = [
                    f"{r['resource']}/{p['subresource']}"
                    for r in version["resources"]
                    for p in r.get("subresources", ())
                ]
                assert parts == [one["name"] for one in single if "/" in one["name"]]


@pytest.mark.parametrize(
    "accept, kind",
    [
        (AGGREGATED, "APIGroupDiscoveryList"),
        (f"{AGGREGATED},application/json", "APIGroupDiscoveryList"),
        (f"application/json,{AGGREGATED}", "APIGroupList"),
        ("*/*", "APIGroupList"),
    ],
)
def test_who_can_read_it_gets_all_at_once(accept, kind):
    assert told("/apis", accept=accept)["kind"] == kind


def test_its_etag_changes_with_what_there_is():
    one, other = (dict(page("/apis", {"accept": AGGREGATED}, lines).headers)["ETag"] for lines in (LINES, LINES[:3]))
    assert one != other


def test_a_form_that_nobody_has_is_not_acceptable():
    assert page("/apis/apps", {"accept": AGGREGATED}, LINES).code == 406
    assert page("/apis", {"accept": AGGREGATED.replace("v=v2", "v=v9")}, LINES).code == 406


@pytest.mark.parametrize("path", ["/nothing", "/apis/nobody", "/apis/apps/v0", "/api/v2", "/apis//v1", "/metrics"])
def test_where_nothing_is_nothing_is_told(path):
    assert page(path, {}, LINES) is None


def test_every_kind_that_is_served_is_told_of():
    listed = {(words[0], words[2]) for words in discovery.lines()}
    assert set(kinds.served()) <= listed


def test_whoever_watches_all_kinds_watches_only_what_discovery_says_can_be_watched():
    verbs = {(words[0], words[2]): discovery._resource(words)["verbs"] for words in discovery.lines()}
    assert [kind.kind for kind in kinds.stored() if "watch" not in verbs[kind.api_version, kind.kind]] == []


def test_the_page_at_the_root_lists_every_page_and_no_resource():
    found = json.loads(told("/").text)["paths"]
    assert found == sorted(found) and told("/index.html") == told("/")
    assert {"/api/v1", "/apis/", "/apis/stable.example.com/v1", "/livez/ping", "/openapi/v2", "/version"} <= {*found}
    assert not [path for path in found if "pods" in path]
