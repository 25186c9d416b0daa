"""A client with a namespace of its own, on a server that is shared."""

import json
from functools import cache

from tests.apiserver.outside.asking import Outside

TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


@cache
def outside():
    return Outside()


class Client:
    """Asks in the namespace *space*; answers are (status, value)."""

    def __init__(self, space, agent="tester/1.0"):
        self.space, self.agent, self.root = space, agent, f"/api/v1/namespaces/{space}"
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": space}})
        account = {"metadata": {"name": "default"}, "automountServiceAccountToken": False}
        self.ask("POST", f"{self.root}/serviceaccounts", account)

    def ask(self, method, path, body=None, type="application/json", **headers):
        data = b"" if body is None else json.dumps(body).encode()
        said = {"Content_Type": type} if data else {}
        path = path if path.startswith("/") else f"{self.root}/{path}"
        found = outside().ask(method, path, data, User_Agent=self.agent, **said, **headers)
        return found.status, json.loads(found.body) if found.body else None

    def patch(self, path, body, how="merge"):
        return self.ask("PATCH", path, body, TYPES[how])

    def pod(self, name, node="n1", labels=None, **spec):
        spec = {"containers": [{"name": "c", "image": "i:1"}], "nodeName": node, **spec}
        code, made = self.ask("POST", "pods", {"metadata": {"name": name, "labels": labels or {}}, "spec": spec})
        assert code == 201, made
        return made

    def running(self, name, labels, ready=True):
        """A pod that runs."""
        self.pod(name, labels=labels)
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        status = {"phase": "Running", "conditions": conditions}
        assert self.patch(f"pods/{name}/status", {"status": status}, "strategic")[0] == 200

    def budget(self, name, labels, **status):
        """A disruption budget, and what its controller has found."""
        path = f"/apis/policy/v1/namespaces/{self.space}/poddisruptionbudgets"
        body = {"metadata": {"name": name}, "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}}}
        assert self.ask("POST", path, body)[0] == 201
        found = {"observedGeneration": 1, "expectedPods": 2, **status}
        assert self.patch(f"{path}/{name}/status", {"status": found})[0] == 200
        return f"{path}/{name}"

    def evict(self, name, **how):
        return self.ask("POST", f"pods/{name}/eviction", {"metadata": {"name": name}, **how})


def owners(obj):
    """manager → what it owns, as managedFields have it."""
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", ())}
