"""Custom resources: one derived file says their names and fields, and all that Kubernetes' own kinds can, they can."""

import json

import pytest

from kubemini.api import kinds
from kubemini.api.manifests import ManifestError, load
from kubemini.api.patch import published, typed
from kubemini.api.schema import custom
from kubemini.api.schema.decode import decode, read_json
from kubemini.apiserver import served
from kubemini.users.decide import apply
from tests.apiserver.parts import asked
from tests.oracles.kubernetes import customresources
from tests.worlds.kube import World

CRDS = [kind for name, kind in kinds.KNOWN.items() if custom.of(*name) is not None]


def test_the_file_is_as_it_was_derived_without_prose_and_rules():
    kept = json.loads(customresources.OUT.read_text(encoding="utf-8"))
    assert customresources.text(kept) == customresources.OUT.read_text(encoding="utf-8")
    assert customresources.stripped([entry["schema"] for entry in kept.values()]) == [
        entry["schema"] for entry in kept.values()
    ]


def test_a_crd_is_derived_with_its_names_and_the_version_that_was_asked_for(tmp_path):
    versions = [
        {
            "name": name,
            "subresources": {"status": {}, "scale": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "description": name, "properties": {"description": {}}}},
        }
        for name in ("v1", "v2")
    ]
    names = {"kind": "Toy", "plural": "toys", "shortNames": ["to", "t"]}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions}
    crd = json.dumps({"kind": "CustomResourceDefinition", "spec": spec})
    (tmp_path / "toys.yaml").write_text(f"---\n---\n{crd}\n", encoding="utf-8")
    assert customresources.derived(tmp_path, "v2", ["Toy"]) == {
        "example.com/v2,Toy": {
            "resource": "example.com/v2 toys Toy namespaced short=to,t sub=scale,status stored=example.com/toys",
            "rules": False,
            "schema": {"properties": {"description": {}}, "type": "object"},
        }
    }


@pytest.mark.parametrize("kind", CRDS, ids=lambda kind: kind.kind)
def test_every_custom_resource_is_served_with_the_subresources_and_defaults_of_its_crd(kind):
    (facts,) = [words[4:] for words in custom.resources() if (words[0], words[2]) == (kind.api_version, kind.kind)]
    said = dict(word.split("=") for word in facts)
    assert ",".join(sorted(served.of(kind).subresources)) == said.get("sub", "")
    assert "customresource" in served.of(kind).defaults.__module__


HINTS = [  # (manifest's kind, rest, what it says, hint)
    ("HTTPRoute", "spec: {rules: [{backendRefs: [{wieght: 1}]}]}", "spec.rules[0].backendRefs[0].wieght", "weight?"),
    ("HTTPRoute", "metadata: {name: r, labelz: {}}", 'unknown field "metadata.labelz"', "did you mean labels?"),
    ("HTTPRoute", "metadata: {name: r, labels: 5}", "ObjectMeta.labels", "expected a map"),
    ("ClusterNetworkPolicy", "spec: {subjekt: {}}", 'unknown field "spec.subjekt"', "did you mean subject?"),
]


@pytest.mark.parametrize("kind, rest, text, hint", HINTS)
def test_what_a_crd_does_not_know_is_told_with_what_was_meant(kind, rest, text, hint):
    version = kinds.by_name(kind).api_version
    with pytest.raises(ManifestError) as refused:
        load(f"apiVersion: {version}\nkind: {kind}\n{rest}\n")
    assert text in refused.value.text and hint in refused.value.hint


def test_a_field_that_stands_twice_is_told_at_every_depth():
    text = '{"metadata": {"name": "g", "name": "g"}, "spec": {"listeners": [{"port": 1, "port": 2}]}}'
    found = decode(read_json(text), kinds.GATEWAY.api_version, "Gateway")
    assert found.strict == ['duplicate field "spec.listeners[0].port"', 'duplicate field "metadata.name"']


def test_apply_owns_the_items_of_lists_as_the_crd_tells_them_apart():
    def owned(kind, spec):
        obj = {"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": spec}
        return set(typed.owned(obj, published.shape_of(kind.api_version, kind.kind)))

    listener = ("f:spec", "f:listeners", 'k:{"name":"web"}')
    paths = owned(kinds.GATEWAY, {"listeners": [{"name": "web", "port": 80}]})
    assert {(*listener, "f:port"), ("f:metadata", "f:labels", "f:a")} <= paths
    peer = {"to": [{"networks": ["10.0.0.0/8"]}]}
    assert ("f:spec", "f:egress") in owned(kinds.CLUSTER_NETWORK_POLICY, {"egress": [peer]})


@pytest.mark.parametrize("kind", CRDS, ids=lambda kind: kind.kind)
def test_a_custom_resource_is_patched_by_merge_and_never_strategically(kind):
    obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "x"}, "spec": {"a": []}}
    assert apply.patch_for(obj, {**obj, "spec": {"a": [1]}})[1] == "merge"
    world = World()
    path = kind.path("default", "x")
    code, text = asked(world, "PATCH", path, {"type": "strategic"}, {})
    assert code == 415 and text.endswith("application/merge-patch+json, application/apply-patch+yaml")
