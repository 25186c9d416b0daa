"""agnhost: the image of Kubernetes' own tests, as far as small programs carry it.

    agnhost netexec [--http-port N]         a server with many paths: /hostname /clientip /echo /dial /shell /exit …
    agnhost pause | serve-hostname | test-webserver | liveness | porter | entrypoint-tester | mounttest
    agnhost grpc-health-checking | logs-generator | connect | dns-suffix | dns-server-list | etc-hosts
    agnhost webhook | guestbook | nettest

Invariant: texts, codes and default ports are those of the real image.
Models k/k test/images/agnhost/pause pause; k/k test/images/agnhost/liveness main
Simplified: no SCTP and TLS; what is not in this list ends with 1 and says so.
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
from kubemini.containers.programs import guestbook, mounttest, netexec, webhook
from kubemini.containers.programs.serving import PLAIN, ends_by, flags, log, serves, sniffed
from kubemini.sim.units import NEVER, SECOND, duration

TERMINATION_LOG = "/dev/termination-log"


def main(process: Process) -> Life:
    """What the first argument says."""
    name = process.argv[1] if len(process.argv) > 1 else "pause"
    act = COMMANDS.get(name)
    if act is None:
        return process.complain(f'Error: unknown command "{name}" for "app"')
    return (yield from act(process))


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
    return (yield from serves(process, port, Server(answer)))


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

    ends_by(process)
    return (yield from serves(process, int(flags(process).get("port", 80)), Server(answer)))


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

    ends_by(process)
    return (yield from serves(process, 8080, Server(answer)))


def _porter(process: Process) -> Life:
    as_json = flags(process).get("json-response") == "true"

    def answer(text: str, request: Request) -> Answer:
        body = json.dumps({"Method": request.method, "Body": text}, separators=(",", ":")) if as_json else text
        return Answer(200, body.encode(), sniffed(body))

    ends_by(process)
    for name, text in process.environment.items():
        head, _, port = name.rpartition("_")
        if head in ("SERVE_PORT", "SERVE_TCP_PORT", "SERVE_TLS_PORT") and port.isdigit():
            process.listen(int(port), Server(partial(answer, text), tls=head == "SERVE_TLS_PORT"))
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

    ends_by(process)
    process.listen(int(told.get("port", 5000)), Server(health=health))
    return (yield from serves(process, int(told.get("http-port", 8080)), Server(answer)))


def _logs(process: Process) -> Life:
    told = flags(process)
    lines = int(told.get("log-lines-total", told.get("t", 0)))
    wait = duration(told.get("run-duration", told.get("d", "0"))) // max(1, lines)
    if lines <= 0 or wait <= 0:
        return process.complain(f"Invalid total number of lines: {lines}", 255)
    for number in range(lines):
        head = f"I{date(process.inside.runtime.wall):%m%d %H:%M:%S.%f}{process.pid:8} logs_generator.go:76] "
        process.complain(f"{head}{number} GET /api/v1/namespaces/default/pods/p{number} {200 + 37 * number % 400}")
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


def nonewprivs(process: Process) -> Life:
    """Its file is root's and runs as root, where a process may become more than it was."""
    setting = process.inside.setting
    process.out(f"Effective uid: {0 if setting.escalates else setting.user}\n")
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
    "guestbook": guestbook.guestbook,
    "liveness": _liveness,
    "logs-generator": _logs,
    "mounttest": mounttest.main,
    "netexec": netexec.main,
    "nettest": guestbook.nettest,
    "pause": _pause,
    "porter": _porter,
    "serve-hostname": _serve_hostname,
    "test-webserver": _test_webserver,
    "webhook": webhook.main,
}
