"""Tellings of one story become one recording: what they agree on is kept, and how strictly is written beside it."""

from collections import Counter
from functools import reduce
from operator import and_

from tests.oracles.histories.telling.teller import named, written

CHANCE = {"RegisteredNode"}  # whether it comes before the end: nodes are looked at every 5 s


class Unstable(Exception):
    """The runs of a story differ in more than a recording can say; the message names the object."""


def recording(judge, story, runs):
    """The recording of a *story*, from what was `seen` in some runs of it. Raises Unstable."""
    first, *others = (told(judge, story, named(judge, run)) for run in runs)
    about = {key: story[key] for key in ("name", "area", "about", "kubelet", "needs", "quiet")}
    whole = {**about, "steps": [{**step, "n": n} for n, step in enumerate(first["steps"], 1)]}
    whole["objects"] = {key: {"stable": "sequence", **entry} for key, entry in first["objects"].items()}
    others = [judge.bind({**whole, "events": []}, other) for other in others]
    objects = {key: agreed(judge, key, entry, others, len(whole["steps"])) for key, entry in first["objects"].items()}
    alone = sorted({key for other in others for key in other["objects"]} - objects.keys())
    if alone:
        raise Unstable(f"{alone[0]} was not made in all runs")
    return {**whole, "objects": objects, **said(judge, [first, *others]), "times": times(first, objects)}


def told(judge, story, seen):
    """What is kept of a run: of nodes only where the story is about them, of what is always there what changes."""
    objects = {key: entry for key, entry in seen["objects"].items() if matters(judge, story, key, entry)}
    return {**seen, "objects": objects}


def matters(judge, story, key, entry):
    """Whether an object is kept."""
    kind = key.split("/")[0]
    if kind == "Node":
        return story["area"] == "node"
    return kind not in judge.SOMETIMES or any(version["step"] for version in entry["versions"])


def said(judge, runs):
    """The Events that all runs have, and apart those that not all have."""
    events = [[judge.event(event) for event in run["events"]] for run in runs]
    counts = [Counter(tuple(one.items()) for one in listed if one["reason"] not in CHANCE) for listed in events]
    common = reduce(and_, counts)
    vary = [[dict(one) for one in sorted((count - common).elements())] for count in counts]
    vary[0] += [one for one in events[0] if one["reason"] in CHANCE][:1]
    found = {"events": [dict(one) for one in sorted(common.elements())]}
    return found | ({"events_vary": vary} if any(vary) else {})


def agreed(judge, key, entry, others, last):
    """An object as all runs had it, as strictly as they agree. Raises Unstable."""
    mine = judge.versions(key, entry)
    theirs = [judge.versions(key, other["objects"].get(key, {})) for other in others]
    varies = []
    for stable in ("sequence", "settled", *["partly"] * last):
        found = [one for other in theirs for one in judge.differ(key, stable, varies, mine, other, last)]
        if not found:
            about = {"stable": stable, **({"varies": varies} if varies else {})}
            return {**about, "versions": written(judge, key, entry, stable)}
        if stable != "sequence":
            varies = [*varies, f"step {found[0][0].split('after step ')[1].split('.')[0]}"]
    raise Unstable(f"{key}: {found[0]}")


def times(first, objects):
    """When each step began, and when each version that is kept came: at the beginning of its step, for all it tells."""
    begins = [0.0, *first["times"]["steps"][0]]
    listed = {key: [[begins[version["step"]] for version in entry["versions"]]] for key, entry in objects.items()}
    return {**first["times"], "objects": listed}
