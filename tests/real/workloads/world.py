"""A namespace of the real control plane, as one story sees it: it is called ``ns`` there, and its nodes n1, n2, ….

It has what `histories.world.World` has of a simulated one, and so the same hand plays in it. Requests are sent, and
what the watches say is heard, in the thread of the story alone, in the order in which it came.
"""

import json
import queue
import re
import time
from collections import defaultdict
from heapq import heappop, heappush
from itertools import count

from kubemini.api.timestamps import EPOCH, timestamp
from kubemini.sim.units import SECOND
from tests.oracles.histories.noting import NAMESPACE, WORDS, Notes
from tests.real.workloads.asking import Client

REAL_NAME = re.compile(rf"^(?:{NAMESPACE}|n\d+)$")


class Clock:
    """Wall-clock time in the simulator's units, and what is to be done at some time."""

    def __init__(self):
        self.due, self.order = [], count()

    @property
    def now(self):
        """µs, counted as the simulator's are."""
        return time.time_ns() // 1000 - EPOCH

    def occur(self, delay, _, act, *arguments):
        """Call ``act(*arguments)`` *delay* µs from now."""
        heappush(self.due, (self.now + delay, next(self.order), act, arguments))


class World:
    """One story's part of a *plane*; *name* is what its namespace is called there."""

    def __init__(self, plane, name):
        self.plane, self.name, self.sim = plane, name, Clock()
        self.inbox, self.hears = queue.SimpleQueue(), lambda said: None
        self.client = Client(plane.port)
        plane.listeners[name] = self.inbox.put
        self._own = re.compile(rf"{re.escape(name)}(?:-(n\d+))?(?![\w])")

    def close(self):
        """Delete all that the story made; nobody waits for it."""
        del self.plane.listeners[self.name]
        path = f"/api/v1/nodes?labelSelector=set={self.name}"
        self.client.ask("DELETE", path)
        self.client.ask("DELETE", f"/api/v1/namespaces/{self.name}")

    # -- names ---------------------------------------------------------------------------------------------------------
    def theirs(self, value):
        """*value* with the names that the real one knows."""
        if isinstance(value, dict):
            return {self.theirs(key): self.theirs(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.theirs(one) for one in value]
        if isinstance(value, str) and REAL_NAME.match(value):
            return self.name if value == NAMESPACE else f"{self.name}-{value}"
        return value

    def ours(self, text):
        """The same backwards, in a text."""
        return self._own.sub(lambda found: found[1] or NAMESPACE, text)

    # -- what a story does ---------------------------------------------------------------------------------------------
    def ask(self, method, path, body=None, type="application/json"):
        """(code, answer) of one request."""
        path = "/".join(self.theirs(part) for part in path.split("/"))
        code, answer = self.client.ask(method, path, self.theirs(body), type)
        return code, json.loads(self.ours(json.dumps(answer)))

    tell = ask

    def reach(self, instant):
        """Hear and do what comes until *instant*."""
        while (now := self.sim.now) < instant or not self.inbox.empty():
            due = self.sim.due
            if due and due[0][0] <= now:
                _, _, act, arguments = heappop(due)
                act(*arguments)
                continue
            until = min(instant, due[0][0]) if due else instant
            try:
                said = self.inbox.get(timeout=max(0, until - now) / SECOND)
            except queue.Empty:
                continue
            self.hears(json.loads(self.ours(json.dumps(said))))

    def rest(self, kinds):
        """Return when the controllers of these kinds have come to rest, as far as they say."""
        self.plane.rest(kinds)

    def second(self):
        """The second of the minute."""
        return self.sim.now % (60 * SECOND) / SECOND

    def ago(self, seconds=0):
        """The instant so long ago, as objects have it."""
        return timestamp(self.sim.now - seconds * SECOND)

    def every(self, period, act):
        """Call *act()* each *period* µs."""
        act()
        self.sim.occur(period, 1, self.every, period, act)


class RealNotes(Notes):
    """The same notes as of ours, with the instant of each version, taken from what the plane's watches say."""

    def __init__(self, world):
        self.world, self.step = world, 0
        self.versions, self.now, self.events = defaultdict(list), {}, {}
        self.moved, self.elsewhere, self.listeners = world.sim.now, 0, []
        world.hears = self.hear

    def hear(self, said):
        """Write down what a watch said."""
        if said["type"] in WORDS:
            self._note(said["type"], said["object"])
