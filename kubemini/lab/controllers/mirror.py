"""controllers.mirror: a copy that survives lost events, in 200 conversations with a server that forgets.

The server keeps few changes. Watches break at any time, in peace, by a fault of the wire, or with 410; what happened
meanwhile is told again if the server still has it, and never otherwise.
"""

from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.controllers.methods import answered, called
from kubemini.ranges import shown

CONVERSATIONS, ROUNDS, KEPT = 200, 14, 12  # KEPT: changes that the server remembers
METHODS = ("next", "listed", "event", "ended")
NAMES = tuple("abcdefgh")


class Server:
    """Objects by name, each with the revision of its last change, and the last few changes."""

    def __init__(self, number: int):
        self.dice = Random(f"mirror/{number}")
        self.revision = self.dice.randint(10, 99)
        self.objects: dict[str, int] = {}
        self.changes: list[tuple[int, str, str]] = []

    def change(self) -> None:
        """Somebody creates, changes or deletes something."""
        self.revision += self.dice.randint(1, 3)  # other kinds count too
        name = self.dice.choice(NAMES)
        if name in self.objects and self.dice.random() < 0.35:
            del self.objects[name]
            verb = "DELETED"
        else:
            verb = "MODIFIED" if name in self.objects else "ADDED"
            self.objects[name] = self.revision
        self.changes = [*self.changes, (self.revision, verb, name)][-KEPT:]

    def since(self, revision: int) -> list[tuple[int, str, str]] | None:
        """The changes after *revision*; None: they are not all there any more."""
        if len(self.changes) == KEPT and revision < self.changes[0][0] - 1:
            return None
        return [change for change in self.changes if change[0] > revision]


@exercise("controllers.mirror")
def check_mirror(answer: Any) -> Report:
    """*answer*: a class with ``next``, ``listed``, ``event``, ``ended`` and the dict ``objects``."""
    lacks = [name for name in METHODS if not callable(getattr(answer, name, None))]
    if not isinstance(answer, type) or lacks:
        raise NotYet(f"Give check() the class itself, with {', '.join(METHODS)}; it got {shown(answer)}.")
    lists = watches = gone = 0
    for number in range(CONVERSATIONS):
        talk = Conversation(ask(answer), Server(number))
        talk.play()
        lists, watches, gone = lists + talk.lists, watches + talk.watches, gone + talk.gone
    return Report(
        "pass",
        (
            f"{CONVERSATIONS} conversations: at the end of each watch the copy was what the server had told",
            f"{watches:,} watches were opened, and only {lists:,} lists asked for: {gone:,} times after a 410",
            "whatever had changed was named, also what had vanished unseen",
        ),
        "A watch goes on where the last one ended; where that is forgotten, a list makes good what was missed.",
        "What would a program have to do that acts on events, and not on the copy?",
    )


class Conversation:
    """One copy and one server."""

    def __init__(self, mirror: Any, server: Server):
        self.mirror, self.server, self.dice = mirror, server, server.dice
        self.lists = self.watches = self.gone = 0
        self.told: dict[str, int] = {}  # what the copy must be
        self.version = -1
        self.may_list, self.forgotten = True, False

    def play(self) -> None:
        """Some rounds, in each of which it asks for one thing."""
        for _ in range(ROUNDS):
            for _ in range(self.dice.choice([0, 1, 2, 5, 20])):
                self.server.change()
            wish = answered(self.mirror.next)
            match wish:
                case ("list",):
                    self._list()
                case ("watch", int(revision)):
                    self._watch(revision)
                case _:
                    raise NotYet(f'next() returned {shown(wish)}: give ("list",) or ("watch", revision).')

    def _list(self) -> None:
        if not self.may_list:
            raise NotYet(
                "It lists again, though the server has not said 410: it could have gone on from its last revision.",
                next="500 copies that list whenever a connection breaks are how a server is brought down.",
            )
        self.lists, self.may_list = self.lists + 1, False
        self.forgotten = False
        before, self.told = self.told, dict(self.server.objects)
        self.version = self.server.revision
        named = self._changed(self.mirror.listed, dict(self.told), self.version)
        differ = {name for name in {**before, **self.told} if before.get(name) != self.told.get(name)}
        self._compare(differ, named, "after a list")

    def _watch(self, revision: int) -> None:
        self.watches += 1
        if self.version < 0:
            raise NotYet("It watches before it has listed: what was there before the first event, it never hears.")
        if revision != self.version:
            raise NotYet(
                f"It watches from revision {revision}; the last that it was told of is {self.version}.",
                next="A list tells a revision, and so does each event. The newest of them is where to go on.",
            )
        if self.forgotten:
            raise NotYet(
                f"It watches at revision {revision} again, though the server has said 410: that is forgotten.",
                next="After a 410 only a list helps: it says what is, and where to go on.",
            )
        changes = self.server.since(revision)
        if changes is None:
            self.gone, self.may_list, self.forgotten = self.gone + 1, True, True
            called(self.mirror.ended, 410)
            return
        for at, verb, name in changes[: self.dice.randint(0, len(changes))]:
            self.version = at
            self.told.pop(name, None)
            if verb != "DELETED":
                self.told[name] = at
            self._compare({name}, self._changed(self.mirror.event, verb, name, at), f"after {verb} {name}")
        called(self.mirror.ended, self.dice.choice([0, 500]))

    def _changed(self, method: Any, *arguments: Any) -> set[str]:
        names = answered(method, *arguments)
        if not isinstance(names, set | list | tuple | dict):
            raise NotYet(f"{method.__name__} returned {shown(names)}: give the names of what has changed, as a set.")
        return set(names)

    def _compare(self, differ: set[str], named: set[str], when: str) -> None:
        copy = getattr(self.mirror, "objects", None)
        if copy != self.told:
            raise NotYet(
                f"{when}, the copy is {shown(copy)}; the server has told {shown(self.told)}.",
                next="A list replaces the whole copy: what is not in it is no more.",
            )
        if differ - named:
            raise NotYet(
                f"{when}, {sorted(differ - named)[0]} has changed, and nobody was told: you did not return it.",
                next="Compare the list with the copy, in both directions: new, changed, and gone.",
            )
        if named - differ:
            raise NotYet(f"{when}, {sorted(named - differ)[0]} was named, and has not changed.")
