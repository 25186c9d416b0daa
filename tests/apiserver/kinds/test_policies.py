"""What a kube-apiserver 1.37.2 said to 116 bodies of policies, and what we say: the same words, the same defaults.

Recorded on the released programs (oracles/kubernetes/policies.json), with the definition of ClusterNetworkPolicy that
network-policy-api v0.3.0 publishes in its experimental channel.
"""

import json
from pathlib import Path

import pytest

from kubemini.api import kinds
from kubemini.api.errors import ApiError
from kubemini.apiserver.decide import strategy, update
from kubemini.apiserver.decide.options import Options

ROWS = json.loads((Path(__file__).parents[2] / "oracles/kubernetes/policies.json").read_text(encoding="utf-8"))
SIMPLIFIED = {  # what our docstrings say is told otherwise
    "spec.priority in body must be of type integer": "a wrong type is told as in Kubernetes' own kinds",
    "RFC 5952 canonical format": "no warnings",
}


def answer(row):
    """(code, message, warnings, spec) of a creation."""
    kind, told = kinds.by_kind(row["kind"]), []
    found = update.Write(kind, None, Options(), "admin", 0, None, told).decoded(row["body"])
    if isinstance(found, ApiError):
        return found.code, found.message, told, None
    obj = strategy.for_create(strategy.default(update.named(kind, found, row["namespace"])))
    wrong = strategy.validate(obj)
    if wrong:
        return wrong.code, wrong.message, told, None
    assert obj["metadata"]["generation"] == row["generation"]
    return 201, None, told, obj["spec"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']}-{row['code']}-{row.get('message', '')[-60:]}")
def test_a_body_gets_the_answer_that_the_real_server_gave(row):
    said = row["code"], row.get("message"), row.get("warnings", []), row.get("spec")
    simplified = any(text in json.dumps(row) for text in SIMPLIFIED)
    assert (answer(row) == said) != simplified, answer(row)
