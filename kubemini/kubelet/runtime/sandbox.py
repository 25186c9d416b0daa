"""A pod's sandbox and its containers, as the runtime of a host keeps them: data, and what the trace says of it.

Invariant: one pod has one address at a time; it listens there from the moment its containers run until they are sent
SIGTERM.
Simplified: a pod listens with all its containers or with none; of several pods of the host's network, the one that
listened last is reached.
"""

from dataclasses import dataclass, field

from kubemini.api.objects import Obj, get
from kubemini.containers import Folder
from kubemini.kubelet.decide.pods.runs import PodView
from kubemini.kubelet.runtime.life import Life

STARTING, UP, STOPPING, ENDED, GONE = "starting", "running", "stopping", "exited", "gone"  # what the trace says


@dataclass(slots=True)
class PodSandbox:
    """The containers of one pod."""

    uid: str
    namespace: str
    name: str
    app: str
    ip: str
    pod: Obj  # as it was when its sandbox was made
    view: PodView = field(default_factory=PodView)
    lives: dict[str, Life] = field(default_factory=dict)  # by id of the run
    volumes: dict[str, Folder] = field(default_factory=dict)  # that its containers share, by name
    state: str = STARTING
    shown: tuple[str, bool] = ("", False)  # what the trace was told last
    ready: bool = False  # what the kubelet last said; for the trace
    leaving: bool = False  # it is being stopped for good
    listens: bool = False
    image: str = ""  # of its first container, without registry and tag
    environment: dict[str, str] = field(default_factory=dict)  # what it was told of Services when it started
    ip2: str = ""  # its address of the other family, if it has one

    @property
    def ips(self) -> tuple[str, ...]:
        """Its addresses."""
        return tuple(filter(None, (self.ip, self.ip2)))

    @property
    def main_names(self) -> list[str]:
        """Its main containers."""
        return [one["name"] for one in self.pod["spec"]["containers"]]

    @property
    def names(self) -> list[str]:
        """All that it began with."""
        return [*self.main_names, *(one["name"] for one in get(self.pod, "spec", "initContainers") or ())]

    def serves(self) -> bool:
        """Whether all main containers run."""
        return all((run := self.view.latest(name)) is not None and run.state == "running" for name in self.main_names)


def on_the_host(pod: Obj) -> bool:
    """Whether *pod* lives in the host's own network."""
    return bool(get(pod, "spec", "hostNetwork", default=False))


def image_of(pod: Obj) -> str:
    """The image of the first container, without registry and tag: ``coredns``."""
    return bare(pod["spec"]["containers"][0].get("image", ""))


def bare(image: str) -> str:
    """An image without registry and tag."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]
