"""Listening at the wire: each request, answer and watch event becomes a record of the trace, the word "sent".

    cluster.listen()                                       from now on
    run("anatomy", listen=("20s", "23s"))                  a run of which the trace tells this as well

What travels is told briefly: the verb and the path, etcd's key, the code of an answer, and of what has changed the
kind, the name and the revision, by which all that follows from a change is found (view/lanes).
Invariant: who listens changes nothing; without the word "sent" the trace is the same.
Simplified: a visitor's packets and Raft's messages are not heard.
"""

import json
from collections.abc import Callable
from typing import Any

from kubemini.sim import Sim
from kubemini.sim.units import NEVER
from kubemini.wire.calls import GREET, Reply
from kubemini.wire.connections import Connection
from kubemini.wire.network import Channel
from kubemini.wire.peers import Peer
from kubemini.wire.rpc import Endpoint

CHANGED = "changed meanwhile"  # the code of etcd's answer to a transaction whose comparison does not hold
SETS = 4  # fields of a patch that are told
TOLD = ("spec.replicas", "target.name", "status.replicas", "status.readyReplicas")  # … and of whole objects


class Listener:
    """It hears what is sent from *since* to *until* (µs)."""

    def __init__(self, sim: Sim, since: int = 0, until: int = NEVER):
        self.sim, self.since, self.until = sim, since, until
        self.fresh: set[tuple[str, int]] = set()  # calls under way that have connections of their own

    def packet(self, channel: Channel, arrival: int, act: Callable[..., Any], args: tuple) -> None:
        """A packet of a connection: told if it carries a request, an answer or an item."""
        outer, inner = (getattr(one, "__func__", None) for one in (act, args[0] if args else None))
        ends = channel.source.name, channel.destination.name, arrival
        if outer in (Endpoint.request, Endpoint.result):
            self._fresh(ends, outer, args)
        elif inner is Peer.serve:
            _, id, method, payload, _ = args
            if method != GREET:
                self.request(*ends, id, method, payload)
        elif inner is Connection.greeted:
            connection, id, reply = args[0].__self__, *args[1:]
            if id != connection.number:
                self.answer(*ends, id, reply)
        elif inner is Connection.item:
            self.event(*ends, *args[1:])

    def _fresh(self, ends: tuple[str, str, int], outer: Any, args: tuple) -> None:
        """A packet of a call that has a connection of its own, as etcdctl's have."""
        source, to, _ = ends
        if outer is Endpoint.request and isinstance(args[3], dict):
            self.fresh.add((source, args[1]))
            self.request(*ends, *args[1:4])
        elif outer is Endpoint.result and (to, args[0]) in self.fresh:
            self.fresh.discard((to, args[0]))
            self.answer(*ends, *args)

    def request(self, source: str, to: str, arrives: int, id: int, method: str, payload: Any) -> None:
        """A request, or the beginning of a watch."""
        form = "watch" if method == "watch" else "request"
        self._tell(source, to, arrives, f"{source}/{id}", form, asked(method, payload))

    def answer(self, source: str, to: str, arrives: int, id: int, reply: Reply) -> None:
        """An answer."""
        self._tell(source, to, arrives, f"{to}/{id}", "answer", answered(reply))

    def event(self, source: str, to: str, arrives: int, id: int, item: Any) -> None:
        """An item of a stream."""
        changes = changed(item)
        if changes:
            self._tell(source, to, arrives, f"{to}/{id}", "event", {"changes": changes})

    def _tell(self, source: str, to: str, arrives: int, call: str, form: str, said: dict[str, Any]) -> None:
        if self.since <= self.sim.now < self.until:
            self.sim.record(source, "sent", to=to, arrives=arrives, call=call, form=form, **said)


def asked(method: str, payload: Any) -> dict[str, Any]:
    """What a request says: the API's (a map with a path), or etcd's (with keys)."""
    payload = payload if isinstance(payload, dict) else {}
    if "path" in payload:
        verb = payload.get("verb", "GET")
        body = _read(payload.get("body"))
        body = body if isinstance(body, dict) else {}
        leaves = dict(_fields(body, ()))
        sets = dict([*leaves.items()][:SETS]) if verb == "PATCH" else {n: leaves[n] for n in TOLD if n in leaves}
        said = {"verb": verb, "path": payload["path"]} | ({"sets": sets} if sets else {})
        return said | ({"owner": owner} if (owner := _owner(body)) else {})
    if method != "txn":
        return {"verb": method, "key": payload.get("key", "")}
    done = [(name, said) for one in payload["success"] for name, said in one.items()]
    writes = [said["key"] for name, said in done if name != "request_range"]
    return {"verb": "txn" if writes else "range", "key": (writes or [said["key"] for _, said in done] or [""])[0]}


def _read(body: Any) -> Any:
    """A body that came as JSON from outside, as the map that it is."""
    try:
        return json.loads(body) if isinstance(body, bytes) else body
    except ValueError:
        return None


def _fields(value: Any, path: tuple[str, ...]) -> list[tuple[str, Any]]:
    """The leaves of a patch by their dotted names, but for its metadata; a list counts as its length."""
    if not isinstance(value, dict):
        return [(".".join(path), f"{len(value)} items" if isinstance(value, list | tuple) else value)]
    inner = [(key, below) for key, below in value.items() if path or key != "metadata"]
    return [leaf for key, below in inner for leaf in _fields(below, (*path, key))]


def _owner(body: Any) -> str:
    """Whose an object is: kind/name of its controller; empty if nobody's."""
    owners = body.get("metadata", {}).get("ownerReferences") or ()
    return next((f"{one['kind']}/{one['name']}" for one in owners if one.get("controller")), "")


def answered(reply: Reply) -> dict[str, Any]:
    """What an answer says: its code, and what it shows of which revision."""
    if not reply.ok:
        return {"code": str(getattr(reply.error, "code", "") or reply.error)}
    value = reply.value if isinstance(reply.value, dict) else {}
    if "header" in value:
        code = "OK" if value.get("succeeded", True) else CHANGED
        return {"code": code, "changes": [["", "", value["header"]["revision"]]]}
    return {"code": "OK", "changes": [_change("", value)] if "metadata" in value else []}


def changed(item: Any) -> list[list[Any]]:
    """What a watch event tells of: [type, etcd's key or kind/name, revision]; bookmarks tell of nothing."""
    if not isinstance(item, dict):
        return []
    if "events" in item:
        return [[one["type"], one["kv"]["key"], one["kv"]["mod_revision"]] for one in item["events"]]
    if item.get("type") not in ("ADDED", "MODIFIED", "DELETED"):
        return []
    return [_change(item["type"], item["object"])]


def _change(type: str, obj: Any) -> list[Any]:
    meta = obj.get("metadata", {})
    revision = str(meta.get("resourceVersion", ""))
    named = f"{obj.get('kind', '')}/{meta.get('name', '')}"
    return [type, named, int(revision) if revision.isdecimal() else 0]
