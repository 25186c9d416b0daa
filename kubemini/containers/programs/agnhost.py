"""agnhost: the image of Kubernetes' own tests, as far as small programs carry it.

    agnhost netexec [--http-port N]         a server with many paths: /hostname /clientip /echo /dial /shell /exit …
    agnhost pause | serve-hostname | test-webserver | liveness | porter | entrypoint-tester | mounttest
    agnhost grpc-health-checking | logs-generator | connect | dns-suffix | dns-server-list | etc-hosts

Invariant: texts, codes and default ports are those of the real image.
Models k/k test/images/agnhost/netexec main rootHandler echoHandler dialHandler shellHandler exitHandler
Models k/k test/images/agnhost/pause pause; k/k test/images/agnhost/liveness main
Simplified: no UDP, SCTP and TLS; what is not in this list ends with 1 and says so.
"""

import json
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs, urlsplit

from kubemini.api.timestamps import date
from kubemini.containers.applets.net import kind
from kubemini.containers.context import Answer, Health, Request
from kubemini.containers.files import File, Trouble
from kubemini.containers.process import Ask, Life, Process, Read, Server, Sleep
from kubemini.containers.programs import mounttest
from kubemini.containers.streams import Sink
from kubemini.sim.units import NEVER, SECOND, duration

TERMINATION_LOG = "/dev/termination-log"
PLAIN = (("Content-Type", "text/plain; charset=utf-8"),)
EPHEMERAL = 32768  # ports of clients
Take = Callable[[Answer], None]


def main(process: Process) -> Life:
    """What the first argument says."""
    name = process.argv[1] if len(process.argv) > 1 else "pause"
    act = COMMANDS.get(name)
    if act is None:
        return process.complain(f'Error: unknown command "{name}" for "app"')
    return (yield from act(process))


def flags(process: Process) -> dict[str, str]:
    """``--name=value``, ``--name value``, or ``--name`` alone."""
    found, words = dict[str, str](), list(process.argv[2:])
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            name, given, value = word.lstrip("-").partition("=")
            follows = not given and bool(words) and not words[0].startswith("-")
            found[name] = value if given else words.pop(0) if follows else "true"
    return found


def log(process: Process, text: str) -> None:
    """A line as Go's log package writes it."""
    process.complain(f"{date(process.inside.runtime.now):%Y/%m/%d %H:%M:%S} {text}")


def _serves(process: Process, port: int, server: Server) -> Life:
    process.listen(port, server)
    yield Sleep()
    return 0


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
        text = f"NOW: {date(now):%Y-%m-%d %H:%M:%S.%f} +0000 UTC m=+{since}"
        return self._said("GET /", text)._replace(until=now)

    def _client_ip(self, request: Request, query: dict[str, str]) -> Answer:
        self.asked += 1
        source = f"[{request.source}]" if ":" in request.source else request.source
        text = f"{source}:{EPHEMERAL + self.asked % EPHEMERAL}"
        return self._said("GET /clientip", text)._replace(until=self.process.inside.runtime.now)

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

    def _dial(self, request: Request, query: dict[str, str]) -> Answer:
        host, port, wanted, tries = (query.get(name, "") for name in ("host", "port", "request", "tries"))
        protocol = query.get("protocol", "")
        log(
            self.process,
            f"GET /dial?host={host}&protocol={protocol}&port={port}&request={wanted}&tries={tries}",
        )
        if not wanted:
            return Answer(400, b"request parameter not specified. <nil>\n", PLAIN)
        if protocol.lower() not in ("", "http"):
            return Answer(400, f"unsupported protocol. {protocol}\n".encode(), PLAIN)
        where = f"[{host}]" if ":" in host else host
        return Answer(later=partial(self._ask, f"http://{where}:{port}/{wanted}", int(tries or 1)))

    def _ask(self, url: str, tries: int, take: Take) -> None:
        def child(process: Process) -> Life:
            answers, errors = list[str](), list[str]()
            for _ in range(tries):
                came = yield Ask("fetch", url)
                if came["error"]:
                    errors.append(f'Get "{url}": {came["error"]}')
                else:
                    answers.append(came["body"])
            told = ({"errors": errors} if errors else {}) | ({"responses": answers} if answers else {})
            take(Answer(200, json.dumps(told, separators=(",", ":")).encode(), PLAIN))
            return 0

        self.process.spawn(child, ("agnhost", "dial"))


def _netexec(process: Process) -> Life:
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
    if told.get("udp-port") != "-1":
        log(process, f"Started UDP server on port  {told.get('udp-port', 8081)}")
    log(process, f"Started HTTP server on port {port}")
    return (yield from _serves(process, port, Server(server.serve)))


def _pause(process: Process) -> Life:
    process.out("Paused\nSignals registered\n")

    def end(name: str, code: int) -> None:
        text = f'exiting because of signal "{name}"\n'
        path = process.environment.get("TERMINATION_MESSAGE_PATH") or TERMINATION_LOG
        process.files.write(path, text.encode())
        process.out(text)
        process.end(code)

    process.on("INT", partial(end, "interrupt", 1))
    process.on("TERM", partial(end, "terminated", 2))
    yield Sleep()
    return 0


def _serve_hostname(process: Process) -> Life:
    port = int(flags(process).get("port", 9376))

    def answer(request: Request) -> Answer:
        log(process, f"HTTP request from {request.source}")
        return Answer(200, process.inside.setting.hostname.encode(), PLAIN)

    def term() -> None:
        log(process, "Shutting down after receiving signal: terminated.\n")
        log(process, "Awaiting pod deletion.\n")
        process.end_in(60 * SECOND, 0)

    process.on("TERM", term)
    log(process, f"Serving on port {port}.\n")
    return (yield from _serves(process, port, Server(answer)))


def _test_webserver(process: Process) -> Life:
    def answer(request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path.endswith("/index.html"):
            return Answer(301, b"", (("Location", "./"),))
        node = process.files.find(path) if process.files.exists(path) else None
        if isinstance(node, File):
            return Answer(200, node.data, (("Content-Type", kind(path)),))
        if node is None:
            return Answer(404, b"404 page not found\n", PLAIN)
        names = "".join(f'<a href="{name}">{name}</a>\n' for name in process.files.names(path))
        return Answer(200, f"<pre>\n{names}</pre>\n".encode(), (("Content-Type", "text/html; charset=utf-8"),))

    _ends_by(process)
    return (yield from _serves(process, int(flags(process).get("port", 80)), Server(answer)))


def _ends_by(process: Process, code: int = 2) -> None:
    """A program in Go that has no word for SIGTERM: as process 1 it ends with 2."""
    process.on("TERM", partial(process.end, code))


def _liveness(process: Process) -> Life:
    began = process.inside.runtime.now

    def answer(request: Request) -> Answer:
        now, url = process.inside.runtime.now, urlsplit(request.path)
        if url.path == "/redirect":
            to = parse_qs(url.query).get("loc", [""])[0]
            return Answer(302, b"", (("Location", to),))
        if url.path == "/started":
            return Answer(200, f"{(now - began) / SECOND}s".encode(), PLAIN, until=now)
        if url.path != "/healthz":
            return Answer(404, b"404 page not found\n", PLAIN)
        bad_at = began + 10 * SECOND
        if now > bad_at:
            return Answer(500, f"error: {(now - began) / SECOND}".encode(), PLAIN)
        return Answer(200, b"ok", PLAIN, until=bad_at + 1)

    _ends_by(process)
    return (yield from _serves(process, 8080, Server(answer)))


def _porter(process: Process) -> Life:
    as_json = flags(process).get("json-response") == "true"

    def answer(text: str, request: Request) -> Answer:
        body = json.dumps({"Method": request.method, "Body": text}, separators=(",", ":")) if as_json else text
        return Answer(200, body.encode(), PLAIN)

    _ends_by(process)
    for name, text in process.environment.items():
        head, _, port = name.rpartition("_")
        if head in ("SERVE_PORT", "SERVE_TCP_PORT") and port.isdigit():
            process.listen(int(port), Server(partial(answer, text)))
    yield Sleep()
    return 0


def _health(process: Process) -> Life:
    told, began = flags(process), process.inside.runtime.now
    service, delay = told.get("service", ""), int(told.get("delay-unhealthy-sec", -1))
    bad_at = began + delay * SECOND if delay >= 0 else NEVER
    forced: list[bool] = []

    def health(asked: str) -> Health:
        if asked != service:
            return Health("")
        bad = (forced and forced[-1]) or process.inside.runtime.now >= bad_at
        return Health("NOT_SERVING") if bad else Health("SERVING", bad_at)

    def answer(request: Request) -> Answer:
        forced.append(request.path == "/make-not-serving")
        process.inside.runtime.changed()
        return Answer(200, b"", PLAIN)

    _ends_by(process)
    process.listen(int(told.get("port", 5000)), Server(health=health))
    return (yield from _serves(process, int(told.get("http-port", 8080)), Server(answer)))


def _logs(process: Process) -> Life:
    told = flags(process)
    lines = int(told.get("log-lines-total", told.get("t", 0)))
    wait = duration(told.get("run-duration", told.get("d", "0"))) // max(1, lines)
    if lines <= 0 or wait <= 0:
        return process.complain(f"Invalid total number of lines: {lines}", 255)
    for number in range(lines):
        log(process, f"{number} GET /api/v1/namespaces/default/pods/p{number} {200 + 37 * number % 400}")
        yield Sleep(wait)
    return 0


def _connect(process: Process) -> Life:
    words = [word for word in process.argv[2:] if not word.startswith("-") and ":" in word]
    came = yield Ask("fetch", f"{words[0] if words else ':'}/")
    why = came["error"]
    if not why:
        return 0
    said = "DNS: no such host" if "bad address" in why else "REFUSED" if "refused" in why else "TIMEOUT"
    return process.complain(said)


def _entrypoint(process: Process) -> Life:
    process.out(f"[{' '.join(process.argv)}]\n")
    return 0
    yield Sleep()


def _told_by(name: str, act: Callable[[str], str]) -> Callable[[Process], Life]:
    def run(process: Process) -> Life:
        try:
            text = process.files.read(name).decode()
        except Trouble as error:
            return process.complain(f"open {name}: {error}", 2)
        process.out(act(text) + "\n")
        return 0
        yield Read(process.streams[0])

    return run


def _words_behind(name: str) -> Callable[[str], str]:
    def words(text: str) -> str:
        return ",".join(word for line in text.splitlines() if line.split()[:1] == [name] for word in line.split()[1:])

    return words


COMMANDS: dict[str, Callable[[Process], Life]] = {
    "connect": _connect,
    "dns-server-list": _told_by("/etc/resolv.conf", _words_behind("nameserver")),
    "dns-suffix": _told_by("/etc/resolv.conf", _words_behind("search")),
    "entrypoint-tester": _entrypoint,
    "etc-hosts": _told_by("/etc/hosts", str),
    "grpc-health-checking": _health,
    "liveness": _liveness,
    "logs-generator": _logs,
    "mounttest": mounttest.main,
    "netexec": _netexec,
    "pause": _pause,
    "porter": _porter,
    "serve-hostname": _serve_hostname,
    "test-webserver": _test_webserver,
}
