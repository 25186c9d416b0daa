"""What the kernel of a machine holds: gone with the power, and with nothing else.

A crash of kube-proxy leaves its rules in place, one of the kubelet leaves the containers running.
The kernel knows neither: what they keep here has their own types.
Simplified: routes, interfaces and connections are not kept.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Kernel:
    """The memory of one kernel, from boot to power-off."""

    listening: dict[str, str] = field(default_factory=dict)  # pod IP → who listens there
    services: Any = None  # the rules that a kube-proxy has written
    recent: dict[Any, tuple[Any, int]] = field(default_factory=dict)  # who was sent where last, when
    policies: Any = None  # what the policy agent has put there
    containers: Any = None  # the processes that a kubelet has started
    pod_network: Any = None  # links, addresses and rules of its pods, by CNI plugins
    firewall: list[str] = field(default_factory=list)  # rules that somebody has added, as iptables -A takes them
    lost_routes: dict[str, str] = field(default_factory=dict)  # host → the range of its pods, of which no way is known
