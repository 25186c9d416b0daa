"""A whole small cluster, and a client outside of it who asks for logs, streams and pages."""

import json

from kubemini import Cluster, Params
from kubemini.apiserver.http import Exchange, HttpRequest
from kubemini.sim.units import SECOND
from tests.frames.masked import HELLO, heard, sent

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "nodeName": "worker-1",
        "containers": [{"name": "c", "image": "shop/web:1.0", "ports": [{"containerPort": 80}]}],
    },
}
PODS = "/api/v1/namespaces/default/pods"
WEB = f"{PODS}/web"


class Upgraded:
    """A connection that has been upgraded to a WebSocket."""

    def __init__(self, world, exchange):
        self.world, self.exchange, self.raw = world, exchange, b""

    def send(self, data):
        self.exchange.stream.feed(sent(2, data))

    def frames(self, seconds=1):
        """All frames that have come so far, *seconds* later."""
        self.world.sleep(seconds)
        self.raw += b"".join(iter(self.exchange.stream.read, None))
        return heard(self.raw)

    def channel(self, number, seconds=1):
        """What has come on a channel."""
        found = (
            payload[1:] for opcode, payload in self.frames(seconds) if opcode == 2 and payload[:1] == bytes([number])
        )
        return b"".join(found).decode()

    @property
    def status(self):
        """How the command ended."""
        return json.loads(self.channel(3))


class World:
    """One cluster with two workers, and a pod `web` on the first unless *pods* say otherwise; *own*: by image."""

    def __init__(self, *pods, own=None, **params):
        self.cluster = Cluster.single(workers=2, params=Params(**params))
        for image, program in (own or {}).items():
            self.cluster.use_program(image, program)
        self.sim = self.cluster.sim
        self.cluster.start()
        self.sleep(20)
        self.server = self.cluster.components["apiserver-1"]
        for pod in pods or (POD,):
            answer = self.ask("POST", PODS, pod)
            assert answer.status == 201, answer.body
        self.sleep(10)

    def sleep(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def begin(self, method, target, body=None, **headers):
        """Send a request: (the exchange, the list that its answer will be in)."""
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        pairs += () if "content_type" in headers else (("Content-Type", "application/json"),)
        answers = []
        asked = HttpRequest(method, target, pairs, json.dumps(body).encode() if body else b"")
        return Exchange(self.server, asked, answers.append), answers

    def ask(self, method, target, body=None, patience=60, **headers):
        """The answer."""
        _, answers = self.begin(method, target, body, **headers)
        end = self.sim.now + patience * SECOND
        while not answers and self.sim.next_instant() <= end:
            self.sim.step()
        assert answers, f"no answer to {method} {target} in {patience} s"
        return answers[0]

    def text(self, target, **headers):
        """The body of a GET that works."""
        answer = self.ask("GET", target, **headers)
        assert answer.status == 200, answer.body
        return answer.body.decode()

    def refusal(self, target, method="GET", **headers):
        """Code and message of one that does not."""
        answer = self.ask(method, target, **headers)
        status = json.loads(answer.body)
        assert status["code"] == answer.status
        return answer.status, status["message"]

    def upgrade(self, target, protocol="v5.channel.k8s.io", **headers):
        """The WebSocket that a GET becomes."""
        said = HELLO | ({"sec-websocket-protocol": protocol} if protocol else {}) | headers
        exchange, answers = self.begin("GET", target, **said)
        while not answers:
            self.sim.step()
        assert answers[0].status == 101, answers[0].body
        return Upgraded(self, exchange)

    def follow(self, target):
        """A log that is followed: a function that gives what has come."""
        exchange, answers = self.begin("GET", target)
        while not answers:
            self.sim.step()
        assert answers[0].status == 200, answers[0].body

        def more():
            self.sleep(0.1)
            return b"".join(iter(exchange.stream.read, None)).decode()

        return exchange, more
