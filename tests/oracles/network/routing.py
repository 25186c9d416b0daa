"""Recordings of Ingress, Gateway API and reverse proxies, answered by ours.

status.json (what nginx and HAProxy do to a client), traefik.json (one controller's two routing tables, and the API's
reading of the same requests), and two tables of upstream tests: ingress.json and gateway_conformance.json.
What a table does not say, and what is supposed here: which Gateway a request was sent to (one of those that the routes
of its group name must answer as wanted); in which namespace a client of a mesh is; the rest is in `passed_over`.
"""

from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from kubemini.network.decide.routing import backends, ingress, proxies
from kubemini.network.decide.routing.exchange import FORWARDED, Request
from kubemini.network.decide.routing.tls import certificate as tls
from kubemini.sim.units import SECOND
from tests.oracles.network.http import conformance, controllers


def answers(path, data):
    """What ours says to each case of status.json or traefik.json."""
    if path.name.startswith("status"):
        return {_status_name(row): partial(_status, row["back ends"], row["method"]) for row in data["rows"]}
    return controllers.answers(data)


def tables(path, data):
    """The cases of an older table: each gives what differs."""
    return _ingress(data) if path.stem == "ingress" else conformance.cases(data)


def passed_over(data):
    """The requests of gateway_conformance.json that cannot be tried, each with the reason."""
    return conformance.passed_over(data)


# -- what a client gets ----------
MEASURED = {"connect_timeout": SECOND, "server_timeout": SECOND}  # as the recordings' configuration says


def _status_name(row):
    return " + ".join(row["back ends"] or ["(no servers)"]) + " " + row["method"]


def _status(names, method):
    servers = [backends.NAMED[name] for name in names]
    return {
        who: _rows(replace(settings, **MEASURED), servers, method)
        for who, settings in (("nginx", proxies.NGINX), ("haproxy", proxies.HAPROXY))
    }


def _rows(settings, servers, method):
    rows = [_row(proxies.serve(settings, servers, method, first)) for first in range(max(1, len(servers)))]
    return rows if len(servers) > 1 else rows[0]


def _row(outcome):
    status = "BadStatusLine" if outcome.status == proxies.NO_STATUS else outcome.status
    return [status if outcome.whole else f"{status}, body cut off", f"~{outcome.took // SECOND} s", outcome.read]


# -- Ingress ----------
def _ingress(data):
    found = {}
    for number, row in enumerate(data["path_examples"]):
        found[f"path {number} {row['request']}"] = partial(_path, row)
    for row in data["host_wildcards"]:
        found[f"host {row['host']} {row['header']}"] = partial(_host, row)
    rules = data["name_based_hosts"]["rules"]
    for row in data["name_based_hosts"]["requests"]:
        found[f"name {row['host']}"] = partial(_named, rules, row)
    for feature in data["conformance"]:
        for number, scenario in enumerate(feature["scenarios"]):
            name = f"{feature['feature']} {number} {scenario.get('url', scenario.get('host', ''))}"
            found[name] = partial(_scenario, feature, scenario)
    return found


def _object(rules, default=None):
    spec = {"rules": rules} | ({"defaultBackend": _service(default)} if default else {})
    return {"metadata": {"name": "it", "namespace": "default"}, "spec": spec}


def _service(name):
    return {"service": {"name": name, "port": {"number": 80}}}


def _rule(host, paths):
    return {"host": host, "http": {"paths": paths}}


def _path(row):
    paths = [dict(p, backend=_service(f"{p['path']} {p['pathType']}")) for p in row["paths"]]
    default = "default backend" if row["matched"] == "default backend" else None
    verdict = ingress.route([_object([_rule("", paths)], default)], Request("any", row["request"]))
    got = verdict.backends[0].name if verdict.backends else None
    wanted = row["matched"]
    if wanted not in (None, "default backend"):
        wanted = f"{wanted} {row.get('matched_type', row['paths'][0]['pathType'])}"
    return _differs(wanted, got)


def _host(row):
    paths = [{"path": "/", "pathType": "Prefix", "backend": _service("s")}]
    verdict = ingress.route([_object([_rule(row["host"], paths)])], Request(row["header"]))
    return _differs(row["match"], verdict.fate == FORWARDED)


def _named(rules, row):
    every = [
        _rule(r["host"] or "", [{"path": "/", "pathType": "Prefix", "backend": _service(r["service"])}]) for r in rules
    ]
    verdict = ingress.route([_object(every)], Request(row["host"]))
    return _differs(row["service"], verdict.backends[0].name)


def _scenario(feature, scenario):
    """A scenario of the conformance suite; those of the class and of balancing say in words what they want."""
    obj = feature["ingress"]
    if "spec" not in obj:
        obj = {"metadata": {"name": "it", "namespace": "default"}, "spec": obj}
    if feature["feature"] == "ingress_class":
        return _differs((False, "there is no IngressClass some-invalid-class-name"), ingress.served(obj, [], "ours"))
    url = urlsplit(scenario.get("url") or f"http://{scenario.get('host', '')}{scenario.get('path', '/')}")
    request = Request(url.hostname or "", url.path or "/", scenario.get("method", "GET"), sni=url.hostname or "")
    verdict = ingress.route([obj], request)
    if feature["feature"] == "load_balancing":  # which pod answers is the Service's matter; here: all go to it
        return _differs([200, "echo-service"], [verdict.status, verdict.backends[0].name])
    wrong = _differs(scenario["status"], verdict.status)
    if "service" in scenario:
        wrong += _differs(scenario["service"], verdict.backends[0].name)
    if scenario.get("tls_hostname_verified"):
        secret = {"metadata": {"name": "conformance-tls"}, "type": "kubernetes.io/tls"}
        secret |= {"stringData": {"tls.crt": url.hostname}}
        wrong += _differs("", tls.verified(tls.certificate([obj], [secret], url.hostname), url.hostname))
    return wrong


def _differs(wanted, got):
    return [] if wanted == got else [f"wanted {wanted}, got {got}"]
