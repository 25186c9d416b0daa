"""What a kube-apiserver 1.37.2 with the CRDs of Gateway API 1.5.1 said to 203 bodies of POST requests, and what we say.

Kinds: Ingress, IngressClass; GatewayClass, Gateway, HTTPRoute, GRPCRoute, TLSRoute, ReferenceGrant,
BackendTLSPolicy.
"""

import json
import re
from pathlib import Path

import pytest

from kubemini.api import kinds
from kubemini.apiserver import served
from tests.apiserver.kinds.test_recorded import answer, created

FILE = Path(__file__).parents[2] / "oracles/kubernetes/routing_creations.json"
ROWS = json.loads(FILE.read_text(encoding="utf-8"))
WARNED = "is deprecated"  # our docstring says: a deprecated annotation is not warned of


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']}-{row['code']}-{row.get('message', '')[-40:]}")
def test_a_body_gets_the_answer_that_the_real_server_gave(row):
    code, message, told = answer(row)
    warned = [text for text in row.get("warnings", ()) if WARNED not in text]
    assert (code, complaints(message), told) == (row["code"], complaints(row.get("message")), warned)


def complaints(message):
    """One by one: in a custom resource their order changes from run to run (the real server walks a map of Go)."""
    return sorted(re.split(r", (?=spec\.|<nil>)|: \[|\]$", message or ""))


STORED = [row for row in ROWS if "stored" in row]


@pytest.mark.parametrize("row", STORED, ids=lambda row: json.dumps(row["body"].get("spec"))[:60])
def test_what_is_stored_has_the_defaults_of_the_real_one(row):
    assert created(row)[1].get("spec") == row["stored"].get("spec")


def test_a_class_keeps_its_controller():
    for kind, field in ((kinds.INGRESS_CLASS, "controller"), (kinds.GATEWAY_CLASS, "controllerName")):
        old, new = ({"spec": {field: f"example.com/{name}"}} for name in ("one", "two"))
        assert list(served.of(kind).changes(old, old)) == []
        (wrong,) = served.of(kind).changes(new, old)
        assert wrong.field == f"spec.{field}" and "immutable" in wrong.text
