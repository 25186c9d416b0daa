"""What a kubelet writes for a container itself: its name, /etc/hosts, /etc/resolv.conf. Pure.

Models k/k pkg/kubelet nodeHostsFileContent managedHostsFileContent truncatePodHostnameIfNeeded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubemini.api.objects import Obj, get

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
LONGEST = 63  # of a hostname
LOCAL = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""
NODE = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"  # of the machine itself


@dataclass(frozen=True, slots=True)
class Facts:
    """A container, as its programs see it."""

    hostname: str
    files: Mapping[str, str]


def facts(pod: Obj, ips: Sequence[str], resolv_conf: str, node: str) -> Facts:
    """A container of *pod*, which has the addresses *ips*."""
    short = hostname(pod, node)
    full = domain_name(pod, short)
    name = full if full and get(pod, "spec", "setHostnameAsFQDN", default=False) else short
    files = {
        "/etc/hostname": name + "\n",
        "/etc/hosts": hosts(pod, short, ips),
        "/etc/resolv.conf": resolv_conf,
    }
    if get(pod, "spec", "automountServiceAccountToken", default=True):
        files[f"{SERVICE_ACCOUNT}/namespace"] = pod["metadata"]["namespace"]
    return Facts(name, files)


def hostname(pod: Obj, node: str) -> str:
    """The name of the machine, as the pod has it."""
    if get(pod, "spec", "hostNetwork", default=False):
        return node
    if name := get(pod, "spec", "hostnameOverride"):
        return str(name)
    name = get(pod, "spec", "hostname", default="") or pod["metadata"]["name"]
    return str(name)[:LONGEST].rstrip("-.")


def domain_name(pod: Obj, name: str) -> str:
    """The name under which DNS may know it; "": it has none."""
    domain = get(pod, "spec", "subdomain", default="")
    if not domain or get(pod, "spec", "hostnameOverride"):
        return ""
    return f"{name}.{domain}.{pod['metadata']['namespace']}.svc.cluster.local"


def hosts(pod: Obj, name: str, ips: Sequence[str]) -> str:
    """/etc/hosts: one of the pod's own, or, where it has the network of its node, that of the node."""
    if get(pod, "spec", "hostNetwork", default=False):
        lines = ["# Kubernetes-managed hosts file (host network).\n", NODE]
    else:
        lines = ["# Kubernetes-managed hosts file.\n", LOCAL]
        full = domain_name(pod, name)
        lines += [f"{ip}\t{full}\t{name}\n" if full else f"{ip}\t{name}\n" for ip in ips]
    aliases = get(pod, "spec", "hostAliases", default=()) or ()
    if aliases:
        lines.append("\n# Entries added by HostAliases.\n")
        lines += ["\t".join([one["ip"], *(one.get("hostnames") or ())]) + "\n" for one in aliases]
    return "".join(lines)
