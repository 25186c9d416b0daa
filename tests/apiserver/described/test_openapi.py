"""The API's description of itself: its pointers lead somewhere, its operations are those that discovery tells."""

import json

import pytest

from kubemini.apiserver.decide import discovery, openapi
from kubemini.apiserver.decide.openapi import schemas
from tests.apiserver.described import reading
from tests.oracles.kubernetes.schema import published

LINES = discovery.lines()
VERSIONS = sorted({words[0] for words in LINES})
DEPLOYMENT = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
GIVEN_BY_HAND = ("Quantity", "IntOrString")  # types that kubernetes-validate writes in its own way


def where(api_version):
    return f"{'apis' if '/' in api_version else 'api'}/{api_version}"


def document(api_version):
    return openapi.page(f"/openapi/v3/{where(api_version)}", LINES)


def asked(path, query=None, **headers):
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return openapi.answer(path, query or {}, told, LINES)


def test_the_index_names_a_document_for_each_version_and_its_hash_is_of_what_it_holds():
    index = json.loads(asked("/openapi/v3").body)["paths"]
    assert {where(version) for version in VERSIONS} <= set(index)
    urls = {path: entry["serverRelativeURL"] for path, entry in index.items()}
    assert urls["apis/apps/v1"].startswith("/openapi/v3/apis/apps/v1?hash=")
    assert len({url.partition("=")[2] for url in urls.values()}) == len(urls)


@pytest.mark.parametrize("api_version", VERSIONS)
def test_each_pointer_leads_to_a_schema_and_each_operation_has_a_name_of_its_own(api_version):
    told = document(api_version)
    known = told["components"]["schemas"]
    assert set(schemas.pointers(told)) <= set(known)
    names = [one["operationId"] for path in told["paths"].values() for one in path.values() if isinstance(one, dict)]
    assert len(names) == len(set(names)) > 0


def test_what_can_be_done_is_what_discovery_tells():
    for words in LINES:
        (told,) = [r for r in discovery._resources(LINES, words[0]) if r["name"] == words[1]]
        paths = {
            path: of
            for path, of in document(words[0])["paths"].items()
            if path.removesuffix("/{name}").endswith("/" + words[1]) and "/watch/" not in path
        }
        verbs = {one["x-kubernetes-action"] for of in paths.values() for one in of.values() if isinstance(one, dict)}
        expected = {{"create": "post", "update": "put"}.get(verb, verb) for verb in told["verbs"]} - {"watch"}
        assert verbs == expected, words
        watched = [path for path in document(words[0])["paths"] if f"/watch/{words[1]}" in path]
        assert bool(watched) == ("watch" in told["verbs"] and "gateway" not in words[0] and "policy.n" not in words[0])


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


def test_every_type_is_described_in_the_words_in_which_kubernetes_publishes_it():
    theirs = published()
    for name, ours in openapi.page("/openapi/v2", LINES)["definitions"].items():
        if name.endswith(GIVEN_BY_HAND) or name not in theirs:
            assert name.endswith(GIVEN_BY_HAND) or "networking" in name
            continue
        assert ours.get("description") == theirs[name].get("description")
        assert ours.get("required") == theirs[name].get("required")
        for field, told in ours.get("properties", {}).items():
            said = theirs[name]["properties"][field]["description"] if "description" in told else ""
            assert told.get("description", "").startswith(said.rstrip()), (name, field)


def test_the_whole_api_in_one_document_has_every_path_and_type_of_the_many():
    whole = openapi.page("/openapi/v2", LINES)
    index = json.loads(asked("/openapi/v3").body)["paths"]
    many = [openapi.page(f"/openapi/v3/{path}", LINES) for path in index]
    assert set(whole["paths"]) == {path for one in many for path in one["paths"]}
    assert set(whole["definitions"]) == {name for one in many for name in one["components"]["schemas"]}
    points = {point for point in pointers(whole) if not point.startswith("#/parameters/")}
    assert points <= {f"#/definitions/{name}" for name in whole["definitions"]}
    assert set(pointers(whole)) - points == {f"#/parameters/{name}" for name in whole["parameters"]}


def pointers(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from pointers(item)
    elif isinstance(value, list):
        for item in value:
            yield from pointers(item)


def test_a_parameter_that_many_take_has_the_name_that_the_real_one_gives_it():
    names = openapi.page("/openapi/v2", LINES)["parameters"]
    assert {"pretty-tJGM1-ng", "namespace-vgWSWtn3", "body-78PwaGsr", "shardSelector-Kgyki_3_"} <= set(names)


def test_protobuf_says_what_json_says():
    told = asked("/openapi/v2", accept=openapi.OLD_PROTOBUF)
    assert dict(told.headers)["Content-Type"] == openapi.PROTOBUF
    whole = openapi.page("/openapi/v2", LINES)
    read = reading.document(told.body)
    assert read["paths"] == reading.without_zeros(whole["paths"])
    assert read["definitions"] == reading.without_zeros(whole["definitions"])
    assert read == reading.without_zeros(whole)


def test_who_has_it_already_is_told_so():
    first = asked("/openapi/v2")
    etag = dict(first.headers)["Etag"]
    again = asked("/openapi/v2", if_none_match=etag)
    assert (again.status, again.body) == (304, b"") and dict(again.headers)["Etag"] == etag
    assert asked("/openapi/v2", if_none_match='"another"').status == 200
    assert [value for name, value in first.headers if name == "Vary"] == ["Accept-Encoding", "Accept"]


def test_a_form_that_nobody_has_is_not_acceptable():
    assert asked("/openapi/v2", accept="application/yaml").status == 406
    assert asked("/openapi/v2", accept="text/plain, */*;q=0.1").status == 200
    assert asked("/openapi/v3/apis/apps/v1", accept="text/plain").status == 406


def test_who_knows_its_hash_may_keep_a_document_for_ever_and_who_knows_an_old_one_is_sent_on():
    url = json.loads(asked("/openapi/v3").body)["paths"]["apis/apps/v1"]["serverRelativeURL"]
    digest = url.partition("=")[2]
    kept = dict(asked("/openapi/v3/apis/apps/v1", {"hash": [digest]}).headers)
    assert kept["Cache-Control"] == "public, immutable" and kept["Etag"] == f'"{digest}"'
    moved = asked("/openapi/v3/apis/apps/v1", {"hash": ["OLD"]})
    assert (moved.status, dict(moved.headers)["Location"]) == (301, url)


@pytest.mark.parametrize("path", ["/openapi", "/openapi/v2/", "/openapi/v1", "/version"])
def test_where_no_openapi_is_there_is_none(path):
    assert asked(path) is None


def test_a_group_that_nobody_has_has_no_document():
    assert asked("/openapi/v3/apis/nobody/v1").status == 404
