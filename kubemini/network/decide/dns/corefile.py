"""The Corefile: how CoreDNS is told which zones it serves, and by which plugins.

Invariant: what is read is done, or refused in a sentence; nothing that was written is ignored in silence.
Caddyfile syntax as coredns core/dnsserver reads it; plugins are asked in CoreDNS' own order (plugin.cfg),
never in the order of the file.
Simplified: no import, no environment variables, no snippets; of the plugins, those in `PLUGINS`.
"""

import re
from dataclasses import dataclass
from typing import Any

from kubemini.network.decide.dns.message import whole, within

STANDARD = """
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
"""
# What kubeadm installs; k/k cmd/kubeadm/app/phases/addons/dns CoreDNSConfigMap.

PLUGINS = (
    "reload",
    "bind",
    "ready",
    "health",
    "prometheus",
    "errors",
    "log",
    "loadbalance",
    "rewrite",
    "cache",
    "kubernetes",
    "loop",
    "forward",
)


REPEATED = ("forward", "rewrite")  # may stand in a block more than once
WORD = re.compile(r'"((?:\\.|[^"\\])*)"|(\S+)')  # a word, or several between quotes
DURATION = re.compile(r"(?:(\d+\.?\d*|\.\d+)(ms|s|m|h))")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class CorefileError(ValueError):
    """A Corefile with which CoreDNS does not start; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Directive:
    """A line, and the block after it: ``ttl 30``."""

    name: str
    args: tuple[str, ...] = ()
    body: tuple["Directive", ...] = ()


@dataclass(frozen=True, slots=True)
class ServerBlock:
    """One server: the *zones* it answers for, on *port*, and its plugins."""

    zones: tuple[str, ...]
    port: int
    plugins: tuple[Directive, ...]

    def plugin(self, name: str) -> Directive | None:
        """The directive of the plugin *name*, if the block has it."""
        return next((directive for directive in self.plugins if directive.name == name), None)


def read_corefile(text: str) -> tuple[ServerBlock, ...]:
    """The server blocks of a Corefile. Raises CorefileError."""
    lines = [_words(line) for line in text.splitlines()]
    tokens = [(number, words) for number, words in enumerate(lines, 1) if words]
    directives, rest = _block(tokens, 0, top=True)
    assert rest == len(tokens)
    blocks = tuple(_server(directive) for directive in directives)
    if not blocks:
        raise CorefileError("this Corefile has no server block; write one, such as .:53 { ... }")
    served: set[tuple[str, int]] = set()
    for block in blocks:
        for zone in block.zones:
            if (zone, block.port) in served:
                raise CorefileError(f"cannot serve {zone} on port {block.port} twice; leave one block out")
            served.add((zone, block.port))
    return blocks


def _words(line: str) -> list[str]:
    """The words of *line*, without its comment; between quotes only a quote needs a backslash."""
    words = []
    for quoted, bare in WORD.findall(line):
        if bare.startswith("#"):
            break
        words.append(bare or quoted.replace('\\"', '"'))
    return words


def _block(lines: list[tuple[int, list[str]]], at: int, top: bool = False) -> tuple[list[Directive], int]:
    """The directives from line *at* to the closing brace, and the line after it."""
    found: list[Directive] = []
    while at < len(lines):
        number, words = lines[at]
        at += 1
        if words == ["}"]:
            if top:
                raise CorefileError(f"line {number}: a closing brace too many; take it out")
            return found, at
        body: list[Directive] = []
        if words[-1] == "{":
            words = words[:-1]
            body, at = _block(lines, at)
        if not words or "{" in words or "}" in words:
            raise CorefileError(f"line {number}: a brace stands at the end of its line, and }} alone on its own")
        found.append(Directive(words[0], tuple(words[1:]), tuple(body)))
    if not top:
        raise CorefileError("a closing brace is missing at the end; write } on a line of its own")
    return found, at


def _server(directive: Directive) -> ServerBlock:
    zones, ports = [], set()
    for key in (directive.name, *directive.args):
        zone, _, port = key.strip(",").removeprefix("dns://").partition(":")
        zones.append(whole(zone.lower()))
        ports.add(port or "53")
    if len(ports) != 1 or not (port := ports.pop()).isdecimal():
        raise CorefileError(f"{' '.join((directive.name, *directive.args))}: give all zones of a block one port")
    for plugin in directive.body:
        if plugin.name not in PLUGINS:
            known = ", ".join(sorted(PLUGINS))
            raise CorefileError(f"Unknown directive '{plugin.name}' here; there are: {known}")
    names = [plugin.name for plugin in directive.body if plugin.name not in REPEATED]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise CorefileError(f"plugin/{twice}: this plugin can only be used once per Server Block")
    return ServerBlock(tuple(zones), int(port), directive.body)


@dataclass(frozen=True, slots=True)
class KubernetesOptions:
    """The stanza of the plugin *kubernetes*; *ttl* in seconds."""

    zones: tuple[str, ...]
    pods: str = "disabled"
    endpoint_pod_names: bool = False
    namespaces: tuple[str, ...] = ()  # only these; () = all
    fall: tuple[str, ...] = ()  # zones in which an unknown name goes on to the next plugin
    ttl: int = 5
    endpoints: bool = True
    ignore_empty_service: bool = False
    zonal: bool = False

    @property
    def primary(self) -> str:
        """The zone that PTR records point into."""
        return next(zone for zone in self.zones if not zone.endswith("arpa."))

    def falls_through(self, name: str) -> bool:
        """Whether an unknown *name* is asked of the next plugin."""
        return any(within(zone, name) for zone in self.fall)


def kubernetes_options(block: ServerBlock) -> KubernetesOptions | None:
    """The plugin *kubernetes* of *block*. Raises CorefileError.

    Models coredns plugin/kubernetes ParseStanza
    """
    directive = block.plugin("kubernetes")
    if directive is None:
        return None
    zones = tuple(whole(arg.lower()) for arg in directive.args) or block.zones
    if all(zone.endswith("arpa.") for zone in zones):
        raise CorefileError("plugin/kubernetes: non-reverse zone name must be used; add cluster.local")
    given: dict[str, Any] = {}
    for line in directive.body:
        given.update(_kubernetes_line(line))
    options = KubernetesOptions(zones, **given)
    if options.zonal and not options.endpoints:
        raise CorefileError("plugin/kubernetes: zonal requires the endpoint cache; remove noendpoints")
    return options


def _kubernetes_line(line: Directive) -> dict[str, Any]:
    match line.name, line.args:
        case "pods", ("disabled" | "insecure" | "verified" as mode,):
            return {"pods": mode}
        case "endpoint_pod_names", ():
            return {"endpoint_pod_names": True}
        case "namespaces", names if names:
            return {"namespaces": names}
        case "fallthrough", zones:
            return {"fall": tuple(whole(zone.lower()) for zone in zones) or (".",)}
        case "ttl", (seconds,) if seconds.isdecimal() and int(seconds) <= 3600:
            return {"ttl": int(seconds)}
        case "noendpoints", ():
            return {"endpoints": False}
        case "ignore", ("empty_service",):
            return {"ignore_empty_service": True}
        case "zonal", ():
            return {"zonal": True}
    said = " ".join((line.name, *line.args))
    raise CorefileError(
        f"plugin/kubernetes: cannot read {said!r}; there are: pods disabled|insecure|verified, endpoint_pod_names,"
        " namespaces NAME..., fallthrough [ZONE...], ttl 0-3600, noendpoints, ignore empty_service, zonal"
    )


def seconds_of(text: str) -> float:
    """A Go duration (``5s``, ``500ms``, ``1h30m``). Raises CorefileError."""
    if text != "0" and not re.fullmatch(f"({DURATION.pattern})+", text, re.ASCII):
        raise CorefileError(f"{text!r} is no duration; write one such as 5s or 500ms")
    return sum(float(number) * UNITS[unit] for number, unit in DURATION.findall(text))


def lameduck(blocks: tuple[ServerBlock, ...]) -> float:
    """How long a stopping CoreDNS goes on answering, in seconds: ``health { lameduck 5s }``; 0 without it.

    Models coredns plugin/health parse
    """
    for block in blocks:
        health = block.plugin("health")
        for line in health.body if health else ():
            if line.name != "lameduck" or len(line.args) != 1:
                raise CorefileError("plugin/health: the one option is lameduck DURATION, such as lameduck 5s")
            return seconds_of(line.args[0])
    return 0.0
