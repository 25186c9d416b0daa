"""How the program in a pod behaves whose image is not known: what real images do by themselves, ours are told. Pure.

``kubemini.io/exit-after: 3s`` ends it with 1, ``stop-after: 60s`` is what it needs after SIGTERM, and ``startup``,
``readiness`` or ``liveness: fail`` is what it says to that probe.
Models nothing upstream: a real image behaves by itself.
"""

from kubemini.api.objects import Obj, get
from kubemini.sim.units import duration

BEHAVIOUR = "kubemini.io/"
TIMES = ("exit-after", "stop-after")


def behaviour(pod: Obj, name: str) -> str:
    """The annotation ``kubemini.io/<name>``."""
    return str(get(pod, "metadata", "annotations", BEHAVIOUR + name, default=""))


def behaviour_time(pod: Obj, name: str) -> int | None:
    """The same as a duration in µs; None if there is none, or none that can be read (`unreadable`)."""
    text = behaviour(pod, name)
    return None if not text or name in unreadable(pod) else duration(text)


def unreadable(pod: Obj) -> list[str]:
    """Those of the annotations that should hold a duration, and do not."""
    return [name for name in TIMES if not _is_duration(behaviour(pod, name))]


def _is_duration(text: str) -> bool:
    try:
        return not text or duration(text) >= 0
    except ValueError:
        return False
