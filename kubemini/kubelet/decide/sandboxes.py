"""A pod's sandbox: what its kubelet says if it cannot be made, or not as asked, and when it tries again. Pure.

Models k/k pkg/kubelet/network/dns Configurer.formDNSConfigFitsLimits
Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.SyncPod
Models k/k pkg/kubelet podWorkers.completeWork
Simplified: similar events are not combined; nothing is said of one that had an address before.
"""

from kubemini.api.kinds import EVENT
from kubemini.api.objects import Obj, freeze
from kubemini.api.timestamps import timestamp
from kubemini.sim.units import SECOND

BACK_OFF = (10 * SECOND, 15 * SECOND)  # backOffPeriod of pod workers, and half of it by chance
REASON, DNS = "FailedCreatePodSandBox", "DNSConfigForming"


def message(why: str) -> str:
    """The kubelet's words for what the runtime said."""
    return f"Failed to create pod sandbox: rpc error: code = Unknown desc = {why}"


def event(pod: Obj, reason: str, text: str, host: str, now: int, number: int = 0) -> Obj:
    """The Event about it, of the kubelet on *host* at *now* (µs); *number*: how many there are of this instant."""
    meta = pod["metadata"]
    return freeze(
        {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": f"{meta['name']}.{now + number:016x}", "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            },
            "reason": reason,
            "message": text,
            "type": "Warning",
            "source": {"component": "kubelet", "host": host},
            "reportingComponent": "kubelet",
            "reportingInstance": host,
            "firstTimestamp": timestamp(now),
            "lastTimestamp": timestamp(now),
            "count": 1,
        }
    )
