"""What is asked while the log is written, and the policies that it is written by. Steps are as in recorded sessions."""

SPACE = "/api/v1/namespaces/aud"
MAPS, PODS = f"{SPACE}/configmaps", f"{SPACE}/pods"
LABELS = {"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/audit": "restricted"}
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
POD = {"serviceAccountName": "sa", "containers": [{"name": "c", "image": "i"}]}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
LEASE = {"spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}


def post(path, body, **more):
    return {"method": "POST", "path": path, "body": body, **more}


def patch(path, body, type, **more):
    return {"method": "PATCH", "path": path, "body": body, "headers": {"Content-Type": type}, **more}


def get(path, **more):
    return {"path": path, **more}


def delete(path, **more):
    return {"method": "DELETE", "path": path, **more}


REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
HEAD = {"apiVersion": "admissionregistration.k8s.io/v1"}
POLICY = {
    "failurePolicy": "Fail",
    "validations": [
        {"expression": "object.metadata.name != 'audited'", "message": "a < b & c"},
        {"expression": "!has(object.data)"},
    ],
    "auditAnnotations": [
        {"key": "name", "valueExpression": "'it is ' + object.metadata.name"},
        {"key": "none", "valueExpression": "null"},
    ],
}


def policy_of(name, resource, *actions):
    """A policy and its binding, and time to hear of them."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}
    spec = {**POLICY, "matchConstraints": {"resourceRules": [rule]}}
    policy = {**HEAD, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}
    bound = {"policyName": name, "validationActions": list(actions)}
    binding = {**HEAD, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": bound}
    return [
        post(f"{REGISTRATION}/validatingadmissionpolicies", policy),
        post(f"{REGISTRATION}/validatingadmissionpolicybindings", binding),
        {"sleep": 3},
    ]


STEPS = [
    get("/version", **{"as": "none"}),
    get("/healthz", **{"as": "none"}),
    get("/nope"),
    get("/api"),
    post("/api/v1/namespaces", {"metadata": {"name": "aud", "labels": LABELS}}),
    post(MAPS, {"metadata": {"generateName": "g-"}, "data": {"a": "b"}}),
    post(f"{MAPS}?dryRun=All", {"metadata": {"name": "dry"}}),
    post(
        MAPS,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "aud"}, "data": {"a": "b"}},
    ),
    post(MAPS, {"metadata": {"name": "c"}}),
    {"method": "PUT", "path": f"{MAPS}/c", "body": {"metadata": {"name": "c"}, "data": {"a": "c"}}},
    patch(f"{MAPS}/c", {"data": {"a": "d"}}, MERGE),
    patch(f"{MAPS}/c", [{"op": "add", "path": "/data/x", "value": "1"}], JSON_PATCH),
    patch(f"{MAPS}/c?fieldManager=me", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {z: w}\n", APPLY),
    patch(f"{MAPS}/c", '{"data":', MERGE),
    post(MAPS, '{"metadata":'),
    post(MAPS, {"metadata": {"name": "UP"}}),
    post(f"{MAPS}?fieldValidation=Strict", {"metadata": {"name": "s"}, "oops": 1}),
    get(f"{MAPS}?limit=1"),
    get(MAPS, headers={"Accept": TABLE}),
    get(f"{MAPS}/c", headers={"Accept": PARTIAL}),
    get(MAPS, headers={"Accept": "text/plain"}),
    get(f"{MAPS}/missing"),
    get(f"{MAPS}?labelSelector=%3D%3D"),
    get(PODS, **{"as": "dev"}),
    get(PODS, **{"as": "none"}, headers={"Authorization": "Bearer wrong"}),
    get(PODS, **{"as": "none"}),
    get(f"{SPACE}/secrets", headers={"Impersonate-User": "jane", "Impersonate-Group": "system:masters"}),
    get(f"{SPACE}/secrets", **{"as": "dev"}, headers={"Impersonate-User": "jane"}),
    get(f"{MAPS}?watch=true&timeoutSeconds=1"),
    get(f"{SPACE}/endpoints"),
    post(f"{SPACE}/serviceaccounts", {"metadata": {"name": "sa"}}),
    post(PODS, {"metadata": {"name": "p"}, "spec": POD}),
    post(PODS, {"metadata": {"name": "q"}, "spec": {**POD, "hostNetwork": True}}),
    post(f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}),
    post("/apis/coordination.k8s.io/v1/namespaces/aud/leases", {"metadata": {"name": "l"}, **LEASE}),
    patch("/apis/coordination.k8s.io/v1/namespaces/aud/leases/l", {"spec": {"leaseDurationSeconds": -1}}, MERGE),
    post(f"{PODS}/p/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}),
    post("/apis/apps/v1/namespaces/aud/deployments/d/scale", {}),
    delete(f"{MAPS}/c", body={"propagationPolicy": "Background"}),
    delete(f"{MAPS}/missing"),
    delete(f"{MAPS}?labelSelector=a"),
    delete("/apis/coordination.k8s.io/v1/namespaces/aud/leases", body={"gracePeriodSeconds": 0}),
    *policy_of("notes.example.com", "configmaps", "Audit", "Warn"),
    post(MAPS, {"metadata": {"name": "audited"}, "data": {"a": "b"}}),
    post(MAPS, {"metadata": {"name": "fine"}}),
    *policy_of("denies.example.com", "secrets", "Audit", "Deny"),
    post(f"{SPACE}/secrets", {"metadata": {"name": "denied"}, "data": {"a": "YQ=="}}),
]


def policy(*rules, **more):
    return {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more}


WRITES = ["create", "update", "patch", "delete", "deletecollection"]
POLICIES = {
    "all": policy({"level": "RequestResponse"}),
    "terse": policy({"level": "RequestResponse"}, omitManagedFields=True, omitStages=["RequestReceived"]),
    "mixed": policy(
        {"level": "None", "users": ["dev"], "verbs": ["list"]},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/version"]},
        {"level": "Metadata", "nonResourceURLs": ["*"], "omitStages": ["RequestReceived"]},
        {"level": "Metadata", "userGroups": ["system:unauthenticated"]},
        {"level": "Request", "verbs": WRITES, "resources": [{"group": "", "resources": ["configmaps"]}]},
        {"level": "None", "resources": [{"group": "", "resources": ["configmaps"], "resourceNames": ["missing"]}]},
        {
            "level": "RequestResponse",
            "namespaces": ["aud"],
            "resources": [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["*/eviction", "pods/log"]}],
            "omitManagedFields": True,
        },
        {"level": "Request", "resources": [{"group": "", "resources": ["pods"]}], "omitStages": ["ResponseComplete"]},
        {"level": "Metadata", "verbs": ["watch", "get", "list"]},
        {"level": "Metadata", "namespaces": [""]},
        omitStages=["Panic"],
    ),
}
