"""What etcdctl says about members: list, add, remove, promote; and what a newcomer says when it is started.

Invariant: an id is what the list says it is; a member that never started has no name there, and counts all the same.
etcdctl 3.5 `member`, https://etcd.io/docs/v3.5/op-guide/runtime-configuration/
Simplified: ids are small numbers; the settings that `member add` prints for the newcomer are handed over unseen.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubemini.etcd.member import Member
from kubemini.etcd.membership import address_of
from kubemini.net.rpc import DEADLINE
from kubemini.sim.units import MS, SECOND

if TYPE_CHECKING:
    from kubemini.study.etcdctl import Etcd

COMMAND_TIMEOUT = 5 * SECOND  # etcdctl --command-timeout
SETTLES = 1 * SECOND  # a newcomer reads the log
GIVES_UP = 10 * SECOND  # a newcomer that finds nobody has ended by then


def launch(etcd: "Etcd", name: str) -> str:
    """etcd starts on the spare machine *name*, with an empty disk and the settings that ``member add`` printed."""
    newcomer = etcd.members[name]
    if newcomer.up:
        return f"{name} runs already"
    newcomer.join(_peers(etcd))
    late = etcd.sim.now + GIVES_UP
    while newcomer.up and not newcomer.serving and etcd.sim.now < late:
        etcd.sim.run_until(etcd.sim.now + 10 * MS)
    etcd.sim.run_until(etcd.sim.now + SETTLES)
    return f"{name} runs, as member {newcomer.id}" if newcomer.up else f"{name} has ended:\n    {_last_words(newcomer)}"


def _peers(etcd: "Etcd") -> list[str]:
    """Where the members are, for ``--initial-cluster``."""
    members = etcd.ask("member_list", {}).value["members"]
    return [str(address_of(m["peerURLs"])) for m in members]


def _last_words(member: Member) -> str:
    return member.sim.trace.of("exit", member.name)[-1].detail["why"]


def _ask(etcd: "Etcd", method: str, payload: dict[str, Any], member: str, words: Callable[[Any], str]) -> str:
    """*words* about the answer. A change of members waits for ever; etcdctl does not."""
    reply = etcd.ask(method, payload, member, COMMAND_TIMEOUT)
    return "Error: context deadline exceeded" if reply.error == DEADLINE else etcd.said(reply, words)


def member_list(etcd: "Etcd", words: list[str], flags: dict[str, str], member: str) -> str:
    """A line for each: id, started or unstarted, name, peer URL, client URL, whether it is a learner."""
    return _ask(etcd, "member_list", {"linearizable": True}, member, lambda a: "\n".join(map(_row, a["members"])))


def _row(m: dict[str, Any]) -> str:
    state = "started" if m["name"] else "unstarted"
    learner = str(m["isLearner"]).lower()
    return ", ".join([str(m["ID"]), state, m["name"], *m["peerURLs"], *(m["clientURLs"] or [""]), learner])


def member_add(etcd: "Etcd", words: list[str], flags: dict[str, str], member: str) -> str:
    """``member add NAME --peer-urls=URL [--learner]``: the name is for the newcomer, the cluster hears the URL."""
    if not words or not flags.get("peer-urls"):
        raise ValueError("a name and --peer-urls=http://NAME:2380")
    payload = {"peerURLs": [flags["peer-urls"]], "isLearner": "learner" in flags}
    return _ask(etcd, "member_add", payload, member, lambda a: f"Member {a['member']['ID']} added")


def member_remove(etcd: "Etcd", words: list[str], flags: dict[str, str], member: str) -> str:
    """``member remove ID``."""
    return _ask(etcd, "member_remove", {"ID": int(words[0])}, member, lambda a: f"Member {words[0]} removed")


def member_promote(etcd: "Etcd", words: list[str], flags: dict[str, str], member: str) -> str:
    """``member promote ID``: from a learner to a voter."""
    return _ask(etcd, "member_promote", {"ID": int(words[0])}, member, lambda a: f"Member {words[0]} promoted")
