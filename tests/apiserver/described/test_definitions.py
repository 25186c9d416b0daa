"""Kinds that somebody defines are published as a real API server has published them, and only as long as they live."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from kubemini.api.schema import described
from kubemini.apiserver.decide import discovery, openapi
from kubemini.apiserver.decide.openapi import gnostic, schemas
from tests.apiserver.customs.parts import Definer
from tests.apiserver.deeds.parts import outside
from tests.apiserver.described import reading
from tests.real.api.described import TOLERATED, digests, own_of

RECORDED = json.loads(gzip.decompress(Path(__file__).with_name("recorded.json.gz").read_bytes()))
LINES, OWN = own_of(RECORDED["crds"])
BROUGHT_ALONG = (  # in paths, and in names: kinds that are served without their definitions
    *("gateway.networking.k8s.io", "policy.networking.k8s.io"),
    *("io.k8s.networking.gateway", "io.k8s.networking.policy"),
)
ALL = (*discovery.lines(), *LINES)


@pytest.mark.parametrize("where", RECORDED["third"])
def test_openapi_3_tells_of_it_what_the_real_one_tells(where):
    ours, wanted = openapi.page(f"/openapi/v3/{where}", ALL, OWN), RECORDED["third"][where]
    assert (ours["info"], ours["paths"]) == (wanted["info"], wanted["paths"])
    known = ours["components"]["schemas"]
    assert {name: known[name] for name in wanted["components"]} == wanted["components"]


def test_openapi_2_tells_of_it_what_the_real_one_tells():
    ours = openapi.page("/openapi/v2", ALL, OWN)
    assert {path: ours["paths"][path] for path in RECORDED["paths"]} == RECORDED["paths"]
    assert {name: ours["definitions"][name] for name in RECORDED["definitions"]} == RECORDED["definitions"]


@pytest.mark.parametrize("name", RECORDED["definitions"])
def test_protobuf_reads_as_the_real_one_has_written_it(name):
    real = reading._read(base64.b64decode(RECORDED["protobuf"][name]), "Schema")
    ours = gnostic._message(openapi.page("/openapi/v2", ALL, OWN)["definitions"][name], "Schema")
    assert reading._read(ours, "Schema") == real


@pytest.mark.parametrize("path", RECORDED["paths"])
def test_a_path_in_protobuf_is_byte_for_byte_the_real_one(path):
    ours = gnostic._message(openapi.page("/openapi/v2", ALL, OWN)["paths"][path], "PathItem")
    assert ours == base64.b64decode(RECORDED["protobuf"][path])


@pytest.mark.parametrize("part", RECORDED["whole"])
def test_all_that_openapi_2_says_is_what_the_real_one_says(part):
    ours, wanted = digests(openapi.page("/openapi/v2", ALL, OWN)[part]), RECORDED["whole"][part]
    extra = {name for name in set(ours) - set(wanted) if any(group in name for group in BROUGHT_ALONG)}
    assert {name: ours[name] for name in set(ours) - extra} == {
        name: wanted[name] for name in wanted if name not in TOLERATED
    }


def test_a_delete_of_a_defined_kind_tells_of_the_groups_that_clients_know():
    told = openapi.page("/openapi/v3/apis/stable.example.com/v1", ALL, OWN)["components"]["schemas"]
    groups = {gvk["group"] for gvk in told["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"][described.GVK]}
    assert {"", "apps", "batch"} <= groups and not {"apiextensions.k8s.io", "admission.k8s.io"} & groups


def test_a_version_that_is_not_served_is_not_published():
    assert not [
        path
        for path in openapi.page("/openapi/v2", ALL, OWN)["paths"]
        if path.startswith("/apis/stable.example.com/v2/")
    ]


def own(schema):
    return (schemas.Described("x.example/v1", "X", "xs", "XList", json.dumps(schema)),)


def published(schema, plain=True):
    return schemas.of_defined(own({"type": "object", "properties": {"spec": schema}}), plain)["example.x.v1.X"][
        "properties"
    ]["spec"]


def test_a_list_of_what_may_be_null_says_nothing_in_openapi_2():
    assert published({"type": "array", "nullable": True, "items": {"type": "string"}}) == {}


def test_a_number_or_a_text_is_said_in_openapi_3_beside_what_else_must_be():
    both = [{"type": "integer"}, {"type": "string"}]
    said = {"x-kubernetes-int-or-string": True, "anyOf": [{"pattern": "^a"}, {"minLength": 2}]}
    assert published(said, plain=False)["allOf"] == [{"anyOf": both}]
    assert published({**said, "allOf": [{"anyOf": both}]}, plain=False)["allOf"] == [{"anyOf": both}]
    assert "anyOf" not in published(said)


def whole():
    answer = outside().ask("GET", "/openapi/v2")
    return dict(answer.headers)["Etag"], json.loads(answer.body)


def test_what_is_defined_is_published_and_gone_with_its_definition():
    etag, before = whole()
    one = Definer("rings").define("rings", "Ring", {"type": "object", "properties": {"spec": {"type": "string"}}})
    changed, there = whole()
    assert changed != etag
    new = set(there["definitions"]) - set(before["definitions"])
    assert new == {"com.example.rings.v1.Ring", "com.example.rings.v1.RingList"}
    assert one.code("/openapi/v3/apis/rings.example.com/v1") == 200
    one.ask("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{one.name}")
    one.wait()
    assert "com.example.rings.v1.Ring" not in whole()[1]["definitions"]
    assert one.code("/openapi/v3/apis/rings.example.com/v1") == 404


def test_who_does_not_ask_for_it_pays_nothing_even_where_kinds_are_defined():
    described._all.cache_clear()
    one = Definer("stones").define("stones", "Stone")
    assert one.make("a")[0] == 201 and one.code(one.path) == 200 and one.code("/apis") == 200
    assert described._all.cache_info().currsize == 0
    assert one.code("/openapi/v2") == 200 and described._all.cache_info().currsize == 1


def test_a_client_that_has_it_reads_nothing_over_the_wire():
    etag, _ = whole()
    again = outside().ask("GET", "/openapi/v2", if_none_match=etag)
    assert (again.status, again.body) == (304, b"")
