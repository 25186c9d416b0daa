"""What programs in pods do when somebody asks them to: answer with a page, look a name up, fetch a page.

The network stack of a host (`PodNetwork`) does it for the pods there: the API server's proxy comes in by "page", a
command that somebody runs in a container goes out by "lookup", "fetch" and "send"; what it sends comes in by "bytes".
A kubelet has no part in it.
Invariant: nobody is answered whom the policies of either host stop; a program that is known answers for itself, for the
others a page says who they are (kubelet/runtime/doors).
Simplified: a connection a request; TLS is spoken by nobody; no redirect is followed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from kubemini.containers import Answer, Fetch, Lookup, Packet, Request
from kubemini.host import Component, Host
from kubemini.host.linux.podnetwork import knows_way, pod_at, stack_at
from kubemini.kubelet.decide.pages import HttpServer
from kubemini.kubelet.runtime import doors
from kubemini.network import dataplane, policing
from kubemini.network.decide.dns.message import Question, whole
from kubemini.network.decide.dns.resolvconf import MUSL, read_resolv_conf, settings
from kubemini.network.decide.dns.resolver import Send, expand
from kubemini.network.decide.services.verdict import Asked
from kubemini.network.names import Resolver, Response, Source
from kubemini.network.policing import Flow
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.users.recording import OK
from kubemini.wire import Call
from kubemini.wire.calls import REFUSED, Reply

CONNECT = 30 * SECOND  # what a client waits for an answer
DIG = 5 * SECOND  # what dig waits (+timeout)
LOCAL = ("localhost", "127.0.0.1", "::1")
REFUSED_TEXT, TIMED_OUT = "Connection refused", "download timed out"


@dataclass(frozen=True, slots=True)
class Status:
    """A program has answered, and not with success."""

    code: int
    definite: bool = False

    @property
    def reason(self) -> str:
        """In words: ``503 Service Unavailable``."""
        return f"{self.code} {phrase(self.code)}".strip()


def phrase(code: int) -> str:
    """What the status line says behind the number."""
    return next((status.phrase for status in HTTPStatus if status == code), "")


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


def admit(call: Call, host: Host, flow: Flow) -> None:
    """A connection is at the door of a pod on *host*: it is refused, or the pod's name is the answer.

    A program that is known answers for itself: what is no success fails the call with its status (`Status`).
    """
    pod = pod_at(host, flow.destination)
    containers = host.kernel.containers
    sandbox = containers.at(flow.destination) if containers is not None and pod is not None else None

    def take(answer: Answer) -> None:
        call.reply(pod) if answer.status < 400 else call.fail(Status(answer.status))

    if pod is None or (sandbox is not None and not doors.knock(containers, sandbox, flow.port, flow.source, take)):
        call.fail(REFUSED)
    elif sandbox is None:
        call.reply(pod)


def status(reply: Reply) -> int:
    """The status that a program has given, 0: none has answered."""
    return OK if reply.ok else reply.error.code if isinstance(reply.error, Status) else 0


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
    running, port = None, flow.port
    if containers is not None:
        running, port = doors.reached(containers, flow.destination, port, near=asked.get("near", False))
    method, headers = asked["method"], asked.get("headers") or {}
    request = Request(method, asked["path"], headers, asked.get("body") or b"", flow.source, flow.destination)

    def take(answer: Answer) -> None:
        body = b"" if method == "HEAD" else answer.body
        call.reply({"status": answer.status, "headers": answer.headers, "body": body})

    if running is None or not doors.ask(containers, running, port, request, take):
        call.fail(REFUSED)
    return None


def _resolve(stack: Stack, call: Call) -> Steps:
    """A command in a pod asks name servers for records, name after name until one has an answer."""
    asked = call.payload
    wanted: Lookup = asked["of"]
    told = settings(read_resolv_conf(asked["resolv_conf"]), MUSL)
    answer = None
    for name in expand(wanted.name, told, MUSL) if wanted.search else [whole(wanted.name)]:
        question = Question(name, wanted.type, wanted.tcp)
        for server in told.nameservers:
            got = yield from stack.resolver.asker.ask(Send((server,), (question,), DIG), {}, Source(asked["source"]))
            answer = got.get(wanted.type)
            if answer is not None:
                break
        if answer is not None and answer.answer:
            break
    records = [(one.name, one.ttl, one.type, one.data) for one in answer.answer] if answer is not None else []
    call.reply({"records": records, "silent": answer is None})


def _lookup(stack: Stack, call: Call) -> Steps:
    """A command in a pod looks a name up at its name servers."""
    addresses, silent = yield from _addresses(stack, call.payload["of"], call.payload | {"hosts": ()})
    conf = read_resolv_conf(call.payload["resolv_conf"])
    server = conf.nameservers[0] if conf.nameservers else "127.0.0.1"
    call.reply({"name": call.payload["of"], "addresses": addresses, "server": server, "silent": silent})


def _addresses(stack: Stack, name: str, asked: dict[str, Any]) -> Steps:
    """The addresses of *name*, and whether nobody has answered at all."""
    found = tuple(ip for ip, *names in asked.get("hosts", ()) if name in names)
    if found:
        return found, False
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
    wanted = asked["of"] if isinstance(asked["of"], Fetch) else Fetch(asked["of"])
    text = wanted.url if "://" in wanted.url else f"http://{wanted.url}"
    try:
        url = urlsplit(text)
    except ValueError:  # brackets that are not closed
        return "", f"bad address '{text.partition('://')[2]}'"
    name = url.hostname or ""
    try:
        port = url.port or 80
    except ValueError:
        return "", f"bad port '{url.netloc.rpartition(':')[2]}'"
    if name in LOCAL:
        return (yield from _got(stack, asked, url, stack.name, asked["source"], port))
    way = yield from _way(stack, asked, name, port, "TCP", CONNECT)
    if isinstance(way, str):
        return "", way
    return (yield from _got(stack, asked | {"source": way.source}, url, way.stack, way.ip, way.port, way.shown))


class Way(NamedTuple):
    """Where a connection ends: the network stack of a host, address and port there.

    *source*: from where it seems to come; *shown*: the address that the client knows.
    """

    stack: str
    ip: str
    port: int
    source: str
    shown: str


def _way(stack: Stack, asked: dict[str, Any], name: str, port: int, protocol: str, patience: int) -> Steps:
    """The `Way` to *port* of *name*; or text: what is wrong."""
    addresses, _ = yield from _addresses(stack, name, asked)
    if not addresses:
        return f"bad address '{name}'"
    ip, host, source = addresses[0], stack.host, asked["source"]
    sent = dataplane.send(host, Asked(protocol, source, ip, port), stack.sim.draws(stack.name).u(stack.sim.now))
    to, at = (sent.endpoint.ip, sent.endpoint.port) if sent.endpoint is not None else (ip, port)
    there = stack_at(stack.net.components, to)
    flow = Flow(source, to, at, protocol)
    if sent.fate == "refused" or (there is None and sent.fate == "passed"):
        return f"can't connect to remote host ({ip}): {REFUSED_TEXT}"
    if there is None or not policing.leaves(host, flow) or not knows_way(host, to):
        yield stack.timeout(patience)
        return TIMED_OUT
    return Way(there.name, to, at, sent.source or source, ip)


def _send(stack: Stack, call: Call) -> Steps:
    """A command in a pod sends bytes, and hears what comes back."""
    packet: Packet = call.payload["of"]
    source = call.payload["source"]
    way: Way | str = Way(stack.name, source, packet.port, source, packet.host)
    if packet.host not in LOCAL:
        way = yield from _way(stack, call.payload, packet.host, packet.port, packet.protocol, packet.patience)
    if isinstance(way, str):
        call.reply({"body": b"", "error": way})
        return
    payload = {"source": way.source, "ip": way.ip, "port": way.port}
    payload |= {"protocol": packet.protocol, "data": packet.data, "near": packet.host in LOCAL}
    reply = yield stack.call(way.stack, "bytes", payload, timeout=packet.patience)
    if reply.ok:
        call.reply({"body": reply.value, "error": ""})
    else:
        refused = f"can't connect to remote host ({way.shown}): {REFUSED_TEXT}"
        call.reply({"body": b"", "error": refused if reply.error == REFUSED else TIMED_OUT})


def _bytes(stack: Stack, call: Call) -> Steps | None:
    """Bytes come for a program in a pod; what it says is the answer. Who is silent is not answered for."""
    asked, host = call.payload, stack.host
    flow, data = Flow(asked["source"], asked["ip"], asked["port"], asked["protocol"]), asked["data"]
    if not (policing.enters(host, flow) and knows_way(host, flow.source)):
        return None
    containers = host.kernel.containers
    running, port = None, flow.port
    if containers is not None:
        running, port = doors.reached(containers, flow.destination, port, flow.protocol, asked["near"])
    if flow.protocol == "UDP":
        said = doors.datagram(running, port, data, flow.source) if running is not None else None
        if said is None:
            call.fail(REFUSED)
        elif said:
            call.reply(said)
    elif running is None or not doors.listens(containers, running, port):
        call.fail(REFUSED)
    else:
        said_so_far: list[bytes] = []

        def serve(request: Request, take: Callable[[Answer], None]) -> bool:
            return doors.ask(containers, running, port, request._replace(source=flow.source), take)

        def push(data: bytes) -> None:
            if not said_so_far:
                call.reply(data)
            said_so_far.append(data)

        HttpServer(serve, push, lambda: push(b"")).receive(data)
    return None


def _got(
    stack: Stack, asked: dict[str, Any], url: SplitResult, there: str, ip: str, port: int, shown: str = "127.0.0.1"
) -> Steps:
    """(the page at *port* of *ip*, what is wrong); *shown*: the address that the client knows."""
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    how = asked["of"] if isinstance(asked["of"], Fetch) else Fetch("")
    payload = {"source": asked["source"], "ip": ip, "port": port, "method": how.method, "path": path}
    payload |= {"headers": {"host": url.netloc, "user-agent": "Wget", **how.headers}, "body": how.body}
    payload["near"] = url.hostname in LOCAL
    reply = yield stack.call(there, "page", payload, timeout=CONNECT)
    if not reply.ok:
        refused = f"can't connect to remote host ({shown}): {REFUSED_TEXT}"
        return "", refused if reply.error == REFUSED else TIMED_OUT
    if (code := reply.value["status"]) >= 400:
        return "", f"server returned error: HTTP/1.1 {code} {phrase(code)}"
    return reply.value["body"].decode("utf-8", "replace"), ""


ASKED: dict[str, Callable[[Stack, Call], Steps | None]] = {
    "bytes": _bytes,
    "fetch": _fetch,
    "lookup": _lookup,
    "page": _page,
    "resolve": _resolve,
    "send": _send,
}
