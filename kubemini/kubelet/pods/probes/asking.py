"""A probe asks the program of a container: by HTTP, TCP, gRPC, or with a command.

Models k/k pkg/kubelet/prober prober.runProbe; k/k pkg/probe/http DoHTTPProbe; k/k pkg/probe/grpc grpcProber.Probe
Simplified: what is asked of a program that nobody knows is answered by the annotations of its pod.
"""

from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from kubemini.containers import Answer, CannotStart, Request
from kubemini.kubelet.decide.behaviour import behaviour
from kubemini.kubelet.decide.pods import probing
from kubemini.kubelet.decide.pods.probing import NAMES, NEVER, READINESS, Outcome, Prober
from kubemini.kubelet.decide.pods.runs import find
from kubemini.kubelet.pods.hooks import execute
from kubemini.kubelet.pods.shared import Attended
from kubemini.kubelet.runtime.life import Life
from kubemini.kubelet.runtime.sandbox import PodSandbox, on_the_host
from kubemini.sim import Steps

MOST = 10 * 1024  # bytes of an answer that are kept
REDIRECTS = 10  # that are followed, on the same host
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PORTS = {"http": 80, "https": 443}
AGENT = {"user-agent": "kube-probe/1.37"}


def ask(worker: Attended, prober: Prober) -> Steps:
    """What the probe finds; None: its container is gone."""
    sandbox = worker.shared.containers.of_pod.get(worker.uid)
    life = sandbox.lives.get(prober.run) if sandbox is not None else None
    if sandbox is None or life is None or (life.over and (life.plain or "exec" in prober.spec)):
        return None
    if life.plain:
        return _plain(worker, prober)
    spec = prober.spec
    if "exec" in spec:
        return (yield from _exec(worker, life, prober, [str(word) for word in spec["exec"].get("command") or ()]))
    if "grpc" in spec:
        return (yield from _grpc(worker, sandbox, prober))
    asked = spec.get("tcpSocket") or spec["httpGet"]
    try:
        port = probing.port_of(find(worker.pod, prober.name), asked["port"])
    except ValueError as error:
        return Outcome(False, str(error), errored=True)
    host = asked.get("host") or sandbox.ip
    there = _there(worker, sandbox, host)
    if "tcpSocket" in spec:
        return _tcp(there, host, port)
    return (yield from _http(worker, there, prober, probing.joined(host, port)))


def _there(worker: Attended, sandbox: PodSandbox, host: str) -> PodSandbox | None:
    """The pod that a probe from the node finds at *host*, usually its own; the node's loopback is its network's."""
    if host in sandbox.ips or (host in LOOPBACK and on_the_host(sandbox.pod)):
        return sandbox
    return worker.shared.containers.at(host)


def _plain(worker: Attended, prober: Prober) -> Outcome:
    """Annotations say how it is; they change by way of the API, which tells."""
    well = behaviour(worker.pod, NAMES[prober.kind]) != "fail"
    if prober.kind == READINESS:
        well = well and worker.shared.containers.well(worker.uid)
    text = "" if "exec" in prober.spec else probing.http_failed("", 503, "")
    return Outcome(well, "" if well else text)


def _exec(worker: Attended, life: Life, prober: Prober, command: list[str]) -> Steps:
    try:
        code, said = yield from execute(worker, life, command, prober.timeout)
    except CannotStart as error:
        return Outcome(False, str(error), errored=True)
    now = worker.shared.now
    if code is None:
        return Outcome(False, probing.exec_timed_out(command, prober.timeout), now)
    text = said[:MOST].decode("utf-8", "replace")
    return Outcome(code == 0, text if code else "", now)


def _lives(sandbox: PodSandbox) -> list[Life]:
    """All that share the network of the pod."""
    return [sandbox.lives[run.id] for run in sandbox.view.running() if not sandbox.lives[run.id].plain]


def _tcp(there: PodSandbox | None, host: str, port: int) -> Outcome:
    open_ = there is not None and any(life.inside.listens(port) for life in _lives(there))
    return Outcome(open_, "" if open_ else probing.refused(host, port))


def _http(worker: Attended, there: PodSandbox | None, prober: Prober, where: str) -> Steps:
    get = prober.spec["httpGet"]
    path = get.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    headers = AGENT | {one["name"].lower(): one["value"] for one in get.get("httpHeaders") or ()}
    url = f"{(get.get('scheme') or 'HTTP').lower()}://{where}{path}"
    delay, at = 0, urlsplit(url)
    for _ in range(REDIRECTS):
        target, port = f"{at.path or '/'}{'?' if at.query else ''}{at.query}", at.port or PORTS[at.scheme]
        request = Request("GET", target, headers, b"", worker.shared.host.name, there.ip if there else "")
        answer = _answer(there, port, request, at)
        if isinstance(answer, str):
            return Outcome(False, probing.http_failed(url, None, answer))
        delay += answer.delay
        if delay >= prober.timeout:
            yield worker.shared.component.timeout(prober.timeout)
            return Outcome(False, probing.http_failed(url, None, probing.TOO_SLOW), answer.until)
        to = _redirect(answer, at.geturl())
        if to is None:
            break
        at = to
    else:
        return Outcome(False, probing.http_failed(url, None, f"stopped after {REDIRECTS} redirects"), answer.until)
    if delay:
        yield worker.shared.component.timeout(delay)
    return _judged(answer, url)


def _answer(there: PodSandbox | None, port: int, request: Request, at: SplitResult) -> Any:
    """The Answer of whoever listens there, or the text why there is none."""
    tls = at.scheme == "https"
    for life in _lives(there) if there is not None else ():
        if life.inside.listens(port) and life.inside.speaks_tls(port) != tls:
            return probing.NO_TLS if tls else Answer(400)
        answer = life.inside.request(port, request)
        if answer is not None:
            return answer
    return probing.refused(at.hostname or "", port)


def _redirect(answer: Any, url: str) -> SplitResult | None:
    """Where on the same host an answer sends one."""
    location = dict(answer.headers).get("Location") if answer.status in (301, 302, 303, 307, 308) else None
    to = urlsplit(urljoin(url, location)) if location else None
    return to if to is not None and to.hostname == urlsplit(url).hostname and to.scheme in PORTS else None


def _judged(answer: Any, url: str) -> Outcome:
    if not 200 <= answer.status < 400:
        return Outcome(False, probing.http_failed(url, answer.status, ""), answer.until)
    away = answer.status >= 300
    body = answer.body[:MOST].decode("utf-8", "replace")
    warning = f"Probe terminated redirects, Response body: {body}" if away else ""
    return Outcome(True, "", answer.until, warning)


def _grpc(worker: Attended, sandbox: PodSandbox, prober: Prober) -> Steps:
    port, service = int(prober.spec["grpc"]["port"]), prober.spec["grpc"].get("service") or ""
    for life in _lives(sandbox):
        health = life.inside.health(port, service)
        if health is not None:
            if health.status == "SERVING":
                return Outcome(True, "", health.until)
            text = probing.grpc_failed(sandbox.ip, port, health.status, prober.timeout)
            return Outcome(False, text, health.until)
    yield worker.shared.component.timeout(prober.timeout)
    return Outcome(False, probing.grpc_failed(sandbox.ip, port, None, prober.timeout), NEVER)
