"""The shell's own commands: those that change it.

Each is a function of the shell and its words, which returns an exit status, or a generator if it may wait.
Invariant: a builtin writes to the streams of the shell's process, which are redirected for it like anybody's.
POSIX, Shell Command Language, section 2.14; busybox shell/ash.c for what it says when something is wrong.
Simplified: no getopts, no times, no umask; trap knows the signals that a container is sent.
"""

import re
from collections.abc import Callable
from typing import Any

from kubemini.containers.applets.saying import echo, printf
from kubemini.containers.applets.testing import test
from kubemini.containers.files import Folder, Trouble
from kubemini.containers.process import INTERRUPTED, SIGNALS, Process, Wait
from kubemini.containers.shell.calling import MISUSED, NOT_FOUND, SPECIAL
from kubemini.containers.shell.expansion import WHITE, BadExpansion
from kubemini.containers.shell.parser import Parser
from kubemini.containers.shell.shell import Shell
from kubemini.containers.shell.state import Builtin, Exit, Loops, Ran, Return
from kubemini.containers.shell.syntax import SyntaxTrouble

NAMED = {str(number): name for name, number in SIGNALS.items()} | {"0": "EXIT"}


# -- ending and jumping ------------------------------------------------------------------------------------------------
def _exit(shell: Shell, words: list[str]) -> int:
    raise Exit(_status(shell, words))


def _return(shell: Shell, words: list[str]) -> int:
    raise Return(_status(shell, words))


def _status(shell: Shell, words: list[str]) -> int:
    if len(words) < 2:
        return shell.status
    if not words[1].isdigit():
        raise Exit(shell.complain(f"{words[0]}: Illegal number: {words[1]}", MISUSED))
    return int(words[1]) & 255


def _break(shell: Shell, words: list[str]) -> int:
    levels = int(words[1]) if words[1:] and words[1].isdigit() else 1
    if shell.loops:
        raise Loops(levels, goes_on=words[0] == "continue")
    return 0


def _true(shell: Shell, words: list[str]) -> int:
    return 0


def _false(shell: Shell, words: list[str]) -> int:
    return 1


# -- variables ---------------------------------------------------------------------------------------------------------
def _declared(shell: Shell, words: list[str], act: Callable[[str], None]) -> int:
    """``export`` and its like: NAME or NAME=VALUE."""
    for word in words[1:]:
        name, given, value = word.partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise Exit(shell.complain(f"{words[0]}: {name}: bad variable name", MISUSED))
        if given:
            shell.assign(name, value)
        act(name)
    return 0


def _export(shell: Shell, words: list[str]) -> int:
    if words[1:] in ([], ["-p"]):
        for name in sorted(shell.exported):
            if name in shell.variables:
                shell.process.out(f"export {name}={_quoted(shell.variables[name])}\n")
        return 0
    return _declared(shell, words, lambda name: shell.exported.setdefault(name))


def _readonly(shell: Shell, words: list[str]) -> int:
    return _declared(shell, words, shell.readonly.add)


def _local(shell: Shell, words: list[str]) -> int:
    if not shell.frames:
        raise Exit(shell.complain("local: not in a function", MISUSED))
    for word in words[1:]:
        name = word.partition("=")[0]
        shell.frames[-1].setdefault(name, shell.variables.get(name))
    return _declared(shell, words, lambda name: None)


def _unset(shell: Shell, words: list[str]) -> int:
    functions = words[1:2] == ["-f"]
    for name in words[2:] if words[1:2] in (["-f"], ["-v"]) else words[1:]:
        if name in shell.readonly:
            raise BadExpansion(f"unset: {name}: is read only")
        if functions:
            shell.functions.pop(name, None)
        else:
            shell.variables.pop(name, None)
            shell.exported.pop(name, None)
    return 0


def _set(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        for name in sorted(shell.variables):
            shell.process.out(f"{name}={_quoted(shell.variables[name])}\n")
    rest = words[1:]
    while rest and rest[0][:1] in ("-", "+") and rest[0] not in ("-", "--"):
        switch, *rest = rest
        names = [rest.pop(0)] if switch[1:] == "o" and rest else list(switch[1:])
        long = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a"}
        for name in names:
            if switch[0] == "-":
                shell.options.add(long.get(name, name))
            else:
                shell.options.discard(long.get(name, name))
        if switch[1:] == "o":
            continue
    if rest or words[1:2] == ["--"]:
        shell.arguments = rest[1:] if rest[:1] == ["--"] else rest
    return 0


def _shift(shell: Shell, words: list[str]) -> int:
    count = int(words[1]) if words[1:] and words[1].isdigit() else 1
    if count > len(shell.arguments):
        return 1
    del shell.arguments[:count]
    return 0


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _read(shell: Shell, words: list[str]) -> Ran:
    raw, names = False, words[1:]
    while names and names[0].startswith("-"):
        raw = raw or "r" in names[0]
        names = names[2:] if names[0][-1] in "ptn" else names[1:]
    line, ended = "", False
    while not ended:
        data = yield shell.process.read(line=True)
        if data is None:
            break
        line += data.decode("utf-8", "surrogateescape")
        ended = line.endswith("\n")
        if ended and not raw and re.search(r"(?<!\\)(\\\\)*\\\n$", line):
            line, ended = line[:-2], False
    _spread(shell, line.removesuffix("\n"), names or ["REPLY"], raw)
    return 0 if ended else 1


def _spread(shell: Shell, line: str, names: list[str], raw: bool) -> None:
    """The words of a line, one a variable, and to the last all that is left."""
    separators = shell.variables.get("IFS", WHITE)
    white = "".join(letter for letter in separators if letter in WHITE)
    for name in names[:-1]:
        line = line.lstrip(white)
        end = next(
            (at for at, letter in enumerate(line) if letter in separators and (raw or line[at - 1 : at] != "\\")),
            len(line),
        )
        shell.assign(name, line[:end] if raw else re.sub(r"\\(.)", r"\1", line[:end]))
        line = line[end:].lstrip(white)
        if line[:1] and line[0] in separators and (line[0] not in white):
            line = line[1:]
    line = line.strip(white)
    shell.assign(names[-1], line if raw else re.sub(r"\\(.)", r"\1", line))


# -- where, and what ---------------------------------------------------------------------------------------------------
def _cd(shell: Shell, words: list[str]) -> int:
    operands = [word for word in words[1:] if word not in ("-L", "-P", "--")]
    name = operands[0] if operands else shell.variables.get("HOME", "/")
    if name == "-":
        name = shell.variables.get("OLDPWD", "/")
    try:
        if not isinstance(shell.files.find(shell.process.path(name)), Folder):
            raise Trouble("Not a directory")
    except Trouble as error:
        return shell.complain(f"cd: can't cd to {name}: {error}", MISUSED)
    parts: list[str] = []
    for part in shell.process.path(name).split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    shell.variables["OLDPWD"], shell.process.cwd = shell.process.cwd, "/" + "/".join(parts)
    shell.variables["PWD"] = shell.process.cwd
    if operands[:1] == ["-"]:
        shell.process.out(shell.process.cwd + "\n")
    return 0


def _pwd(shell: Shell, words: list[str]) -> int:
    shell.process.out(shell.process.cwd + "\n")
    return 0


def _command(shell: Shell, words: list[str]) -> "int | Ran":
    if words[1:2] in (["-v"], ["-V"]):
        return _type(shell, words[1:])
    rest = [word for word in words[1:] if word != "-p"]
    if not rest:
        return 0
    if rest[0] in shell.builtins:
        return shell.builtins[rest[0]](shell, rest)
    return shell.other(rest, {}, last=False)


def _type(shell: Shell, words: list[str]) -> int:
    status, bare = 0, words[0] == "-v"
    for name in words[1:]:
        found = shell.process.inside.find(name, shell.variables, shell.cwd)
        if name in shell.functions or name in shell.builtins:
            kind = "a function" if name in shell.functions else "a shell builtin"
            shell.process.out(f"{name}\n" if bare else f"{name} is {kind}\n")
        elif found is not None:
            shell.process.out(f"{found[0]}\n" if bare else f"{name} is {found[0]}\n")
        else:
            if not bare:
                shell.process.out(f"{name}: not found\n")
            status = NOT_FOUND
    return status


# -- running -----------------------------------------------------------------------------------------------------------
def _eval(shell: Shell, words: list[str]) -> Ran:
    return (yield from carry_out(shell, " ".join(words[1:])))


def carry_out(shell: Shell, script: str, last: bool = False) -> Ran:
    """Carry a script out, line by line; *last*: the shell has nothing else to do after it."""
    ran = False
    try:
        for commands, ends in Parser(script).lines():
            ran = True
            yield from shell.run(commands, last and ends)
    except SyntaxTrouble as error:
        raise Exit(shell.complain(str(error), MISUSED)) from None
    shell.status = shell.status if ran else 0
    return shell.status


def _source(shell: Shell, words: list[str]) -> Ran:
    name = words[1] if len(words) > 1 else ""
    try:
        script = shell.files.read(shell.process.path(name)).decode("utf-8", "surrogateescape")
    except Trouble:
        raise Exit(shell.complain(f".: can't open '{name}': No such file or directory", MISUSED)) from None
    try:
        return (yield from carry_out(shell, script))
    except Return as leaving:
        return int(leaving.args[0])


def _exec(shell: Shell, words: list[str]) -> Ran:
    if len(words) == 1:
        return 0
    found = shell.program(words[1:], shell.variables)
    if isinstance(found, int):
        raise Exit(found)
    shell.traps.clear()
    raise Exit((yield from shell.process.become(*found, shell.environment())))


# -- signals and jobs --------------------------------------------------------------------------------------------------
def signal_named(text: str) -> str | None:
    """The name of a signal that is given as TERM, SIGTERM, sigterm or 15; EXIT is 0."""
    name = NAMED.get(text) or text.upper().removeprefix("SIG")
    return name if name in SIGNALS or name == "EXIT" else None


def _trap(shell: Shell, words: list[str]) -> int:
    rest = words[2:] if words[1:2] == ["--"] else words[1:]
    if not rest:
        for name, told in shell.traps.items():
            shell.process.out(f"trap -- {_quoted(told)} {name}\n")
        return 0
    resets = rest[0] == "-" or (len(rest) == 1 and signal_named(rest[0]) is not None)
    act: str | None = None if resets else rest[0]
    names = rest[1:] or rest if resets else rest[1:]
    status = 0
    for text in [one for one in names if one != "-"]:
        signal = signal_named(text)
        if signal is None:
            status = shell.complain(f"trap: {text}: invalid signal specification")
        else:
            shell.trap(signal, act)
    return status


def _kill(shell: Shell, words: list[str]) -> Ran:
    rest, name = words[1:], "TERM"
    if rest[:1] == ["-l"]:
        shell.process.out("\n".join(sorted(SIGNALS, key=lambda one: SIGNALS[one])) + "\n")
        return 0
    if rest[:1] == ["-s"]:
        rest = ["-" + "".join(rest[1:2]), *rest[2:]]
    if rest and rest[0].startswith("-") and rest[0] != "--":
        found = signal_named(rest[0][1:])
        if found is None:
            return shell.complain(f"kill: bad signal name '{rest[0][1:]}'")
        name, rest = found, rest[1:]
    status = 0
    for word in rest:
        target = _process(shell, word)
        if target is None:
            status = shell.complain(f"kill: can't kill pid {word}: No such process")
        elif name != "EXIT":
            target.signal(name)
    yield Wait(())  # who has killed himself goes no further
    return status


def _process(shell: Shell, word: str) -> Process | None:
    """The process that a number, or ``%2``, means."""
    if word.startswith("%"):
        jobs = {str(number): job for number, job in enumerate(shell.jobs, 1)}
        found = shell.jobs[-1] if word in ("%%", "%+") and shell.jobs else jobs.get(word[1:])
        return None if found is None or found.done else found
    return shell.process.inside.processes.get(int(word)) if word.isdigit() else None


def _wait(shell: Shell, words: list[str]) -> Ran:
    known = {str(job.pid): job for job in shell.jobs} | {f"%{number}": job for number, job in enumerate(shell.jobs, 1)}
    strangers = [word for word in words[1:] if word not in known]
    wanted = [known[word] for word in words[1:] if word in known] if words[1:] else list(shell.jobs)
    waits = [job for job in wanted if not job.done]
    while waits:
        if (yield Wait(tuple(waits), alert=True)) is INTERRUPTED:
            name = shell.pending[0] if shell.pending else "TERM"
            return 128 + SIGNALS[name]
        waits = [job for job in wanted if not job.done]
    if strangers and words[-1] in strangers:
        return NOT_FOUND
    return (wanted[-1].code or 0) if words[1:] and wanted else 0


def _jobs(shell: Shell, words: list[str]) -> int:
    for number, job in enumerate(shell.jobs, 1):
        if not job.done:
            shell.process.out(f"[{number}]{'+' if job is shell.jobs[-1] else ' '}  Running\n")
    return 0


def _plain(act: Callable[[Process, list[str]], int]) -> Builtin:
    """A command that is a program as well."""
    return lambda shell, words: act(shell.process, words)


BUILTINS: dict[str, Any] = {
    ":": _true,
    "true": _true,
    "false": _false,
    ".": _source,
    "source": _source,
    "[": _plain(test),
    "[[": _plain(test),
    "test": _plain(test),
    "echo": _plain(echo),
    "printf": _plain(printf),
    "break": _break,
    "continue": _break,
    "cd": _cd,
    "command": _command,
    "eval": _eval,
    "exec": _exec,
    "exit": _exit,
    "export": _export,
    "jobs": _jobs,
    "kill": _kill,
    "local": _local,
    "pwd": _pwd,
    "read": _read,
    "readonly": _readonly,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "trap": _trap,
    "type": _type,
    "unset": _unset,
    "wait": _wait,
}
assert set(SPECIAL) <= set(BUILTINS), "a special builtin is a builtin"
