"""Questions that a real API server has answered: ``python -m tests.oracles.kubernetes.answers URL TOKEN`` records them.

With ``--seed N`` it asks a real server and ours other questions about rights, and says where they differ.

bodies.json: what the server says of bodies that are odd or wrong; messages.json: objects in JSON and the very
same in protobuf, as it wrote them; rights.json: what its authorizers say to reviews, with the roles that it had then.
The server is fresh, with RBAC and Node; only what cannot be the same twice is left out of an answer.
"""

import base64
import json
import random
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
JSON, YAML, APPLY = "application/json", "application/yaml", "application/apply-patch+yaml"
MERGE, PROTOBUF = "application/merge-patch+json", "application/vnd.kubernetes.protobuf"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Real:
    """A real API server."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.context = ssl._create_unverified_context()

    def ask(self, method, target, body=b"", **headers):
        """Status, headers, body."""
        said = {"Authorization": f"Bearer {self.token}", "User-Agent": "answers/1", **headers}
        request = urllib.request.Request(self.url + target, method=method, data=body or None, headers=said)
        try:
            answer = urllib.request.urlopen(request, context=self.context)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        return answer.status, answer.headers.items(), answer.read()


# -- bodies ------------------------------------------------------------------------------------------------------------

YAMLS = """metadata: {name: y1}\ndata:\n  k: a\n  k: b\n|a: [|metadata:\n  name: x\n y: 1\n|metadata: {name: 5}\n|
metadata: {name: y1}\n---\nmetadata: {name: y2}\n|metadata: {name: y1}\ndata: {a: 2020-01-01, b: yes, c: "1", d: ~}\n|
- a\n|*x\n|a: b: c\n|\ta: 1\n||metadata:\n  name: "x\n|metadata:\n  - a\n  b\n|{a: 1, b\n|a: &x 1\nb: *y\n|a: "\\q"\n|
? a\n: b\n|a: @x\n|a:\n- b\nc\n|[a, b\n|%YAML 9\n|a: !!foo b\n|metadata: {name: y1, labels: {a: 1}}\n|1: 2\n|
- - a\n - b\n|a: b\n  c: d\n|"a\n|{a: [}\n|metadata:\n  name: m\n  name: n\ndata: {a: b}\n|# only\n|null\n|"text"\n|
metadata: {name: y1}\ndata: {a: 1e3}\n|metadata: {name: y1}\ndata: {a: "1e3", b: 'n'}\n""".replace("|\n", "|").split(
    "|"
)
JSONS = """{"metadata":{"name":"a"},"data":{"k":"v","k":"w"},"data":{"k":"u"},"kind":"ConfigMap","kind":"ConfigMap"}
{"metadata":{"name":"a"},"zz":{"b":1,"b":2},"Data":{"x":"y"}}|{|nonsense|[]|"x"|{"a":1,}|{"a" 1}|{"a":1 "b":2}|[1 2]
tru|nul|-|1.|1e|01|{"a":"\\q"}|{"a":"\\u12"}|{"a":"\x01"}|{} x|NaN|{"a":Infinity}|{a:1}|{'a':1}|{"a":1}}
{"apiVersion":5}|{"kind":true}|{"metadata":null,"data":null}|{"metadata":{"name":"a","labels":null},"data":{"a":null}}
{"metadata":{"name":"a"},"immutable":"x","data":{"a":1}}|{"metadata":{"name":"a","creationTimestamp":"x"}}|true|5
{"metadata":{"name":"a","generation":1.5}}|{"metadata":{"name":"a","generation":99999999999999999999}}|{"metadata":[]}
{"metadata":{"name":"a","name":"b"},"zz":1,"zz":2}|{"metadata":{"annotations":{"a":5}}}|\ufeff{}|é|\\
{"metadata":{"ownerReferences":{}}}|{"metadata":{"name":"a","finalizers":[5]}}|{"metadata":{"name":"a"},"kind":"Pod"}
{"metadata":{"name":"a"},"binaryData":{"a":"*"}}|{"metadata":{"name":"a"},"binaryData":{"a":"YQ"}}""".replace(
    "\n", "|"
).split("|")
ACCEPTS = """text/html|application/*|*/*|application/yaml|application/json;q=0.1, application/yaml|text/html, */*;q=0.1
application/json;as=Table;v=v1;g=meta.k8s.io|application/json;as=Table;v=v2;g=meta.k8s.io|application/json;as=x
application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io|application/json;stream=watch|application/json;stream=x
application/json;as=Table;v=v1;g=meta.k8s.io, application/json|application/xml, application/json|application|a/b/c
application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io|application/json;as=Table;v=v1;g=x, application/yaml
application/json;sv=v1|application/json;q=x|,|application/json;profile=x""".replace("\n", "|").split("|")


def bodies():
    """(method, target, content type, Accept, body) of every question."""
    for query in ("", "&fieldValidation=Strict", "&fieldValidation=Ignore"):
        for type, texts in ((YAML, YAMLS), (JSON, JSONS)):
            yield from (("POST", f"{CONFIG_MAPS}?dryRun=All{query}", type, JSON, text) for text in texts)
    yield from (("PATCH", f"{CONFIG_MAPS}/q?fieldManager=m&dryRun=All", APPLY, JSON, text) for text in YAMLS)
    yield from (("PATCH", f"{CONFIG_MAPS}/q", MERGE, JSON, text) for text in ("{", "nonsense", "1e", "{a:1}", ""))
    yield from (("DELETE", f"{CONFIG_MAPS}/q", type, JSON, text) for type in (JSON, YAML) for text in JSONS[:30])
    types = ("text/plain", "application/json; charset=utf-8", "x", "APPLICATION/JSON", MERGE, PROTOBUF)
    yield from (("POST", f"{CONFIG_MAPS}?dryRun=All", type, JSON, '{"metadata":{"name":"a"}}') for type in types)
    yield from (("PATCH", f"{CONFIG_MAPS}/q", type, JSON, "{}") for type in types)
    yield from (("GET", f"{CONFIG_MAPS}/q", "", accept, "") for accept in ACCEPTS)
    yield from (("GET", "/api/v1/namespaces/default", "", accept, "") for accept in ACCEPTS)
    yield from (("GET", "/api/v1/nodes?watch=1&timeoutSeconds=1", "", accept, "") for accept in ACCEPTS)


def told(status, headers, body):
    """What of an answer is always the same: status, content type, warnings, and the message of a refusal."""
    pairs = [(name.lower(), value) for name, value in headers]
    type = next((value for name, value in pairs if name == "content-type"), "")
    warnings = [value for name, value in pairs if name == "warning"]
    if status < 400:
        return [status, type, warnings, ""]
    try:
        message = json.loads(body).get("message", "")
    except ValueError:
        message = body.decode("utf-8", "replace")
    return [status, type, warnings, message]


def asked(ask, question):
    """What is told of the answer to one question."""
    method, target, type, accept, body = question
    headers = {"Accept": accept, **({"Content-Type": type} if type else {})}
    return told(*ask(method, target, body.encode(), **headers))


# -- objects in two forms ----------------------------------------------------------------------------------------------

POD = {
    "metadata": {"name": "p", "labels": {"b": "2", "a": "1"}, "annotations": {"x": "ü"}, "finalizers": ["x.io/y"]},
    "spec": {
        "nodeName": "n1",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "c",
                "image": "img:1",
                "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"port": "web", "path": "/"}, "periodSeconds": 3},
                "readinessProbe": {"tcpSocket": {"port": 80}},
                "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                "securityContext": {"runAsUser": 0, "privileged": False},
                "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True}],
            }
        ],
        "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}, {"name": "s", "secret": {"secretName": "s"}}],
        "tolerations": [{"key": "k", "operator": "Exists", "tolerationSeconds": 0, "effect": "NoExecute"}],
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 2.5}},
        "list": {"type": "array", "items": {"type": "string", "enum": ["a", "b"], "default": "a"}},
        "any": {"x-kubernetes-preserve-unknown-fields": True},
    },
}
CRD = {
    "metadata": {"name": "toys.x.io"},
    "spec": {
        "group": "x.io",
        "scope": "Namespaced",
        "names": {"plural": "toys", "kind": "Toy"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}],
    },
}
MADE = [  # path of the collection, object
    ("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}),
    ("/api/v1/namespaces/default/pods", POD),
    ("/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}, "data": {"k": "AAH/"}, "type": "x"}),
    (CONFIG_MAPS, {"metadata": {"name": "c"}, "data": {"b": "", "a": "1"}, "binaryData": {"z": "AA=="}}),
    ("/api/v1/nodes", {"metadata": {"name": "n1"}, "status": {"capacity": {"cpu": "4", "memory": "8Gi"}}}),
    ("/api/v1/namespaces/default/events", {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}),
    (
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
        {"metadata": {"name": "l"}, "spec": {"renewTime": "2026-01-02T03:04:05.000006Z", "leaseTransitions": 0}},
    ),
    (
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        {
            "metadata": {"name": "s"},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}],
            "ports": [{"port": 0, "name": ""}],
        },
    ),
    ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD),
    (
        "/apis/apps/v1/namespaces/default/controllerrevisions",
        {"metadata": {"name": "r"}, "revision": 0, "data": {"a": [1, {"b": None}]}},
    ),
]
LISTS = ["/api/v1/namespaces", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"]


def packed(value):
    """*value* as Go would write it: what is kept as it came then looks the same."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def messages(real):
    """(JSON, the same in protobuf) of objects and lists; who waits for a path to be served asks again."""
    for path, obj in MADE:
        status, _, body = real.ask("POST", path, packed(obj), **{"Content-Type": JSON})
        assert status in (201, 409), body
    for path in [f"{path}/{obj['metadata']['name']}" for path, obj in MADE] + LISTS:
        plain = real.ask("GET", path, Accept=JSON)[2]
        written = real.ask("GET", path, Accept=PROTOBUF)[2]
        yield json.loads(plain), base64.b64encode(written).decode()


# -- rights ------------------------------------------------------------------------------------------------------------


def words(text):
    """The words of *text*."""
    return text.split()


USERS = [
    ("u1", []),
    ("u2", ["g1"]),
    ("u3", ["g1", "system:authenticated"]),
    ("system:serviceaccount:shop:sa1", ["system:serviceaccounts", "system:authenticated"]),
    ("system:serviceaccount:bank:sa2", ["system:serviceaccounts", "system:authenticated"]),
    ("system:kube-scheduler", []),
    ("system:node:n1", ["system:nodes", "system:authenticated"]),
    ("system:node:n1", []),
    ("system:node:", ["system:nodes"]),
    ("system:anonymous", ["system:unauthenticated"]),
    ("x", ["system:masters"]),
]
SUBJECTS = [
    {"kind": "User", "name": "u1"},
    {"kind": "Group", "name": "g1"},
    {"kind": "ServiceAccount", "name": "sa1", "namespace": "shop"},
    {"kind": "ServiceAccount", "name": "sa2", "namespace": "bank"},
]
VERBS = words("get list watch create update patch delete deletecollection bind escalate impersonate *")
GROUPS = ["", "apps", "batch", "rbac.authorization.k8s.io", "coordination.k8s.io", "storage.k8s.io", "resource.k8s.io"]
RESOURCES = words(
    """pods secrets configmaps deployments nodes leases csinodes serviceaccounts persistentvolumes services events
    persistentvolumeclaims volumeattachments namespaces roles jobs resourceslices resourceclaims"""
)
PATHS = ("/metrics", "/logs/x", "/healthz", "/api/v1", "/apis/apps", "/version", "/readyz", "/openapi/v2", "/")
SPACES = ["shop", "bank", "kube-system", "default", "kube-node-lease"]


def rules(chance):
    """One or two rules by chance."""
    for _ in range(chance.randint(1, 2)):
        verbs = chance.sample(VERBS, chance.randint(1, 3))
        if chance.random() < 0.2:
            yield {"nonResourceURLs": chance.sample(["/metrics", "/logs/*", "*", "/api/*"], 2), "verbs": ["get"]}
            continue
        what = chance.sample(["pods", "pods/log", "*/status", "secrets", "*", "jobs", "deployments/scale"], 2)
        rule = {"apiGroups": chance.sample(["", "apps", "batch", "*"], 2), "resources": what, "verbs": verbs}
        yield rule | ({"resourceNames": ["a", "web-1"]} if chance.random() < 0.3 else {})


def granted(chance):
    """(path, object) of roles and bindings; one binding leads to a role that is not there."""
    for number in range(8):
        yield f"{RBAC}/clusterroles", {"metadata": {"name": f"cr{number}"}, "rules": [*rules(chance)]}
    for number in range(4):
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"cr{chance.randint(0, 8)}"}
        subjects = chance.sample(SUBJECTS, 2)
        yield f"{RBAC}/clusterrolebindings", {"metadata": {"name": f"b{number}"}, "roleRef": ref, "subjects": subjects}
        for space in ("shop", "bank"):
            bound = {**ref, "name": f"cr{chance.randint(0, 7)}"}
            made = {"metadata": {"name": f"b{number}"}, "roleRef": bound, "subjects": chance.sample(SUBJECTS, 1)}
            yield f"{RBAC}/namespaces/{space}/rolebindings", made


def questions(chance, count):
    """Reviews by chance."""
    for _ in range(count):
        user, groups = chance.choice(USERS)
        spec = {"user": user, "groups": groups}
        if chance.random() < 0.1:
            yield {
                **spec,
                "nonResourceAttributes": {"path": chance.choice(PATHS), "verb": chance.choice(["get", "post"])},
            }
            continue
        what = {"verb": chance.choice(VERBS), "group": chance.choice(GROUPS), "resource": chance.choice(RESOURCES)}
        what |= {"group": ""} if chance.random() < 0.5 else {}
        what |= {"namespace": chance.choice(SPACES)} if chance.random() < 0.6 else {}
        what |= {"name": chance.choice(["a", "web-1", "n1"])} if chance.random() < 0.4 else {}
        what |= {"subresource": chance.choice(["log", "status", "scale", "token"])} if chance.random() < 0.25 else {}
        yield {**spec, "resourceAttributes": what}


def rights(ask, count=400, seed=7):
    """(review, its status) of each question, after the roles have been written."""
    chance = random.Random(seed)
    for space in ("shop", "bank"):
        ask("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": space}}).encode(), **{"Content-Type": JSON})
    for path, obj in granted(chance):
        status, _, body = ask("POST", path, json.dumps(obj).encode(), **{"Content-Type": JSON})
        assert status in (201, 409), body
    yield from ((spec, reviewed(ask, spec)) for spec in questions(chance, count))


def reviewed(ask, spec):
    """The status of a review; several roles that are missing come in any order."""
    body = json.dumps({"spec": spec}).encode()
    found = json.loads(ask("POST", REVIEWS, body, **{"Content-Type": JSON})[2])["status"]
    if found["allowed"]:
        return {"allowed": True}  # by which binding, is chance where there are several
    return found if ", clusterrole" not in found.get("reason", "") else {"allowed": False, "reason": "several"}


def differing(url, token, seed, count=1000):
    """(review, what the real authorizers say, what ours say) of all that differ, to questions that *seed* makes up."""
    from tests.apiserver.outside.asking import Outside  # which a recorder does not need

    ours, real = Outside(), Real(url, token)

    def ask(method, target, body, **headers):
        found = ours.parts(method, target, body, **headers)
        if target != REVIEWS:
            ours.inside.sleep(0.1)
        return found

    pairs = zip(rights(real.ask, count, seed), rights(ask, count, seed))
    return [(spec, theirs, mine) for (spec, theirs), (_, mine) in pairs if theirs != mine]


def main(url, token, *seed):
    """Record all three, or compare with another seed; the exit status."""
    if seed:
        found = differing(url, token, int(seed[-1]))
        print(*found, f"{len(found)} differ", sep="\n")
        return int(bool(found))
    real = Real(url, token)
    _write("bodies", [[*question, asked(real.ask, question)] for question in bodies()])
    _write("messages", [*messages(real)])
    _write("rights", [*rights(real.ask)])
    return 0


def _write(name, rows):
    text = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    (HERE / f"{name}.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")
    print(name, len(rows))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
