"""The API's description of itself: its pointers lead somewhere, its operations are those that discovery tells."""

import pytest

from kubemini.apiserver.decide import discovery, openapi
from kubemini.apiserver.decide.openapi import schemas

LINES = discovery.lines()
VERSIONS = sorted({words[0] for words in LINES})
METHODS = {"get": {"get", "list"}, "put": {"update"}, "post": {"create"}, "patch": {"patch"}}
DEPLOYMENT = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


def document(api_version):
    return openapi.page(f"/openapi/v3/{'apis' if '/' in api_version else 'api'}/{api_version}", LINES)


def test_the_index_names_a_document_for_each_version_and_its_hash_is_of_what_it_holds():
    index = openapi.page("/openapi/v3", LINES)["paths"]
    assert len(index) == len(VERSIONS)
    urls = {where: entry["serverRelativeURL"] for where, entry in index.items()}
    assert urls["apis/apps/v1"].startswith("/openapi/v3/apis/apps/v1?hash=")
    assert len({url.partition("=")[2] for url in urls.values()}) == len(urls)


@pytest.mark.parametrize("api_version", VERSIONS)
def test_each_pointer_leads_to_a_schema_and_each_operation_has_a_name_of_its_own(api_version):
    told = document(api_version)
    known = told["components"]["schemas"]
    assert set(schemas._pointers(told)) <= set(known)
    names = [one["operationId"] for path in told["paths"].values() for one in path.values() if isinstance(one, dict)]
    assert len(names) == len(set(names)) > 0


def test_what_can_be_done_is_what_discovery_tells():
    for words in LINES:
        (told,) = [r for r in discovery._resources(LINES, words[0]) if r["name"] == words[1]]
        paths = {
            path: of
            for path, of in document(words[0])["paths"].items()
            if path.removesuffix("/{name}").endswith("/" + words[1]) and "ForAllNamespaces" not in str(of)
        }
        verbs = {one["x-kubernetes-action"] for of in paths.values() for one in of.values() if isinstance(one, dict)}
        expected = {{"create": "post", "update": "put"}.get(verb, verb) for verb in told["verbs"]} - {"watch"}
        assert verbs == expected, words


def test_a_patch_says_that_its_fields_are_checked():
    patch = document("apps/v1")["paths"][DEPLOYMENT]["patch"]
    assert "fieldValidation" in {option["name"] for option in patch["parameters"]}
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "application/apply-patch+yaml" in patch["requestBody"]["content"]


def test_what_all_operations_take_stands_once():
    path = document("apps/v1")["paths"]["/apis/apps/v1/deployments"]
    assert "parameters" not in path["get"]
    assert {"watch", "limit", "pretty"} <= {option["name"] for option in path["parameters"]}


def test_lists_say_how_they_are_merged():
    ports = document("v1")["components"]["schemas"]["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"]
    assert ports["x-kubernetes-patch-merge-key"] == "port" and ports["x-kubernetes-list-map-keys"] == [
        "port",
        "protocol",
    ]


def test_a_custom_resource_is_described_by_its_own_schema():
    known = document("gateway.networking.k8s.io/v1")["components"]["schemas"]
    gateway = known["io.k8s.networking.gateway.v1.Gateway"]
    assert "listeners" in gateway["properties"]["spec"]["properties"]


@pytest.mark.parametrize("path", ["/openapi", "/openapi/v2", "/openapi/v3/apis/nobody/v1", "/openapi/v3/version"])
def test_where_no_document_is_there_is_none(path):
    assert openapi.page(path, LINES) is None
