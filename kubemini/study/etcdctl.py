"""A small etcd, and somebody who types etcdctl at it: each line is carried out before the next one is asked.

    etcd = Etcd()
    etcd("put color red")     "OK, revision 2"

Invariant: every line goes over the wire to a member, and what comes back is what etcd says (`users.decide`). Time
stands still between lines; `wait` lets it pass.
"""

from dataclasses import replace
from textwrap import indent
from typing import Any

from kubemini.etcd.server.member import Member, members
from kubemini.etcd.server.membership import address_of
from kubemini.host import Component, Host
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.users.decide.etcdctl import MIB, Ask, Command
from kubemini.users.decide.line import Terminal, Unknown, read
from kubemini.wire import Network, Reply

SETTLED = 4  # seconds: by then a fresh cluster has a leader and is quiet
OLD_ENOUGH = 7  # seconds: by then its connections are so old that etcd lets a member be added
PATIENCE = 20 * SECOND  # longer than etcd lets anybody wait
COMMAND_TIMEOUT = 5 * SECOND  # etcdctl --command-timeout
SETTLES = 1 * SECOND  # a newcomer reads the log
GIVES_UP = 10 * SECOND  # a newcomer that finds nobody has ended by then
HEARS = 20 * MS  # a watch of the past has told it
WIDE = 68  # characters that stand beside each other on a page


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
        self._terminal = Terminal([])
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
        newcomer = self.members[name]
        if newcomer.up:
            return f"{name} runs already"
        listed = self.ask("member_list", {}).value["members"]
        newcomer.join([str(address_of(m["peerURLs"])) for m in listed])
        late = self.sim.now + GIVES_UP
        while newcomer.up and not newcomer.serving and self.sim.now < late:
            self.sim.run_until(self.sim.now + 10 * MS)
        self.sim.run_until(self.sim.now + SETTLES)
        if newcomer.up:
            return f"{name} runs, as member {newcomer.id}"
        return f"{name} has ended:\n    {self.sim.trace.of('exit', name)[-1].detail['why']}"

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
        self._terminal.up = [m.name for m in self._up()]
        self._terminal.names = {m.data.id: m.name for m in self.members.values()}
        return self._perform(read(line, self._terminal), member)

    def _perform(self, command: Command, member: str) -> str:
        reply = None
        while True:
            try:
                ask = command.send(reply)
            except StopIteration as end:
                return end.value
            reply = self._asked(ask, ask.to or member)

    def _asked(self, ask: Ask, member: str) -> Reply:
        if ask.method == "watch":
            return self._watched(ask.payload, member or self._up()[0].name)
        return self.ask(ask.method, ask.payload, member, COMMAND_TIMEOUT if ask.hurried else PATIENCE)

    def _watched(self, payload: dict[str, Any], member: str) -> Reply:
        """Everything that a watch tells at once."""
        heard: list[Any] = []
        stream = self.user.open_stream(member, "watch", payload, heard.append, lambda error: None)
        self.sim.run_until(self.sim.now + HEARS)
        if not stream.closed:
            stream.close()
        return Reply(True, heard)

    def session(self, *lines: str) -> str:
        """Each line and, behind it or below, what etcdctl prints."""
        width = max(map(len, lines))
        said = [(f"{line:{width}}  ", self(line)) for line in lines]
        return "\n".join(
            f"{line}{text}" if len(line + text) <= WIDE else f"{line.rstrip()}\n{indent(text, '    ')}"
            for line, text in said
        )


__all__ = ["MIB", "Etcd", "Unknown"]
