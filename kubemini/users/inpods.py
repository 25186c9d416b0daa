"""What programs in pods do when somebody asks them to: answer with a page, look a name up, fetch a page.

The network stack of a host (`PodNetwork`) does it for the pods there: the API server's proxy comes in by "page", a
command that somebody runs in a container goes out by "lookup" and "fetch". A kubelet has no part in it.
Invariant: nobody is answered whom the policies of either host stop; the page says who answers (kubelet/decide/pages).
Simplified: a connection a request; TLS is spoken by nobody.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from kubemini.host import Component, Host
from kubemini.host.linux.podnetwork import knows_way, stack_at
from kubemini.network import dataplane, policing
from kubemini.network.decide.dns.resolvconf import MUSL, read_resolv_conf, settings
from kubemini.network.decide.services.verdict import Asked
from kubemini.network.names import Resolver, Response, Source
from kubemini.network.policing import Flow
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call
from kubemini.wire.calls import REFUSED

PLAIN = (("Content-Type", "text/plain; charset=utf-8"),)
CONNECT = 30 * SECOND  # what a client waits for an answer


class Stack(Component):
    """The network stack of one host, as far as programs in its pods use it."""

    _resolver: Resolver | None = None

    @property
    def resolver(self) -> Resolver:
        """That of the commands that somebody runs in pods here: there is one as soon as one asks."""
        if self._resolver is None:
            self._resolver = Resolver(self, libc=MUSL)
        return self._resolver

    def boot(self) -> None:
        self._resolver = None

    def receive(self, source: str, payload: Response) -> None:
        """A name server has answered."""
        self.resolver.asker.hear(payload)


def note(host: Host, flow: Flow) -> None:
    """Who listens at the end of *flow* has answered a request: it stands in its log."""
    if host.kernel.containers is not None:
        host.kernel.containers.served(flow.destination, flow.port, source=flow.source)


def _page(stack: Stack, call: Call) -> Steps | None:
    """Somebody asks a program in a pod for a page."""
    asked, host = call.payload, stack.host
    flow = Flow(asked["source"], asked["ip"], asked["port"])
    if not (policing.enters(host, flow) and knows_way(host, flow.source)):
        return None
    containers = host.kernel.containers
    running = containers.at(flow.destination) if containers is not None else None
    found = containers.page(running, flow.port) if running is not None else None
    if found is None:
        call.fail(REFUSED)
        return None
    method, path = asked["method"], asked["path"]
    containers.served(flow.destination, flow.port, method, path, flow.source)
    body = b"" if method == "HEAD" else found.text(method, path).encode()
    call.reply({"status": 200, "headers": PLAIN, "body": body})
    return None


def _lookup(stack: Stack, call: Call) -> Steps:
    """A command in a pod looks a name up."""
    addresses, silent = yield from _addresses(stack, call.payload["of"], call.payload)
    conf = read_resolv_conf(call.payload["resolv_conf"])
    server = conf.nameservers[0] if conf.nameservers else "127.0.0.1"
    call.reply({"name": call.payload["of"], "addresses": addresses, "server": server, "silent": silent})


def _addresses(stack: Stack, name: str, asked: dict[str, Any]) -> Steps:
    """The addresses of *name*, and whether nobody has answered at all."""
    resolver = stack.resolver
    resolver.settings = settings(read_resolv_conf(asked["resolv_conf"]), MUSL)
    addresses, error = yield from resolver.look_up(name, Source(asked["source"]))
    return addresses, "again" in error.lower()


def _fetch(stack: Stack, call: Call) -> Steps:
    """A command in a pod fetches a page."""
    body, error = yield from _fetched(stack, call.payload)
    call.reply({"body": body, "error": error})


def _fetched(stack: Stack, asked: dict[str, Any]) -> Steps:
    """(the page, what is wrong)."""
    text = asked["of"] if "://" in asked["of"] else f"http://{asked['of']}"
    try:
        url = urlsplit(text)
    except ValueError:  # brackets that are not closed
        return "", f"bad address '{text.partition('://')[2]}'"
    name = url.hostname or ""
    try:
        port = url.port or 80
    except ValueError:
        return "", f"bad port '{url.netloc.rpartition(':')[2]}'"
    addresses, _ = yield from _addresses(stack, name, asked)
    if not addresses:
        return "", f"bad address '{name}'"
    ip, host = addresses[0], stack.host
    sent = dataplane.send(host, Asked("TCP", asked["source"], ip, port), stack.sim.draws(stack.name).u(stack.sim.now))
    to, at = (sent.endpoint.ip, sent.endpoint.port) if sent.endpoint is not None else (ip, port)
    there = stack_at(stack.net.components, to)
    flow = Flow(asked["source"], to, at)
    where = f"can't connect to remote host ({ip})"
    if sent.fate == "refused" or (there is None and sent.fate == "passed"):
        return "", f"{where}: Connection refused"
    if there is None or not policing.leaves(host, flow) or not knows_way(host, to):
        yield stack.timeout(CONNECT)
        return "", "download timed out"
    payload = {"source": sent.source or asked["source"], "ip": to, "port": at, "method": "GET", "path": url.path or "/"}
    reply = yield stack.call(there.name, "page", payload, timeout=CONNECT)
    if reply.ok:
        return reply.value["body"].decode(), ""
    return "", f"{where}: Connection refused" if reply.error == REFUSED else "download timed out"


ASKED: dict[str, Callable[[Stack, Call], Steps | None]] = {"page": _page, "lookup": _lookup, "fetch": _fetch}
