"""kubectl.follow: a ``get -w`` that goes on. The learner says what to ask next; a server does what servers do.

It ends watches, it is killed and comes back, and it forgets what was long ago (410). The client must end up with the
collection as it is, hear of nothing twice, and list only when it must.
"""

import json
from typing import Any

from kubemini.apiserver.http import WatchStream
from kubemini.cluster import Cluster
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.asking import Asking
from kubemini.ranges import shown

MAPS = "/api/v1/namespaces/default/configmaps"
MOST = 12  # requests


class Follower:
    """A client that keeps a copy of the ConfigMaps, and a server that it follows."""

    def __init__(self, answer: Any):
        self.answer = answer
        self.cluster = Cluster.single(workers=0)
        self.cluster.run("10s")
        self.client, self.server = Asking(self.cluster), self.cluster.components["apiserver-1"]
        self.heard: list[Any] = []
        self.copy: dict[str, str] = {}  # name → resourceVersion
        self.lists = self.asked = self.changes = 0
        self.stream: WatchStream | None = None

    # -- what happens ------------------------------------------------------------------------------------------------
    def change(self, *names: str) -> None:
        """Somebody makes or changes these."""
        for name in names:
            self.changes += 1
            body = {"metadata": {"name": name}, "data": {"n": str(self.changes)}}
            there = any(obj["metadata"]["name"] == name for obj in self.all())
            self.client.ask("PUT" if there else "POST", f"{MAPS}/{name}" if there else MAPS, body)

    def all(self) -> list[Any]:
        """The ConfigMaps as they are."""
        return self.client.ask("GET", MAPS)["items"]

    def restart(self) -> None:
        """The server is killed, and started again: it knows nothing of what was before."""
        self.server.crash()
        self.cluster.run(1)
        self.server.start()
        self.cluster.run(8)

    def end(self) -> None:
        """The server ends the watch, as it does after some minutes."""
        if self.stream is not None:
            self.stream.close()

    # -- what the client does ----------------------------------------------------------------------------------------
    def follow(self) -> None:
        """Ask, as the learner says, until a watch is open; then listen for a second."""
        while self.stream is None or self.stream.ended:
            self._request()
        self.cluster.run(1)
        self._listen()

    def _request(self) -> None:
        self.asked += 1
        if self.asked > MOST:
            last, listed = self.heard[-1], "items" in self.heard[-1]
            raise NotYet(
                f"{MOST} requests, and no end: the last answer was"
                f" {'a list' if listed else last['object']['message']}.",
                next="You have a list: now watch, from its resourceVersion on."
                if listed
                else "Who is told that a version is too old will be told so for ever: begin anew.",
            )
        query = ask(self.answer, list(self.heard))
        if not isinstance(query, str) or (query and not query.startswith("?")):
            raise NotYet(f'Return "" to list, or what follows the path, such as "?watch=1"; it was {shown(query)}.')
        answer = self.client.begin("GET", MAPS + query)
        if isinstance(answer.body, WatchStream):
            self.stream = answer.body
            self._listen()
            return
        value = json.loads(answer.body)
        if answer.status >= 400:
            raise NotYet(f"GET …/configmaps{query} is answered with {answer.status}: {value['message']}")
        self.lists += 1
        self.heard.append(value)
        self.copy = {obj["metadata"]["name"]: obj["metadata"]["resourceVersion"] for obj in value["items"]}

    def _listen(self) -> None:
        while self.stream is not None and (line := self.stream.read()) is not None:
            event = json.loads(line)
            self.heard.append(event)
            if event["type"] in ("ADDED", "MODIFIED"):
                meta = event["object"]["metadata"]
                if self.copy.get(meta["name"]) == meta["resourceVersion"]:
                    raise NotYet(
                        f"You were told of {meta['name']} twice, in the same version.",
                        f"{len(self.heard)} answers and events so far",
                        next="Go on from the *last* version that you have seen: of the list, then of each event.",
                    )
                self.copy[meta["name"]] = meta["resourceVersion"]


@exercise("kubectl.follow")
def check_follow(answer: Any) -> Report:
    """*answer*: follow(heard) → "" or a query with watch; *heard* are all answers and events so far."""
    client = Follower(answer)
    client.change("a", "b")
    client.follow()
    client.change("c", "a")
    client.follow()
    client.end()  # in peace, and something happens before the client is back
    client.change("d", "b")
    client.follow()
    client.restart()  # not in peace
    client.change("e")
    client.follow()
    client.end()
    client.change("f", "a")
    client.restart()  # it has forgotten what was before: 410
    client.follow()
    client.change("g")
    client.follow()
    truth = {obj["metadata"]["name"]: obj["metadata"]["resourceVersion"] for obj in client.all()}
    missed = sorted(name for name in truth if client.copy.get(name) != truth[name])
    if missed:
        raise NotYet(
            f"You have never heard of the last change of {', '.join(missed)}.",
            next="What happened while no watch was open? Watch from the last version, and you are told.",
        )
    gone = sum(item.get("type") == "ERROR" for item in client.heard)
    if client.lists > 1 + gone:
        raise NotYet(
            f"You listed {client.lists} times; {1 + gone} lists were needed.",
            next="A list is the whole collection, each time. A watch from the last version is only what is new.",
        )
    return Report(
        "pass",
        (
            f"{client.changes} changes, two ends of a watch, two crashes: nothing was missed, nothing heard twice",
            f"{client.asked} requests, of which {client.lists} were lists: at first, and {gone} times after 410",
        ),
        "Why a watch has ended does not matter. Where it had come to does.",
    )
