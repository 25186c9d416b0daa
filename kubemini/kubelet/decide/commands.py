"""What can be run in a simulated container: a few small programs that read what the simulation knows. Pure.

    program = find(["cat", "/etc/resolv.conf"])        None: there is no such program
    for step in program(words, facts): …               Write, Read, Sleep, Ask, Clock; it returns the exit code

A program is a generator: it yields what it wants done and is sent what came of it, so it needs no clock and no wire.
It sees a container as `Facts` describe it, and writes to nothing but its own output.
Invariant: a program ends when its input does; what is not here is not found, as in a container without it.
BusyBox 1.37 (names, texts of refusals, exit codes). Models k/k pkg/kubelet ensureHostsFile managedHostsFileContent
Simplified: sh runs one command a line, without variables, pipes and redirections; files are those that a kubelet makes.
"""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from kubemini.kubelet.decide.hooks import sleep_time, steps

OUT, ERR = 1, 2
NOT_FOUND, FAILED, MISUSED = 127, 1, 2
DEEPEST = 32  # shells within shells
TOO_MUCH = "this shell runs commands with ; && || between them, and no more"
FOLDERS = ["bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "usr", "var"]
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Write(NamedTuple):
    """Put *text* on a stream, OUT or ERR."""

    stream: int
    text: str


class Read(NamedTuple):
    """Wait for input: sent bytes, or None at its end."""


class Sleep(NamedTuple):
    """Wait *time* µs."""

    time: int


class Clock(NamedTuple):
    """Sent the date."""


class Ask(NamedTuple):
    """Ask the network: *what* is lookup (a name) or fetch (a URL); sent a dict that says what came."""

    what: str
    of: str


Step = Write | Read | Sleep | Clock | Ask
Run = Generator[Step, Any, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """A container, as its programs see it."""

    hostname: str
    environment: Mapping[str, str]
    files: Mapping[str, str]
    processes: tuple[str, ...]  # what runs in it, its first process first
    tty: bool = False
    shells: int = 0  # that have begun one another


def find(words: Sequence[str]) -> "Callable[[Sequence[str], Facts], Run] | None":
    """The program that *words* call."""
    name = words[0] if words else ""
    folder, _, last = name.rpartition("/")
    return PROGRAMS.get(last) if folder in ("", "/bin", "/usr/bin") else None


def not_found(name: str) -> str:
    """The words of the OCI runtime, runc, for a program that is not there."""
    what = f"stat {name}: no such file or directory" if "/" in name else "executable file not found in $PATH"
    return f'OCI runtime exec failed: exec failed: unable to start container process: exec: "{name}": {what}'


# -- the programs ------------------------------------------------------------------------------------------------------


def _say(text: str) -> Run:
    yield Write(OUT, text)
    return 0


def _complain(text: str, code: int = FAILED) -> Run:
    yield Write(ERR, text + "\n")
    return code


def _true(words: Sequence[str], facts: Facts) -> Run:
    return 0
    yield Read()


def _false(words: Sequence[str], facts: Facts) -> Run:
    return FAILED
    yield Read()


def _echo(words: Sequence[str], facts: Facts) -> Run:
    bare = words[1:2] == ["-n"]
    return (yield from _say(" ".join(words[2 if bare else 1 :]) + ("" if bare else "\n")))


def _hostname(words: Sequence[str], facts: Facts) -> Run:
    return (yield from _say(facts.hostname + "\n"))


def _env(words: Sequence[str], facts: Facts) -> Run:
    return (yield from _say("".join(f"{name}={value}\n" for name, value in facts.environment.items())))


def _printenv(words: Sequence[str], facts: Facts) -> Run:
    if len(words) < 2:
        return (yield from _env(words, facts))
    found = [facts.environment[name] for name in words[1:] if name in facts.environment]
    yield Write(OUT, "".join(value + "\n" for value in found))
    return 0 if len(found) == len(words) - 1 else FAILED


def _pwd(words: Sequence[str], facts: Facts) -> Run:
    return (yield from _say("/\n"))


def _date(words: Sequence[str], facts: Facts) -> Run:
    now: datetime = yield Clock()
    return (yield from _say(f"{now:%a %b} {now.day:2} {now:%H:%M:%S} UTC {now:%Y}\n"))


def _sleep(words: Sequence[str], facts: Facts) -> Run:
    time = sleep_time(words[1:])
    if time is None:
        wrong = f"invalid number '{words[1]}'" if len(words) > 1 else "missing operand"
        return (yield from _complain(f"sleep: {wrong}"))
    yield Sleep(time)
    return 0


def _cat(words: Sequence[str], facts: Facts) -> Run:
    code = 0
    for name in words[1:] or ["-"]:
        if name == "-":
            yield from _copy()
        elif name in facts.files:
            yield Write(OUT, facts.files[name])
        else:
            code = yield from _complain(f"cat: can't open '{name}': No such file or directory")
    return code


def _copy() -> Generator[Step, Any, None]:
    while (data := (yield Read())) is not None:
        yield Write(OUT, data.decode("utf-8", "replace"))


def _ls(words: Sequence[str], facts: Facts) -> Run:
    code, names = 0, [word for word in words[1:] if not word.startswith("-")]
    for name in names or ["/"]:
        found = _listed(name.rstrip("/") or "/", facts)
        if found is None:
            code = yield from _complain(f"ls: {name}: No such file or directory")
        else:
            yield Write(OUT, "".join(f"{one}\n" for one in found))
    return code


def _listed(path: str, facts: Facts) -> list[str] | None:
    """What is in a folder; of a file, itself; None: there is no such thing."""
    if path in facts.files:
        return [path]
    prefix = "" if path == "/" else path
    inside = {name.removeprefix(prefix + "/").split("/")[0] for name in facts.files if name.startswith(prefix + "/")}
    if path == "/":
        inside |= set(FOLDERS)
    if path in ("/bin", "/usr/bin"):
        inside |= set(PROGRAMS)
    known = inside or (path.count("/") == 1 and path[1:] in FOLDERS)
    return sorted(inside) if known else None


def _ps(words: Sequence[str], facts: Facts) -> Run:
    lines = ["PID   USER     TIME  COMMAND"]
    running = (*facts.processes, " ".join(words))
    lines += [f"{number:5} root      0:00 {command}" for number, command in enumerate(running, 1)]
    return (yield from _say("".join(line + "\n" for line in lines)))


def _nslookup(words: Sequence[str], facts: Facts) -> Run:
    if len(words) < 2:
        return (yield from _complain("Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]"))
    came = yield Ask("lookup", words[1])
    server = f"Server:\t\t{came['server']}\nAddress:\t{came['server']}:53\n\n"
    if not came["addresses"]:
        if came["silent"]:
            yield Write(OUT, ";; connection timed out; no servers could be reached\n\n")
        else:
            yield Write(OUT, f"{server}** server can't find {words[1]}: NXDOMAIN\n\n")
        return FAILED
    lines = "".join(f"Name:\t{came['name']}\nAddress: {address}\n" for address in came["addresses"])
    return (yield from _say(f"{server}{lines}\n"))


def _wget(words: Sequence[str], facts: Facts) -> Run:
    urls = [word for word in words[1:] if not word.startswith("-")]
    if not urls:
        return (yield from _complain("wget: missing URL"))
    came = yield Ask("fetch", urls[-1])
    if came["error"]:
        return (yield from _complain(f"wget: {came['error']}"))
    return (yield from _say(came["body"]))


def _sh(words: Sequence[str], facts: Facts) -> Run:
    if facts.shells == DEEPEST:
        return (yield from _complain("sh: can't fork: Resource temporarily unavailable"))
    inside = replace(facts, shells=facts.shells + 1)
    if words[1:2] == ["-c"] and len(words) > 2:
        return (yield from _lines(words[2], inside, 0))[0]
    return (yield from _shell(inside))


def _lines(script: str, facts: Facts, code: int) -> Generator[Step, Any, tuple[int, bool]]:
    """Commands one after the other; after ``&&`` only if the one before was well, after ``||`` only if not.

    The exit code of the last one, and whether the shell is to end.
    """
    found = steps(script)
    if found is None:
        return (yield from _complain(f"sh: {script.strip()}: {TOO_MUCH}", MISUSED)), False
    for operator, words in found:
        if words and (operator == ";" or (code == 0) == (operator == "&&")):
            if words[0] == "exit":
                return _exit_code(words, code), True
            code = yield from _command(words, facts)
    return code, False


def _exit_code(words: Sequence[str], code: int) -> int:
    """What ``exit`` ends a shell with: its argument, or how the last command ended."""
    return int(words[1]) & 255 if words[1:] and re.fullmatch(r"[0-9]{1,18}", words[1]) else code


def _command(words: Sequence[str], facts: Facts) -> Run:
    words = words[1:] if words[0] == "exec" else words
    if not words:
        return 0
    program = find(words)
    if program is None:
        return (yield from _complain(f"sh: {words[0]}: not found", NOT_FOUND))
    return (yield from program(words, facts))


def _shell(facts: Facts) -> Run:
    """Lines of input, each carried out; with a terminal there is a prompt."""
    code, line, prompt = 0, "", "/ # " if facts.tty else ""
    yield Write(OUT, prompt)
    while (data := (yield Read())) is not None:
        for letter in data.decode("utf-8", "replace").replace("\r", "\n"):
            if facts.tty and letter == "\x04" and not line:
                return code
            if (facts.tty and letter.isprintable()) or letter == "\n":
                yield Write(OUT, letter if facts.tty else "")
            if letter != "\n":
                line = line[:-1] if letter in "\x7f\b" else "" if letter == "\x03" else line + letter
                continue
            script, line = line, ""
            code, ended = yield from _lines(script, facts, code)
            if ended:
                return code
            yield Write(OUT, prompt)
    return (yield from _lines(line, facts, code))[0]


PROGRAMS: dict[str, Callable[[Sequence[str], Facts], Run]] = {
    "cat": _cat,
    "date": _date,
    "echo": _echo,
    "env": _env,
    "false": _false,
    "hostname": _hostname,
    "ls": _ls,
    "nslookup": _nslookup,
    "printenv": _printenv,
    "ps": _ps,
    "pwd": _pwd,
    "sh": _sh,
    "sleep": _sleep,
    "true": _true,
    "wget": _wget,
}
