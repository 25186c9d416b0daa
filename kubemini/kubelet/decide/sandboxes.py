"""A pod's sandbox: what its kubelet says if it cannot be made, or not as asked, or not be entered. Pure.

Models k/k pkg/kubelet/network/dns Configurer.formDNSConfigFitsLimits
Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.createPodSandbox
"""

from kubemini.api.objects import Obj, get

REASON, DNS = "FailedCreatePodSandBox", "DNSConfigForming"
HANDLERS = ("", "runc")
OCI = "OCI runtime exec failed: exec failed: unable to start container process"  # the words of runc
SOCKET = "/run/containerd/containerd.sock"  # containerRuntimeEndpoint; a runtime that is stopped takes it away
_DIALED = f"transport: Error while dialing: dial unix {SOCKET}: connect: no such file or directory"
NOBODY = f'code = Unavailable desc = connection error: desc = "{_DIALED}"'


def message(status: str) -> str:
    """The kubelet's words for what its call came to: the runtime's `complaint`, or `NOBODY`."""
    return f"Failed to create pod sandbox: rpc error: {status}"


def complaint(why: str) -> str:
    """What the runtime said, as gRPC hands it on."""
    return f"code = Unknown desc = {why}"


def cannot_exec(process: str, why: str) -> str:
    """What the runtime said of a command that it could not start as *process*, as gRPC hands it on."""
    return f"rpc error: {complaint(exec_trouble(process, why))}"


def exec_trouble(process: str, why: str) -> str:
    """The same in its own words."""
    return f'failed to exec in container: failed to start exec "{process}": {OCI}: {why}'


def runtime_trouble(pod: Obj, handler: str) -> str:
    """What the runtime says of a *handler* that it does not know, with a place for the sandbox's id; "": it does."""
    if handler in HANDLERS or not get(pod, "spec", "runtimeClassName"):
        return ""
    return f'unable to get OCI runtime for sandbox "{{}}": no runtime for "{handler}" is configured'
