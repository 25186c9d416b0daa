"""What a preStop hook does: it holds SIGTERM back, for as long as it sleeps. Pure.

A hook is read as the container would carry it out: ``sleep: {seconds: 5}``, or a command, alone or in a shell:
``sleep 5``, ``/bin/sleep 0.5m``, ``sh -c "sleep 5 && nginx -s quit"``. Invariant: what is not understood takes no time,
and is named (`strange`), so that it can be said.
Models k/k pkg/kubelet/lifecycle handlerRunner.Run
sleep: coreutils src/sleep.c (several numbers add up; s, m, h, d; fractions; infinity; what is no number fails at once).
Simplified: of a shell's language only words, quotes, ``;``, ``&&`` and ``||``; a request by HTTP takes no time.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.sim.units import SECOND

FOREVER = 1 << 60  # µs: no grace is that long
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SHELLS = ("sh", "bash", "dash", "ash")
AT_ONCE = ("true", ":", "echo", "printf", "date", "set", "cd", "touch", "export")
STOPPED_BY = ("quit", "stop")  # nginx -s
SIGNALS = ("TERM", "SIGTERM", "QUIT", "SIGQUIT", "INT", "SIGINT", "KILL", "SIGKILL", "15", "3", "2", "9")
OPERATORS = (";", "&&", "||")
KEYWORDS = ("for", "while", "until", "if", "case", "{", "!", "function")


@dataclass(slots=True)
class Reading:
    """What a command comes to: how long it holds SIGTERM back (µs), and what in it is not understood."""

    time: int = 0
    strange: list[str] = field(default_factory=list)
    over: bool = False  # the program was told to end: whatever comes after holds nothing back


def pre_stop(pod: Obj) -> int:
    """µs between the decision to stop a pod and SIGTERM: its slowest hook."""
    return max((read(hook).time for hook in _hooks(pod)), default=0)


def strange(pod: Obj) -> list[str]:
    """What in the preStop hooks of a pod is not understood, in words."""
    return [text for hook in _hooks(pod) for text in read(hook).strange]


def _hooks(pod: Obj) -> Iterator[Mapping[str, Any]]:
    for container in pod["spec"].get("containers") or ():
        hook = get(container, "lifecycle", "preStop")
        if hook:
            yield hook


def read(hook: Mapping[str, Any]) -> Reading:
    """What one hook comes to."""
    command = get(hook, "exec", "command")
    if command:
        return _command([str(word) for word in command])
    if "sleep" in hook:
        return Reading(min(get(hook, "sleep", "seconds", default=0) * SECOND, FOREVER))
    return Reading(strange=[f"{kind} {json.dumps(hook[kind], sort_keys=True)}" for kind in hook])


def _command(command: Sequence[str]) -> Reading:
    """What a program with its arguments comes to, started without a shell."""
    name, arguments = _name(command[0]), command[1:]
    if name == "busybox" and arguments:
        return _command(arguments)
    if name in SHELLS:
        script = _script(arguments)
        return Reading(strange=[" ".join(command)]) if script is None else _shell(script)
    reading = Reading()
    _run(command, reading)
    return reading


def _name(program: str) -> str:
    return program.rpartition("/")[2]


def _script(arguments: Sequence[str]) -> str | None:
    """The text behind ``-c``, also if other letters stand before the c."""
    for number, argument in enumerate(arguments[:-1]):
        if re.fullmatch(r"-[a-z]*c", argument):
            return arguments[number + 1]
        if not argument.startswith("-"):
            break
    return None


# -- what is said of those that failed ----------------------------------------------------------------------------
def failed(kind: str, what: str, container: str, pod: str, error: str, said: bytes | None = None) -> str:
    """A hook has come to nothing; *said*: what its command wrote. Models k/k pkg/kubelet/lifecycle handlerRunner.Run"""
    text = f'{kind} lifecycle hook ({what}) for Container "{container}" in Pod "{pod}" failed - error: {error}'
    return text if said is None else f"{text}, message: {quoted(said)}"


def quoted(said: bytes) -> str:
    """As Go quotes it."""
    text = said.decode("utf-8", "replace").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def cannot_run(hook: Mapping[str, Any]) -> str:
    """What the kubelet says of a hook that it does not know how to run: tcpSocket stands in the API, and fails."""
    socket = hook.get("tcpSocket")
    said = f"&TCPSocketAction{{Port:{_port(socket['port'])},Host:{socket.get('host') or ''},}}" if socket else "nil"
    return f"Cannot run handler: invalid handler: &LifecycleHandler{{Exec:nil,HTTPGet:nil,TCPSocket:{said},Sleep:nil,}}"


def _port(port: Any) -> str:
    """An IntOrString, as Go prints its three fields."""
    return f"{{1 0 {port}}}" if isinstance(port, str) else f"{{0 {port} }}"


# -- the shell -------------------------------------------------------------------------------------------------------
def _shell(script: str) -> Reading:
    """Commands one after the other; after ``&&`` only if the one before was well, after ``||`` only if not."""
    found = steps(script)
    if found is None:
        return Reading(strange=[script])
    reading, well = Reading(), True
    for number, (operator, words) in enumerate(found):
        if words[:1] and words[0] in KEYWORDS and not reading.over:
            reading.strange.append("; ".join(" ".join(rest) for _, rest in found[number:]))
            reading.over = True
        if words and not reading.over and (operator == ";" or well == (operator == "&&")):
            well = _run(words, reading)
    return reading


def steps(script: str) -> list[tuple[str, list[str]]] | None:
    """(operator before it, words) of each simple command; None if there is more to it than that."""
    plain = re.sub(r"\d*>{1,2}&?\s*[^\s;&|]+", " ", script).replace("\n", " ; ")
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    steps: list[tuple[str, list[str]]] = [(";", [])]
    try:
        for token in lexer:
            if token in OPERATORS:
                steps.append((token, []))
            elif set(token) <= set(";&|()<>") or re.search(r"[$`]", token):
                return None
            else:
                steps[-1][1].append(token)
    except ValueError:  # quotes that are not closed
        return None
    return steps


def _run(words: Sequence[str], reading: Reading) -> bool:
    """One simple command: what it adds, and whether it ends well."""
    words = list(words)
    while words and (words[0] == "exec" or re.match(r"\w+=", words[0])):
        words.pop(0)
    name, arguments = _name(words[0]) if words else "true", words[1:]
    if name == "sleep":
        time = sleep_time(arguments)
        reading.time = min(reading.time + (time or 0), FOREVER)
        return time is not None
    if name == "exit" or _ends_the_program(name, arguments):
        reading.over = True
    elif name not in (*AT_ONCE, "false"):
        reading.strange.append(" ".join(words))
    return name != "false"


def _ends_the_program(name: str, arguments: Sequence[str]) -> bool:
    if name == "nginx":
        return list(arguments[:1]) == ["-s"] and arguments[-1] in STOPPED_BY
    signals = [argument.lstrip("-") for argument in arguments if argument.startswith("-")]
    return name == "kill" and all(signal in (*SIGNALS, "s") for signal in signals)


# -- sleep(1) --------------------------------------------------------------------------------------------------------
def sleep_time(arguments: Sequence[str]) -> int | None:
    """µs that ``sleep`` sleeps; None if it refuses its arguments, and so fails at once."""
    operands = list(arguments)
    if "--" in operands:
        operands.remove("--")
    elif any(operand.startswith("-") for operand in operands):
        return None
    times = [_interval(operand) for operand in operands]
    known = [time for time in times if time is not None]
    return min(sum(known), FOREVER) if times and len(known) == len(times) else None


def _interval(text: str) -> int | None:
    """One argument of sleep: a number as C reads it, and a unit."""
    seconds, unit = _number(text), 1
    if seconds is None and text[-1:] in UNITS:
        seconds, unit = _number(text[:-1]), UNITS[text[-1]]
    if seconds is None or not seconds >= 0:
        return None
    return FOREVER if seconds * unit * SECOND >= FOREVER else round(seconds * unit * SECOND)


def _number(text: str) -> float | None:
    """A number as strtod(3) reads it: decimal or hexadecimal, or ``inf``; one too large is infinite."""
    text = text.lstrip()
    if not text.isascii() or "_" in text or text != text.rstrip():
        return None
    try:
        return float.fromhex(text) if re.match(r"[+-]?0[xX]", text) else float(text)
    except OverflowError:
        return float("inf")
    except ValueError:
        return None
