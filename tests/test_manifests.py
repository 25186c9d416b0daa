"""A manifest is read whole or not at all, and a bad one says where it is bad and what belongs there."""

import json
import subprocess
import sys

import pytest

from kubemini.api.manifests import ManifestError, as_json, load
from kubemini.api.objects import FrozenDict

SHOP = """\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: shop/web:1.0
          ports:
            - containerPort: 8080
          resources:
            requests: {cpu: 100m, memory: 64Mi}
          readinessProbe:
            httpGet: {path: /, port: 8080}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  selector: {app: web}
  ports:
    - port: 80
      targetPort: 8080
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations: {since: 2026-11-24}
data:
  colour: blue
"""


def why(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        load(text, "shop.yaml")
    return str(caught.value)


def test_a_file_of_several_documents_gives_its_objects_in_order():
    objects = load(SHOP, "shop.yaml")
    assert [obj["kind"] for obj in objects] == ["Namespace", "Deployment", "Service", "ConfigMap"]
    assert objects[1]["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/web:1.0"
    assert all(isinstance(obj, FrozenDict) for obj in objects)


def test_a_date_stays_the_text_that_was_written():
    assert load(SHOP)[3]["metadata"]["annotations"]["since"] == "2026-11-24"


def test_json_text_is_read_too_and_needs_no_yaml_package():
    assert load(as_json(load(SHOP))) == load(SHOP)
    program = (
        "import sys; sys.modules['yaml'] = None\n"
        "from kubemini.api.manifests import load, ManifestError\n"
        "print(load(sys.argv[1])[0]['metadata']['name'])\n"
        "try: load('kind: Pod')\n"
        "except ManifestError as error: print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, as_json(load(SHOP))], capture_output=True, text=True, check=True
    )
    name, error = ran.stdout.splitlines()
    assert name == "shop" and "needs PyYAML" in error and "JSON" in error


def test_the_items_of_a_list_are_documents():
    text = json.dumps({"kind": "List", "apiVersion": "v1", "items": load(SHOP)})
    assert load(text) == load(SHOP)


def test_a_key_with_nothing_behind_it_is_absent():
    (found,) = load("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: }\ndata:\n")
    assert found == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


BROKEN = [  # (what is there, what is written instead, what the error says after "shop.yaml, ")
    (
        "replicas: 3",
        "replicas: three",
        "document 2 (Deployment web), spec.replicas: expected a whole number, 0 or more",
    ),
    ("replicas: 3", "replicas: -1", "document 2 (Deployment web), spec.replicas: expected a whole number, 0 or more"),
    ("replicas: 3", "replicas: true", "document 2 (Deployment web), spec.replicas: expected a whole number, 0 or more"),
    ("replicas: 3", "replcas: 3", "document 2 (Deployment web), spec.replcas: unknown field; did you mean replicas?"),
    ("kind: Service", "kind: Servcie", 'document 3 (Servcie web), kind: unknown kind "Servcie"; did you mean Service?'),
    (
        "kind: Service",
        "kind: StatefulSet",
        'document 3 (StatefulSet web), kind: unknown kind "StatefulSet"; known here: Deployment, ReplicaSet, Pod,',
    ),
    ("kind: Service\n", "", "document 3 (web), kind: missing; expected one of Deployment,"),
    (
        "apiVersion: apps/v1",
        "apiVersion: extensions/v1beta1",
        'document 2 (Deployment web), apiVersion: expected apps/v1 for a Deployment, found "extensions/v1beta1"',
    ),
    (
        "cpu: 100m",
        "cpu: 100mm",
        "document 2 (Deployment web), spec.template.spec.containers[0].resources.requests.cpu: expected a quantity "
        'such as 100m, 0.5, 64Mi or 1Gi, found "100mm"',
    ),
    (
        "image: shop/web:1.0",
        "imagePullPolicy: Always",
        "document 2 (Deployment web), spec.template.spec.containers[0].image: missing; expected text",
    ),
    ("port: 80\n", "port: 80000\n", "document 3 (Service web), spec.ports[0].port: expected a port number from 1 to"),
    (
        "matchLabels: {app: web}",
        "matchLabels: {app: wob}",
        "document 2 (Deployment web), spec.template.metadata.labels: "
        "expected labels that spec.selector picks (app=wob)",
    ),
    (
        "selector: {app: web}",
        "selector: {app: 1.5}",
        "document 3 (Service web), spec.selector.app: expected a label value: at most 63 letters, digits, '-', '_' and "
        "'.', found 1.5; put it in quotes: \"1.5\"",
    ),
    ("  name: settings\n", "  name: Settings\n", "document 4 (ConfigMap Settings), metadata.name: expected a name of"),
    ("  name: settings\n", "", "document 4 (ConfigMap), metadata.name: missing; expected a name of"),
    (
        "colour: blue",
        "colour: 7",
        "document 4 (ConfigMap settings), data.colour: expected text, found 7; put it in quo",
    ),
    ("colour: blue", "7: blue", "document 4 (ConfigMap settings), data: expected text as a key, found 7"),
    ("  colour: blue", "  - blue", "document 4 (ConfigMap settings), data: expected a map from names to text, found a"),
    ("  replicas: 3", "\treplicas: 3", "line 12, column 1: not YAML: found character '\\t'"),
    ("replicas: 3", "replicas: 3\n  replicas: 4", 'line 13, column 3: not YAML: key "replicas" is given twice'),
]


@pytest.mark.parametrize("good, bad, message", BROKEN, ids=[message[:60] for _, _, message in BROKEN])
def test_a_bad_manifest_gets_one_error_that_says_where_and_what_was_expected(good, bad, message):
    assert good in SHOP
    found = why(SHOP.replace(good, bad, 1))
    assert found.startswith(f"shop.yaml, {message}") and "\n" not in found


def test_the_parts_of_the_error_can_be_asked_for():
    with pytest.raises(ManifestError) as caught:
        load(SHOP.replace("replicas: 3", "replicas: x"), "shop.yaml")
    error = caught.value
    assert (error.file, error.document, error.field) == ("shop.yaml", 2, "spec.replicas")


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "shop.yaml: holds no manifest"),
        ("# nothing\n---\n", "shop.yaml: holds no manifest"),
        ("hello", 'shop.yaml, document 1: expected a map with apiVersion, kind and metadata, found "hello"'),
        ("- a", "shop.yaml, document 1: expected a map with apiVersion, kind and metadata, found a list of 1"),
        ("a: &a [*a]", "shop.yaml: holds what no manifest can hold"),
        ("a: b: c", "shop.yaml, line 1, column 5: not YAML"),
        ('{"kind": }', "shop.yaml, line 1, column 10: not JSON"),
        ("!!python/object/apply:os.getcwd []", "shop.yaml, line 1, column 1: not YAML"),
        ("a: \x07", "shop.yaml: not YAML"),
    ],
)
def test_a_text_that_holds_no_manifest_says_so(text, message):
    assert why(text).startswith(message)


def test_the_same_name_twice_is_refused():
    assert why(SHOP + "---\n" + SHOP).startswith(
        "shop.yaml, document 5 (Namespace shop), metadata.name: document 1 has this name already"
    )


@pytest.mark.parametrize(
    "ports, message",
    [
        ("[]", "spec.ports: missing; expected at least one port"),
        ("[{port: 80}, {port: 81}]", "spec.ports[0].name: missing; of several ports each needs a name"),
        ("[{name: a, port: 80}, {name: a, port: 81}]", 'spec.ports[1].name: expected another name: "a" is taken'),
    ],
)
def test_the_ports_of_a_service_must_be_told_apart(ports, message):
    text = f"apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{ports: {ports}}}\n"
    assert why(text) == f"shop.yaml, document 1 (Service web), {message}"
