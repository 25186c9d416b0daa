"""Somebody at the console of a cluster on its stage: asks etcd and the API servers, and has an informer open."""

from kubemini.api.kinds import CONFIG_MAP
from kubemini.client import ApiClient, Informer
from kubemini.host import Component
from kubemini.sim.units import SECOND
from tests.oracles.ha.stage import Stage, program
from tests.real.twin import told

STACKED = {"topology": "stacked", "trial": "special", "events": [], "loadavg_1m": [0, 0]}
HOSTS = ("h1", "h2", "h3")
CONFIG_MAPS, USER = CONFIG_MAP.path("default"), "admin"
LIMIT = 65 * SECOND


class Operator(Component):
    """Somebody at the cluster's console, who asks one thing at a time and waits for the answer."""

    def boot(self):
        self.client = ApiClient(self, [program("api@h1")], USER)
        self.informer = Watching(self.client, CONFIG_MAP, namespace="default")
        self.informer.start()

    def etcd(self, method, payload, member="etcd@h1"):
        """(ok, answer) of etcd's own client, as `tests.real` has them."""
        return told(self._wait(self.call(program(member), method, payload, timeout=LIMIT)))

    def api(self, verb, path, body=None, server="api@h1", **query):
        """(code, answer, seconds) of an API server."""
        since = self.sim.now
        payload = {"verb": verb, "path": path, "query": query, "body": body, "user": USER}
        reply = self._wait(self.call(program(server), "request", payload, timeout=LIMIT))
        seconds = (self.sim.now - since) / SECOND
        if reply.ok:
            return (201 if verb == "POST" else 200), reply.value, seconds
        return getattr(reply.error, "code", 0), getattr(reply.error, "message", str(reply.error)), seconds

    def make(self, name, size=0):
        """POST a ConfigMap: [code, text of the error]."""
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": "x" * size}}
        code, answer, _ = self.api("POST", CONFIG_MAPS, body)
        return [code, "" if code == 201 else answer]

    def watch(self, version, seconds=3):
        """The events of a watch from *version* on, within some seconds."""
        heard = []
        payload = {"verb": "WATCH", "path": CONFIG_MAPS, "query": {"resourceVersion": str(version)}, "user": USER}
        stream = self.open_stream(program("api@h1"), "request", payload, heard.append, lambda error: None)
        self.sim.run_until(self.sim.now + seconds * SECOND)
        stream.close()
        return heard

    def _wait(self, event):
        while event.callbacks is not None:
            self.sim.step()
        return event.value


class Watching(Informer):
    """An informer that remembers how often it had to list."""

    lists = 0

    def _replace(self, listed):
        self.lists += 1
        super()._replace(listed)

    def names(self):
        """What it believes to be there."""
        return sorted(name for _, name in self.objects)


def staged(**more):
    """A stage that is set, and its operator."""
    stage = Stage({**STACKED, "target": {"role": "all", "hit": []}, **more}, 1)
    stage.set()
    operator = Operator(stage.sim, stage.net, stage.cluster.hosts["client-1"], "operator")
    operator.start()
    stage.sim.run_until(stage.sim.now + 2 * SECOND)
    return stage, operator


def rest(stage, seconds):
    stage.sim.run_until(stage.sim.now + round(seconds * SECOND))
