"""A simple command: words become what is called, a function, a builtin, or another program.

Invariant: assignments before a command hold for it alone, unless it is a special builtin.
POSIX, Shell Command Language, sections 2.9.1 and 2.14; busybox shell/ash.c evalcommand.
Simplified: a function may call itself some forty times.
"""

from kubemini.containers.context import CannotStart
from kubemini.containers.files import Trouble
from kubemini.containers.process import Main, Sleep, Wait
from kubemini.containers.shell import expansion
from kubemini.containers.shell.redirecting import Redirecting
from kubemini.containers.shell.state import Exit, Ran, Return, State
from kubemini.containers.shell.syntax import Command, Simple
from kubemini.containers.shell.syntax import Sequence as Commands
from kubemini.sim.units import SECOND

NOT_FOUND, NO_PROGRAM, MISUSED = 127, 126, 2
DEEPEST = 40  # calls of functions within functions
SPECIAL = (
    ":",
    ".",
    "break",
    "continue",
    "eval",
    "exec",
    "exit",
    "export",
    "readonly",
    "return",
    "set",
    "shift",
    "trap",
    "unset",
)


class Calling(State):
    """A shell, as far as simple commands go."""

    def command(self, command: Command, last: bool = False) -> Ran:
        """Carry one command out: the whole shell knows how."""
        raise NotImplementedError

    def hear(self) -> Ran:
        """Carry out the traps of signals that have come."""
        raise NotImplementedError

    def substituted(self, body: Commands) -> expansion.Expanded:
        """What commands say."""
        raise NotImplementedError

    def simple(self, command: Simple, last: bool) -> Ran:
        if self.process.inside.out_of_breath():
            yield Sleep(SECOND)
        self.asked = 0
        words = yield from expansion.fields(self, command.words)
        redirecting = Redirecting(self)
        stays = False
        try:
            wrong = yield from redirecting.begin(command.redirects)
            if wrong:
                self.status = self.complain(wrong)
                return self.status
            stays = words == ["exec"]
            yield from self._called(command, words, last)
        finally:
            redirecting.end(stays)
        yield from self.hear()
        return self.status

    def _called(self, command: Simple, words: list[str], last: bool) -> Ran:
        assigned: dict[str, str] = {}
        for name, word in command.assignments:
            assigned[name] = yield from expansion.text(self, word)
            if not words:
                self.assign(name, assigned[name])
        if "x" in self.options:
            shown = [f"{name}={value}" for name, value in assigned.items()] + words
            self.process.complain("+ " + " ".join(shown))
        if not words:
            self.status = self.asked
        elif words[0] in self.functions or words[0] in self.builtins:
            yield from self._own(words, assigned)
        else:
            yield from self.other(words, assigned, last)
        return self.status

    def _own(self, words: list[str], assigned: dict[str, str]) -> Ran:
        """A function or a builtin, with assignments that hold for it alone, unless it is special."""
        special = words[0] in SPECIAL and words[0] not in self.functions
        before = {name: self.variables.get(name) for name in assigned}
        exported = dict(self.exported)
        for name, value in assigned.items():
            self.assign(name, value)
            if not special:
                self.exported[name] = None
        try:
            if words[0] in self.functions:
                yield from self.call(words)
            else:
                found = self.builtins[words[0]](self, words)
                self.status = found if isinstance(found, int) else (yield from found)
        finally:
            if not special and assigned:
                self.exported = exported
                for name, old in before.items():
                    self._put_back(name, old)
        return self.status

    def _put_back(self, name: str, old: str | None) -> None:
        if old is None:
            self.variables.pop(name, None)
        else:
            self.variables[name] = old

    def call(self, words: list[str]) -> Ran:
        """Call a function."""
        if len(self.frames) >= DEEPEST:
            raise Exit(self.complain(f"{words[0]}: too many functions within functions", MISUSED))
        arguments, self.arguments = self.arguments, words[1:]
        loops, self.loops = self.loops, 0
        self.frames.append({})
        try:
            yield from self.command(self.functions[words[0]])
        except Return as leaving:
            self.status = leaving.args[0]
        finally:
            self.arguments, self.loops = arguments, loops
            for name, old in self.frames.pop().items():
                self._put_back(name, old)
        return self.status

    def other(self, words: list[str], assigned: dict[str, str], last: bool) -> Ran:
        found = self.program(words, self.variables | assigned)
        if isinstance(found, int):
            self.status = found
            return found
        main, argv = found
        environment = self.environment() | assigned
        if last and not self.traps:
            raise Exit((yield from self.process.become(main, argv, environment)))
        try:
            child = self.process.spawn(main, argv, None, environment)
        except Trouble as error:
            raise Exit(self.complain(f"can't fork: {error}", MISUSED)) from None
        yield Wait((child,))
        self.status = child.code or 0
        return self.status

    def program(self, words: list[str], variables: dict[str, str]) -> "tuple[Main, tuple[str, ...]] | int":
        """The program that *words* call and what it is given, or the status of a command that is not there."""
        inside, cwd = self.process.inside, self.process.cwd
        if inside.find(words[0], variables, cwd) is None:
            there = "/" in words[0] and self.files.exists(self.process.path(words[0]))
            if there:
                return self.complain(f"{words[0]}: Permission denied", NO_PROGRAM)
            return self.complain(f"{words[0]}: not found", NOT_FOUND)
        try:
            return inside.called(tuple(words), variables, cwd)
        except CannotStart:
            return inside.called(("sh", self.process.path(words[0]), *words[1:]), variables, cwd)
