"""agnhost netexec: a server with many paths, by HTTP and by UDP.

Models k/k test/images/agnhost/netexec main rootHandler echoHandler dialHandler shellHandler exitHandler startUDPServer
Simplified: no SCTP and no TLS.
"""

import json
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs, urlsplit

from kubemini.api.timestamps import date
from kubemini.containers.context import Answer, Packet, Request
from kubemini.containers.process import Ask, Life, Process, Server
from kubemini.containers.programs.serving import PLAIN, flags, log, serves
from kubemini.containers.streams import Sink
from kubemini.sim.units import SECOND, duration

EPHEMERAL = 32768  # ports of clients
PATIENCE = 5 * SECOND  # of /dial by UDP
Take = Callable[[Answer], None]


class Netexec:
    """The server of netexec."""

    def __init__(self, process: Process, port: int, override: str):
        self.process, self.port, self.override = process, port, override
        self.began, self.asked, self.ending = process.inside.runtime.now, 0, False
        self.paths: dict[str, Callable[[Request, dict[str, str]], Answer]] = {
            "/": self._root,
            "/clientip": self._client_ip,
            "/dial": self._dial,
            "/echo": self._echo,
            "/envvar": self._variable,
            "/exit": self._exit,
            "/header": self._header,
            "/healthz": lambda request, query: self._said("GET /healthz"),
            "/hostName": lambda request, query: self._said("GET /hostName", process.inside.setting.hostname),
            "/hostname": lambda request, query: self._said("GET /hostname", process.inside.setting.hostname),
            "/readyz": self._ready,
            "/redirect": self._redirect,
            "/serverport": lambda request, query: self._said("GET /serverport", str(self.port)),
            "/shell": self._shell,
            "/shutdown": lambda request, query: self._ends(0, 0),
        }

    def serve(self, request: Request) -> Answer:
        """One request."""
        url = urlsplit(self.override or request.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        form = request.headers.get("content-type", "") == "application/x-www-form-urlencoded"
        if form:
            query |= {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        return self.paths.get(url.path, self._root)(request, query)

    def _said(self, line: str, text: str = "", status: int = 200) -> Answer:
        log(self.process, line)
        return Answer(status, text.encode(), PLAIN)

    def _root(self, request: Request, query: dict[str, str]) -> Answer:
        now = self.process.inside.runtime.now
        since = f"{(now - self.began) / SECOND:.9f}"
        text = f"NOW: {date(self.process.inside.runtime.wall):%Y-%m-%d %H:%M:%S.%f} +0000 UTC m=+{since}"
        return self._said("GET /", text)._replace(until=now)

    def _client_ip(self, request: Request, query: dict[str, str]) -> Answer:
        return self._said("GET /clientip", self._seen_as(request.source))._replace(
            until=self.process.inside.runtime.now
        )

    def _echo(self, request: Request, query: dict[str, str]) -> Answer:
        text, code = query.get("msg", ""), query.get("code", "")
        line = f"GET /echo?msg={text}&code={code}"
        if code and not code.isdigit():
            return self._said(line, f"argument 'code' must be an integer or empty, got \"{code}\"\n")
        return self._said(line, text, int(code or 200))

    def _variable(self, request: Request, query: dict[str, str]) -> Answer:
        name = query.get("var", "")
        if not name:
            return Answer(400, b"'var' query parameter is required\n", PLAIN)
        value = self.process.environment.get(name)
        wrong = value is None
        text = f'env var "{name}" is not set\n' if value is None else value
        return self._said(f"GET /envvar?var={name}", text, 500 if wrong else 200)

    def _header(self, request: Request, query: dict[str, str]) -> Answer:
        if query.get("key"):
            return self._said(f"GET /header?key={query['key']}", request.headers.get(query["key"].lower(), ""))
        told = {name.title(): [value] for name, value in sorted(request.headers.items())}
        return self._said("GET /header", json.dumps(told, separators=(",", ":")))

    def _ready(self, request: Request, query: dict[str, str]) -> Answer:
        return self._said("GET /readyz", "shutting down" if self.ending else "ok", 503 if self.ending else 200)

    def _redirect(self, request: Request, query: dict[str, str]) -> Answer:
        to, code = query.get("location", ""), query.get("code", "")
        found = self._said(f"{request.method} /redirect?msg={to}&code={code}", "", int(code or 302))
        return found._replace(headers=(("Location", to),))

    def _exit(self, request: Request, query: dict[str, str]) -> Answer:
        code, timeout, wait = (query.get(name, "") for name in ("code", "timeout", "wait"))
        log(self.process, f"GET /exit?code={code}&timeout={timeout}&wait={wait}")
        return self._ends(int(code or 0), duration(wait) if wait else 0)

    def _ends(self, code: int, wait: int) -> Answer:
        """It is gone before it has answered, unless it waits."""
        self.process.end_in(wait, code)
        return Answer(delay=wait + 1)

    def _shell(self, request: Request, query: dict[str, str]) -> Answer:
        command = query.get("shellCommand") or query.get("cmd", "")
        log(self.process, f"GET /shell?cmd={command}")
        return Answer(later=partial(self._run, command))

    def _run(self, command: str, take: Take) -> None:
        said: list[bytes] = []

        def child(process: Process) -> Life:
            found = process.inside.called(("/bin/sh", "-c", command), process.environment, process.cwd)
            return (yield from process.become(*found, process.environment))

        def tell(code: int) -> None:
            text = b"".join(said).decode("utf-8", "replace")
            told = ({"error": f"exit status {code}"} if code else {}) | ({"output": text} if text else {})
            take(Answer(200, json.dumps(told, separators=(",", ":")).encode(), PLAIN))

        streams = dict(self.process.streams) | {number: Sink(said.append) for number in (1, 2)}
        self.process.spawn(child, ("/bin/sh", "-c", command), streams, on_end=tell)

    def packet(self, port: int, data: bytes, source: str) -> bytes | None:
        """What it says to a packet; None: nothing."""
        words = data.decode("utf-8", "replace").strip()
        name, _, rest = words.partition(" ")
        told = {
            "hostname": lambda: self.process.inside.setting.hostname,
            "envvar": lambda: self.process.environment.get(rest.strip(), ""),
            "echo": lambda: rest.lower(),
            "clientip": lambda: self._seen_as(source),
            "serverport": lambda: str(port),
        }.get(name.lower())
        if words and told is None:
            log(self.process, f"Unknown UDP command received from {source}: {words.lower()}\n")
        return told().encode() if told is not None else None

    def _seen_as(self, source: str) -> str:
        """The address and port of a client."""
        self.asked += 1
        return f"{f'[{source}]' if ':' in source else source}:{EPHEMERAL + self.asked % EPHEMERAL}"

    def _dial(self, request: Request, query: dict[str, str]) -> Answer:
        host, port, wanted, tries = (query.get(name, "") for name in ("host", "port", "request", "tries"))
        protocol = query.get("protocol", "")
        log(
            self.process,
            f"GET /dial?host={host}&protocol={protocol}&port={port}&request={wanted}&tries={tries}",
        )
        if not wanted:
            return Answer(400, b"request parameter not specified. <nil>\n", PLAIN)
        if protocol.lower() not in ("", "http", "udp"):
            return Answer(400, f"unsupported protocol. {protocol}\n".encode(), PLAIN)
        where = f"[{host}]" if ":" in host else host
        url = f"http://{where}:{port}/{wanted}"
        ask, error = Ask("fetch", url), f'Get "{url}": {{}}'
        if protocol.lower() == "udp":
            packet = Packet("UDP", host, int(port), wanted.encode(), PATIENCE)
            ask, error = Ask("send", packet), "reading from udp connection failed. err:'{}'"
        return Answer(later=partial(self._ask, ask, error, int(tries or 1)))

    def _ask(self, ask: Ask, error: str, tries: int, take: Take) -> None:
        def child(process: Process) -> Life:
            answers, errors = list[str](), list[str]()
            for _ in range(tries):
                came = yield ask
                if came["error"]:
                    errors.append(error.format(came["error"]))
                else:
                    body = came["body"]
                    answers.append(body.decode("utf-8", "replace") if isinstance(body, bytes) else body)
            told = ({"errors": errors} if errors else {}) | ({"responses": answers} if answers else {})
            take(Answer(200, json.dumps(told, separators=(",", ":")).encode(), PLAIN))
            return 0

        self.process.spawn(child, ("agnhost", "dial"))


def main(process: Process) -> Life:
    """Serve until it is told to end."""
    told = flags(process)
    port, delay = int(told.get("http-port", 8080)), int(told.get("delay-shutdown", 0))
    server = Netexec(process, port, told.get("http-override", ""))

    def term() -> None:
        server.ending = True
        if delay:
            log(process, f"Sleeping {delay} seconds before terminating...")
            process.inside.runtime.changed()
        process.end_in(delay * SECOND, 0)

    process.on("TERM", term)
    udp = int(told.get("udp-port", 8081))
    if udp != -1:
        process.listen(udp, Server(udp=partial(server.packet, udp)))
        log(process, f"Started UDP server on port  {udp}")
    log(process, f"Started HTTP server on port {port}")
    return (yield from serves(process, port, Server(server.serve)))
