"""What a scheduler plugin is: an opinion about a pod and a node, as data. Pure.

Theory of operation. A plugin is one file in ``scheduler/plugins/`` that says ``PLUGIN = Plugin(…)``, or what a reader
plugs in from a notebook. Each of its parts may be left out; a cycle asks them in this order:

``prefilter``   once: works out what ``filter`` needs (into ``cycle.state``), or says `SKIP` (the pod is none of its
                business), or that the pod cannot go anywhere (a Refusal), or names the only nodes that it could go to
``filter``      for each node: None if it may take the pod, else why not: a sentence, or a Refusal
``change``      another pod is put on a node, or taken off, to see how it would be: mend ``cycle.state``
``prescore``    once, over the nodes that are left; may say `SKIP` (no score at all), or `ZERO` (the same 0 for all)
``score``       for each of them, a whole number: the more the better
``normalize``   those numbers as 0 to 100, if they are not so already
``cure``        what would have to change for a node that ``filter`` refuses
``hint``        whether an event, one of ``helped_by``, is worth another try of a pod that the plugin has refused

Models k/kube-scheduler framework Plugin
Models k/kube-scheduler framework QueueingHintFn
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import EMPTY, Obj
from kubemini.scheduler.decide.kept.columns import Columns, Span, taken
from kubemini.scheduler.decide.kept.crowds import Crowds
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.nodeinfo import NodeInfo

Namespaces = Mapping[str, Mapping[str, str]]  # the labels of each
SKIP, ZERO = "skip", "zero"


class PluginError(Exception):
    """A plugin cannot do its work: the pod is tried again by and by, and its condition says this."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node cannot take a pod, or no node can; *resolvable*: if other pods went, perhaps it could."""

    reasons: tuple[str, ...]
    resolvable: bool = True
    plugin: str = ""

    @property
    def code(self) -> str:
        """As upstream calls it."""
        return "Unschedulable" if self.resolvable else "UnschedulableAndUnresolvable"


def hopeless(*reasons: str) -> Refusal:
    """A refusal that no other pod's end would change."""
    return Refusal(reasons, resolvable=False)


@dataclass(frozen=True, slots=True)
class Event:
    """*what* happened to an object: how it was, and how it is; None before it came, or after it went."""

    what: str
    old: Obj | None = None
    new: Obj | None = None


@dataclass(slots=True)
class Cycle:
    """One scheduling cycle: which of these *nodes* for this *pod*.

    *known*: whatever else the cluster holds; *nominated*: pods that wait for room on a node which is kept for them;
    *state*: what the plugins have worked out, by their names.
    """

    pod: Obj
    nodes: Sequence[NodeInfo]
    known: Listers = field(default_factory=Listers)
    nominated: Mapping[str, Sequence[Obj]] = field(default_factory=dict)
    images: Any = None
    crowds: Crowds | None = None
    columns: Columns | None = None  # what is known of the nodes already; None: ask anew
    shape: str = ""  # pods of one shape are the same to *local* plugins
    state: dict[str, Any] = field(default_factory=dict)

    affine: Sequence[NodeInfo] | None = None
    found: Sequence[NodeInfo] = ()  # the nodes that fit, if they were read off the columns, and
    spans: Sequence[Span] = ()  # where they lie
    vectors: Any = None  # who answers for many nodes at once (vectors.py), if anybody does

    @property
    def namespaces(self) -> Namespaces:
        """The labels of all namespaces."""
        return self.known.namespaces()

    def labels(self, key: str, nodes: Sequence[NodeInfo]) -> list[str | None]:
        """What each of *nodes* has for the label *key*."""
        if self.columns is not None and nodes is self.found:
            return taken(self.columns.label(key), self.spans)
        return [info.labels.get(key) for info in nodes]

    def with_affinity(self) -> Sequence[NodeInfo]:
        """The nodes with pods that care which pods are near."""
        if self.affine is None:
            self.affine = [info for info in self.nodes if info.with_affinity]
        return self.affine


Filter = Callable[[Cycle, NodeInfo], Refusal | str | None]
Prefilter = Callable[[Cycle], Refusal | str | Sequence[str] | None]
Change = Callable[[Cycle, Obj, NodeInfo, int], None]  # the pod, its node, +1 or -1
Prescore = Callable[[Cycle, Sequence[NodeInfo]], str | None]
Score = Callable[[Cycle, NodeInfo], int]
Scores = Callable[[Cycle, Sequence[NodeInfo]], list[int]]
Cure = Callable[[Cycle, NodeInfo], str]
Normalize = Callable[[Cycle, Sequence[NodeInfo], list[int]], list[int]]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One opinion; *place* is its rank in the default profile: plugins are asked in that order.

    *fork* copies what ``prefilter`` has worked out, so that ``change`` can mend the copy; *holds* keeps a pod out of
    the queue. *local*: what ``filter`` and ``score`` say rests on the pod's `shape`, the node and its pods alone.
    *scores*: what ``score`` says, of many nodes at once.
    """

    name: str
    place: int
    filter: Filter | None = None
    score: Score | None = None
    weight: int = 0
    prefilter: Prefilter | None = None
    change: Change | None = None
    fork: Callable[[Any], Any] | None = None
    prescore: Prescore | None = None
    normalize: Normalize | None = None
    helped_by: tuple[str, ...] = ()
    hint: Callable[[Obj, Event], bool] | None = None
    holds: Callable[[Obj], bool] | None = None
    local: bool = False
    scores: Scores | None = None
    cure: Cure | None = None

    def may_change_its_mind(self, pod: Obj, event: Event) -> bool:
        """Whether *event* is worth another try, if this plugin has refused *pod*."""
        return event.what in self.helped_by and (self.hint is None or self.hint(pod, event))


def default_normalize(raw: list[int], reverse: bool = False) -> list[int]:
    """As a share of the highest; *reverse*: the highest is the worst.

    Models k/k pkg/scheduler/framework/plugins/helper DefaultNormalizeScore
    """
    most = max(raw, default=0)
    if most == 0:
        return [100] * len(raw) if reverse else raw
    shares = [100 * value // most for value in raw]
    return [100 - share for share in shares] if reverse else shares


SEEN = ("nodeName", "nodeSelector", "tolerations", "overhead", "resources", "hostNetwork", "hostUsers")
SEEN_OF_CONTAINERS = ("resources", "ports", "restartPolicy", "restartPolicyRules")


def shape(pod: Obj) -> str:
    """All that *local* plugins read of a pod, as a text."""
    spec = pod["spec"]
    parts = [spec.get(name) for name in SEEN] + [(spec.get("affinity") or EMPTY).get("nodeAffinity")]
    for part in ("containers", "initContainers", "ephemeralContainers"):
        for one in spec.get(part) or ():
            options = [
                mount["bindMountOptions"] for mount in one.get("volumeMounts") or () if "bindMountOptions" in mount
            ]
            parts.append([part, *(one.get(name) for name in SEEN_OF_CONTAINERS), options])
    return json.dumps(parts, sort_keys=True)
