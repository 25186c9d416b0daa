"""A manifest is read whole or not at all, and a bad one says where it is bad and what belongs there."""

import json
import subprocess
import sys

import pytest

from kubemini.api import kinds
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


def test_a_list_of_one_kind_and_json_between_lines_of_three_dashes_are_documents_too():
    web = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    text = json.dumps({"kind": "ConfigMapList", "apiVersion": "v1", "items": [web]})
    other = json.dumps({**web, "metadata": {"name": "b"}})
    assert [obj["metadata"]["name"] for obj in load(f"{text}\n---\n{other}")] == ["a", "b"]


def test_a_key_with_nothing_behind_it_is_absent():
    (found,) = load("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: }\ndata:\n")
    assert found == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


DEPLOYMENT = "document 2 (Deployment web)"
CANNOT = 'Deployment in version "v1" cannot be handled as a Deployment: '
WRONG = "json: cannot unmarshal {} into Go struct field {} of type {}"
IMAGE = "spec.template.spec.containers[0]"
BROKEN = [  # (what is there, what is written instead, what the error says after "shop.yaml, ", our hint)
    (
        "replicas: 3",
        "replicas: three",
        f"{DEPLOYMENT}, spec.replicas: {CANNOT}" + WRONG.format("string", "DeploymentSpec.spec.replicas", "int32"),
        'expected a whole number, found "three"',
    ),
    (
        "replicas: 3",
        "replicas: 2.5",
        f"{DEPLOYMENT}, spec.replicas: {CANNOT}" + WRONG.format("number 2.5", "DeploymentSpec.spec.replicas", "int32"),
        "expected a whole number, found 2.5",
    ),
    (
        "replicas: 3",
        "replcas: 3",
        f'{DEPLOYMENT}, spec.replcas: {CANNOT}strict decoding error: unknown field "spec.replcas"',
        "did you mean replicas?",
    ),
    (
        "image: shop/web:1.0",
        "imge: shop/web:1.0",
        f'{DEPLOYMENT}, {IMAGE}.imge: {CANNOT}strict decoding error: unknown field "{IMAGE}.imge"',
        "did you mean image?",
    ),
    (
        "cpu: 100m",
        "cpu: 100mm",
        f"{DEPLOYMENT}, {IMAGE}.resources.requests.cpu: {CANNOT}quantities must match the regular expression "
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        'expected a quantity such as 100m, 0.5, 64Mi or 1Gi, found "100mm"',
    ),
    (
        "kind: Service",
        "kind: Servcie",
        'document 3 (Servcie web): no matches for kind "Servcie" in version "v1"',
        "did you mean Service?",
    ),
    ("kind: Service\n", "", "document 3 (web), kind: missing", ""),
    (
        "apiVersion: apps/v1",
        "apiVersion: extensions/v1beta1",
        f'{DEPLOYMENT}: no matches for kind "Deployment" in version "extensions/v1beta1"',
        "Kubernetes 1.37 serves Deployment as apps/v1",
    ),
    (
        "selector: {app: web}",
        "selector: {app: 1.50}",
        'document 3 (Service web), spec.selector.app: Service in version "v1" cannot be handled as a Service: '
        + WRONG.format("number", "ServiceSpec.spec.selector", "string"),
        'put it in quotes: "1.50"',
    ),
    (
        "  name: settings\n",
        "",
        "document 4 (ConfigMap), metadata.name: resource name may not be empty",
        "expected a name such as web-1",
    ),
    (
        "  name: settings\n",
        "  generateName: settings-\n",
        "document 4 (ConfigMap), metadata.name: from settings-: cannot use generate name with apply",
        "expected a name such as web-1",
    ),
    (
        "colour: blue",
        "7: blue",
        "document 4 (ConfigMap settings), data: expected text as a key, found 7",
        'put it in quotes: "7"',
    ),
    (
        "colour: blue",
        "on: blue",
        "document 4 (ConfigMap settings), data: expected text as a key, found true",
        'put it in quotes: "on"',
    ),
    (
        "  colour: blue",
        "  - blue",
        'document 4 (ConfigMap settings), data: ConfigMap in version "v1" cannot be handled as a ConfigMap: '
        + WRONG.format("array", "ConfigMap.data", "map[string]string"),
        "expected a map from names to text, found a list of 1",
    ),
    (
        "  replicas: 3",
        "\treplicas: 3",
        "line 12, column 1: not YAML: found character '\\t' that cannot start any token, while scanning for "
        "the next token",
        "",
    ),
    (
        "replicas: 3",
        "replicas: 3\n  replicas: 4",
        "line 13, column 3: error converting YAML to JSON: yaml: unmarshal errors: line 13: "
        'key "replicas" already set in map',
        "",
    ),
]


@pytest.mark.parametrize("good, bad, message, hint", BROKEN, ids=[message[:60] for _, _, message, _ in BROKEN])
def test_a_bad_manifest_gets_the_servers_words_and_one_line_of_help(good, bad, message, hint):
    assert good in SHOP
    first, *more = why(SHOP.replace(good, bad, 1)).splitlines()
    assert first == f"shop.yaml, {message}" and more == ([f"  {hint}"] if hint else [])


@pytest.mark.parametrize("text", ["no", "0777", "10:30", "1_000", "1.50", "True"])
def test_a_hint_shows_what_was_written_not_what_yaml_made_of_it(text):
    found = why(SHOP.replace("image: shop/web:1.0", f"image: i\n          env: [{{name: A, value: {text}}}]"))
    kind = "bool" if text in ("no", "True") else "number"
    assert WRONG.format(kind, "EnvVar.spec.template.spec.containers.env.value", "string") in found
    assert found.endswith(f'\n  put it in quotes: "{text}"')


def test_all_that_is_not_simulated_is_named_at_once(monkeypatch):
    fewer = {at: kind for at, kind in kinds.served().items() if kind.group != "resource.k8s.io"}
    monkeypatch.setattr(kinds, "served", lambda: fewer)
    more = "---\napiVersion: {}\nkind: {}\nmetadata: {{name: x}}\n"
    text = (
        SHOP + more.format("resource.k8s.io/v1", "ResourceClaim") + more.format("resource.k8s.io/v1", "ResourceSlice")
    )
    first, hint = why(text).splitlines()
    assert first == "shop.yaml: not simulated here: ResourceClaim (document 5), ResourceSlice (document 6)"
    assert "ConfigMap, " in hint and "Deployment, " in hint


def test_an_unknown_field_is_told_with_all_its_fellows_in_the_order_of_their_names():
    text = SHOP.replace("replicas: 3", "zzz: 1\n  aaa: 2")
    assert 'strict decoding error: unknown field "spec.aaa", unknown field "spec.zzz"\n' in why(text)


def test_a_key_that_json_gives_twice_is_refused():
    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v", "k": "w"}}'
    assert why(text).endswith('strict decoding error: duplicate field "data.k"')


LADDER = "\n".join([f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'] * 9)}]" for n in range(9)])
MERGED = "a0: &a0 {k: v}\n" + "\n".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 23))
POD = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, resources: {limits: {cpu: AMOUNT}}}]}
"""


@pytest.mark.parametrize(
    "text, message",
    [
        (LADDER, "shop.yaml: document contains excessive aliasing"),
        (MERGED, "shop.yaml: document contains excessive aliasing"),
        ("a: &a [*a]", "shop.yaml: an anchor stands inside of what it names, without end"),
        ("[" * 900 + "]" * 900, "shop.yaml: is nested too deeply"),
        ("{a: " * 900 + "1" + "}" * 900, "shop.yaml: is nested too deeply"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "shop.yaml: is nested too deeply"),
        (POD.replace("AMOUNT", "9" * 5000), "shop.yaml: holds a number of thousands of digits"),
        ('{"apiVersion": "v1", "x": ' + "9" * 5000 + "}", "shop.yaml: holds a number of thousands of digits"),
        (
            POD.replace("AMOUNT", '"1e999999999"'),
            "shop.yaml, document 1 (Pod p), spec.containers[0].resources.limits.cpu: ",
        ),
        (POD.replace("AMOUNT", '"' + "9" * 5000 + '"'), "shop.yaml, document 1 (Pod p), spec.containers[0].resources"),
    ],
    ids=["aliases", "merge keys", "a ring", "lists", "maps", "JSON", "a number", "a JSON number", "a power", "digits"],
)
def test_a_text_that_would_take_for_ever_is_refused_at_once(text, message):
    found = why(text)
    assert found.startswith(message) and len(found) < 500


def test_a_template_is_to_be_rendered_first():
    assert "render it first" in why("{{ .Values.x }}")


def test_the_parts_of_the_error_can_be_asked_for():
    with pytest.raises(ManifestError) as caught:
        load(SHOP.replace("replicas: 3", "replicas: x"), "shop.yaml")
    error = caught.value
    assert (error.file, error.document, error.field) == ("shop.yaml", 2, "spec.replicas")
    assert error.hint == 'expected a whole number, found "x"' and error.hint not in error.text


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "shop.yaml: holds no manifest"),
        ("# nothing\n---\n", "shop.yaml: holds no manifest"),
        ("hello", 'shop.yaml, document 1: expected a map with apiVersion, kind and metadata, found "hello"'),
        ("- a", "shop.yaml, document 1: expected a map with apiVersion, kind and metadata, found a list of 1"),
        ("a: b: c", "shop.yaml, line 1, column 5: not YAML"),
        ('{"kind": }', "shop.yaml, line 1, column 10: not JSON"),
        ("!!python/object/apply:os.getcwd []", "shop.yaml, line 1, column 1: not YAML"),
        ("a: \x07", "shop.yaml: not YAML"),
        ("a: !!timestamp soon", "shop.yaml: holds what no manifest can hold"),
        ("a: !!bool maybe", "shop.yaml: holds what no manifest can hold"),
        ("a: !!int three", "shop.yaml: holds what no manifest can hold"),
        ("a: !!set {b}", "shop.yaml: holds what no manifest can hold"),
    ],
)
def test_a_text_that_holds_no_manifest_says_so(text, message):
    assert why(text).startswith(message)


def test_the_same_name_twice_is_refused():
    assert why(SHOP + "---\n" + SHOP).startswith(
        "shop.yaml, document 5 (Namespace shop), metadata.name: document 1 has this name already"
    )
