"""How a controller changes the taints of a node: it reads the node, patches that, and tries again on a conflict.

Models k/k pkg/controller AddOrUpdateTaintOnNode
Models k/k pkg/controller RemoveTaintOffNode
Models k/k pkg/controller/util/node SwapNodeControllerTaint
"""

from collections.abc import Callable

from kubemini.api.kinds import NODE
from kubemini.api.objects import Obj
from kubemini.client import ApiClient
from kubemini.client.client import code
from kubemini.controllers.decide.nodes import taints
from kubemini.sim import Steps
from kubemini.sim.units import MS

TRIES, PAUSE = 5, 100 * MS  # UpdateTaintBackoff: each pause is one to two of these
CONFLICT = 409


class Tainting:
    """Changes taints for one controller."""

    def __init__(self, client: ApiClient):
        self.client, self.component, self._drawn = client, client.component, 0
        component = client.component
        self._draws = component.sim.draws(f"taints/{component.name}/{component.incarnation}")

    def swap(self, node: Obj, added: taints.Names, gone: taints.Names) -> Steps:
        """Add, then remove what *node* has; whether both worked."""
        name = node["metadata"]["name"]
        if added:
            done = yield from self._edit(name, lambda it: taints.with_taints(it, added, self.component.sim.wall))
            if not done:
                return False
        if set(gone) & set(taints.names_of(node)):
            return (yield from self._edit(name, lambda it: taints.without_taints(it, gone)))
        return True

    def _edit(self, name: str, change: Callable[[Obj], list[Obj] | None]) -> Steps:
        """Patch the node with what *change* makes of it as it is now; whether that worked, or was not needed."""
        query = {"resourceVersion": "0"}  # at first any state that the server has in its cache will do
        for _ in range(TRIES):
            reply = yield from self.client.request("GET", NODE.path("", name), query=query)
            if not reply.ok:
                return False
            wanted = change(reply.value)
            if wanted is None:
                return True
            guard = {"resourceVersion": reply.value["metadata"]["resourceVersion"]}
            body = {"metadata": guard, "spec": {"taints": wanted or None}}
            reply = yield from self.client.patch(NODE, name, "", body)
            if code(reply) != CONFLICT:
                return reply.ok
            query = {}
            self._drawn += 1
            yield self.component.timeout(self._draws.between(self._drawn, PAUSE, 2 * PAUSE))
        return False
