"""An API server to ask: alone over one etcd member, or in a whole cluster with controllers and nodes.

    server = Server()
    code, answer = server.ask("GET", "/api/v1/namespaces/default/pods", by="dev")

Invariant: a request goes the whole way, as HTTP has it; simulated time passes until it is answered, and only then.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemini.api.objects import thaw
from kubemini.apiserver import flags
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.flags import Webhook
from kubemini.apiserver.http import HttpRequest
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster, build
from kubemini.cluster.topology.bare import without
from kubemini.lab.asking import answered
from kubemini.sim.units import SECOND

NOBODY_ELSE = ("kubectl", "scheduler", "controller-manager")
GROUPS = {"admin": ("system:masters",), "dev": ("developers",), "ci": ("bots",)}
TOKENS = {f"token-of-{name}": UserInfo(name, groups, name) for name, groups in GROUPS.items()}
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


class Asked:
    """The first API server of *cluster*, as one asks it who knows only HTTP."""

    def __init__(self, cluster: Cluster):
        server = cluster.components["apiserver-1"]
        assert isinstance(server, ApiServer)
        self.cluster, self.server, self.sim = cluster, server, cluster.sim

    @property
    def seconds(self) -> float:
        """Simulated time, in seconds."""
        return self.sim.now / SECOND

    def ask(
        self, method: str, path: str, body: Any = None, by: str = "admin", accept: str = "application/json"
    ) -> tuple[int, Any]:
        """(status code, answer) of one request.

        *body*: an object, a list of steps of a JSON patch, or a text that is sent as it is. *by*: admin, dev or ci;
        "" shows no token, and any other name one that nobody gave out. The answer is an object, or a text.
        """
        headers = {"Accept": accept, "User-Agent": "kubectl"}
        if by:
            headers["Authorization"] = f"Bearer token-of-{by}"
        if body is not None:
            patch = JSON_PATCH if isinstance(body, list) else STRATEGIC
            headers["Content-Type"] = patch if method == "PATCH" else "application/json"
        data = b"" if body is None else (body if isinstance(body, str) else json.dumps(thaw(body))).encode()
        said = answered(self.server, HttpRequest(method, path, tuple(headers.items()), data))
        assert isinstance(said.body, bytes), "a watch has no end: ask for something else"
        text = said.body.decode()
        return said.status, json.loads(text) if text.startswith("{") else text


class Server(Asked):
    """One API server over one etcd member, started as kubeadm starts it, with RBAC; and nobody else.

    *webhooks*: NAMESPACE/NAME of a Service, or a URL → the program that answers.
    Simplified: no pod is given a service account.
    """

    def __init__(self, webhooks: Mapping[str, Webhook] | None = None, seed: int = 1):
        super().__init__(Cluster(without(build("single", workers=0), *NOBODY_ELSE), seed))
        real = flags.as_real(TOKENS)
        self.server.flags = replace(real, disabled_plugins=(flags.SERVICE_ACCOUNT,), webhooks=webhooks or {})
        self.cluster.start()
        while not self.server.core.health.ready:
            self.sim.step()


def said(answer: Any) -> str:
    """What *answer* says in one line: a Status its message, an object its kind and name."""
    if not isinstance(answer, dict):
        return str(answer).strip()
    if answer.get("kind") == "Status":
        return str(answer.get("message") or answer.get("status"))
    if "items" in answer:
        return f"{answer['kind']}, {len(answer['items'])} items"
    return f"{answer['kind']} {answer['metadata']['name']}" if "metadata" in answer else json.dumps(answer)
