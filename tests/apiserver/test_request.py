"""URLs mean what they mean to the real API server, and lead back to themselves."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from kubemini.api import kinds
from kubemini.apiserver import served
from kubemini.apiserver.decide.request import RequestInfo, collection_path, object_path, parse, refused, truth

TABLE = json.loads((Path(__file__).parents[1] / "oracles/kubernetes/request_info.json").read_text())["vectors"]
NO_NAMESPACE = {"metav1.NamespaceAll": "", "metav1.NamespaceNone": ""}


def read(vector: dict) -> RequestInfo:
    url = urlsplit(vector["url"])
    return parse(vector.get("method", "GET"), url.path, parse_qs(url.query))


@pytest.mark.parametrize("vector", [v for v in TABLE if v["kind"] == "api"], ids=lambda v: f"{v['method']} {v['url']}")
def test_a_url_is_read_as_by_the_real_server(vector):
    found = read(vector)
    namespace = NO_NAMESPACE.get(vector["expectedNamespace"], vector["expectedNamespace"])
    assert (found.verb, found.group, found.version) == (
        vector["expectedVerb"],
        vector["expectedAPIGroup"],
        vector["expectedAPIVersion"],
    )
    assert found.prefix == vector["url"].split("/")[1]  # Kubernetes' own test does not compare its column for this
    assert (found.namespace, found.resource, found.subresource, found.name) == (
        namespace,
        vector["expectedResource"],
        vector["expectedSubresource"],
        vector["expectedName"],
    )
    assert list(found.parts) == vector["expectedParts"]


@pytest.mark.parametrize("vector", [v for v in TABLE if v["kind"] in ("error", "isResource")], ids=lambda v: v["name"])
def test_a_path_without_a_resource_is_no_resource_request(vector):
    assert read(vector).is_resource is vector.get("isResourceRequest", False)


@pytest.mark.parametrize("vector", [v for v in TABLE if v["kind"] == "selector"], ids=lambda v: v["name"])
def test_selectors_are_read_where_they_count(vector):
    found = read(vector)
    assert (found.verb, found.name) == (vector["expectedVerb"], vector.get("expectedName", ""))
    assert found.field_selector == vector["expectedFieldSelector"]
    assert found.label_selector == vector.get("expectedLabelSelector", "")


@pytest.mark.parametrize("kind", list(kinds.served().values()), ids=lambda kind: kind.kind)
def test_the_path_of_every_kind_leads_back_to_it(kind):
    obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "x", "namespace": "shop"}}
    one = parse("GET", object_path(obj))
    assert (one.kind, one.verb, one.name) == (kind, "get", "x")
    assert one.namespace == ("shop" if kind.namespaced else "x" if kind.kind == "Namespace" else "")
    assert parse("POST", collection_path(obj)).kind is kind
    assert parse("LIST", kind.path()).verb == "list" and parse("WATCH", kind.path()).verb == "watch"
    for subresource in served.of(kind).subresources:
        assert parse("PUT", object_path(obj, subresource)).subresource == subresource


def test_an_unknown_kind_or_subresource_has_no_kind():
    assert parse("GET", "/apis/apps/v1/deploymints").kind is None
    assert parse("GET", "/api/v1/namespaces/default/configmaps/x/scale").kind is None


def test_a_boolean_of_a_query_is_read_in_every_clients_spelling():
    assert all(map(truth, ("true", "True", "1", True, ["true"])))
    assert not any(map(truth, ("false", "False", "0", False, None)))


@pytest.mark.parametrize(("path", "taken"), [("pods/web/proxy", True), ("pods/web", False), ("pods/web/log", False)])
def test_any_method_is_passed_on_by_the_proxy_and_by_nothing_else(path, taken):
    info = parse("OPTIONS", f"/api/v1/namespaces/default/{path}")
    assert (refused(info) is None) is taken
