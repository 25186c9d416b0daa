"""What a user does with kubectl: apply, scale, delete, or any line at all."""

from typing import Any

from kubemini.api.kinds import by_name
from kubemini.cluster import Cluster
from kubemini.commands.arguments import INT32, MANIFESTS, OBJECT_NAME, PLACED_NAME, count, read_text, read_word
from kubemini.commands.command import Argument, Command, FaultError, argument, command
from kubemini.ranges import shown


def _read_kind(value: Any) -> str:
    try:
        by_name(read_word(value))
    except ValueError as error:
        raise FaultError(str(error) if len(str(value)) < 60 else f"no kind is called {shown(value)}") from None
    return value


KIND = Argument(_read_kind)
LINE = Argument(read_text, rest=True)
REPLICAS = count("a number of replicas", INT32)


class OnApi(Command):
    """A deed of a user of the Kubernetes API."""

    __slots__ = ()

    def check(self, cluster: Cluster) -> None:
        if not cluster.topology.of("apiserver-"):
            raise FaultError(f"{self.action}: this cluster has no API server; use put and get")
        Command.check(self, cluster)


@command("apply")
class Apply(OnApi):
    """``kubectl apply`` of the manifests in *text*."""

    text: str = argument(MANIFESTS)

    def do(self, cluster: Cluster) -> None:
        cluster.apply(self.text)


@command("scale")
class Scale(OnApi):
    """``kubectl scale deployment NAME --replicas N``; of another namespace: kube-system/coredns."""

    deployment: str = argument(PLACED_NAME)
    replicas: int = argument(REPLICAS)

    def do(self, cluster: Cluster) -> None:
        cluster.kubectl.scale(self.deployment, self.replicas)


@command("delete")
class Delete(OnApi):
    """``kubectl delete KIND NAME``."""

    kind: str = argument(KIND)
    name: str = argument(OBJECT_NAME)

    def do(self, cluster: Cluster) -> None:
        cluster.kubectl.delete(self.kind, self.name)


@command("kubectl")
class Kubectl(OnApi):
    """A kubectl line, such as ``get pods -o wide``: the trace tells what it prints."""

    line: str = argument(LINE)

    def do(self, cluster: Cluster) -> None:
        cluster.terminal.type_recorded(self.line)
