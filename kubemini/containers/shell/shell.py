"""A shell that runs: variables, functions, jobs, traps, and how each kind of command is carried out.

Theory of operation.

A `Shell` belongs to one process and is a set of generators: `run` carries a `Sequence` out and yields what it waits for
(`process`). A command of another program is a child process; so are the parts of a pipeline, ``( … )``, ``$( … )`` and
what runs in the background, each with a copy of this shell. The last command of a script takes the place of the shell,
if no trap is set: so ``sh -c "sleep 1000"`` becomes sleep.

**Signals.** A trap is only noted when its signal comes, and carried out when the command that runs in the foreground is
over; `wait` alone is ended by it. So a container whose script sleeps in the foreground does not hear SIGTERM before the
sleep is over, as in life.

**Redirections** are a copy of the table of streams, put back when the command is over, however it ends.

Invariant: a shell that has been left by `Exit` carries out nothing more but its EXIT trap.
POSIX, Shell Command Language, sections 2.7 to 2.12; busybox shell/ash.c evaltree evalcommand evalstring.
Simplified: no job control.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

from kubemini.containers.context import OUT
from kubemini.containers.files import Trouble
from kubemini.containers.patterns import matches
from kubemini.containers.process import IN, Process, Wait
from kubemini.containers.shell import expansion
from kubemini.containers.shell.calling import MISUSED, Calling
from kubemini.containers.shell.expansion import BadExpansion
from kubemini.containers.shell.redirecting import Redirecting
from kubemini.containers.shell.state import Exit, Loops, Ran, Return
from kubemini.containers.shell.syntax import (
    Case,
    Chain,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirected,
    Simple,
)
from kubemini.containers.shell.syntax import Sequence as Commands
from kubemini.containers.streams import Nothing, Sink, Stream, pipe


class Shell(Calling):
    """One shell."""

    # -- sequences -----------------------------------------------------------------------------------------------------
    def run(self, commands: Commands, last: bool = False) -> Ran:
        """Carry *commands* out; *last*: the shell has nothing else to do after them."""
        for number, (chain, beside) in enumerate(commands.chains, 1):
            if beside:
                self._beside(chain)
            else:
                yield from self._chain(chain, last and number == len(commands.chains))
            yield from self.hear()
        return self.status

    def _beside(self, chain: Chain) -> None:
        streams = dict(self.process.streams)
        streams[IN] = Nothing()
        job = self.fork(lambda shell: shell._chain(chain, last=True), streams)
        self.jobs.append(job)
        self.last_job, self.status = job.pid, 0

    def _chain(self, chain: Chain, last: bool) -> Ran:
        final = len(chain.links) - 1
        for number, (operator, pipeline) in enumerate(chain.links):
            if operator and (self.status == 0) != (operator == "&&"):
                continue
            looked_at = number < final or pipeline.negated
            self.tested += looked_at
            try:
                yield from self._pipeline(pipeline, last and number == final)
            finally:
                self.tested -= looked_at
            if number == final and not pipeline.negated:
                self._check(pipeline)
        return self.status

    def _check(self, pipeline: Pipeline) -> None:
        """``set -e``: a simple command, a pipeline or ``( … )`` that fails ends the shell."""
        command = pipeline.commands[0]
        while isinstance(command, Redirected):
            command = command.command
        whole = (
            len(pipeline.commands) > 1 or isinstance(command, Simple) or (isinstance(command, Group) and command.apart)
        )
        if self.status and whole and "e" in self.options and not self.tested:
            raise Exit(self.status)

    def _pipeline(self, pipeline: Pipeline, last: bool) -> Ran:
        if len(pipeline.commands) == 1:
            yield from self.command(pipeline.commands[0], last and not pipeline.negated)
        else:
            yield from self._piped(pipeline.commands)
        if pipeline.negated:
            self.status = int(not self.status)
        return self.status

    def _piped(self, commands: Sequence[Command]) -> Ran:
        children, held = [], list[Stream]()
        before: Stream | None = None
        pipes = [pipe() for _ in commands[1:]]
        for ends in pipes:
            held += [end.hold() for end in ends]
        for number, command in enumerate(commands):
            streams = dict(self.process.streams)
            if before is not None:
                streams[IN] = before
            if number < len(pipes):
                before, streams[OUT] = pipes[number]
            children.append(self.fork(partial(_one, command), streams))
            for end in [streams[OUT]] if number < len(pipes) else []:
                end.drop()
            if number:
                pipes[number - 1][0].drop()
        yield Wait(tuple(children))
        codes = [child.code or 0 for child in children]
        failed = [code for code in codes if code]
        self.status = failed[-1] if failed and "pipefail" in self.options else codes[-1]
        return self.status

    def fork(self, act: Callable[["Shell"], Ran], streams: dict[int, Stream] | None = None) -> Process:
        """A child that goes on with a copy of this shell."""
        copy = Shell(self.process, self.name, self.arguments, self.builtins)
        copy.copy_of(self)
        ignored = [name for name, act in self.traps.items() if not act]

        def main(process: Process) -> Ran:
            copy.process = process
            for name in ignored:
                copy.trap(name, "")
            return (yield from copy.whole(act))

        try:
            return self.process.spawn(main, self.process.argv, streams, self.environment())
        except Trouble as error:
            raise Exit(self.complain(f"can't fork: {error}", MISUSED)) from None

    def whole(self, act: Callable[["Shell"], Ran]) -> Ran:
        """All that this shell does, to its end; its exit status."""
        yield from self._until_exit(act)
        final = self.traps.pop("EXIT", "")
        if final:
            status = self.status
            if not (yield from self._until_exit(lambda shell: shell.eval(final))):
                self.status = status
        return self.status

    def _until_exit(self, act: Callable[["Shell"], Ran]) -> Generator[Any, Any, bool]:
        """Whether it was ended by ``exit``."""
        try:
            yield from act(self)
        except (Exit, Return) as leaving:
            self.status = leaving.args[0]
            return isinstance(leaving, Exit)
        except Loops:
            return False
        except BadExpansion as error:
            self.status = self.complain(str(error), MISUSED)
            return True
        return False

    def eval(self, script: str) -> Ran:
        """Carry a text out as commands."""
        self.status = yield from self.builtins["eval"](self, ["eval", script])  # type: ignore[misc]
        return self.status

    def hear(self) -> Ran:
        """Carry out the traps of signals that have come; the last one's signal decides what ``wait`` says."""
        while self.pending:
            act = self.traps.get(self.pending.pop(0), "")
            status = self.status
            if act:
                yield from self.eval(act)
            self.status = status
        return self.status

    # -- commands ------------------------------------------------------------------------------------------------------
    def command(self, command: Command, last: bool = False) -> Ran:
        """Carry one command out."""
        match command:
            case Simple():
                yield from self.simple(command, last)
            case Group():
                yield from self._group(command, last)
            case If():
                yield from self._if(command, last)
            case Loop():
                yield from self._loop(command)
            case For():
                yield from self._for(command)
            case Case():
                yield from self._case(command, last)
            case Redirected():
                yield from self._redirected(command)
            case Function():
                self.functions[command.name] = command.body
                self.status = 0
        return self.status

    def _group(self, group: Group, last: bool) -> Ran:
        if not group.apart:
            return (yield from self.run(group.body, last))
        child = self.fork(lambda shell: shell.run(group.body, last=True))
        yield Wait((child,))
        self.status = child.code or 0
        return self.status

    def _looked_at(self, condition: Commands) -> Generator[Any, Any, bool]:
        self.tested += 1
        try:
            return not (yield from self.run(condition))
        finally:
            self.tested -= 1

    def _if(self, command: If, last: bool) -> Ran:
        for condition, body in command.branches:
            if (yield from self._looked_at(condition)):
                return (yield from self.run(body, last))
        if command.otherwise:
            return (yield from self.run(command.otherwise, last))
        self.status = 0
        return 0

    def _loop(self, loop: Loop) -> Ran:
        status = 0
        while (yield from self._round(lambda: self._looked_at(loop.condition))) is not loop.until:
            goes_on = yield from self._round(partial(self._body, loop.body))
            status = self.status
            if goes_on is None:
                break
        self.status = status
        return status

    def _body(self, body: Commands) -> Generator[Any, Any, bool]:
        yield from self.run(body)
        return True

    def _round(self, act: Callable[[], Generator[Any, Any, bool]]) -> Generator[Any, Any, bool | None]:
        """What *act* says, of a part of a loop; None: it has broken out of it; True after ``continue``."""
        self.loops += 1
        try:
            return (yield from act())
        except Loops as leaving:
            self.status = 0
            if leaving.levels > 1 and self.loops > 1:
                raise Loops(leaving.levels - 1, leaving.goes_on) from None
            return True if leaving.goes_on else None
        finally:
            self.loops -= 1

    def _for(self, loop: For) -> Ran:
        values = list(self.arguments) if loop.words is None else (yield from expansion.fields(self, loop.words))
        self.status = self.status if values else 0
        for value in values:
            self.assign(loop.name, value)
            if (yield from self._round(partial(self._body, loop.body))) is None:
                break
        return self.status

    def _case(self, command: Case, last: bool) -> Ran:
        text = yield from expansion.text(self, command.word)
        for patterns, body in command.items:
            for word in patterns:
                if matches((yield from expansion.pattern(self, word)), text):
                    self.status = self.status if body.chains else 0
                    return (yield from self.run(body, last))
        self.status = 0
        return 0

    def _redirected(self, command: Redirected) -> Ran:
        redirecting = Redirecting(self)
        try:
            wrong = yield from redirecting.begin(command.redirects)
            if wrong:
                self.status = self.complain(wrong)
            else:
                yield from self.command(command.command)
        finally:
            redirecting.end()
        return self.status

    def substituted(self, body: Commands) -> Generator[Any, Any, str]:
        """What commands say, without the ends of lines at its end."""
        said: list[bytes] = []
        streams = {**self.process.streams, OUT: Sink(said.append)}
        child = self.fork(lambda shell: shell.run(body, last=True), streams)
        yield Wait((child,))
        self.asked = child.code or 0
        return b"".join(said).decode("utf-8", "surrogateescape").replace("\0", "").rstrip("\n")


def _one(command: Command, shell: Shell) -> Ran:
    return (yield from shell.command(command, last=True))
