"""A node's sign of life: it registers once, renews its Lease every 10 s, and reports its status when that is wrong.

Invariant: the Lease says "I am alive", cheaply and often; the Node's status says how the node is, on change and every
5 min. If somebody else wrote that the node is not ready, the kubelet corrects it at its next look, every 10 s. A Node
that is made is not ready for a moment: its CSINode can only come after it.
component-helpers apimachinery/lease/controller.go; k/k pkg/kubelet/kubelet_node_status.go.
Simplified: between looks nothing is simulated; the kubelet watches its Node and acts at the instant of the next look.
No CSINode is written, and only kubelets with `kubelet_details` wait for it.
"""

from typing import Any

from kubemini.api.kinds import LEASE, NODE
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import micro_timestamp
from kubemini.client import ApiClient, Informer, Recorder
from kubemini.client.client import code
from kubemini.host import Component
from kubemini.host.linux import podnetwork
from kubemini.kubelet.configuration import Configuration
from kubemini.kubelet.decide import nodestatus
from kubemini.sim import Steps
from kubemini.sim.units import MS

CSI = "CSINode is not yet initialized"
CSI_TAKES = 300 * MS  # as recorded


class Heartbeat:
    """The part of a kubelet that speaks for its node."""

    def __init__(self, kubelet: Component, client: ApiClient, recorder: Recorder, configuration: Configuration):
        self.recorder, self.configuration = recorder, configuration
        self.pressures: tuple[str, ...] = ()  # conditions that hold: MemoryPressure, DiskPressure
        self.troubles: tuple[str, ...] = ()  # what keeps the node from being ready
        self.params, self.name = kubelet.net.params, kubelet.host.name
        self.kubelet, self.client = kubelet, client.limited(self.params.heartbeat_timeout)
        self.informer = Informer(client, NODE, self._node_changed, fieldSelector=f"metadata.name={self.name}")
        self.node: Obj | None = None
        self._booted = kubelet.sim.now
        self._owed = False  # a status must be sent
        self._planned = False
        self._jitter = kubelet.sim.draws(f"node-lease/{kubelet.name}/{kubelet.incarnation}")

    def start(self) -> None:
        """Once for each incarnation of the kubelet."""
        for type, reason, message in nodestatus.BEGINNING:
            self._event(type, reason, message)
        self.kubelet.spawn(self._register())
        self.kubelet.spawn(self._renew_for_ever())
        self.kubelet.after(self.params.node_status_report_frequency, self._report_is_due)

    # -- the Node ------------------------------------------------------------------------------------------------------
    def _register(self) -> Steps:
        delay, longest = self.params.node_register_backoff
        while True:
            host = self.kubelet.host
            params = self.params
            masks = params.node_cidr_mask_size, params.node_cidr_mask_size_ipv6
            due = podnetwork.blocks(host, params.cluster_cidr, masks)
            addresses = podnetwork.addresses_for(host, due)
            configured = self.configuration.shown, self.configuration.eviction_hard
            missing = (CSI,) if params.kubelet_details else ()
            node = nodestatus.node(self.name, host.zone, due, addresses, self.kubelet.sim.wall, *configured, missing)
            reply = yield from self.client.create(node)
            if reply.ok or code(reply) == 409:
                break
            yield self.kubelet.timeout(delay)
            delay = min(2 * delay, longest)
        self._owed = not reply.ok  # an old Node: it may say anything
        if reply.ok:
            self._tell_conditions()
            self._event(*nodestatus.ENFORCED)
        else:  # as recorded, the other way round
            self._event(*nodestatus.ENFORCED)
            self._tell_conditions()
        if reply.ok and missing:
            self.troubles += missing
            self.kubelet.after(CSI_TAKES, self.trouble, CSI, False, True)
        elif reply.ok:
            self._tell("NodeReady")
        self.informer.start()

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        first, self.node = self.node is None, new
        if new is None:
            self._tell_conditions()
        elif old is not None and bool(get(old, "spec", "unschedulable")) != bool(get(new, "spec", "unschedulable")):
            word = "NodeNotSchedulable" if get(new, "spec", "unschedulable") else "NodeSchedulable"
            self.kubelet.after(self._until_next_look(), self._tell, word)
        if pod_cidrs := get(new or {}, "spec", "podCIDRs"):
            podnetwork.assign(self.kubelet.host, pod_cidrs)
        if new is not None and (self._owed or nodestatus.is_ready(new) == bool(self.troubles)):
            self._owed = True
            self._plan(0 if first else self._until_next_look())

    def _tell_conditions(self) -> None:
        for word in nodestatus.words(self.pressures):
            self._tell(word)

    def _tell(self, word: str) -> None:
        """``NodeReady``, and what the like."""
        self._event("Normal", word, f"Node {self.name} status is now: {word}")

    def _event(self, type: str, reason: str, message: str) -> None:
        self.recorder.event(nodestatus.reference(self.name), type, reason, message)

    def press(self, pressures: tuple[str, ...]) -> None:
        """Other pressures hold from now on: say so at once."""
        before, self.pressures = self.pressures, pressures
        if before != pressures:
            for word in nodestatus.words(pressures):
                if word not in nodestatus.words(before):
                    self._tell(word)
            self._owed = True
            self._plan(0)

    def trouble(self, text: str, holds: bool, at_once: bool = False) -> None:
        """Something keeps the node from being ready from now on, or does no more: said with the next look."""
        others = tuple(one for one in self.troubles if one != text)
        self.troubles = (*others, text) if holds else others
        self._owed = True
        self._plan(0 if at_once else self._until_next_look())

    def _until_next_look(self) -> int:
        period = self.params.node_status_update_frequency
        return period - (self.kubelet.sim.now - self._booted) % period

    def _plan(self, delay: int) -> None:
        if not self._planned:
            self._planned = True
            self.kubelet.after(delay, self._report)

    def _report_is_due(self) -> None:
        self._owed = True
        self._plan(0)
        self.kubelet.after(self.params.node_status_report_frequency, self._report_is_due)

    def _report(self) -> None:
        self.kubelet.spawn(self._send_status())

    def _send_status(self) -> Steps:
        before = get(self.node, "status", default={})
        addresses = podnetwork.own_addresses(self.kubelet.host)
        now, was_ready = self.kubelet.sim.wall, self.node is not None and nodestatus.is_ready(self.node)
        configured, held = self.configuration, (self.pressures, self.troubles)
        status = nodestatus.status(self.name, addresses, before, now, configured.shown, *held, configured.eviction_hard)
        reply = yield from self.client.patch(NODE, self.name, "", {"status": status}, "status")
        self._planned, self._owed = False, not reply.ok
        if reply.ok and was_ready == bool(held[1]):
            self._tell("NodeNotReady" if held[1] else "NodeReady")
        if self._owed:
            self._plan(self._until_next_look())

    # -- the Lease -----------------------------------------------------------------------------------------------------
    def _renew_for_ever(self) -> Steps:
        """Every 10 s, up to 4 % later; the first time at once."""
        lease, number = None, 0
        while True:
            lease = yield from self._renew(lease)
            number += 1
            period = self.params.node_lease_renew_interval
            yield self.kubelet.timeout(self._jitter.between(number, period, period + period // 25))

    def _renew(self, lease: Obj | None) -> Steps:
        """Write the Lease as last seen; if that fails, read or create it, more and more patiently, until it works."""
        delay, longest = self.params.node_register_backoff
        if lease is not None:
            reply = yield from self._update(lease)
            if reply.ok:
                return reply.value
        while True:
            reply = yield from self.client.get(LEASE, self.name, nodestatus.LEASE_NAMESPACE)
            if reply.ok:
                reply = yield from self._update(reply.value)
            elif code(reply) == 404:
                duration = self.params.node_lease_duration
                reply = yield from self.client.create(nodestatus.lease(self.name, duration, self.kubelet.sim.wall))
            if reply.ok:
                return reply.value
            yield self.kubelet.timeout(delay)
            delay = min(2 * delay, longest)

    def _update(self, lease: Obj) -> Any:
        renewed = evolve(lease, ("spec", "renewTime"), micro_timestamp(self.kubelet.sim.wall))
        return self.client.update(renewed)
