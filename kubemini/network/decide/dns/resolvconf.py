"""The resolv.conf of a pod: what the kubelet writes, and how the two C libraries read it.

Invariant: the file is made once, when the pod starts; no later change of the node or of kube-dns reaches it.
k/k pkg/kubelet/network/dns/dns.go; resolv.conf(5) of glibc; musl src/network/resolvconf.c.
Simplified: no files of a volume, no `domain` and `sortlist` lines.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubemini.api.objects import Obj, get

MOST_SERVERS, MOST_SEARCH, LONGEST_SEARCH_LINE, LONGEST_DOMAIN = 3, 32, 2048, 253
GLIBC, MUSL = "glibc", "musl"
LIBCS = (GLIBC, MUSL)


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """A resolv.conf, line by line; an option is ``ndots:5`` or ``use-vc``."""

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The file, as containerd writes it."""
        lines = [f"search {' '.join(self.search)}"] if self.search else []
        lines += [f"nameserver {server}" for server in self.nameservers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(line + "\n" for line in lines)


@dataclass(frozen=True, slots=True)
class NodeDns:
    """What a kubelet is told: ``--cluster-dns``, ``--cluster-domain``, and the node's own resolv.conf."""

    cluster_dns: tuple[str, ...] = ("10.96.0.10",)
    cluster_domain: str = "cluster.local"
    host: ResolvConf = ResolvConf(("198.51.100.53",))


def read_resolv_conf(text: str) -> ResolvConf:
    """A resolv.conf as the kubelet reads its node's: the last search line wins, a later option replaces an earlier.

    Models k/k pkg/kubelet/network/dns parseResolvConf
    """
    servers: list[str] = []
    search: list[str] = []
    options: dict[str, str] = {}
    for line in text.splitlines():
        key, *words = line.split() or [""]
        if key == "nameserver" and words:
            servers.append(words[0])
        elif key == "search":
            search = [word.removesuffix(".") for word in words if word != "."]
        elif key == "options":
            options.update({word.split(":")[0]: word for word in words})
    return ResolvConf(tuple(servers), tuple(search), tuple(options.values()))


def pod_resolv_conf(pod: Obj, node: NodeDns) -> tuple[ResolvConf, list[str]]:
    """The resolv.conf of *pod*, and the messages of its events DNSConfigForming where a limit cut something off.

    Models k/k pkg/kubelet/network/dns GetPodDNS
    Simplified: merged options keep their order; in the real one it is that of a Go map.
    """
    spec = pod["spec"]
    base = _base(pod, node)
    config = spec.get("dnsConfig")
    if config:
        base = ResolvConf(
            _unique((*base.nameservers, *(config.get("nameservers") or ()))),
            _unique((*base.search, *(config.get("searches") or ()))),
            _merged(base.options, config.get("options") or ()),
        )
    return _within_limits(base)


def _base(pod: Obj, node: NodeDns) -> ResolvConf:
    """What dnsPolicy alone gives. A pod on its host's network has the host's, unless it says WithHostNet.

    Models k/k pkg/kubelet/network/dns getPodDNSType, generateSearchesForDNSClusterFirst
    """
    policy = pod["spec"].get("dnsPolicy") or "ClusterFirst"
    if policy == "None":
        return ResolvConf()
    host_network = bool(get(pod, "spec", "hostNetwork", default=False))
    if policy == "Default" or (policy == "ClusterFirst" and host_network) or not node.cluster_dns:
        return node.host
    search = node.host.search
    if node.cluster_domain:
        own = f"{pod['metadata']['namespace']}.svc.{node.cluster_domain}"
        search = _unique((own, f"svc.{node.cluster_domain}", node.cluster_domain, *node.host.search))
    return ResolvConf(node.cluster_dns, search, ("ndots:5",))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _merged(options: tuple[str, ...], added: Iterable[Obj]) -> tuple[str, ...]:
    """Options by name, a pod's own in the place of those it replaces. Models k/k mergeDNSOptions"""
    merged = {option.partition(":")[0]: option.partition(":")[2] for option in options}
    merged.update({option["name"]: option.get("value") or "" for option in added})
    return tuple(f"{name}:{value}" if value else name for name, value in merged.items())


def _within_limits(conf: ResolvConf) -> tuple[ResolvConf, list[str]]:
    """Three servers, 32 search domains, 2,048 characters of them.

    Models k/k pkg/kubelet/network/dns formDNSConfigFitsLimits
    """
    said = []
    servers = conf.nameservers[:MOST_SERVERS]
    if servers != conf.nameservers:
        said.append(
            "Nameserver limits were exceeded, some nameservers have been omitted,"
            f" the applied nameserver line is: {' '.join(servers)}"
        )
    search = tuple(domain for domain in conf.search[:MOST_SEARCH] if len(domain) <= LONGEST_DOMAIN)
    while len(" ".join(search)) > LONGEST_SEARCH_LINE:
        search = search[:-1]
    if search != conf.search:
        said.append(
            "Search Line limits were exceeded, some search paths have been omitted,"
            f" the applied search line is: {' '.join(search)}"
        )
    return ResolvConf(servers, search, conf.options), said


@dataclass(frozen=True, slots=True)
class Settings:
    """A resolv.conf as a C library understands it; *timeout* in seconds."""

    nameservers: tuple[str, ...]
    search: tuple[str, ...]
    ndots: int = 1
    timeout: int = 5
    attempts: int = 2
    flags: frozenset[str] = frozenset()  # glibc: rotate, use-vc, no-aaaa, single-request, single-request-reopen


def settings(conf: ResolvConf, libc: str) -> Settings:
    """What *libc* makes of *conf*: each knows its own options, and passes over the others without a word."""
    most = {GLIBC: (15, 30, 5), MUSL: (15, 60, 10)}[libc]
    numbers = {"ndots": 1, "timeout": 5, "attempts": 2}
    flags = set()
    for option in conf.options:
        name, _, value = option.partition(":")
        if name in numbers:
            if value.isdigit():
                numbers[name] = int(value)
        elif libc == GLIBC and not value:
            flags.add(name)
    ndots, timeout, attempts = (min(numbers[name], limit) for name, limit in zip(numbers, most, strict=True))
    return Settings(
        conf.nameservers[:MOST_SERVERS] or ("127.0.0.1",),
        tuple(domain.removesuffix(".") for domain in conf.search),
        ndots,
        max(timeout, 1),
        attempts,
        frozenset(flags),
    )
