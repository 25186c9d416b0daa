"""A definition, and a client that uses what it defines."""

from tests.apiserver.deeds.parts import Client, outside

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(
    plural, kind, schema=None, group=None, scope="Namespaced", names=None, versions=None, spec=None, **version
):
    """The body of a definition with one version, or with *versions*."""
    group = group or f"{plural}.example.com"
    one = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema or ANYTHING}, **version}
    said = {"group": group, "scope": scope, "names": {"plural": plural, "kind": kind, **(names or {})}, **(spec or {})}
    return {"metadata": {"name": f"{plural}.{group}"}, "spec": {**said, "versions": versions or [one]}}


class Definer(Client):
    """A client that defines one kind and waits until it is there."""

    def define(self, *args, **more):
        body = definition(*args, **more)
        self.name = body["metadata"]["name"]
        code, made = self.ask("POST", DEFINITIONS, body)
        assert code == 201, made
        self.wait()
        group, version = body["spec"]["group"], body["spec"]["versions"][0]["name"]
        self.group = f"/apis/{group}"
        space = f"namespaces/{self.space}/" if body["spec"]["scope"] == "Namespaced" else ""
        self.path = f"{self.group}/{version}/{space}{body['spec']['names']['plural']}"
        self.head = {"apiVersion": f"{group}/{version}", "kind": body["spec"]["names"]["kind"]}
        return self

    def wait(self, seconds=10):
        """Let time pass."""
        outside().inside.sleep(seconds)

    def code(self, path):
        """The status code of a GET, whatever its answer is."""
        return outside().ask("GET", path).status

    def status(self, name=None):
        return self.ask("GET", f"{DEFINITIONS}/{name or self.name}")[1]["status"]

    def make(self, name, **content):
        return self.ask("POST", self.path, {**self.head, "metadata": {"name": name}, **content})
