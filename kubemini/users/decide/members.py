"""What ``etcdctl member`` and ``move-leader`` ask and print; commands as in `etcdctl`.

Invariant: an id is what the list says it is; a member that never started has no name there, and counts all the same.
etcdctl 3.7 `member`, https://etcd.io/docs/v3.7/op-guide/runtime-configuration/
Models etcd etcdctl/ctlv3/command memberAddCommandFunc memberPromoteCommandFunc transferLeadershipCommandFunc.
Simplified: ids are small numbers; the settings that `member add` prints for the newcomer are handed over unseen.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kubemini.users.decide.etcdctl import Ask, Command, printed


def listing() -> Command:
    """``member list``: id, started or unstarted, name, peer URL, client URL, whether it is a learner, a line each."""
    reply = yield Ask("member_list", {"linearizable": True}, hurried=True)
    return printed(reply, lambda a: "\n".join(map(_row, a["members"])))


def _row(m: Mapping[str, Any]) -> str:
    state = "started" if m["name"] else "unstarted"
    learner = str(m["isLearner"]).lower()
    return ", ".join([str(m["ID"]), state, m["name"], *m["peerURLs"], *(m["clientURLs"] or [""]), learner])


def add(name: str, url: str, learner: bool, launch: Callable[[list[dict[str, Any]]], None] | None = None) -> Command:
    """``member add NAME --peer-urls=URL [--learner]``: the name is for the newcomer, the cluster hears the URL.

    *launch*, if given, starts etcd there, told who the members are.
    """
    reply = yield Ask("member_add", {"peerURLs": [url], "isLearner": learner}, name, hurried=True)
    if reply.ok and launch:
        launch(reply.value["members"])
    return printed(reply, lambda a: f"Member {a['member']['ID']} added")


def remove(id: int, name: str = "") -> Command:
    """``member remove ID``."""
    reply = yield Ask("member_remove", {"ID": id}, name, hurried=True)
    return printed(reply, lambda a: f"Member {id} removed")


def promote(id: int, name: str = "") -> Command:
    """``member promote ID``: from a learner to a voter."""
    reply = yield Ask("member_promote", {"ID": id}, name, hurried=True)
    return printed(reply, lambda a: f"Member {id} promoted")


def by_name(change: Callable[[int, str], Command], name: str) -> Command:
    """`remove` or `promote` of the member called *name*, whose id the list tells."""
    listed = yield Ask("member_list", {"linearizable": True}, first=True)
    return (yield from change(_id(listed.value, name), name)) if listed.ok else printed(listed, str)


def move_leader(name: str) -> Command:
    """``move-leader`` to *name*, sent to the leader, as it must be."""
    status = yield Ask("status", {}, first=True)
    listed = yield Ask("member_list", {"linearizable": True}, first=True)
    if not (status.ok and listed.ok):
        return printed(listed if status.ok else status, str)
    leader = status.value["leader"] or name
    reply = yield Ask("move_leader", {"targetID": _id(listed.value, name)}, name, leader)
    return printed(reply, lambda a: f"Leadership transferred to {name}")


def _id(listed: Mapping[str, Any], name: str) -> int:
    """The id of the member at *name*; 0, which nobody has, if there is none."""
    return next((m["ID"] for m in listed["members"] if f"http://{name}:2380" in m["peerURLs"]), 0)
