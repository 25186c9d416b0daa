"""A small etcd, and somebody who types etcdctl at it: each line is carried out before the next one is asked.

    etcd = Etcd()
    etcd("put color red")     "OK, revision 2"

Invariant: every line goes over the wire to a member, and what comes back is what etcd says. Time stands still between
lines; `wait` lets it pass. etcdctl 3.5, https://etcd.io/docs/v3.5/dev-guide/interacting_v3/
Simplified: revisions are shown with every answer (etcdctl shows them with -w json); a watch tells the past and ends.
"""

from collections.abc import Callable
from dataclasses import replace
from textwrap import indent
from typing import Any

from kubemini.etcd.client import prefix_end
from kubemini.etcd.member import Member, members
from kubemini.etcd.mvcc import KeyValue
from kubemini.host import Component, Host
from kubemini.net import Network, Reply
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.study import memberctl

SETTLED = 4  # seconds: by then a fresh cluster has a leader and is quiet
OLD_ENOUGH = 7  # seconds: by then its connections are so old that etcd lets a member be added
PATIENCE = 20 * SECOND  # longer than etcd lets anybody wait
MIB = 1024 * 1024
WIDE = 68  # characters that stand beside each other on a page


class Unknown(ValueError):
    """A line that etcdctl does not know; the message says what it knows."""


class Etcd:
    """*size* members that have elected a leader, *spares* machines that may join them, and a client.

    *params* by their names in params.py.
    """

    def __init__(self, size: int = 3, seed: int = 1, spares: int = 0, **params: Any):
        self.sim = Sim(seed)
        self.net = Network(self.sim)
        hosts = [Host(self.sim, f"etcd-host-{number}") for number in range(1, size + spares + 1)]
        first = members(self.sim, self.net, hosts[:size], replace(Params(), **params))
        self.members = {m.name: m for m in first}
        for number, host in enumerate(hosts[size:], start=size + 1):
            self.members[f"etcd-{number}"] = Member(
                self.sim, self.net, host, f"etcd-{number}", [m.name for m in first], first[0].params
            )
        self.user = Component(self.sim, self.net, Host(self.sim, "client-1"), "etcdctl")
        self._leases = 0
        for component in (*first, self.user):
            component.start()
        self.wait(OLD_ENOUGH if spares else SETTLED)

    # -- time and trouble ------------------------------------------------------------------------------------------
    @property
    def now(self) -> float:
        """Seconds since the cluster was born."""
        return self.sim.now / SECOND

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    @property
    def leader(self) -> str:
        """Who leads; "" while nobody does."""
        return next((m.name for m in self._up() if m.raft.role == "leader"), "")

    def crash(self, name: str) -> None:
        """The member *name* dies."""
        self.members[name].crash()

    def restart(self, name: str) -> None:
        """The member *name* starts again, with the disk that it had."""
        self.members[name].start()

    def launch(self, name: str) -> str:
        """etcd starts on the spare machine *name*, told what ``member add`` printed; gives what it says."""
        return memberctl.launch(self, name)

    def _up(self) -> list[Member]:
        return [member for member in self.members.values() if member.up]

    # -- requests --------------------------------------------------------------------------------------------------
    def ask(self, method: str, payload: dict[str, Any], member: str = "", patience: int = PATIENCE) -> Reply:
        """Send one request to *member* (default: the first that is up) and let time pass until it is answered."""
        answers: list[Reply] = []
        asked = self.user.call(member or self._up()[0].name, method, payload, patience)
        asked.callbacks.append(lambda event: answers.append(event.value))
        while not answers:
            self.sim.step()
        return answers[0]

    def __call__(self, line: str, member: str = "") -> str:
        """What etcdctl prints for *line*. Raises Unknown for a line that etcdctl does not know."""
        words = line.removeprefix("etcdctl ").split()
        flags = dict(word.lstrip("-").partition("=")[::2] for word in words if word.startswith("--"))
        plain = [word for word in words if not word.startswith("--")]
        name, count = next(
            ((n, len(n.split())) for n in COMMANDS if f"{' '.join(plain)} ".startswith(f"{n} ")), ("", 0)
        )
        if not name:
            raise Unknown(f"etcdctl knows no {line!r}; here it knows {', '.join(COMMANDS)}")
        try:
            return COMMANDS[name](self, plain[count:], flags, member)
        except (IndexError, ValueError) as error:
            raise Unknown(f"{line!r} lacks something: {error}") from None

    def session(self, *lines: str) -> str:
        """Each line and, behind it or below, what etcdctl prints."""
        width = max(map(len, lines))
        said = [(f"{line:{width}}  ", self(line)) for line in lines]
        return "\n".join(
            f"{line}{text}" if len(line + text) <= WIDE else f"{line.rstrip()}\n{indent(text, '    ')}"
            for line, text in said
        )

    def said(self, reply: Reply, words: Callable[[Any], str]) -> str:
        """*words* about the answer, or etcd's error."""
        return words(reply.value) if reply.ok else f"Error: {reply.error}"

    # -- commands --------------------------------------------------------------------------------------------------
    def _put(self, words: list[str], flags: dict[str, str], member: str) -> str:
        payload = {"key": words[0], "value": words[1], "lease": int(flags.get("lease", 0))}
        return self.said(self.ask("put", payload, member), lambda a: f"OK, revision {_revision(a)}")

    def _get(self, words: list[str], flags: dict[str, str], member: str) -> str:
        reply = self.ask("range", {**_range(words, flags), "revision": int(flags.get("rev", 0))}, member)
        return self.said(reply, lambda a: ", ".join(map(_record, a["kvs"])) or "(nothing)")

    def _del(self, words: list[str], flags: dict[str, str], member: str) -> str:
        reply = self.ask("delete_range", _range(words, flags), member)
        return self.said(reply, lambda a: f"{a['deleted']} deleted, revision {_revision(a)}")

    def _watch(self, words: list[str], flags: dict[str, str], member: str) -> str:
        """What has happened since --rev; what is still to come is not waited for."""
        heard: list[Any] = []
        payload = {**_range(words, flags), "start_revision": int(flags.get("rev", 0))}
        target = member or self._up()[0].name
        stream = self.user.open_stream(target, "watch", payload, heard.append, lambda error: None)
        self.sim.run_until(self.sim.now + 20 * MS)
        if any(answer.get("canceled") for answer in heard):
            return "watch was canceled (etcdserver: mvcc: required revision has been compacted)"
        stream.close()
        return ", ".join(_event(event) for answer in heard for event in answer["events"]) or "(silence)"

    def _compact(self, words: list[str], flags: dict[str, str], member: str) -> str:
        reply = self.ask("compact", {"revision": int(words[0])}, member)
        return self.said(reply, lambda a: f"compacted revision {words[0]}")

    def _defrag(self, words: list[str], flags: dict[str, str], member: str) -> str:
        """One member, or with --cluster each in turn."""
        everybody = [m.name for m in self._up()]
        targets = everybody if "cluster" in flags else [flags.get("endpoints") or member or everybody[0]]
        strangers = [name for name in targets if name not in self.members]
        if strangers:
            raise ValueError(f"there is no member {strangers[0]!r}; there are {', '.join(self.members)}")
        for target in targets:
            self.ask("defragment", {}, target)
        return f"defragmented {', '.join(targets)}"

    def _alarm_list(self, words: list[str], flags: dict[str, str], member: str) -> str:
        names = {m.data.id: m.name for m in self.members.values()}
        alarms = self.ask("alarm", {}, member).value["alarms"]
        return ", ".join(f"{alarm['alarm']} of {names[alarm['memberID']]}" for alarm in alarms) or "none"

    def _alarm_disarm(self, words: list[str], flags: dict[str, str], member: str) -> str:
        alarms = self.ask("alarm", {}, member).value["alarms"]
        for alarm in alarms:
            self.ask("alarm", {**alarm, "action": "DEACTIVATE"}, member)
        return f"{len(alarms)} disarmed"

    def _lease_grant(self, words: list[str], flags: dict[str, str], member: str) -> str:
        self._leases += 1
        reply = self.ask("lease_grant", {"TTL": int(words[0]), "ID": self._leases}, member)
        return self.said(reply, lambda a: f"lease {a['ID']} granted with TTL({a['TTL']}s)")

    def _keep_alive(self, words: list[str], flags: dict[str, str], member: str) -> str:
        reply = self.ask("lease_keepalive", {"ID": int(words[0])}, member)
        return self.said(reply, lambda a: f"lease {a['ID']} kept alive with TTL({a['TTL']})")

    def _status(self, words: list[str], flags: dict[str, str], member: str) -> str:
        found = {m.name: self.ask("status", {}, m.name).value for m in self._up()}
        return ", ".join(
            f"{n} {s['dbSize'] / MIB:.1f} MiB ({s['dbSizeInUse'] / MIB:.1f} in use)" for n, s in found.items()
        )


COMMANDS: dict[str, Callable[[Etcd, list[str], dict[str, str], str], str]] = {
    "put": Etcd._put,
    "get": Etcd._get,
    "del": Etcd._del,
    "watch": Etcd._watch,
    "compact": Etcd._compact,
    "defrag": Etcd._defrag,
    "alarm list": Etcd._alarm_list,
    "alarm disarm": Etcd._alarm_disarm,
    "lease grant": Etcd._lease_grant,
    "lease keep-alive": Etcd._keep_alive,
    "endpoint status": Etcd._status,
    "member list": memberctl.member_list,
    "member add": memberctl.member_add,
    "member remove": memberctl.member_remove,
    "member promote": memberctl.member_promote,
}


def _range(words: list[str], flags: dict[str, str]) -> dict[str, str]:
    return {"key": words[0], "range_end": prefix_end(words[0]) if "prefix" in flags else ""}


def _revision(answer: dict[str, Any]) -> int:
    return answer["header"]["revision"]


def _record(kv: KeyValue) -> str:
    return f"{_value(kv)} (created {kv['create_revision']}, modified {kv['mod_revision']}, version {kv['version']})"


def _event(event: dict[str, Any]) -> str:
    kv = event["kv"]
    return f"{kv['mod_revision']}: {event['type']} {kv['key']} {_value(kv)}".rstrip()


def _value(kv: KeyValue) -> str:
    return kv["value"] if len(kv["value"]) <= 20 else f"{len(kv['value']):,} bytes"
