"""agnhost guestbook and nettest: servers that keep what they are told, and tell others of it.

Models k/k test/images/agnhost/guestbook main registerNode setHandler getHandler guestbookHandler
Models k/k test/images/agnhost/nettest readHandler writeHandler statusHandler
Simplified: nettest looks for no peers of its own.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from kubemini.containers.context import Answer, Request
from kubemini.containers.process import Ask, Life, Process, Server, Sleep
from kubemini.containers.programs.serving import PLAIN, ends_by, flags, log, serves
from kubemini.sim.units import SECOND

PRIMARY, REPLICA = "agnhost-primary", "agnhost-replica"  # Services
TRIES, PAUSE = 15, SECOND  # to register
Take = Callable[[Answer], None]


def _said(found: Any, status: int = 200) -> Answer:
    text = found if isinstance(found, str) else json.dumps(found, separators=(",", ":"), sort_keys=True)
    return Answer(status, text.encode(), PLAIN)


class Guestbook:
    """One of them: a primary that keeps replicas up to date, a replica, or the page before both."""

    def __init__(self, process: Process, backend: str):
        self.process, self.backend = process, backend
        self.store, self.replicas = dict[str, str](), list[str]()

    def serve(self, request: Request) -> Answer:
        """One request."""
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        log(self.process, f"GET {request.path}")
        if url.path == "/register":
            self.replicas.append(query.get("host", ""))
            return _said({"data": self.store})
        if url.path == "/get":
            key = query.get("key", "")
            return _said({"data": self.store.get(key, "") if key else self.store})
        if url.path == "/set":
            return self._set(query)
        if url.path == "/guestbook":
            return self._passed_on(query)
        return _said("404 page not found\n", 404)

    def _set(self, query: dict[str, str]) -> Answer:
        key, value = query.get("key", ""), query.get("value", "")
        if not key:
            return _said("cannot set with empty key.\n", 400)
        self.store[key] = value
        told = urlencode({"key": key, "value": value})
        urls = [f"http://{replica}:{self.backend}/set?{told}" for replica in self.replicas]
        return Answer(later=partial(self._ask, urls, {"message": "Updated"}))

    def _passed_on(self, query: dict[str, str]) -> Answer:
        command, key = query.get("cmd", "").lower(), query.get("key", "")
        if command not in ("get", "set"):
            return _said(f"unsupported cmd: '{command}'\n", 400)
        if command == "set" and not key:
            return _said("cannot set with empty key.\n", 400)
        host = REPLICA if command == "get" else PRIMARY
        told = urlencode({"key": key, "value": query.get("value", "")})
        return Answer(later=partial(self._ask, [f"http://{host}:{self.backend}/{command}?{told}"], None))

    def _ask(self, urls: list[str], said: Any, take: Take) -> None:
        """Ask all of *urls*, one after the other; then *said*, or what the last of them has said, is the answer."""

        def child(process: Process) -> Life:
            last = ""
            for url in urls:
                came = yield Ask("fetch", url)
                if came["error"]:
                    take(_said(f'Get "{url}": {came["error"]}\n', 417))
                    return 1
                last = came["body"]
            take(_said(last if said is None else said))
            return 0

        self.process.spawn(child, ("agnhost", "guestbook"))

    def register(self, at: str) -> Life:
        """Become a replica of who answers *at*."""
        url = f"http://{at}:{self.backend}/register?host={self.process.inside.setting.about.get('ip', '')}"
        for _ in range(TRIES):
            came = yield Ask("fetch", url)
            if not came["error"]:
                self.store.update(json.loads(came["body"])["data"])
                log(self.process, f"Registered to node: {at}")
                return 0
            log(self.process, f"encountered error while registering to primary: {came['error']}. Retrying in 1s.")
            yield Sleep(PAUSE)
        return self.process.complain("Timed out while registering to primary.")


def guestbook(process: Process) -> Life:
    """Serve, and register where it is told to; 1 if nobody is there."""
    told = flags(process)
    book = Guestbook(process, told.get("backend-port", "6379"))
    ends_by(process)
    process.listen(int(told.get("http-port", 80)), Server(book.serve))
    code = (yield from book.register(told["replicaof"])) if told.get("replicaof") else 0
    if not code:
        yield Sleep()
    return code


def nettest(process: Process) -> Life:
    """Count who has written, and say so."""
    received: dict[str, int] = {}
    name = process.inside.setting.hostname

    def answer(request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path == "/write":
            try:
                source = json.loads(request.body)["Source"]
            except (ValueError, KeyError, TypeError):
                return _said("Warning: unable to decode request\n", 400)
            received[source] = received.get(source, 0) + 1
            return _said({"Hostname": name})
        if path == "/read":
            told = {"Hostname": name, "Sent": {}, "Received": received, "Errors": None, "Log": None}
            return _said({**told, "StillContactingPeers": True})
        return _said("running" if path == "/status" else "404 page not found\n", 200 if path == "/status" else 404)

    ends_by(process)
    return (yield from serves(process, int(flags(process).get("port", 8080)), Server(answer)))
