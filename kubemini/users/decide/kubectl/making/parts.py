"""What several makers need: names, pods, ports, rules, and what is said when they do not fit.

Models k/kubectl pkg/cmd/create NameFromCommandArgs parsePorts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.users.decide.kubectl.asking import Failed, fail
from kubemini.users.decide.kubectl.flags import Flag, Given

_PORT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Maker:
    """*make*: the object, as steps; *failing*: what is said before a server's message; "": its own words alone."""

    make: Callable[..., Any]
    flags: tuple[Flag, ...] = ()
    must: tuple[str, ...] = ()
    failing: str = ""


def usage(text: str, command: str) -> Failed:
    """A line that is not written as it should be."""
    return fail(f"{text}\nSee 'kubectl {command} -h' for help and examples")


def name_in(given: Given, command: str) -> str:
    """The one name; what stands behind ``--`` is a command."""
    words = given.words if given.dash < 0 else given.words[: given.dash]
    if len(words) != 1 and not (given.dash < 0 and len(words) > 1 and command in WITH_COMMANDS):
        raise usage(f"exactly one NAME is required, got {len(given.words)}", f"create {command}")
    return words[0]


WITH_COMMANDS = ("deployment", "job", "cronjob")


def command_in(given: Given) -> list[str]:
    """The words behind the name."""
    return given.words[1:]


def headed(api_version: str, kind: str, name: str, given: Given, local: bool = True) -> dict[str, Any]:
    """The head of an object; its namespace only if one was named."""
    meta = {"name": name} | ({"namespace": given["namespace"]} if local and given["namespace"] else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": meta}


def container(name: str, image: str, command: list[str], key: str = "command") -> dict[str, Any]:
    """One container of a pod."""
    return {"name": name, "image": image} | ({key: command} if command else {})


def port_pair(text: str) -> tuple[int, int | str]:
    """``80:8080`` or ``80``."""
    first, colon, second = text.partition(":")
    port = _port(first, zero=True)
    if not colon:
        return port, port
    if re.fullmatch(r"[-+]?\d+", second):
        return port, _port(second)
    if not _PORT_NAME.fullmatch(second) or len(second) > 15 or second.isdigit():
        raise fail(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-),"
            "must contain at least one letter (a-z)"
        )
    return port, second


def _port(text: str, zero: bool = False) -> int:
    if not re.fullmatch(r"\d+", text):
        raise fail(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    number = int(text)
    if number > 65535:
        raise fail(f'strconv.ParseUint: parsing "{text}": value out of range')
    if not number and not zero:
        raise fail("must be between 1 and 65535, inclusive")
    return number


def int_or_percent(text: str) -> int | str:
    """As intstr.Parse reads it."""
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def pairs(items: list[str], what: str) -> dict[str, str]:
    """``a=b`` items as a map."""
    found = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals:
            raise fail(f"unexpected {what}: {item}")
        found[key] = value
    return found
