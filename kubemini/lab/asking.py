"""Plain requests to the API servers of a cluster in this process: for cells and checkers that look beneath kubectl.

    client = Asking(cluster)
    client.ask("GET", "/api/v1/namespaces/default/pods")["items"]
    client.begin("GET", "/api/v1/pods?watch=1").body.read()

Each is a real one, in the bytes of HTTP and with the rights of an administrator, to the first API server that is up,
with no wire in between: time passes only while it waits. What kubectl does stands in `kubemini.kubectl`.
"""

import json
from collections.abc import Mapping
from typing import Any

from kubemini.apiserver.decide.access.users import MASTERS, UserInfo
from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster
from kubemini.sim.units import MINUTE

ADMIN = UserInfo("kubernetes-admin", (MASTERS,))
PATIENCE = 2 * MINUTE  # of simulated time, for one answer
JSON = "application/json"


class Refused(Exception):
    """The server said no: ``code``, and its Status as ``answer``."""

    def __init__(self, code: int, answer: Mapping[str, Any]):
        super().__init__(f"{code} {answer.get('reason', '')}".rstrip() + f": {answer.get('message', '')}")
        self.code, self.answer = code, answer


class Asking:
    """Somebody who asks the API servers of *cluster*, which runs."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster

    def ask(self, method: str, target: str, body: Any = None, accept: str = JSON) -> Any:
        """The value of the answer. Raises Refused, or TimeoutError if nobody answers."""
        answer = self.begin(method, target, body, accept)
        assert isinstance(answer.body, bytes), "a watch is for begin()"
        if answer.status >= 400:
            raise Refused(answer.status, _status(answer.body))
        return json.loads(answer.body)

    def begin(self, method: str, target: str, body: Any = None, accept: str = JSON) -> HttpResponse:
        """The answer, whatever it is; of a watch, its stream. Raises TimeoutError if nobody answers."""
        data = b"" if body is None else json.dumps(body).encode()
        headers = (("Accept", accept), ("Content-Type", JSON))
        return answered(self._server(), HttpRequest(method, target, headers, data, ADMIN))

    def _server(self) -> ApiServer:
        found = [one for one in self.cluster.components.values() if isinstance(one, ApiServer)]
        return next((one for one in found if one.up), found[0])


def answered(server: ApiServer, request: HttpRequest) -> HttpResponse:
    """Send *request*, and let simulated time pass until *server* answers. Raises TimeoutError if it does not."""
    answers: list[Any] = []
    Exchange(server, request, answers.append)
    sim, end = server.sim, server.sim.now + PATIENCE
    while not answers and sim.next_instant() < end:
        sim.step()
    if not answers or not isinstance(answers[0], HttpResponse):
        raise TimeoutError(f"{request.method} {request.target}: no API server answers; is one up, and etcd?")
    return answers[0]


def _status(body: bytes) -> Any:
    """A Status, or what stands in plain text in its place."""
    try:
        return json.loads(body)
    except ValueError:
        return {"message": body.decode().strip()}
