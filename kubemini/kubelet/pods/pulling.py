"""The images of one node: who waits for which, one pull after the other.

Invariant: one image is pulled at a time (serializeImagePulls), in order of asking; what was pulled stays on the disk.
Simplified: nobody collects images.
"""

from collections import deque

import simpy

from kubemini.host import Component
from kubemini.kubelet.decide.pods.backoff import Backoffs
from kubemini.kubelet.decide.pods.images import Image, Registry
from kubemini.sim import Steps
from kubemini.wire.rpc import happen

FILES = "images"


class Puller:
    """Of one incarnation of a kubelet."""

    def __init__(self, component: Component, registry: Registry, backoffs: Backoffs):
        self.component, self.registry, self.backoffs = component, registry, backoffs
        self.errors: dict[str, str] = {}  # of a pod and an image: what was wrong last
        self._turns: deque[simpy.Event] = deque()
        self._busy = False

    def is_present(self, image: str) -> bool:
        """Whether the node has *image*."""
        return self.registry.of(image).present or image in self.component.host.disk.files.get(FILES, ())

    def pull(self, image: str) -> Steps:
        """Pull it when it is its turn: (what the registry has, µs that the pull itself took)."""
        if self._busy:
            turn = simpy.Event(self.component.sim)
            self._turns.append(turn)
            yield turn
        self._busy = True
        began, found = self.component.sim.now, self.registry.of(image)
        yield self.component.timeout(found.takes)
        if not found.trouble:
            self.component.host.disk.files.setdefault(FILES, {})[image] = True
        self._busy = False
        if self._turns:
            happen(self._turns.popleft(), None)
        result: tuple[Image, int] = found, self.component.sim.now - began
        return result
