"""The same objects as one controller reads them: Traefik 3.7's two routing tables. Pure.

Invariant: a table is a list of routers; of those whose rule matches the one with the highest priority takes the
request. Everything that the APIs say about precedence has to be said in that one number.

Gateway API: Exact 100,000; a prefix 10,000 + 100 a character (``/`` alone 1), a regular expression 1,000 + 100 a
character; a method 1,000, a header 100, a query parameter 10; the characters of the longest hostname; and the number of
rules from this one to the last. Numbers can run into each other: a long prefix can pass a short one with a method, and
hosts count last, not first.
Ingress: the number is the **length of the rule's text**, so ``PathPrefix("/foo")`` beats ``Path("/foo")``, and a prefix
is a string prefix. A default back end has the lowest number there is.
Equal numbers: the answer changes from start to start; `route` says so by giving several.
Models traefik pkg/provider/kubernetes/gateway buildMatchRule, buildPathRule, buildHeaderRules, buildHostRule
Models traefik pkg/provider/kubernetes/ingress loadRouter; pkg/rules GetRulePriority
Simplified: one entry point, no TLS, no annotations.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing import ingress, references
from kubemini.network.decide.routing.exchange import Backend, Request, host_covers
from kubemini.network.decide.routing.gateway import Facts
from kubemini.network.decide.routing.listeners import attached, hostnames, listeners
from kubemini.network.decide.routing.matches import EVERYTHING, REGEX

LOWEST = -(1 << 31)


class Router(NamedTuple):
    """A rule: its conditions, its text, its number, and where it leads."""

    match: Obj
    hosts: tuple[str, ...]
    text: str
    priority: int
    backends: tuple[Backend, ...]
    where: str
    string_prefix: bool = False

    def takes(self, request: Request) -> bool:
        """Whether the rule matches."""
        return (
            (not self.hosts or any(self._covers(host, request.hostname) for host in self.hosts))
            and _path(self.match.get("path") or EVERYTHING["path"], request.path, self.string_prefix)
            and self.match.get("method") in (None, "", request.method)
            and all(_value(h, request.header(h["name"])) for h in self.match.get("headers") or ())
            and all(_query(q, request.target) for q in self.match.get("queryParams") or ())
        )

    def _covers(self, pattern: str, host: str) -> bool:
        return host_covers(pattern, host, ingress.ONE_LABEL if self.string_prefix else 0)


def _path(match: Obj, path: str, string_prefix: bool) -> bool:
    value, how = match.get("value") or "/", match.get("type") or "PathPrefix"
    if how == "Exact":
        return path == value
    if how == REGEX:
        return re.search(value, path) is not None
    stem = value if string_prefix else value.rstrip("/")
    return path.startswith(stem) if string_prefix else path == stem or path.startswith(stem + "/")


def _value(match: Obj, value: str | None) -> bool:
    if value is None:
        return False
    return re.search(match["value"], value) is not None if match.get("type") == REGEX else value == match["value"]


def _query(match: Obj, target: str) -> bool:
    """Any of the values of a parameter will do."""
    pairs = [pair.partition("=") for pair in target.partition("?")[2].split("&")]
    return any(name == match["name"] and _value(match, value) for name, _, value in pairs)


def gateway_table(facts: Facts, gateway: Obj) -> list[Router]:
    """The routers that a Gateway's routes become, a router for each listener, rule and match."""
    table, grants, services = [], facts.of("ReferenceGrant"), facts.services
    for listener in listeners(gateway, facts.of("ListenerSet"), facts.namespaces):
        for route in facts.of("HTTPRoute"):
            if not attached(route, listener, facts.namespaces):
                continue
            hosts = tuple(filter(None, hostnames(route, listener)))
            rules: list[Obj] = list(get(route, "spec", "rules") or ({},))
            for number, rule in enumerate(rules):
                refs = rule.get("backendRefs") or ()
                to = tuple(references.backend(route, ref, services, grants) for ref in refs)
                to = to or _nobody(rule)
                matches: list[Obj] = list(rule.get("matches") or ({},))
                for match in matches:
                    text, priority = _gateway_rule(match, hosts)
                    where = f"httproute {route['metadata']['name']} rules[{number}]"
                    table.append(Router(match, hosts, text, priority + len(rules) - number, to, where))
    return table


def _nobody(rule: Obj) -> tuple[Backend, ...]:
    """Whom a rule without back ends leads to: a service that answers 500, unless a redirect answers."""
    redirects = any(one["type"] == "RequestRedirect" for one in rule.get("filters") or ())
    return () if redirects else (Backend("", "no-backend-refs", 0, wrong="NoBackendRefs"),)


def _gateway_rule(match: Obj, hosts: tuple[str, ...]) -> tuple[str, int]:
    path = match.get("path") or EVERYTHING["path"]
    value, how = path.get("value") or "/", path.get("type") or "PathPrefix"
    stem = value.rstrip("/")
    if how == "Exact":
        texts, priority = [f'Path("{value}")'], 100_000
    elif how == REGEX:
        texts, priority = [f'PathRegexp("{value}")'], 1000 + 100 * len(value)
    elif value == "/":
        texts, priority = ['PathPrefix("/")'], 1
    else:
        texts, priority = [f'(Path("{stem}") || PathPrefix("{stem}/"))'], 10_000 + 100 * len(value)
    if match.get("method"):
        texts.append(f'Method("{match["method"]}")')
        priority += 1000
    for kind, key, worth in (("Header", "headers", 100), ("Query", "queryParams", 10)):
        for one in match.get(key) or ():
            suffix = "Regexp" if one.get("type") == REGEX else ""
            texts.append(f'{kind}{suffix}("{one["name"]}","{one["value"]}")')
            priority += worth
    if hosts:
        texts.insert(0, _hosts(hosts))
    return " && ".join(texts), priority + max(map(len, hosts), default=0)


def _hosts(hosts: tuple[str, ...]) -> str:
    texts = [
        f'HostRegexp("^[a-z0-9-\\\\.]+{re.escape(host[1:])}$")' if host.startswith("*") else f'Host("{host}")'
        for host in hosts
    ]
    return texts[0] if len(texts) == 1 else f"({' || '.join(texts)})"


def ingress_table(ingresses: Iterable[Obj]) -> list[Router]:
    """The routers that Ingresses become, a router a path, and one for each default back end."""
    ingresses, table = list(ingresses), []
    for path in ingress.paths(ingresses):
        how = "Exact" if path.type == "Exact" else "PathPrefix"
        texts = [f'Host("{path.host}")'] if path.host else []
        texts.append(f'{"Path" if how == "Exact" else "PathPrefix"}("{path.path}")')
        match = {"path": {"type": how, "value": path.path}}
        text, hosts = " && ".join(texts), (path.host,) if path.host else ()
        table.append(
            Router(match, hosts, text, len(text), (ingress.named(path.backend, path.ingress),), path.where, True)
        )
    for one in ingresses:
        if backend := get(one, "spec", "defaultBackend"):
            where = f"ingress {one['metadata']['name']} defaultBackend"
            table.append(Router(EVERYTHING, (), 'PathPrefix("/")', LOWEST, (ingress.named(backend, one),), where, True))
    return table


def route(table: Iterable[Router], request: Request) -> list[Router]:
    """Who takes *request*: one router, none (404), or several of equal priority, and nobody can say which."""
    taking = [router for router in table if router.takes(request)]
    highest = max((router.priority for router in taking), default=0)
    return [router for router in taking if router.priority == highest]
