"""Somebody with etcdctl: each deed is recorded with its fate.

The fate of a request is one of three: ok · failed (it certainly did not happen) · unknown (no answer, or an answer
that does not say). A user's tool sticks to one server and moves on when that refuses the connection.
"""

import json
from functools import lru_cache
from typing import Any

from kubemini.host import Component, Host
from kubemini.sim import Sim, Steps
from kubemini.users.decide import etcdctl
from kubemini.users.decide.etcdctl import Ask, Command
from kubemini.wire import Network, Reply

NOTHING = "(nothing)"  # what a key holds that is not there
LONGEST_ANSWER = 200  # characters of a value that the trace keeps


class EtcdUser(Component):
    """etcdctl, and steady writers and readers."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, members: list[str]):
        super().__init__(sim, net, host, name)
        self.members = members
        self.work_list: list[tuple[str, int, dict[str, Any]]] = []
        self.requests = 0  # ever: the number of a request is used once, whoever was restarted meanwhile
        self.waiting: dict[int, dict[str, Any]] = {}  # by number: requests that have no answer yet

    def boot(self) -> None:
        self.server = 0
        self.waiting.clear()
        for kind, every, options in self.work_list:
            self.spawn(self.steadily(kind, every, options))

    def work(self, kind: str, every: int, options: dict[str, Any]) -> None:
        """From the start: a request of *kind* every *every* µs."""
        self.work_list.append((kind, every, options))

    def steadily(self, kind: str, every: int, options: dict[str, Any]) -> Steps:
        """An open loop: the next request does not wait for the last."""
        number = 0
        yield self.timeout(every)
        while True:
            number += 1
            self.begin(kind, number, options)
            yield self.timeout(every)

    def begin(self, kind: str, number: int, options: dict[str, Any]) -> None:
        """One request of a steady load."""
        if kind == "etcd_writes":
            self.put("counter", str(number).rjust(options.get("size", 0)), options.get("member", ""))
        elif kind == "etcd_reads":
            self.get("counter", options.get("member", ""), options.get("consistency") == "serializable")

    # -- commands --------------------------------------------------------------------------------------------------
    def put(self, key: str, value: str, member: str = "") -> None:
        """``etcdctl put``."""
        self.type("put", etcdctl.put(key, value), member)

    def get(self, key: str, member: str = "", serializable: bool = False) -> None:
        """``etcdctl get``, with ``--consistency=s`` if *serializable*."""
        verb = "get serializable" if serializable else "get"
        self.type(verb, etcdctl.get(key, serializable=serializable), member)

    def type(self, verb: str, command: Command, member: str = "") -> None:
        """Do what *command* asks, through *member* or whoever accepts the connection; *verb* is for the record."""
        if member and member not in self.net.components:
            raise ValueError(f"there is no member {member!r}; there are: {', '.join(self.members)}")
        self.spawn(self._perform(verb, command, member))

    def _perform(self, verb: str, command: Command, member: str) -> Steps:
        reply = None
        while True:
            try:
                ask = command.send(reply)
            except StopIteration:
                return
            reply = yield from self._asked(verb, ask, ask.to or member)

    def _asked(self, verb: str, ask: Ask, member: str) -> Steps:
        """The reply to one request, which is recorded; what must be known *first* only if it fails."""
        started, number = self.sim.now, None if ask.first else self.number("etcd", verb, ask.about)
        via: list[str] = []
        reply = yield from self.ask(ask.method, ask.payload, member, via)
        if ask.first and not reply.ok:
            self.record_request(self.number("etcd", verb, ""), "etcd", verb, "", via, started, reply)
        if number is not None:
            self.record_request(number, "etcd", verb, ask.about, via, started, reply, _detail(ask, reply))
        return reply

    def ask(self, method: str, payload: dict[str, Any], member: str, via: list[str]) -> Steps:
        """The reply to one request; *via* is told who was asked."""
        reply = None
        for _ in self.members:
            target = member or self.members[self.server]
            via.append(target)
            reply = yield self.call(target, method, payload, timeout=self.net.params.etcdctl_command_timeout)
            if reply.ok or member or not refused(reply):
                break
            self.server = (self.server + 1) % len(self.members)
        assert reply is not None
        return reply

    def save(self, member: str) -> None:
        """``etcdctl snapshot save``: what this one member has applied, in a file of the user's machine."""
        self.spawn(self._save(member))

    def _save(self, member: str) -> Steps:
        reply = yield from self._asked("snapshot save", Ask("snapshot", {}, member), member)
        if reply.ok:
            self.host.disk.files["backup"] = reply.value["image"]

    def backup(self) -> tuple[Any, int] | None:
        """The last backup, and the number of the new cluster that is made of it; None if there is no backup."""
        files = self.host.disk.files
        if "backup" not in files:
            return None
        files["clusters"] = files.get("clusters", 1) + 1
        return files["backup"], files["clusters"]

    # -- the trace -------------------------------------------------------------------------------------------------
    def note(self, text: str) -> None:
        """A remark for the trace."""
        self.sim.record(self.name, "note", text=text)

    def number(self, kind: str, verb: str, path: str) -> int:
        """The number of the next request, which waits from now on."""
        self.requests += 1
        asked = {"actor": self.name, "kind": kind, "verb": verb, "path": path, "started": self.sim.now}
        self.waiting[self.requests] = asked
        return self.requests

    def record_request(
        self,
        number: int,
        kind: str,
        verb: str,
        path: str,
        via: list[str],
        started: int,
        reply: Reply,
        detail: dict[str, str] | None = None,
    ) -> None:
        """The fate of a request, for the trace; *detail* is what was to be written, or what was read."""
        self.waiting.pop(number, None)
        error = reply.error
        outcome = "ok" if reply.ok else "failed" if error.definite else "unknown"
        why = "" if reply.ok else str(getattr(error, "message", "") or getattr(error, "reason", error))
        code = 200 if reply.ok else getattr(error, "code", 0)
        self.sim.record(
            self.name,
            "request",
            id=f"{self.name}/{number}",
            kind=kind,
            verb=verb,
            path=path,
            via=via,
            outcome=outcome,
            started=started,
            code=code if isinstance(code, int) else 0,
            why=why,
            **(detail or {}),
        )


def _detail(ask: Ask, reply: Reply) -> dict[str, str]:
    """What was to be written, and what was read."""
    detail = {"value": shown(ask.payload["value"])} if ask.method == "put" else {}
    if reply.ok and ask.method == "range":
        detail["answer"] = shown(reply.value["kvs"][0]["value"]) if reply.value["kvs"] else NOTHING
    return detail


@lru_cache(maxsize=4)
def blank(length: int) -> str:
    """So many spaces."""
    return " " * length


def shown(value: Any) -> str:
    """A value as a trace keeps it: without padding, and not if it is long; an object of the API is bytes to etcdctl."""
    if not isinstance(value, str):
        return f"({len(json.dumps(value))} characters)"
    head = len(value) - LONGEST_ANSWER
    padded = head > 0 and value.startswith(blank(head))  # told at once, where `strip` looks at each of a million
    text = (value[head:] if padded else value).strip()
    return text if len(text) <= LONGEST_ANSWER else f"({len(value)} characters)"


def refused(reply: Reply) -> bool:
    """Whether nobody took the connection."""
    return getattr(reply.error, "reason", "") == "connection refused"
