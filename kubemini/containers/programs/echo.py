"""Three small servers that say back: http-echo (a text), whoami and echoserver (who asked what).

hashicorp/http-echo main.go (flags -text, -listen); traefik/whoami app.go whoamiHandler.
"""

from functools import partial

from kubemini.containers.context import Answer, Request
from kubemini.containers.process import Life, Process, Server, Sleep

ECHO, WHOAMI, ECHOSERVER = 5678, 80, 8080  # their ports


def _serve(process: Process, port: int, server: Server) -> Life:
    process.on("TERM", partial(process.end, 0))
    process.listen(port, server)
    yield Sleep()
    return 0


def http_echo(process: Process) -> Life:
    """Always the same text."""
    told = dict(word.lstrip("-").partition("=")[::2] for word in process.argv[1:] if word.startswith("-"))
    text = told.get("text", process.environment.get("ECHO_TEXT", "hello-world"))
    port = int(told.get("listen", f":{ECHO}").rpartition(":")[2])
    return (yield from _serve(process, port, Server(lambda request: Answer(body=f"{text}\n".encode()))))


def whoami(process: Process) -> Life:
    """Who answers, and what was asked."""

    def answer(request: Request) -> Answer:
        name = process.inside.setting.hostname
        lines = [f"Hostname: {name}", "IP: 127.0.0.1", f"RemoteAddr: {request.source}", _first(request)]
        lines += [f"{key.title()}: {value}" for key, value in sorted(request.headers.items())]
        return Answer(body="".join(f"{line}\n" for line in [*lines, ""]).encode())

    return (yield from _serve(process, WHOAMI, Server(answer)))


def echoserver(process: Process) -> Life:
    """The request, in full."""

    def answer(request: Request) -> Answer:
        parts = [f"Hostname: {process.inside.setting.hostname}", "Request Information:"]
        parts += [f"\tclient_address={request.source}", f"\tmethod={request.method}", f"\treal path={request.path}"]
        parts += ["", "Request Headers:"] + [f"\t{key}={value}" for key, value in sorted(request.headers.items())]
        parts += ["", "Request Body:", request.body.decode("utf-8", "replace") or "\t-no body in request-"]
        return Answer(body=("\n".join(parts) + "\n").encode())

    return (yield from _serve(process, ECHOSERVER, Server(answer)))


def _first(request: Request) -> str:
    return f"{request.method} {request.path} HTTP/1.1"
