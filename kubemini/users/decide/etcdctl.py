"""What each command of etcdctl asks, and what it prints. Neither wire nor clock.

A command is a generator: it yields an `Ask`, is sent the reply to it (with ``ok``, ``value``, ``error``), and returns
what is printed. So the user of a cluster, who waits, and the small etcd of a page, where time stands still between
lines, carry out the same commands. etcdctl 3.7, https://etcd.io/docs/v3.7/dev-guide/interacting_v3/
Models etcd etcdctl/ctlv3/command putCommandFunc getCommandFunc compactionCommandFunc alarmDisarmCommandFunc.
Simplified: revisions are shown with every answer (etcdctl shows them with -w json); a watch tells the past and ends.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
LONGEST = 20  # characters of a value that are printed


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: its method and payload, what it is *about*, and the member it goes *to* ("": any).

    *first*: the command must know this before it can do anything. *hurried*: the client gives up after its own
    --command-timeout.
    """

    method: str
    payload: dict[str, Any]
    about: str = ""
    to: str = ""
    first: bool = False
    hurried: bool = False


Command = Generator[Ask, Any, str]


def printed(reply: Any, words: Callable[[Any], str]) -> str:
    """*words* about the answer, or etcd's error."""
    if reply.ok:
        return words(reply.value)
    late = getattr(reply.error, "reason", "") == "deadline exceeded"
    return "Error: context deadline exceeded" if late else f"Error: {reply.error}"


# -- keys --------------------------------------------------------------------------------------------------------
def put(key: str, value: str, lease: int = 0) -> Command:
    """``put KEY VALUE [--lease=ID]``."""
    reply = yield Ask("put", {"key": key, "value": value, "lease": lease}, key)
    return printed(reply, lambda a: f"OK, revision {_revision(a)}")


def get(key: str, range_end: str = "", revision: int = 0, serializable: bool = False) -> Command:
    """``get KEY [--prefix] [--rev=N] [--consistency=s]``."""
    payload = {"key": key, "range_end": range_end, "revision": revision, "serializable": serializable}
    reply = yield Ask("range", payload, key)
    return printed(reply, lambda a: ", ".join(map(_record, a["kvs"])) or "(nothing)")


def delete(key: str, range_end: str = "") -> Command:
    """``del KEY [--prefix]``."""
    reply = yield Ask("delete_range", {"key": key, "range_end": range_end}, key)
    return printed(reply, lambda a: f"{a['deleted']} deleted, revision {_revision(a)}")


def watch(key: str, range_end: str = "", revision: int = 0) -> Command:
    """``watch KEY [--prefix] [--rev=N]``: what has happened since; what is still to come is not waited for."""
    reply = yield Ask("watch", {"key": key, "range_end": range_end, "start_revision": revision}, key)
    heard = reply.value
    if any(answer.get("canceled") for answer in heard):
        return "watch was canceled (etcdserver: mvcc: required revision has been compacted)"
    return ", ".join(_event(event) for answer in heard for event in answer["events"]) or "(silence)"


def compact(revision: int) -> Command:
    """``compact REVISION``; 0 is the newest one."""
    if not revision:
        newest = yield Ask("range", {"key": "x"}, first=True)
        if not newest.ok:
            return printed(newest, str)
        revision = _revision(newest.value)
    reply = yield Ask("compact", {"revision": revision}, str(revision))
    return printed(reply, lambda a: f"compacted revision {revision}")


# -- upkeep of the database --------------------------------------------------------------------------------------
def defrag(members: Sequence[str]) -> Command:
    """``defrag``: each of *members* in turn gives back the room inside its database file."""
    for member in members:
        yield Ask("defragment", {}, member, member)
    return f"defragmented {', '.join(members)}"


def alarms(names: Mapping[int, str]) -> Command:
    """``alarm list``; *names* of the members by their ids."""
    reply = yield Ask("alarm", {"action": "GET"})
    return printed(reply, lambda a: ", ".join(f"{x['alarm']} of {names[x['memberID']]}" for x in a["alarms"]) or "none")


def disarm() -> Command:
    """``alarm disarm``: every alarm there is."""
    listed = yield Ask("alarm", {"action": "GET"}, first=True)
    if not listed.ok:
        return printed(listed, str)
    for alarm in listed.value["alarms"]:
        yield Ask("alarm", {"action": "DEACTIVATE", **alarm}, alarm["alarm"])
    return f"{len(listed.value['alarms'])} disarmed"


def statuses(members: Sequence[str]) -> Command:
    """``endpoint status`` of *members*: their database files."""
    said = []
    for member in members:
        found = (yield Ask("status", {}, member, member)).value
        said.append(f"{member} {found['dbSize'] / MIB:.1f} MiB ({found['dbSizeInUse'] / MIB:.1f} in use)")
    return ", ".join(said)


# -- leases ------------------------------------------------------------------------------------------------------
def grant(id: int, ttl: int) -> Command:
    """``lease grant TTL``; *id* is what the lease shall be called."""
    reply = yield Ask("lease_grant", {"TTL": ttl, "ID": id}, str(id))
    return printed(reply, lambda a: f"lease {a['ID']} granted with TTL({a['TTL']}s)")


def keep_alive(id: int) -> Command:
    """``lease keep-alive ID``, once."""
    reply = yield Ask("lease_keepalive", {"ID": id}, str(id))
    return printed(reply, lambda a: f"lease {a['ID']} kept alive with TTL({a['TTL']})")


# -- how answers are printed ---------------------------------------------------------------------------------------
def _revision(answer: Mapping[str, Any]) -> int:
    return answer["header"]["revision"]


def _record(kv: Mapping[str, Any]) -> str:
    return f"{_value(kv)} (created {kv['create_revision']}, modified {kv['mod_revision']}, version {kv['version']})"


def _event(event: Mapping[str, Any]) -> str:
    kv = event["kv"]
    return f"{kv['mod_revision']}: {event['type']} {kv['key']} {_value(kv)}".rstrip()


def _value(kv: Mapping[str, Any]) -> str:
    return kv["value"] if len(kv["value"]) <= LONGEST else f"{len(kv['value']):,} bytes"
