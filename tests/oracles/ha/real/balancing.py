"""HAProxy and keepalived as kubeadm's document has them (kubeadm docs/ha-considerations.md), and what HAProxy says.

Checks of a server: ``kubeadm``: GET /healthz over TLS must answer 200; ``old``: its older sample, in which the greeting
of TLS replaces the GET; ``tcp``: a connection is enough.
"""

import csv
import socket

CHECKS = {
    "kubeadm": (
        "    option httpchk\n    http-check connect ssl\n"
        "    http-check send meth GET uri /healthz\n    http-check expect status 200\n",
        "check verify none",
        "35s",
    ),
    "old": (
        "    option httpchk GET /healthz\n    http-check expect status 200\n    option ssl-hello-chk\n",
        "check",
        "20s",
    ),
    "tcp": ("", "check", "35s"),
}
HAPROXY = """global
    log stdout format raw local0
    stats socket {socket} mode 600 level admin
defaults
    mode http
    log global
    option httplog
    option dontlognull
    option http-server-close
    option forwardfor except 127.0.0.0/8
    option redispatch
    retries 1
    timeout http-request 10s
    timeout queue 20s
    timeout connect 5s
    timeout client {limit}
    timeout server {limit}
    timeout http-keep-alive 10s
    timeout check 10s
frontend apiserver
    bind *:{port}
    mode tcp
    option tcplog
    default_backend apiservers
backend apiservers
    mode tcp
    balance roundrobin
{check}{servers}"""
KEEPALIVED = """global_defs {{
    router_id LVS_DEVEL
    script_user root
    enable_script_security
}}
vrrp_script check_apiserver {{
    script "{folder}/check_apiserver.sh"
    interval {interval}
    weight -2
    fall {fall}
    rise {rise}
}}
vrrp_instance VI_1 {{
    state {state}
    interface eth0
    virtual_router_id 51
    priority {priority}
    authentication {{
        auth_type PASS
        auth_pass 42
    }}
    virtual_ipaddress {{
        {address}
    }}
    track_script {{
        check_apiserver
    }}
}}
"""
SCRIPT = """#!/bin/sh
errorExit() {{
    echo "*** $*" 1>&2
    exit 1
}}
curl -sfk --max-time 2 https://localhost:{port}/healthz -o /dev/null || errorExit "Error GET https://localhost:{port}/healthz"
"""


def haproxy(check, port, servers, socket_path):
    """HAProxy's configuration for *servers*, name → address:port."""
    options, words, limit = CHECKS[check]
    lines = "".join(f"    server {name} {address} {words}\n" for name, address in servers.items())
    return HAPROXY.format(socket=socket_path, limit=limit, port=port, check=options, servers=lines)


def keepalived(folder, master, address, port, interval=3, fall=10, rise=2):
    """keepalived's command; its configuration and its check are written to *folder*."""
    state, priority = ("MASTER", 101) if master else ("BACKUP", 100)
    script = folder / "check_apiserver.sh"
    script.write_text(SCRIPT.format(port=port))
    script.chmod(0o755)
    settings = {"interval": interval, "fall": fall, "rise": rise, "state": state, "priority": priority}
    (folder / "keepalived.conf").write_text(KEEPALIVED.format(folder=folder, address=address, **settings))
    files = [("-f", "keepalived.conf"), ("-p", "main.pid"), ("-r", "vrrp.pid"), ("-c", "checkers.pid")]
    names = [word for flag, name in files for word in (flag, str(folder / name))]
    return ["keepalived", "-n", "-l", "-D", *names]


def servers_of(socket_path, patience=2):
    """What HAProxy says of each server: name → row of its statistics; None if it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience)
            connection.connect(str(socket_path))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    except OSError:
        return None
    rows = csv.DictReader(text.removeprefix("# ").splitlines())
    return {row["svname"]: row for row in rows if row["pxname"] == "apiservers" and row["svname"] != "BACKEND"}
