"""ImageLocality: the more of a pod's images a node has, by size, the better; more so if many nodes have them. Pure.

Models k/k pkg/scheduler/framework/plugins/imagelocality ImageLocality.Score
"""

from collections.abc import Sequence

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.cache import Images
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import ZERO, Cycle, Plugin

MIB = 1024 * 1024
LEAST, MOST = 23 * MIB, 1000 * MIB  # in all; for each image


def wanted(pod: Obj) -> list[str]:
    """The images of its containers and of its image volumes, with their tags."""
    spec = pod["spec"]
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    volumes = (volume["image"] for volume in spec.get("volumes") or () if volume.get("image"))
    found = (*(c.get("image", "") for c in containers), *(image.get("reference", "") for image in volumes))
    return [name if name.rfind(":") > name.rfind("/") else f"{name}:latest" for name in found]


def begin(cycle: Cycle, feasible: Sequence[NodeInfo]) -> str | None:
    """An image that no node has is missed everywhere."""
    images: Images | None = cycle.images
    return None if images and any(name in images.sizes for name in wanted(cycle.pod)) else ZERO


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """From 0, nothing worth the name is there, to 100, a gigabyte for each container."""
    images: Images | None = cycle.images
    if not info.images or images is None:
        return 0
    names = wanted(cycle.pod)
    nodes = len(cycle.nodes)
    here = [name for name in names if name in info.images]
    total = sum(int(images.sizes[name] * (len(images.nodes[name]) / nodes)) for name in here)
    most = MOST * len(names)
    return 100 * (min(max(total, LEAST), most) - LEAST) // (most - LEAST)


PLUGIN = Plugin("ImageLocality", 140, score=prefer, weight=1, prescore=begin)
