"""A story's fate: told to the real one twice or more, then to ours, and judged by the histories' compare.py."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Thread

from kubemini.sim.units import SECOND
from tests.oracles import histories
from tests.oracles.histories.hand import TOPOLOGY, Hand
from tests.oracles.histories.noting import NAMESPACE
from tests.oracles.histories.playing import OWN_JUDGE, Playing, module
from tests.real.workloads.recording import agreed, recording
from tests.real.workloads.telling import Telling, Unnamed
from tests.real.workloads.world import RealNotes, World

JUDGE, UNTIL = module(OWN_JUDGE), module(Path(OWN_JUDGE).with_name("until.py"))
KINDS = (
    *("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Node"),
    *("ControllerRevision", "EndpointSlice", "Endpoints", "PodDisruptionBudget", "PersistentVolumeClaim", "Service"),
)
DRAWS, AGAIN = 4, 3  # of ours where chance decides; of further tellings of the real one
TOLERATED = {}  # a regular expression for a difference → why it may be
_numbers = count(1)


@dataclass(frozen=True)
class Fate:
    """What became of a story: ``alike``, ``tolerated`` or ``different``, and why."""

    word: str
    recorded: dict
    why: str = ""

    @property
    def held(self):
        """How many objects are held how strictly."""
        return Counter(JUDGE.strictness(entry)[0] for entry in self.recorded["objects"].values())


def begin(plane):
    """Hear of all that stories are about, and have a node that is always well, whoever else is lost."""
    plane.watch((*KINDS, "Event"))
    world = World(plane, "neighbour")
    hand = Hand(world, RealNotes(world), Unnamed(), {"steps": [], "kubelet": "hand", "needs": ()})
    hand.register({"name": "n1", "labels": {f"{TOPOLOGY}region": NAMESPACE}})
    hand.renew_at(world.sim.now)
    Thread(target=_renew, args=(plane, world), daemon=True).start()


def _renew(plane, world):
    while not plane.closing.is_set():
        world.reach(world.sim.now + SECOND)


def told(plane, story):
    """What was seen of one telling at the real control plane, in a namespace of its own."""
    world = World(plane, f"story-{next(_numbers)}x")
    try:
        return Telling(world, RealNotes(world), UNTIL, story).run()
    finally:
        world.close()


def told_twice(plane, story):
    """The recording of two tellings at the same time."""
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: told(plane, story), range(2))
    return agreed(JUDGE, recording(JUDGE, story, one), other)


def differences(recorded):
    """What ours does otherwise, in the draw that does least."""
    least = None
    for chance in range(DRAWS):
        found = JUDGE.compare(recorded, Playing(JUDGE, recorded, chance).run())
        least = found if least is None or len(found) < len(least) else least
        if not least:
            break
    return [f"{at}: wanted {histories.short(wanted)}, got {histories.short(got)}" for at, wanted, got in least]


def fate(plane, story, judged=differences):
    """What becomes of a story; one that differs is told to the real one again, which may loosen what is held.

    *judged*: ``differences``, in whatever process.
    """
    recorded = told_twice(plane, story)
    found = untold(judged(recorded))
    for _ in range(AGAIN):
        if not found or recorded["chance"]:
            break
        recorded = agreed(JUDGE, recorded, told(plane, story))
        found = untold(judged(recorded))
    if recorded["chance"]:
        return Fate("tolerated", recorded, f"the real one itself answers now so, now so: {recorded['chance'][0]}")
    return Fate("different", recorded, "\n  ".join(found)) if found else Fate("alike", recorded)


def untold(found):
    """Those that nothing tolerates."""
    return [line for line in found if not any(re.search(text, line) for text in TOLERATED)]
