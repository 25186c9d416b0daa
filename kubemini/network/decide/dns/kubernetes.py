"""The plugin *kubernetes*: which records a name of the cluster has.

Theory of operation. A name below the zone is read from its right end: ``svc`` or ``pod``, a namespace, a Service, and
then one label more (an endpoint) or two (a port and a protocol). What is found are hosts: addresses, or the name
that an ExternalName stands for. There are three outcomes, and the difference between the last two is what resolvers
act on: hosts; nothing, but the name is there (NODATA: an empty answer); no such name (NXDOMAIN).
Invariant: whether a name exists never depends on the type that is asked for (but see SOA in backend.py).
coredns plugin/kubernetes/kubernetes.go, parse.go, reverse.go, ns.go.
Simplified: no multicluster zones, no selection by labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kubemini.network.decide.dns.corefile import KubernetesOptions
from kubemini.network.decide.dns.message import Question, address_of, address_type, is_reverse, labels, normal
from kubemini.network.decide.dns.store import DnsAddress, DnsService, NamedPort, Store

SCHEMA, SCHEMA_TTL = "1.1.0", 28800  # of dns-version.ZONE
NAMESERVER = "ns.dns."


@dataclass(frozen=True, slots=True)
class Found:
    """One host behind a name: an address, or a name; *key* is what the host itself is called."""

    host: str
    key: str
    ttl: int
    port: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a name is: *exists* with hosts, *exists* without (NODATA), or not at all; and the rule that says so."""

    rule: str
    hosts: tuple[Found, ...] = ()
    exists: bool = True


def _missing(rule: str) -> Finding:
    return Finding(rule, exists=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A name taken to pieces; what it does not say is "".

    Models coredns plugin/kubernetes recordRequest
    """

    kind: str = ""  # svc or pod
    namespace: str = ""
    service: str = ""
    endpoint: str = ""
    port: str = ""
    protocol: str = ""
    zone: str = ""  # of ZONE.pin._zone.SERVICE
    prefer: bool = False


def parse_request(name: str, zone: str, zonal: bool) -> Request | None:
    """The pieces of *name* in *zone*, or None: no name of this form exists.

    Models coredns plugin/kubernetes parseRequest
    """
    base = labels(name)[: len(labels(name)) - len(labels(zone))]
    if not base:
        return Request()
    *left, kind = base
    if kind not in ("svc", "pod"):
        return None
    if not left:
        return Request()
    *left, namespace = left
    *left, service = left or [""]
    match left:
        case []:
            return Request(kind, namespace, service)
        case [endpoint]:
            return Request(kind, namespace, service, endpoint)
        case [port, protocol]:
            return Request(kind, namespace, service, port=port.removeprefix("_"), protocol=protocol.removeprefix("_"))
        case [*zones, "pin" | "prefer" as how, "_zone"] if zonal and kind == "svc":
            return Request(kind, namespace, service, zone=".".join(zones), prefer=how == "prefer")
    return None


class Records:
    """The names of one cluster, as one stanza of a Corefile shows them."""

    def __init__(self, options: KubernetesOptions, store: Store):
        self.options, self.store = options, store

    def find(self, question: Question, zone: str) -> Finding:
        """What is behind the name of *question*, which lies in *zone* (spelled as it was asked).

        Models coredns plugin/kubernetes Services
        """
        name = question.name.lower()
        if question.type == "TXT":
            return self._text(question, name, zone)
        if name == NAMESERVER + zone:
            hosts = [f for f in self.nameservers(zone) if address_type(f.host) == question.type]
            return Finding("kubernetes: the name server itself", tuple(hosts))
        finding = self.records(name, zone)
        if question.type != "SRV":
            return finding
        inside = tuple(found for found in finding.hosts if address_type(found.host) != "CNAME")
        return Finding(finding.rule, inside, finding.exists)

    def _text(self, question: Question, name: str, zone: str) -> Finding:
        if labels(name)[: -len(labels(zone))] == ["dns-version"]:
            found = Found("", question.name, SCHEMA_TTL, text=SCHEMA)
            return Finding("kubernetes: the version of the schema", (found,))
        finding = self.records(name, zone)
        request = parse_request(name, zone, self.options.zonal)
        if finding.hosts or (finding.exists and request is not None and request.zone):
            return Finding(finding.rule + ", which has no TXT")
        return _missing("kubernetes: no TXT but dns-version")

    def records(self, name: str, zone: str) -> Finding:
        """The hosts behind *name*.

        Models coredns plugin/kubernetes Records
        """
        request = parse_request(name, zone, self.options.zonal)
        if request is None:
            return _missing("kubernetes: no name has this form")
        if not request.kind:
            return Finding("kubernetes: svc, pod and the zone itself exist and are empty")
        if is_reverse(name):
            return _missing("kubernetes: no Service in a reverse zone")
        if not self._exposed(request.namespace):
            return _missing(f"kubernetes: no namespace {request.namespace} here")
        return self._pods(request, zone) if request.kind == "pod" else self._services(request, zone)

    def _exposed(self, namespace: str) -> bool:
        chosen = self.options.namespaces
        return namespace in self.store.namespaces and (not chosen or namespace in chosen)

    # -- pods ----------------------------------------------------------------------------------------------------
    def _pods(self, request: Request, zone: str) -> Finding:
        """A name below ``pod``: an address with dashes.

        Models coredns plugin/kubernetes findPods
        """
        mode, name, namespace = self.options.pods, request.service, request.namespace
        if mode == "disabled":
            return _missing("kubernetes: pods disabled")
        if not name:
            return Finding(f"kubernetes: namespace {namespace} exists and has no record")
        four = name.count("-") == 3 and "--" not in name
        ip = name.replace("-", "." if four else ":")
        if mode == "insecure" and address_type(ip) == "CNAME":
            return _missing("kubernetes: pods insecure, but this is no address")
        if mode == "verified" and namespace not in self.store.pods.get(ip, ()):
            return _missing(f"kubernetes: pods verified, and no pod of {namespace} has {ip}")
        found = Found(ip, f"{name}.{namespace}.pod.{zone}", self.options.ttl)
        return Finding(f"kubernetes: pods {mode}", (found,))

    # -- Services ------------------------------------------------------------------------------------------------
    def _services(self, request: Request, zone: str) -> Finding:
        """A name below ``svc``.

        Models coredns plugin/kubernetes findServices
        """
        if not request.service:
            return Finding(f"kubernetes: namespace {request.namespace} exists and has no record")
        whose = f"{request.namespace}/{request.service}"
        service = self.store.services.get((request.namespace, request.service))
        if service is None:
            return _missing(f"kubernetes: no Service {whose}")
        if self.options.ignore_empty_service and not service.external_name and not service.headless:
            if not any(True for _ in self._endpoints(service)):
                return _missing(f"kubernetes: Service {whose} has no ready endpoint (ignore empty_service)")
        if request.zone and not service.headless:
            return _missing(f"kubernetes: only a headless Service has zones, {whose} is none")
        if service.external_name:
            return self._external(request, service, zone)
        if service.headless or request.endpoint:
            return self._headless(request, service, zone)
        key = f"{service.name}.{service.namespace}.svc.{zone}"
        ports = [port for port in service.ports if _asked(request, port)]
        hosts = tuple(Found(ip, key, self.options.ttl, p.number) for p in ports for ip in service.ips)
        if not ports:
            return _missing(f"kubernetes: Service {whose} has no port {request.port}/{request.protocol}")
        return Finding(f"kubernetes: the cluster IP of Service {whose}", hosts)

    def _external(self, request: Request, service: DnsService, zone: str) -> Finding:
        whose = f"{service.namespace}/{service.name}"
        if request.endpoint or request.port or request.protocol:
            return _missing(f"kubernetes: nothing below the ExternalName {whose}")
        key = f"{service.name}.{service.namespace}.svc.{zone}"
        if address_type(service.external_name) != "CNAME":
            return _missing(f"kubernetes: the ExternalName {whose} is an address, not a name")
        found = Found(service.external_name, key, self.options.ttl)
        return Finding(f"kubernetes: the ExternalName {whose}", (found,))

    def _headless(self, request: Request, service: DnsService, zone: str) -> Finding:
        """The endpoints of a headless Service, or the one endpoint that the name asks for."""
        whose = f"{service.namespace}/{service.name}"
        pairs = list(self._endpoints(service))
        wanted = [pair for pair in pairs if not request.zone or pair[0].zone == request.zone]
        if request.zone and request.prefer and not wanted:
            wanted = pairs
        hosts = []
        for address, port in wanted:
            label = address.label(self.options.endpoint_pod_names)
            if request.endpoint in ("", label.lower()) and _asked(request, port):
                key = f"{label}.{service.name}.{service.namespace}.svc.{zone}"
                hosts.append(Found(address.ip, key, self.options.ttl, port.number))
        if hosts or request.zone:
            what = f"endpoint {request.endpoint}" if request.endpoint else "ready endpoints"
            return Finding(f"kubernetes: {what} of Service {whose}", tuple(hosts))
        if request.endpoint:
            return _missing(f"kubernetes: no ready endpoint of {whose} is called {request.endpoint}")
        return _missing(f"kubernetes: headless Service {whose} has no ready endpoint, or not this port")

    def _endpoints(self, service: DnsService) -> Iterator[tuple[DnsAddress, NamedPort]]:
        """Every address of *service* with every port of its slice."""
        if self.options.endpoints:
            for ends in self.store.endpoints.get((service.namespace, service.name), ()):
                for address in ends.addresses:
                    yield from ((address, port) for port in ends.ports)

    # -- the other way round -------------------------------------------------------------------------------------
    def reverse(self, name: str, zone: str) -> Finding:
        """The names of an address; *name* is its reverse name.

        Models coredns plugin/kubernetes Reverse
        """
        ip = address_of(name)
        if not ip:
            finding = self.records(name.lower(), zone)
            return Finding(finding.rule, (), finding.exists)
        service = self.store.service_with(ip)
        if service is not None and self._chosen(service.namespace):
            target = f"{service.name}.{service.namespace}.svc.{self.options.primary}"
            found = (Found(target, "", self.options.ttl),)
            return Finding(f"kubernetes: {ip} is the cluster IP of {service.namespace}/{service.name}", found)
        hosts = tuple(self._named(ip)) if self.options.endpoints else ()
        if not hosts:
            return _missing(f"kubernetes: {ip} belongs to no Service")
        return Finding(f"kubernetes: {ip} is an endpoint", hosts)

    def _named(self, ip: str) -> Iterator[Found]:
        for ends in self.store.endpoints_with(ip):
            if self._chosen(ends.namespace):
                where = f"{ends.service}.{ends.namespace}.svc.{self.options.primary}"
                for address in ends.addresses:
                    if address.ip == ip:
                        label = address.label(self.options.endpoint_pod_names)
                        yield Found(f"{label}.{where}", "", self.options.ttl)

    def _chosen(self, namespace: str) -> bool:
        return not self.options.namespaces or self._exposed(namespace)

    # -- the zone ------------------------------------------------------------------------------------------------
    def nameservers(self, zone: str) -> list[Found]:
        """Who serves *zone*: the Service whose endpoint this CoreDNS is, or its own address.

        Models coredns plugin/kubernetes nsAddrs
        """
        found = []
        for local in self.store.local:
            for ends in self.store.endpoints_with(local) if self.options.endpoints else ():
                service = self.store.services.get((ends.namespace, ends.service))
                if service is not None:
                    found += list(self._serving(service, zone))
        return found or [Found(normal(ip), NAMESERVER + zone, self.options.ttl) for ip in self.store.local]

    def _serving(self, service: DnsService, zone: str) -> Iterator[Found]:
        key = f"{service.name}.{service.namespace}.svc.{zone}"
        if not service.headless:
            yield from (Found(ip, key, self.options.ttl) for ip in service.ips)
            return
        seen = dict.fromkeys(address for address, _ in self._endpoints(service))
        for address in seen:
            yield Found(address.ip, f"{address.label(self.options.endpoint_pod_names)}.{key}", self.options.ttl)


def _asked(request: Request, port: NamedPort) -> bool:
    """Whether *request* leaves *port* in: what it does not say matches any.

    Models coredns plugin/kubernetes matchPortAndProtocol
    """
    return request.port in ("", port.name.lower()) and request.protocol in ("", port.protocol.lower())
