"""The reference CNI plugins, one file each, as functions of a host: what they change on it and what they answer. Pure.

Models containernetworking/plugins plugins
"""

from typing import Any

from kubemini.network.decide.cni import bandwidth, bridge, firewall, hostlocal, loopback, portmap, ptp, tuning
from kubemini.network.decide.cni.calls import Call, answer
from kubemini.network.decide.cni.host.errors import PluginError
from kubemini.network.decide.cni.host.namespaces import Host, Namespace, namespace

PLUGINS = {
    "bandwidth": bandwidth.PLUGIN,
    "bridge": bridge.PLUGIN,
    "firewall": firewall.PLUGIN,
    "host-local": hostlocal.PLUGIN,
    "loopback": loopback.PLUGIN,
    "portmap": portmap.PLUGIN,
    "ptp": ptp.PLUGIN,
    "tuning": tuning.PLUGIN,
}

__all__ = ["PLUGINS", "Call", "Host", "Namespace", "PluginError", "namespace", "run"]


def run(plugin: str, host: Host, call: Call) -> tuple[int, dict[str, Any] | None]:
    """Run a plugin as the kubelet's runtime does: (exit code, what it prints); *host* is changed as the real one is."""
    try:
        return 0, answer(PLUGINS[plugin], host, call)
    except PluginError as error:
        return 1, error.answer()
