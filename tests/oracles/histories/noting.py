"""Every version of every object of a history, as somebody saw who watched all kinds from before its beginning."""

import json
from collections import defaultdict

from kubemini.api.kinds import by_name
from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse

NAMESPACE = "ns"
ELSEWHERE = "elsewhere"  # a node of somebody else
LONG = 1_000_000  # s: a watch lasts as long as the history
WORDS = {"ADDED", "MODIFIED", "DELETED"}


class Notes:
    """Watches all *kinds* at a world's API server and writes down what each watch says.

    ``versions``: Kind/name → [{step, type, object}]; ``now``: the objects that are there; ``events``: the Events of
    the namespace and of nodes, by name. ``listeners`` hear of each change: (key, type, object).
    """

    def __init__(self, world, kinds):
        self.world, self.step = world, 0
        self.versions, self.now, self.events = defaultdict(list), {}, {}
        self.moved = world.sim.now  # when something was seen last
        self.elsewhere = 0  # when a round of the node lifecycle controller found the node of somebody else
        self.listeners = []
        for name in sorted(kinds):
            self._watch(by_name(name))
        self._watch(by_name("Event"))
        world.until(lambda: self.waiting == 0)

    waiting = 0

    def _watch(self, of):
        self.waiting += 1
        namespace = NAMESPACE if of.namespaced and of.kind != "Event" else ""
        path = f"{of.path(namespace)}?watch=true&timeoutSeconds={LONG}"
        headers = (("Authorization", "Bearer admintoken"), ("Accept", "application/json"))

        def answered(answer):
            assert isinstance(answer, HttpResponse) and answer.status == 200, (path, answer)
            self.waiting -= 1
            stream = answer.body
            stream.on_news = lambda: self._read(stream)
            self._read(stream)

        Exchange(self.world.server, HttpRequest("GET", path, headers), answered)

    def _read(self, stream):
        while (event := stream.read()) is not None:
            said = json.loads(event)
            if said["type"] in WORDS:
                self._note(said["type"], said["object"])

    def _note(self, type, obj):
        meta = obj["metadata"]
        if obj["kind"] == "Event":
            about = obj["involvedObject"]
            if obj["source"].get("component") == "kubelet":
                return  # only hollow nodes have one, and kubemark gives it a recorder that sends nothing
            if about["name"] == ELSEWHERE:
                self.elsewhere = self.elsewhere or self.world.sim.now
                return
            if meta["namespace"] == NAMESPACE or about["kind"] in ("Node", "Namespace", "PersistentVolume"):
                self.moved = self.world.sim.now
                self.events[meta["name"]] = obj
                self.now[f"Event/{meta['name']}"] = obj
            return
        if (obj["kind"] == "Namespace" and meta["name"] != NAMESPACE) or meta["name"] == ELSEWHERE:
            return
        self.moved, key = self.world.sim.now, f"{obj['kind']}/{meta['name']}"
        self.versions[key].append({"step": self.step, "type": type, "object": obj})
        if type == "DELETED":
            self.now.pop(key, None)
        else:
            self.now[key] = obj
        for listener in self.listeners:
            listener(key, type, obj)

    def seen(self, kind, name):
        """The object of that kind and name as it was seen last, also if it has gone."""
        return self.versions[f"{kind}/{name}"][-1]["object"]
