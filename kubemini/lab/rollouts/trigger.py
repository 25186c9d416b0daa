"""rollouts.trigger: when is a rollout undone? Asked once a second, of what a monitor sees of it.

Some rollouts go well, some slowly, some cannot start, some lose visits. Undone too late, too much is lost; undone for
nothing, no version ever gets out. Where it is undone, the same run is made again with the undoing in it.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.rollouts.stories import NAME, NEW, NOWHERE, ROLLS, deployment, story
from kubemini.lab.visits import visits
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.rollouts import READY, family, strip_of

SEEDS, REPLICAS, LASTS = (1, 2), 6, 45  # s after the change; what is lost without a hook is luck, so it has both seeds
HEALED = 10  # s after the undoing: nothing is lost any more


def patched(image: str, notes: dict[str, str], **container: Any) -> str:
    """The line that gives the pods a new image, and what comes with it."""
    spec = {"containers": [{"name": NAME, "image": image, **container}]}
    template = {"metadata": {"annotations": notes}, "spec": spec}
    return f"patch deployment {NAME} -p '{json.dumps({'spec': {'template': template}})}'"


SLOW = {"readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "initialDelaySeconds": 8, "periodSeconds": 1}}
EVERY = "100ms"  # visits
HASTY = "a good version, of pods that have no hook"
KINDS = {  # what is typed, and within how many seconds it must be undone (None: not at all)
    HASTY: (NEW, None),
    "a good version whose pods need ten seconds each": (patched("shop/web:2.1", {}, **SLOW), None),
    "a version that cannot be pulled": (NOWHERE, 40),
    "a version that ends after three seconds": (patched("shop/web:2.2", {"kubemini.io/exit-after": "3s"}), 20),
    "a version that ends after twelve seconds": (patched("shop/web:2.3", {"kubemini.io/exit-after": "12s"}), 35),
}


@lru_cache(maxsize=64)
def rolled(line: str, seed: int, undone: int = 0) -> Trace:
    """The run of a change; *undone*: so many seconds after it, it is taken back."""
    back = [[f"{ROLLS + undone}s", "kubectl", f"rollout undo deployment/{NAME}"]] if undone else []
    of, until = deployment(REPLICAS, None if line == NEW else 3), ROLLS + (undone + 2 * HEALED if undone else LASTS)
    return run(story(line, *back, of=of, every=EVERY, until=until), seed)


def samples(trace: Trace) -> list[dict[str, int]]:
    """What a monitor has seen, a dict for each second since the change."""
    strip = strip_of(trace, NAME)
    new = list(strip.sets)[-1] if len(strip.sets) > 1 else ""
    seen = []
    for second in range(1, LASTS + 1):
        now = (ROLLS + second) * SECOND
        asked = visits(trace, ROLLS + second - 1, ROLLS + second)
        fresh = [life for life in strip.pods.values() if family(life.name) == new]
        seen.append(
            {
                "second": second,
                "visits": len(asked),
                "failed": sum(one.detail["outcome"] != "ok" for one in asked),
                "wanted": REPLICAS,
                "ready": strip.counts(now)[READY],
                "new_ready": sum(life.at(now) == READY for life in fresh),
            }
        )
    return seen


@exercise("rollouts.trigger")
def check_trigger(answer: Any) -> Report:
    """*answer*: ``undo(samples)`` → whether the rollout is undone now; *samples*: all so far, the newest last."""
    latest: dict[str, int] = {}
    facts = []
    for kind, (line, within) in KINDS.items():
        for seed in SEEDS if kind == HASTY else SEEDS[:1]:
            seen = samples(rolled(line, seed))
            at = _asked(answer, seen)
            _judge(kind, within, seed, at, seen)
            latest[kind] = max(latest.get(kind, 0), at)
        if within:
            facts.append(f"{kind}: undone after {latest[kind]} s at the latest; {_spared(line, latest[kind])}")
    return Report(
        "pass",
        (f"{len(SEEDS) + 1} good rollouts were left alone", *facts),
        "Lost visits tell of a version that breaks; only a clock tells of one that never comes.",
        "progressDeadlineSeconds is that clock in a Deployment: it tells, after 600 s, and undoes nothing.",
    )


def _asked(answer: Any, seen: Sequence[dict[str, int]]) -> int:
    """In which second it is undone; 0 for never."""
    for number in range(1, len(seen) + 1):
        said = ask(answer, [dict(one) for one in seen[:number]])
        if not isinstance(said, bool):
            raise NotYet(f"undo(samples) gave {said!r}; give True or False.")
        if said:
            return seen[number - 1]["second"]
    return 0


def _judge(kind: str, within: int | None, seed: int, at: int, seen: list[dict[str, int]]) -> None:
    if within is None and at:
        now = seen[at - 1]
        raise NotYet(
            f"{kind[0].upper()}{kind[1:]} is undone after {at} s (seed {seed}).",
            f"by then {sum(one['failed'] for one in seen[:at])} visits were lost, {now['new_ready']} new pods ready",
            next="A rollout may lose a visit, and may take its time. How long did the good ones stand still?",
        )
    if within is not None and not 0 < at <= within:
        lost = sum(one["failed"] for one in seen)
        asked = sum(one["visits"] for one in seen)
        when = f"after {at} s, and {within} s are allowed" if at else "never"
        raise NotYet(
            f"{kind[0].upper()}{kind[1:]} is undone {when} (seed {seed}).",
            f"{lost} of {asked} visits are lost in the {LASTS} s after the change",
            next="Does it lose visits, or does nothing move? Each is seen in other numbers of the samples.",
        )


def _spared(line: str, at: int) -> str:
    """What the undoing was good for, in the run of the first seed: made again with it."""
    trace = rolled(line, SEEDS[0], at)
    after = visits(trace, ROLLS + at + HEALED, ROLLS + at + 2 * HEALED)
    failed = sum(one.detail["outcome"] != "ok" for one in after)
    ready = strip_of(trace, NAME).counts(trace.header["until"])[READY]
    if failed or ready < REPLICAS:
        raise NotYet(f"{HEALED} s after the undoing {failed} of {len(after)} visits are lost; {ready} pods are ready.")
    return f"from ten seconds after it on no visit was lost, and all {REPLICAS} were ready"
