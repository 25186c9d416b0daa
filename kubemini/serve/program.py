"""``kubemini serve``: from the options to a cluster that listens, and to its end on SIGTERM, SIGINT or a defect."""

import asyncio
import logging
import os
import resource
import signal
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubemini.apiserver.bootstrap import first_address
from kubemini.apiserver.decide.access.users import MASTERS
from kubemini.cluster import Cluster
from kubemini.ranges import number, shown
from kubemini.serve import auditlog, kubeconfig, world
from kubemini.serve.certificates import Authority, Signed
from kubemini.serve.console import Console
from kubemini.serve.door import Clients
from kubemini.serve.listening import Port
from kubemini.serve.pacing import Pace
from kubemini.serve.tokens import read_tokens
from kubemini.sim.trace import Record

BALANCER = "lb"
ALONE = "kubemini"  # the context where there is one door
FASTEST = 1000.0  # simulated seconds a second
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve what is `wanted`; *speed* 0: time stands, but for those who wait. *port* 0: any."""

    wanted: world.Wanted = field(default_factory=world.Wanted)
    port: int = 0
    kubeconfig: Path = Path("kubemini.kubeconfig")
    speed: float = 1.0
    audit_log: str = ""


def main(said: Any) -> int:
    """The command line's options, as argparse has them, carried out. Raises ValueError that says what is wrong."""
    params = dict(word.partition("=")[::2] for word in said.param if "=" in word)
    if len(params) < len(said.param):
        raise ValueError("--param takes NAME=VALUE, such as etcd_pre_vote=false, and each name once")
    if not 0 <= said.port < 65536:
        raise ValueError(f"--port: expected a number up to 65535, got {said.port}")
    tokens = read_tokens(Path(said.token_auth_file)) if said.token_auth_file else {}
    if bool(said.audit_policy_file) != bool(said.audit_log_path):
        raise ValueError("an audit log needs both --audit-policy-file and --audit-log-path")
    audit = auditlog.read_policy(Path(said.audit_policy_file)) if said.audit_policy_file else None
    sources, topology = tuple(said.sources), said.topology or ""
    key = os.urandom(32)
    wanted = world.Wanted(sources, topology, said.workers, said.api_only, params, tokens, key, audit, dns=said.dns)
    return serve(Options(wanted, said.port, Path(said.kubeconfig), _speed(said.speed), said.audit_log_path))


def _speed(text: str) -> float:
    if text == "step":
        return 0.0
    speed = number(text)
    if speed is None or not 0 < speed <= FASTEST:
        raise ValueError(f"--speed: expected step or a number up to {FASTEST:g}, such as 10, got {shown(text)}")
    return speed


def serve(options: Options) -> int:
    """Serve until somebody says stop; the exit status. Raises ValueError that says what cannot be done."""
    now = datetime.now(UTC)
    authority = Authority(now)
    wanted = replace(options.wanted, root_ca=authority.certificate.decode())
    cluster = world.made(wanted, now.replace(tzinfo=None))
    world.run_until_ready(cluster)
    logging.getLogger("tornado.general").addHandler(logging.NullHandler())  # a client's mistake is no news
    logging.getLogger("tornado.general").propagate = False
    _take_all_files()
    asyncio.run(_serve(options, cluster, authority))
    return 0


def _take_all_files() -> None:
    """As many connections as this machine allows at all."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(options: Options, cluster: Cluster, authority: Authority) -> None:
    pace = Pace(cluster.sim, options.speed, time.monotonic)
    pace.on_defect = _say_defect
    if options.audit_log:
        pace.on_event = auditlog.Log(options.audit_log).write
    clients, loop = Clients.of(cluster), asyncio.get_running_loop()
    within = map(first_address, cluster.params.service_cluster_ip_range)
    ports = _ports(options, cluster, clients, pace, _context(authority.server(*within), authority))
    for signum in SIGNALS:
        loop.add_signal_handler(signum, pace.end)
    admin = authority.client(kubeconfig.USER, (MASTERS,))
    doors = {name: port.url for name, port in ports.items()}
    kubeconfig.write(options.kubeconfig, kubeconfig.text(doors, authority.certificate, admin))
    _say(_where(options, doors))
    Console(cluster, pace, _say).listen(loop)
    try:
        await pace.run()
    finally:
        for port in ports.values():
            port.close()


def _ports(
    options: Options, cluster: Cluster, clients: Clients, pace: Pace, context: ssl.SSLContext
) -> dict[str, Port]:
    """A door each: of the balancer, if there is one, and of each API server. The first has the port that was named."""
    servers = [server.name for server in world.api_servers(cluster)]
    front = cluster.topology.front_door
    balanced = front != servers
    named = {BALANCER: front[0], **{name: name for name in servers}} if balanced or len(servers) > 1 else {}
    named = named or {ALONE: servers[0]}
    try:
        return {
            context_name: Port(clients, pace, target, context, options.port + place if options.port else 0)
            for place, (context_name, target) in enumerate(named.items())
        }
    except OSError as error:
        why = error.strerror or error
        raise ValueError(f"cannot listen on port {options.port}: {why}; name another --port, or 0 for any") from None


def _context(shown: Signed, authority: Authority) -> ssl.SSLContext:
    """TLS as the server speaks it, by the certificate *shown*: clients may show one of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority.certificate.decode())
    context.set_alpn_protocols(["http/1.1"])
    with _on_disk(shown) as (certificate, key):
        context.load_cert_chain(certificate, key)
    return context


@contextmanager
def _on_disk(signed: Signed) -> Iterator[tuple[Path, Path]]:
    """Python's ssl reads a key from a file only: here it is one for a moment, for our eyes alone."""
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder, "tls.crt"), Path(folder, "tls.key")
        for path, content in zip(paths, (signed.certificate, signed.key), strict=True):
            path.write_bytes(content)
        yield paths


def _where(options: Options, doors: dict[str, str]) -> str:
    """The one line that says where."""
    url, others = next(iter(doors.values())), [name for name in doors if name != ALONE]
    contexts = f" (contexts: {', '.join(others)})" if others else ""
    return f"kubemini: {url} answers{contexts}; export KUBECONFIG={options.kubeconfig.resolve()}"


def _say_defect(record: Record) -> None:
    """A defect of this simulator is nothing that its user should have to guess."""
    _say(f"kubemini: a defect of ours, please report it: {record}")


def _say(text: str) -> None:
    print(text, flush=True)
