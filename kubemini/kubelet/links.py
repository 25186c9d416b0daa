"""Services as a kubelet tells its containers of them, in environment variables.

Invariant: what a container was told, it was told when it started: a Service made later is not in its environment, and
one that is gone still is, until the container starts anew.
Simplified: a kubelet lists its pods when it knows the Services, where the real one lists both and refuses to make a
container before; only kubelets with `kubelet_service_links` watch Services.
"""

from collections.abc import Callable

from kubemini.api.kinds import SERVICE
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Informer
from kubemini.kubelet.decide.environment import environment
from kubemini.kubelet.runtime.sandbox import PodSandbox


class ServiceLinks:
    """What one incarnation of a kubelet knows of Services."""

    def __init__(self, client: ApiClient, wanted: bool):
        self.client, self.component = client, client.component
        self.services = Informer(client, SERVICE) if wanted else None

    def start(self, then: Callable[[], None]) -> None:
        """Begin to watch; *then* is called when all Services are known, or at once if nobody wants to know."""
        if self.services is None:
            then()
        else:
            self.services.on_synced.append(then)
            self.services.start()

    def tell(self, pod: Obj, running: PodSandbox) -> None:
        """The containers of *pod* start: they are told of the Services that there are now."""
        if self.services is not None:
            running.environment = self.of(pod)
            where = f"{running.namespace}/{running.name}"
            self.component.sim.record(self.component.name, "environment", pod=where, variables=running.environment)

    def of(self, pod: Obj) -> dict[str, str]:
        """What a container of *pod* that starts now is told."""
        if self.services is None:
            return {}
        links = get(pod, "spec", "enableServiceLinks", default=True)
        return environment(self.services.values(), pod["metadata"]["namespace"], links)
