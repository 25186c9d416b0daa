"""Faults of one watch: it falls silent, while its program is answered whatever else it asks."""

from typing import Any

from kubemini.api.kinds import by_name
from kubemini.client import Informer
from kubemini.cluster import Cluster
from kubemini.commands.arguments import one_of, read_word
from kubemini.commands.command import Argument, Command, FaultError, argument, command
from kubemini.controllers.manager import ControllerManager


def _check_watcher(cluster: Cluster, name: str) -> None:
    watchers = [one.name for one in cluster.components.values() if isinstance(one, ControllerManager)]
    one_of(name, watchers, "a program whose watches can be cut")


def _read_kind(value: Any) -> str:
    try:
        return by_name(read_word(value)).kind
    except ValueError as error:
        raise FaultError(str(error)) from None


WATCHER = Argument(read_word, _check_watcher)
KIND = Argument(_read_kind)


class OnWatch(Command):
    """A deed at the watch that a controller-manager has on a kind; a standby has none."""

    __slots__ = ()
    component: str
    kind: str

    def informer(self, cluster: Cluster) -> Informer | None:
        """The one whose watch is meant, if there is one now."""
        manager = cluster.components[self.component]
        assert isinstance(manager, ControllerManager)
        found = manager.informers if manager.up else None
        kinds = {kind.kind: kind for kind in (one.kind for one in found.all.values())} if found else {}
        if found is None or self.kind not in kinds:
            cluster.sim.record(self.component, "note", text=f"has no watch of {self.kind}s now")
            return None
        return found.of(kinds[self.kind])


@command("cut_watch")
class CutWatch(OnWatch):
    """Nothing arrives on its watch of *kind* any more; all else that it asks for is answered as before.

    So it is behind an API server whose watch cache has fallen behind, or a proxy that holds back what is streamed.
    """

    component: str = argument(WATCHER)
    kind: str = argument(KIND)

    def do(self, cluster: Cluster) -> None:
        informer = self.informer(cluster)
        if informer is not None:
            informer.cut()


@command("mend_watch")
class MendWatch(OnWatch):
    """What has arrived on the watch meanwhile is heard; if the watch has ended, that it has."""

    component: str = argument(WATCHER)
    kind: str = argument(KIND)

    def do(self, cluster: Cluster) -> None:
        informer = self.informer(cluster)
        if informer is not None:
            informer.mend()
