"""podnetwork.plugin: a CNI plugin of the learner's own, in as far as it gives addresses and takes them back.

It goes through a thousand pods that come and go, a full range, a DEL that comes twice; then a cluster runs on it.
"""

from ipaddress import ip_address, ip_network
from typing import Any

from kubemini.cluster import Cluster
from kubemini.host.linux.podnetwork import NoNetwork
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.sim.chance import Draws

RANGE = "10.244.7.0/27"
CHURNS = 1000
POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": "shop/web:1.0"}]}}


def pod(number: int) -> dict[str, Any]:
    """A pod as a plugin gets it; what is unique of it is its uid."""
    name = f"web-{number % 7}"  # names come again
    return POD | {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{number}"}}


@exercise("podnetwork.plugin")
def check_plugin(answer: Any) -> Report:
    """*answer*: a class, made with a range; ``add(pod)`` returns an address, ``delete(pod)`` takes it back."""
    plugin = ask(answer, RANGE)
    for name in ("add", "delete"):
        if not callable(getattr(plugin, name, None)):
            raise NotYet(f"The plugin has no method {name}(pod).")
    held = _fill(plugin)
    _churn(plugin, held)
    capacity = len(held)
    _twice(plugin, held)
    running = _in_a_cluster(answer)
    return Report(
        "pass",
        (
            f"{capacity} pods at once in {RANGE}, each with an address of its own",
            f"{CHURNS} pods came and went; the last full house was as big as the first",
            f"a cluster with this plugin: {running} of 4 pods run",
        ),
        "ADD and DEL are all that is asked of a plugin; what it forgets to take back is gone for ever.",
        "The host loses its power in the middle. Where must the plugin have kept what it knows?",
    )


def _add(plugin: Any, number: int) -> str | None:
    """The address of a new pod; None: the plugin says there is none."""

    def add(pod: dict[str, Any]) -> Any:
        try:
            return plugin.add(pod)
        except NoNetwork:
            return ""

    return ask(add, pod(number)) or None


def _fitting(address: Any, held: dict[int, str]) -> str:
    """*address*, if a pod may have it now. Raises NotYet."""
    subnet = ip_network(RANGE)
    try:
        found = ip_address(address)
    except ValueError:
        raise NotYet(f"add(pod) returned {address!r}: return the address as text, such as '10.244.7.2'.") from None
    reserved = {subnet.network_address: "is the network itself", subnet.broadcast_address: "is for everybody"}
    reserved[subnet.network_address + 1] = "is the gateway's, on the bridge"
    if found not in subnet:
        raise NotYet(f"{address} does not lie in {RANGE}: no other host would find that pod.")
    if found in reserved:
        raise NotYet(f"{address} {reserved[found]}: no pod may have it.")
    if address in held.values():
        raise NotYet(f"{address} was given to a pod, and then to another while the first was there.")
    return str(address)


def _fill(plugin: Any) -> dict[int, str]:
    """As many pods as go in: {number: address}."""
    held: dict[int, str] = {}
    most = ip_network(RANGE).num_addresses - 3
    for number in range(most):
        address = _add(plugin, number)
        if address is None:
            raise NotYet(f"Pod {number + 1} got no address, though {RANGE} has room for {most} pods.")
        held[number] = _fitting(address, held)
    if _add(plugin, most) is not None:
        raise NotYet(f"{RANGE} has {most} addresses for pods; pod {most + 1} got one all the same: raise NoNetwork.")
    return held


def _churn(plugin: Any, held: dict[int, str]) -> None:
    """A pod goes, another comes, a thousand times; which one goes is chance."""
    draws = Draws(1, "plugin")
    for turn in range(CHURNS):
        gone = sorted(held)[draws.between(turn, 0, len(held) - 1)]
        del held[gone]
        plugin.delete(pod(gone))
        address = _add(plugin, 1000 + turn)
        if address is None:
            raise NotYet(
                f"After {turn + 1} pods had gone, the next got no address; only {len(held)} are taken.",
                next="What does delete(pod) have to remember, and by what does it know the pod?",
            )
        held[1000 + turn] = _fitting(address, held)


def _twice(plugin: Any, held: dict[int, str]) -> None:
    """DEL comes again for a pod whose address somebody else has by now."""
    gone = min(held)
    address = held.pop(gone)
    ask(lambda p: plugin.delete(p) or "done", pod(gone))
    ask(lambda p: plugin.delete(p) or "done", pod(gone))
    held[5000] = _fitting(_add(plugin, 5000), held)
    ask(lambda p: plugin.delete(p) or "done", pod(gone))
    again = _add(plugin, 5001)
    if again is not None:
        raise NotYet(
            f"DEL came twice for a pod that had {address}; the second time it took the address of another pod away, "
            f"and {again} was given to two."
        )


def _in_a_cluster(answer: Any) -> int:
    cluster = Cluster.single(workers=1)

    class Counted:
        """The learner's plugin, which need not know of power."""

        def __init__(self, node: str):
            self.own = answer("10.244.1.0/24")

        def add(self, pod: Any) -> str:
            return str(self.own.add(pod))

        def delete(self, pod: Any) -> None:
            self.own.delete(pod)

        def collect(self, pods: Any) -> None:
            """A fresh host has no pods."""

    cluster.use_cni(Counted)
    cluster.run(5)
    cluster.apply([{**POD, "metadata": {"name": f"web-{n}", "namespace": "default"}} for n in range(4)])
    cluster.run(5)
    last = {r.detail["name"]: r.detail["state"] for r in cluster.trace.of("pod")}
    running = sum(state == "running" for state in last.values())
    if running < 4:
        raise NotYet(f"In a cluster of its own {running} of 4 pods run with this plugin.")
    return running
