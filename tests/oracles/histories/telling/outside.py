"""A namespace of a real control plane, as the hand, the notes and the steps of a history ask a world.

Many histories can be told to one control plane at once. Inside, each believes that its namespace is called `ns`, and
that nodes `n1 …`, volumes `pv-…` and classes `class-…` are its own; on the way out these get the name of its space, on
the way in they lose it. Whatever happens here happens in one thread: watches only put what they hear into a queue.
"""

import heapq
import http.client
import itertools
import json
import queue
import re
import ssl
import threading
import time
from contextlib import suppress

from kubemini.api.kinds import by_name
from kubemini.api.timestamps import EPOCH, timestamp
from kubemini.sim.units import MINUTE, SECOND
from tests.oracles.histories.noting import NAMESPACE, Notes
from tests.oracles.histories.world import AGENT

PATIENCE = 60 * SECOND
OUTER = r"(n\d+|pv-[\w-]+|class-[\w-]+)"  # what is called like this lies outside namespaces
OWN = re.compile(rf'(?<=[/"]){OUTER}(?=["/?]|$)')


class Outside:
    """One namespace of *server*, a RealPlane, of which the name is *space*: letters that stand nowhere else."""

    def __init__(self, server, space):
        self.server, self.space, self.sim = server, space, self
        self.context = ssl._create_unverified_context()
        self.connection = self._connected()
        self.agenda, self.order, self.heard = [], itertools.count(), queue.SimpleQueue()
        self.watching = []

    def _connected(self):
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=120, context=self.context)

    def leave(self):
        """Take away what is outside namespaces, so that nobody else has to do with it."""
        for plural in ("nodes", "persistentvolumes"):
            self.ask("DELETE", f"/api/v1/{plural}?labelSelector=set%3D{self.space}")

    def close(self):
        """End the watches."""
        for connection in [*self.watching, self.connection]:
            with suppress(OSError):
                if connection.sock is not None:
                    connection.sock.shutdown(2)
            connection.close()

    # -- names ---------------------------------------------------------------------------------------------------------
    def outward(self, text):
        """*text* as the control plane is told it."""
        text = re.sub(rf'(?<=[/"]){NAMESPACE}(?=["/?]|$)', self.space, text)
        return OWN.sub(rf"{self.space}-\1", text)

    def inward(self, text):
        """*text* of the control plane as it is read here."""
        return text.replace(f"{self.space}-", "").replace(self.space, NAMESPACE)

    # -- asking --------------------------------------------------------------------------------------------------------
    def ask(self, method, path, body=None, type="application/json"):
        """(code, answer) of one request."""
        headers = {"Authorization": "Bearer admintoken", "User-Agent": AGENT, "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"], data = type, self.outward(json.dumps(body)).encode()
        self.connection.request(method, self.outward(path), data, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(self.inward(answer.read().decode()))

    tell = ask  # the recorder has one thread

    def probe(self):
        """Wait until the Deployment controller has seen a change that is made now, in another namespace."""
        path = f"/apis/apps/v1/namespaces/default/deployments/probe{self.space[::-1]}"
        number = next(self.order)
        body = {"spec": {"progressDeadlineSeconds": 1000 + number}}
        code, answer = self.ask("PATCH", path, body, "application/merge-patch+json")
        if code == 404:
            code, answer = self.ask("POST", path.rsplit("/", 1)[0], probing(path.rsplit("/", 1)[1]))
        wanted = answer["metadata"]["generation"]

        def answered():
            status = self.ask("GET", path)[1]["status"]
            return status.get("observedGeneration", 0) >= wanted

        self.until(answered)

    # -- time ----------------------------------------------------------------------------------------------------------
    @property
    def now(self):
        """The instant, in µs from the first second of the simulator's clock."""
        return time.time_ns() // 1000 - EPOCH

    def occur(self, delay, level, act, *arguments):
        """Call *act* after *delay* µs; *level* is the simulator's, and nothing here."""
        heapq.heappush(self.agenda, (self.now + delay, next(self.order), act, arguments))

    def every(self, period, act):
        """Call *act()* each *period* µs, until it says False."""
        if act() is not False:
            self.occur(period, 0, self.every, period, act)

    def reach(self, instant):
        """Take in what happens until *instant* (µs)."""
        while True:
            now = self.now
            if self.agenda and self.agenda[0][0] <= now:
                *_, act, arguments = heapq.heappop(self.agenda)
                act(*arguments)
                continue
            due = min(instant, self.agenda[0][0]) if self.agenda else instant
            with suppress(queue.Empty):
                act, *arguments = self.heard.get(timeout=max(0, due - now) / SECOND)
                act(*arguments)
                continue
            if self.now >= instant:
                return

    def until(self, happened, patience=PATIENCE):
        """Let time pass until *happened()*. Raises TimeoutError."""
        end = self.now + patience
        while not happened():
            if self.now > end:
                raise TimeoutError(f"not within {patience // SECOND} s")
            self.reach(self.now + SECOND // 20)

    def second(self):
        """The second of the minute."""
        return self.now % MINUTE / SECOND

    def ago(self, seconds=0):
        """The instant so long ago, as objects have it."""
        return timestamp(self.now - seconds * SECOND)

    # -- watching ------------------------------------------------------------------------------------------------------
    def watch(self, path, opened, said):
        """From here on *said(event)* for all that a watch says of this space; *opened()* when it has begun."""
        connection = self._connected()
        connection.timeout = None
        self.watching.append(connection)
        threading.Thread(target=self._listen, args=(connection, path, opened, said), daemon=True).start()

    def _listen(self, connection, path, opened, said):
        connection.request("GET", self.outward(path), headers={"Authorization": "Bearer admintoken"})
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        self.heard.put((opened,))
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):  # it was closed
            for line in answer:
                if self.space.encode() in line and self._is_here(json.loads(line)["object"]):
                    self.heard.put((said, json.loads(self.inward(line.decode()))))

    def _is_here(self, obj):
        about = obj.get("involvedObject") or obj["metadata"]
        namespace = about.get("namespace") or ""
        return self.space in (namespace, about["name"]) or about["name"].startswith(f"{self.space}-")


def probing(name):
    """A Deployment of no pods."""
    template = {"metadata": {"labels": {"of": name}}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"of": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


class OutsideNotes(Notes):
    """Every version of every object of a space of a real control plane."""

    def _watch(self, of):
        self.waiting += 1
        of = by_name(of.kind)
        namespace = NAMESPACE if of.namespaced and of.kind != "Event" else ""
        self.world.watch(f"{of.path(namespace)}?watch=true", self._opened, self._said)

    def _opened(self):
        self.waiting -= 1

    def _said(self, event):
        if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
            self._note(event["type"], event["object"])
