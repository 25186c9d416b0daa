"""What a program in a container finds there: its environment, its files, its neighbours. Pure.

Models k/k pkg/kubelet Kubelet.makeEnvironmentVariables nodeHostsFileContent managedHostsFileContent
truncatePodHostnameIfNeeded.
Simplified: of an environment's sources only literal values, the pod's own fields and Services; no files of volumes.
"""

from collections.abc import Mapping, Sequence

from kubemini.api.objects import Obj, get
from kubemini.kubelet.decide.commands import SERVICE_ACCOUNT, Facts

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST = 63  # of a hostname
LOCAL = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


def facts(
    pod: Obj, container: Obj, ips: Sequence[str], services: Mapping[str, str], resolv_conf: str, node: str, tty: bool
) -> Facts:
    """*container* of *pod*, which has the addresses *ips* and was told of *services* in its environment."""
    name = hostname(pod, node)
    where = {"status.podIP": ips[0], "status.hostIP": "", "spec.nodeName": node}
    environment = {"PATH": PATH, "HOSTNAME": name} | dict(services) | _own(pod, container, where) | {"HOME": "/root"}
    if tty:
        environment["TERM"] = "xterm"
    files = {
        "/etc/hostname": name + "\n",
        "/etc/hosts": hosts(pod, name, ips),
        "/etc/resolv.conf": resolv_conf,
    }
    if get(pod, "spec", "automountServiceAccountToken", default=True):
        files[f"{SERVICE_ACCOUNT}/namespace"] = pod["metadata"]["namespace"]
    return Facts(name, environment, files, (command(container),), tty)


def hostname(pod: Obj, node: str) -> str:
    """The name of the machine, as the pod has it."""
    if get(pod, "spec", "hostNetwork", default=False):
        return node
    name = get(pod, "spec", "hostname", default="") or pod["metadata"]["name"]
    return str(name)[:LONGEST].rstrip("-.")


def hosts(pod: Obj, name: str, ips: Sequence[str]) -> str:
    """/etc/hosts."""
    lines = ["# Kubernetes-managed hosts file.\n", LOCAL]
    domain = get(pod, "spec", "subdomain", default="")
    full = f"{name}.{domain}.{pod['metadata']['namespace']}.svc.cluster.local\t{name}" if domain else name
    lines += [f"{ip}\t{full}\n" for ip in ips]
    aliases = get(pod, "spec", "hostAliases", default=()) or ()
    if aliases:
        lines.append("\n# Entries added by HostAliases.\n")
        lines += ["\t".join([one["ip"], *(one.get("hostnames") or ())]) + "\n" for one in aliases]
    return "".join(lines)


def command(container: Obj) -> str:
    """The first process of *container*, as ps shows it; an image that says nothing runs what it is called."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    image = str(container.get("image", "")).rpartition("/")[2].partition("@")[0].partition(":")[0]
    return " ".join(words) if words else image


def _own(pod: Obj, container: Obj, where: Mapping[str, str]) -> dict[str, str]:
    """The variables of the container's own manifest, as far as the simulation knows their values."""
    found = {}
    for one in container.get("env") or ():
        field = get(one, "valueFrom", "fieldRef", "fieldPath", default="")
        if field.startswith("metadata."):
            found[one["name"]] = str(get(pod, *field.split("."), default=""))
        elif field in where:
            found[one["name"]] = where[field]
        elif not one.get("valueFrom"):
            found[one["name"]] = one.get("value", "")
    return found
