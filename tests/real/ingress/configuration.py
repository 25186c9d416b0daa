"""Ingress objects as the configuration of HAProxy and of nginx, as a controller would write it.

Neither knows an Ingress: a host with ``*`` becomes a regular expression of one label, a Prefix two rules (the path
itself, and what begins with it and a slash), and both are told the most specific first, or find it by themselves.
Each Service answers on a port of its own.
"""

import re

from kubemini.network.decide.routing import ingress
from kubemini.network.decide.routing.exchange import host_rank


def hosts(ingresses):
    """{host: its paths, the one that wins first}, the most specific host first."""
    found = {}
    for path in ingress.paths(ingresses):
        found.setdefault(path.host, []).append(path)
    for paths in found.values():
        paths.sort(key=lambda p: (len(p.path), p.type == "Exact"), reverse=True)  # stable: the older stays before
    return dict(sorted(found.items(), key=lambda pair: host_rank(pair[0]), reverse=True))


def default(ingresses):
    """The Service of the default back end, or None."""
    backends = [one["spec"].get("defaultBackend") for one in sorted(ingresses, key=ingress.age)]
    return next((b["service"]["name"] for b in backends if b), None)


def pattern(host):
    """A regular expression for a host with a wildcard."""
    return r"^[^.]+\." + re.escape(host[2:]) + "$"


# -- HAProxy ----------
def haproxy(ingresses, port, services):
    """A whole configuration: it listens on *port*; *services*: {name: port}."""
    lines = ["global", "defaults", " mode http", " timeout connect 2s", " timeout client 5s", " timeout server 5s"]
    lines += ["frontend web", f" bind 127.0.0.1:{port}", " http-request set-var(txn.host) hdr(host),field(1,:),lower"]
    for host, paths in hosts(ingresses).items():
        here = _host_rule(host)
        for path in paths:
            for condition in _path_rules(path):
                lines.append(f" use_backend {path.backend['service']['name']} if {here} {condition}")
        if host:
            lines.append(f" use_backend rest if {here}")
    lines += [" default_backend rest", "backend rest"]
    rest = default(ingresses)
    lines.append(f" server s 127.0.0.1:{services[rest]}" if rest else " http-request return status 404")
    for name, at in services.items():
        lines += [f"backend {name}", f" server s 127.0.0.1:{at}"]
    return "\n".join(lines) + "\n"


def _host_rule(host):
    if not host:
        return "{ always_true }"
    return f"{{ var(txn.host) -m reg {pattern(host)} }}" if "*" in host else f"{{ var(txn.host) -m str {host} }}"


def _path_rules(path):
    stem = path.path.rstrip("/")
    if path.type == "Exact":
        return [f"{{ path -m str {path.path} }}"]
    if not stem:
        return ["{ always_true }"]
    return [f"{{ path -m str {stem} }}", f"{{ path -m beg {stem}/ }}"]


# -- nginx ----------
def nginx(ingresses, port, services, folder):
    """A whole configuration: it listens on *port* and keeps its files in *folder*."""
    rest = default(ingresses)
    last = f"proxy_pass http://127.0.0.1:{services[rest]};" if rest else "return 404;"
    known = hosts(ingresses)
    servers = [_server(port, "_ default_server", known.pop("", []), services, last)]
    for host, paths in known.items():
        servers.append(_server(port, f"~{pattern(host)}" if "*" in host else host, paths, services, last))
    paths = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http = f"{paths} access_log off; server_names_hash_bucket_size 128; proxy_set_header Host $http_host;"
    head = f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors; events {{}}"
    return f"{head}\nhttp {{ {http}\n" + "\n".join(servers) + "\n}\n"


def _server(port, name, paths, services, last):
    """A server block. nginx redirects ``/x`` to an exact ``/x/``, unless ``/x`` is told where to go, too."""
    called, _, mark = name.partition(" ")
    to = lambda path: f"proxy_pass http://127.0.0.1:{services[path.backend['service']['name']]};"  # noqa: E731
    locations = {}
    for path in paths:
        stem = path.path.rstrip("/")
        wanted = [f"= {path.path}"] if path.type == "Exact" else [f"= {stem}", f"{stem}/"] if stem else ["/"]
        for location in wanted:
            locations.setdefault(location, to(path))
    for path in paths:
        stem = path.path.rstrip("/")
        if path.type == "Exact" and stem and stem != path.path:
            other = next((p for p in paths if ingress.matches(p, stem)), None)
            locations.setdefault(f"= {stem}", to(other) if other else last)
    locations.setdefault("/", last)
    lines = [f"  location {location} {{ {what} }}" for location, what in locations.items()]
    return f" server {{ listen 127.0.0.1:{port} {mark}; server_name {called};\n" + "\n".join(lines) + "\n }"
