"""What a kube-apiserver 1.37.2 said to 116 bodies of policies, and what we say: the same words, the same defaults.

Recorded on the released programs (oracles/kubernetes/policies.json), with the definition of ClusterNetworkPolicy that
network-policy-api v0.3.0 publishes in its experimental channel.
"""

import json
from pathlib import Path

import pytest

from tests.apiserver.kinds.test_recorded import created

ROWS = json.loads((Path(__file__).parents[2] / "oracles/kubernetes/policies.json").read_text(encoding="utf-8"))
SIMPLIFIED = {  # what our docstrings say is told otherwise
    "RFC 5952 canonical format": "no warnings",
}


def answer(row):
    """(code, message, warnings, spec) of a creation."""
    wrong, obj, told = created(row)
    if wrong:
        return wrong.code, wrong.message, told, None
    assert obj["metadata"]["generation"] == row["generation"]
    return 201, None, told, obj["spec"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']}-{row['code']}-{row.get('message', '')[-60:]}")
def test_a_body_gets_the_answer_that_the_real_server_gave(row):
    said = row["code"], row.get("message"), row.get("warnings", []), row.get("spec")
    simplified = any(text in json.dumps(row) for text in SIMPLIFIED)
    assert (answer(row) == said) != simplified, answer(row)
