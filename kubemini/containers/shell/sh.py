"""sh: a script given with -c, in a file, or line by line from its input.

busybox shell/ash.c (names, prompts, exit codes). With a terminal, lines are edited as little as a tutorial needs.
Invariant: a shell ends when its input does.
Simplified: no history, no completion; ^C gives the line up, ^D at its beginning ends the shell.
"""

from collections.abc import Generator
from typing import Any

from kubemini.containers.files import Trouble
from kubemini.containers.process import IN, Life, Process
from kubemini.containers.shell.builtins import BUILTINS, carry_out
from kubemini.containers.shell.calling import MISUSED, NOT_FOUND
from kubemini.containers.shell.parser import Parser, parse
from kubemini.containers.shell.shell import Shell
from kubemini.containers.shell.state import Exit, Ran
from kubemini.containers.shell.syntax import SyntaxTrouble
from kubemini.containers.streams import Terminal

PROMPT, MORE = "/ # ", "> "


def main(process: Process) -> Life:
    """A shell."""
    options, rest, script = set[str](), list(process.argv[1:]), None
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1 and rest[0] != "--":
        switch = rest.pop(0)
        options |= set(switch[1:]) - {"c", "l", "i", "s"} if switch[0] == "-" else set()
        if "o" in switch[1:] and rest:
            options.add(rest.pop(0))
        if "c" in switch[1:]:
            if not rest:
                return process.complain("sh: option requires an argument -- 'c'", MISUSED)
            script = rest.pop(0)
            break
    rest = rest[1:] if rest[:1] == ["--"] else rest
    name = process.argv[0].rpartition("/")[2].lstrip("-") or "sh"
    if script is None and rest:
        try:
            script = process.files.read(process.path(rest[0])).decode("utf-8", "surrogateescape")
        except Trouble:
            return process.complain(f"{name}: can't open '{rest[0]}': No such file or directory", NOT_FOUND)
    shell = Shell(process, rest[0] if rest else name, rest[1:], BUILTINS)
    shell.options |= {{"errexit": "e", "nounset": "u", "xtrace": "x"}.get(one, one) for one in options - {"o"}}
    found = script
    if found is not None:
        return (yield from shell.whole(lambda one: carry_out(one, found, last=True)))
    return (yield from shell.whole(_conversation))


def _conversation(shell: Shell) -> Ran:
    """Commands of its input, each as soon as it is complete."""
    lines = _typed(shell.process) if _talks(shell) else _lines(shell.process)
    script, line = "", (yield from lines(PROMPT))
    while line is not None:
        script += line
        try:
            parse(script)
        except SyntaxTrouble as error:
            if not error.complete:
                line = yield from lines(MORE)
                continue
        yield from _carried_out(shell, script)
        script, line = "", (yield from lines(PROMPT))
    if script:
        yield from _carried_out(shell, script)
    return shell.status


def _talks(shell: Shell) -> bool:
    """Whether somebody types at a terminal."""
    return isinstance(shell.process.streams.get(IN), Terminal)


def _carried_out(shell: Shell, script: str) -> Ran:
    """A mistake does not end a shell that somebody talks to."""
    status = shell.status
    if not script.strip():
        return status
    try:
        parse(script)
    except SyntaxTrouble as error:
        shell.status = shell.complain(str(error), MISUSED)
        if not _talks(shell):
            raise Exit(MISUSED) from None
        return shell.status
    for commands, _ in Parser(script).lines():
        yield from shell.run(commands)
    return shell.status


Line = Generator[Any, Any, str | None]


def _lines(process: Process) -> Any:
    """Reads whole lines, and no more than one, so that commands may read what follows."""

    def read(prompt: str) -> Line:
        data = yield process.read(line=True)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    return read


def _typed(process: Process) -> Any:
    """Reads letters of a terminal, and shows them."""
    ahead: list[str] = []

    def read(prompt: str) -> Line:
        process.out(prompt)
        line = ""
        while True:
            if not ahead:
                data = yield process.read(IN)
                if data is None:
                    return None
                ahead.extend(data.decode("utf-8", "replace").replace("\r", "\n"))
            letter = ahead.pop(0)
            if letter == "\x04" and not line:
                return None
            if letter.isprintable() or letter == "\n":
                process.out(letter)
            if letter == "\n":
                return line + "\n"
            line = line[:-1] if letter in "\x7f\b" else "" if letter == "\x03" else line + letter

    return read
