"""sleep, env, hostname, date, ps, expr and others that ask of a process's surroundings, or run another program.

busybox coreutils and procps (options, texts of refusals, exit codes).
Simplified: two users have names; date knows a few letters of its format.
"""

import re
from collections.abc import Callable

from kubemini.api.timestamps import date as date_of
from kubemini.containers.applets.common import contents
from kubemini.containers.applets.saying import echo, printf
from kubemini.containers.applets.testing import test
from kubemini.containers.context import CannotStart
from kubemini.containers.process import Life, Main, Process, Sleep, Wait
from kubemini.sim.units import SECOND

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
FOREVER = 1 << 60  # µs
NOT_FOUND, TIMED_OUT = 127, 143
NAMES = {0: "root", 65534: "nobody"}  # /etc/passwd and /etc/group
SYSCTLS = {  # of a kernel that nobody has set otherwise
    "kernel.shm_rmid_forced": "0",
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_unprivileged_port_start": "1024",
    "net.ipv4.tcp_syncookies": "1",
}


def plain(act: Callable[[Process, list[str]], int]) -> Main:
    """A program that waits for nothing."""

    def main(process: Process) -> Life:
        return act(process, list(process.argv))
        yield process.read()

    return main


def sleep(process: Process) -> Life:
    """So many seconds, minutes, hours, days; several add up."""
    times = [re.fullmatch(r"(\d+\.?\d*|\.\d+|inf(?:inity)?)([smhd]?)", word) for word in process.argv[1:]]
    if not times or None in times:
        wrong = next((word for word, time in zip(process.argv[1:], times, strict=True) if time is None), None)
        return process.complain("sleep: missing operand" if wrong is None else f"sleep: invalid number '{wrong}'")
    total = sum(float(time[1]) * UNITS[time[2]] * SECOND for time in times if time is not None)
    yield Sleep(None if total >= FOREVER else round(total))
    return 0


def _env(process: Process) -> Life:
    """The environment; or a program in another one: ``env A=1 -u B program``."""
    environment, rest = dict(process.environment), list(process.argv[1:])
    while rest and (rest[0].startswith("-") or "=" in rest[0]):
        word = rest.pop(0)
        if word in ("-", "-i"):
            environment = {}
        elif word == "-u" and rest:
            environment.pop(rest.pop(0), None)
        elif not word.startswith("-"):
            name, _, value = word.partition("=")
            environment[name] = value
    if rest:
        return (yield from run(process, rest, environment))
    process.out("".join(f"{name}={value}\n" for name, value in environment.items()))
    return 0


def run(process: Process, words: list[str], environment: dict[str, str] | None = None) -> Life:
    """Become another program, or 127."""
    told = process.environment if environment is None else environment
    try:
        main, argv = process.inside.called(tuple(words), told, process.cwd)
    except CannotStart:
        name = process.argv[0].rpartition("/")[2]
        return process.complain(f"{name}: can't execute '{words[0]}': No such file or directory", NOT_FOUND)
    return (yield from process.become(main, argv, told))


def _printenv(process: Process, words: list[str]) -> int:
    if len(words) < 2:
        process.out("".join(f"{name}={value}\n" for name, value in process.environment.items()))
        return 0
    found = [process.environment[name] for name in words[1:] if name in process.environment]
    process.out("".join(value + "\n" for value in found))
    return int(len(found) < len(words) - 1)


def _hostname(process: Process, words: list[str]) -> int:
    process.out(process.inside.setting.hostname + "\n")
    return 0


def _date(process: Process, words: list[str]) -> int:
    process.steady = False
    now = date_of(process.inside.runtime.wall)
    letters = {"s": str(int(now.timestamp())), "Y": f"{now:%Y}", "m": f"{now:%m}", "d": f"{now:%d}", "H": f"{now:%H}"}
    letters |= {
        "M": f"{now:%M}",
        "S": f"{now:%S}",
        "F": f"{now:%Y-%m-%d}",
        "T": f"{now:%H:%M:%S}",
        "N": f"{now.microsecond:06}000",
    }
    form = next((word[1:] for word in words[1:] if word.startswith("+")), None)
    if form is None:
        process.out(f"{now:%a %b} {now.day:2} {now:%H:%M:%S} UTC {now:%Y}\n")
    else:
        process.out(re.sub(r"%(.)", lambda match: letters.get(match[1], match[1]), form) + "\n")
    return 0


def _ps(process: Process, words: list[str]) -> int:
    process.steady = False
    lines = ["PID   USER     TIME  COMMAND"]
    for pid, one in sorted(process.inside.processes.items()):
        lines.append(f"{pid:5} root      0:00 {' '.join(one.argv)}")
    process.out("".join(line + "\n" for line in lines))
    return 0


def _id(process: Process, words: list[str]) -> int:
    setting = process.inside.setting
    letters, by_name = set("".join(words[1:])), "n" in "".join(words[1:])
    name = _name if by_name else str
    if "u" in letters:
        process.out(f"{name(setting.user)}\n")
    elif "g" in letters:
        process.out(f"{name(setting.groups[0])}\n")
    elif "G" in letters:
        process.out(" ".join(map(name, setting.groups)) + "\n")
    else:
        groups = ",".join(map(_numbered, setting.groups))
        process.out(f"uid={_numbered(setting.user)} gid={_numbered(setting.groups[0])} groups={groups}\n")
    return 0


def _name(number: int) -> str:
    return NAMES.get(number, str(number))


def _numbered(number: int) -> str:
    return f"{number}({NAMES[number]})" if number in NAMES else str(number)


def _whoami(process: Process, words: list[str]) -> int:
    user = process.inside.setting.user
    if user not in NAMES:
        return process.complain(f"whoami: unknown uid {user}")
    process.out(NAMES[user] + "\n")
    return 0


def _sysctl(process: Process, words: list[str]) -> int:
    """What the kernel of the container is set to: NAME…, -n: without the name."""
    status = 0
    for name in words[1:]:
        if name.startswith("-"):
            continue
        value = {**SYSCTLS, **process.inside.setting.sysctls}.get(name)
        if value is None:
            path = name.replace(".", "/")
            status = process.complain(f"sysctl: error: '{path}' is an unknown key")
        else:
            process.out(f"{value}\n" if "-n" in words else f"{name} = {value}\n")
    return status


def _uname(process: Process, words: list[str]) -> int:
    name = process.inside.setting.hostname
    process.out(f"Linux {name}\n" if "-a" in words else f"{name}\n" if "-n" in words else "Linux\n")
    return 0


def _pwd(process: Process, words: list[str]) -> int:
    process.out(process.cwd + "\n")
    return 0


def _basename(process: Process, words: list[str]) -> int:
    if len(words) < 2:
        return process.complain("basename: missing operand")
    name = words[1].rstrip("/").rpartition("/")[2] or "/"
    suffix = words[2] if len(words) > 2 else ""
    process.out((name.removesuffix(suffix) if name != suffix else name) + "\n")
    return 0


def _dirname(process: Process, words: list[str]) -> int:
    above = words[1].rstrip("/").rpartition("/")[0] if len(words) > 1 else ""
    process.out((above or ("/" if words[1:2] and words[1].startswith("/") else ".")) + "\n")
    return 0


def _which(process: Process, words: list[str]) -> int:
    found = [process.inside.find(name, process.environment, process.cwd) for name in words[1:]]
    process.out("".join(f"{one[0]}\n" for one in found if one is not None))
    return int(None in found)


def _kill(process: Process, words: list[str]) -> int:
    signal, rest = "TERM", words[1:]
    if rest[:1] == ["-s"] or (rest and rest[0].startswith("-")):
        signal = rest[1] if rest[0] == "-s" and len(rest) > 1 else rest[0][1:]
        rest = rest[2:] if rest[0] == "-s" else rest[1:]
    names = {"9": "KILL", "15": "TERM", "2": "INT", "3": "QUIT", "1": "HUP", "10": "USR1", "12": "USR2"}
    signal, status = names.get(signal, signal.removeprefix("SIG")), 0
    for word in rest:
        target = process.inside.processes.get(int(word)) if word.isdigit() else None
        if target is None:
            status = process.complain(f"kill: can't kill pid {word}: No such process")
        elif signal != "0":
            target.signal(signal)
    return status


def timeout(process: Process) -> Life:
    """A program, for so many seconds; then it is told to end, and 143 is what came of it."""
    words = list(process.argv[1:])
    seconds = float(words[0]) if words and re.fullmatch(r"\d+\.?\d*", words[0]) else None
    if seconds is None or len(words) < 2:
        return process.complain("timeout: usage: timeout SECS PROG ARGS")
    try:
        main, argv = process.inside.called(tuple(words[1:]), process.environment, process.cwd)
    except CannotStart:
        return process.complain(f"timeout: can't execute '{words[1]}': No such file or directory", NOT_FOUND)
    child = process.spawn(main, argv)
    late: list[bool] = []

    def end() -> None:
        if not child.done:
            late.append(True)
            child.signal("TERM")

    if not child.done:
        timer = process.inside.runtime.after(round(seconds * SECOND), end)
        yield Wait((child,))
        timer.cancel()
    return TIMED_OUT if late else child.code or 0


def xargs(process: Process) -> Life:
    """The words of its input behind a command; -n N so many at once."""
    words, most = list(process.argv[1:]), 1 << 30
    while words and words[0].startswith("-"):
        switch = words.pop(0)
        if switch.startswith("-n"):
            most = int(switch[2:] or words.pop(0))
    data = yield from contents(process, "-")
    given, status = (data or b"").decode("utf-8", "surrogateescape").split(), 0
    for at in range(0, max(len(given), 1), most):
        try:
            main, argv = process.inside.called(
                (*(words or ["echo"]), *given[at : at + most]), process.environment, process.cwd
            )
        except CannotStart:
            return process.complain(f"xargs: {words[0]}: No such file or directory", NOT_FOUND)
        child = process.spawn(main, argv)
        yield Wait((child,))
        status = 123 if child.code else status
    return status


def _expr(process: Process, words: list[str]) -> int:
    try:
        value, rest = _sum(words[1:])
    except (ValueError, IndexError, ZeroDivisionError):
        return process.complain("expr: syntax error", 2)
    if rest:
        return process.complain("expr: syntax error", 2)
    process.out(f"{value}\n")
    return int(value in ("", "0"))


def _sum(words: list[str], level: int = 0) -> tuple[str, list[str]]:
    """The value of what stands in front, and what is left."""
    levels = (("|",), ("&",), ("=", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"), (":",))
    if level == len(levels):
        if words[0] == "(":
            value, rest = _sum(words[1:])
            if rest[0] != ")":
                raise ValueError
            return value, rest[1:]
        return words[0], words[1:]
    value, rest = _sum(words, level + 1)
    while rest and rest[0] in levels[level]:
        right, after = _sum(rest[1:], level + 1)
        value, rest = _expressed(value, rest[0], right), after
    return value, rest


def _expressed(left: str, operator: str, right: str) -> str:
    true = {"|": left not in ("", "0"), "&": left not in ("", "0") and right not in ("", "0")}
    if operator in true:
        return left if true[operator] else right if operator == "|" else "0"
    if operator == ":":
        found = re.match(right.replace(r"\(", "(").replace(r"\)", ")"), left)
        return (found[1] if found.re.groups else str(found.end())) if found else "0"
    if operator in ("=", "!=", "<", "<=", ">", ">="):
        both: tuple = (left, right)
        if all(re.fullmatch(r"-?\d+", one) for one in both):
            both = int(left), int(right)
        a, b = both
        return str(int({"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]))
    a, b = int(left), int(right)
    whole = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if operator in "/%" else 0
    return str({"+": a + b, "-": a - b, "*": a * b, "/": whole, "%": a - b * whole}[operator])


env = _env
basename, date, dirname, expr, hostname, identity = map(plain, (_basename, _date, _dirname, _expr, _hostname, _id))
kill, printenv, ps, pwd, uname, which, whoami = map(plain, (_kill, _printenv, _ps, _pwd, _uname, _which, _whoami))
sysctl = plain(_sysctl)
said, formatted, tested = plain(echo), plain(printf), plain(test)
true, false = plain(lambda process, words: 0), plain(lambda process, words: 1)
