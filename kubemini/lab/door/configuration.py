"""door.configuration: kubeadm's older example for HAProxy, which has three faults.

What each fault does is what HAProxy 2.6.12 does. A configuration without them is tried: the settings that it comes to
run in a whole control plane.
"""

from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.door.gone import noticed, told
from kubemini.lab.door.haproxycfg import Config, ConfigError, read
from kubemini.params import Params
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

OLDER = """
defaults
    option redispatch
    retries 1
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    timeout check 10s

frontend apiserver
    bind *:6443
    mode tcp
    default_backend apiserverbackend

backend apiserverbackend
    option httpchk GET /healthz
    http-check expect status 200
    mode tcp
    option ssl-hello-chk
    balance roundrobin
    server apiserver-1 cp-1:6443 check
    server apiserver-2 cp-2:6443 check
    server apiserver-3 cp-3:6443 check
"""
HEALTH = ("/healthz", "/livez", "/readyz")


@exercise("door.configuration")
def check_configuration(answer: Any) -> Report:
    """*answer*: the text of haproxy.cfg."""
    if not isinstance(answer, str):
        raise NotYet(f"Give check() the text of the configuration; it got {type(answer).__name__}.")
    try:
        config = read(answer)
    except ConfigError as error:
        raise NotYet(f"HAProxy does not start: {error}.") from None
    _serves(config)
    _asks(config)
    _speaks_tls(config)
    _is_patient(config)
    sick, dead = noticed("without etcd"), noticed("dead")
    patience = Params().write_request_timeout // SECOND
    return Report(
        "pass",
        (
            f"a server without etcd is {told(sick)}",
            f"a dead one is {told(dead)}",
            f"a write that waits hears the API server's own words, after {patience} s at most",
        ),
        "It asks over TLS what a client would ask, and outwaits the server that it asks.",
    )


def _serves(config: Config) -> None:
    """Three servers, passed on as they are, each checked."""
    names = [server.name for server in config.servers]
    if len(names) != 3:
        raise NotYet(f"Three API servers stand behind this door; the configuration names {', '.join(names) or 'none'}.")
    if config.mode != "tcp":
        raise NotYet(f"mode {config.mode} would read inside the connections; TLS is the API server's: keep mode tcp.")
    for server in config.servers:
        if server.has("ssl"):
            raise NotYet(
                f"`ssl` on {server.name} wraps every client's TLS into TLS once more, and nobody is served.",
                next="It is the check that must speak TLS, not the traffic.",
            )
        if not server.has("check"):
            raise NotYet(f"{server.name} has no `check`: HAProxy says `no check`, and it is never down.")


def _asks(config: Config) -> None:
    """The check asks for the health of the API server."""
    if config.check == "ssl-hello-chk":
        blind = noticed("without etcd", haproxy_check="ssl-hello")
        raise NotYet(
            "Of two ways to check the last one wins: a TLS greeting. Who greets is up (L6OK), whatever /healthz says.",
            f"a server without etcd is {told(blind)}; a third of the new connections hang there",
            next="Which line makes the check a greeting?",
        )
    if config.check == "connect":
        raise NotYet(
            "A check that only connects (L4OK) sees whether a kernel accepts, not whether anybody answers.",
            next="The example began with the right one: `option httpchk`.",
        )
    if config.uri not in HEALTH:
        raise NotYet(
            f"The check asks for {shown(config.uri)}; without a name and a password an API server tells only"
            f" {', '.join(HEALTH)}."
        )


def _speaks_tls(config: Config) -> None:
    """The check speaks what the server speaks."""
    plain = [s.name for s in config.servers if not (config.tls or s.has("check-ssl"))]
    if plain:
        raise NotYet(
            f"The check sends plain HTTP to the TLS port of {', '.join(plain)}: no server is ever up, every client"
            " gets EOF.",
            next="`check-ssl` on the server's line makes the check speak TLS, or `http-check connect ssl` for all.",
        )
    for server in config.servers:
        if not server.trusts:
            raise NotYet(
                f"HAProxy does not start: 'server {server.name}': verify is enabled by default but no CA file"
                " specified.",
                next="Name the cluster's CA with `ca-file`, or say `verify none`.",
            )


def _is_patient(config: Config) -> None:
    """It waits longer than the API server waits for etcd."""
    limit = Params().write_request_timeout // SECOND
    for what in ("client", "server"):
        wait = config.timeouts.get(what, 0) / 1000
        if not wait:
            raise NotYet(f"There is no `timeout {what}`: HAProxy warns, and keeps dead connections for ever.")
        if wait <= limit:
            raise NotYet(
                f"`timeout {what} {wait:g}s` cuts a request that waits before the API server gives it up, which takes"
                f" {limit} s for a write.",
                f"its client gets `unexpected EOF` after {wait:g} s, and never hears what was wrong",
                next="It must outwait the server behind it.",
            )
    if not config.redispatch:
        raise NotYet("Without `option redispatch` a retry goes to the same dead server again.")
