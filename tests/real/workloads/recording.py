"""What was seen of a story, told twice, as a recording: in the form of the recorded histories, with their names.

Made-up names become what the recordings call them: template hashes ``<h1>``, revisions ``<r1>``, minutes ``<m1>`` in
order of birth, and equal objects of one owner are numbered by what became of them, for they stand for each other.
"""

import json
import re
from collections import Counter, defaultdict

from kubemini.sim.units import SECOND

MARKS = {"ReplicaSet": "h", "ControllerRevision": "r", "Job": "m"}
OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
SUFFIX = re.compile(r"(?P<stem>.+-)(?P<made>[bcdfghjklmnpqrstvwxz2456789]{5})")
GENERATED = ("Pod", "EndpointSlice")
RACING = ("orphan", "foregroundDeletion")  # finalizers: the collector and the controller write at the same time
MOST = 12  # paths that vary, before whole steps are left out


def renamed(judge, seen):
    """*seen* with the recordings' names."""
    seen = judge.real_values(seen, False, False)
    seen = judge.replacer(_hashes(judge, seen))(seen)
    return judge.replacer(_numbers(judge, seen))(seen)


def _hashes(judge, seen):
    """Of what is named by a hash or a minute, in order of birth."""
    names, many = {}, Counter()
    for key, entry in seen["objects"].items():
        kind, name = key.split("/", 1)
        if kind in MARKS and entry["versions"] and judge.owner(entry).split("/")[0] in OWNERS:
            stem, _, made = name.rpartition("-")
            many[kind] += 1
            mark = f"<{MARKS[kind]}{many[kind]}>"
            names[name] = f"{stem}-{mark}"
            names.setdefault(made, mark)
    return names


def _numbers(judge, seen):
    """Of what has a random suffix: by its whole history, in which its own name does not count."""
    groups = defaultdict(list)
    for key, entry in seen["objects"].items():
        kind, name = key.split("/", 1)
        found = SUFFIX.fullmatch(name)
        if kind in GENERATED and found and "metadata" in entry["versions"][0]["object"]:
            if entry["versions"][0]["object"]["metadata"].get("generateName"):
                fate = json.dumps(judge.versions(key, entry), sort_keys=True).replace(name, "<self>")
                groups[kind, found["stem"]].append((fate, name))
    return {
        name: f"{stem}<{number}>"
        for (_, stem), fates in groups.items()
        for number, (_, name) in enumerate(sorted(fates), 1)
    }


def recording(judge, story, seen):
    """The recording of one telling, which is held throughout but for what is always a race."""
    seen, start = renamed(judge, seen), seen["start"]
    objects, times = {}, {}
    for key, entry in seen["objects"].items():
        told, when = _versions(judge, key, entry)
        stable = "settled" if any(f'"{finalizer}"' in json.dumps(told) for finalizer in RACING) else "sequence"
        objects[key] = {"stable": stable, "versions": told}
        times[key] = [[round((at - start) / SECOND, 2) for at in when]]
    return {
        **{word: story[word] for word in ("name", "area", "about", "needs", "flags") if word in story},
        **{
            "kubelet": "hand",
            "neighbour": True,
            "quiet": story.get("quiet", 0.8),
            "steps": seen["steps"],
            "objects": objects,
        },
        "events": [judge.event(event) for event in seen["events"]],
        "times": {"steps": [[round(at, 2) for at in seen["begins"]]], "objects": times, "end": [round(seen["end"], 2)]},
    }


def _versions(judge, key, entry):
    """(versions, when each came): the first in full, others as what changed; what changed nothing is left out."""
    kind, told, when, before = key.split("/", 1)[0], [], [], None
    for version in entry["versions"]:
        head = {"step": version["step"], "type": version["type"]}
        if version["type"] == "DELETED":
            told.append(head)
            before = None
        else:
            now = judge.noted(kind, version["object"])
            if now == before:
                continue
            told.append(head | ({"object": now} if before is None else {"change": patch(before, now)}))
            before = now
        when.append(version["at"])
    return told, when


def patch(before, after):
    """The JSON merge patch from one to the other."""
    changed = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := patch(old, value):
                changed[key] = inner
        elif key not in before or value != old:
            changed[key] = value
    return changed


# -- what two tellings agree on ----------------------------------------------------------------------------------------
def agreed(judge, recorded, seen):
    """*recorded*, held no more strictly than another telling of the real one allows."""
    other = judge.bind(recorded, judge.real_values(seen, False, False))
    last = max(step["n"] for step in recorded["steps"])
    objects = {}
    for key, entry in recorded["objects"].items():
        mine, theirs = judge.versions(key, entry), judge.versions(key, other["objects"].get(key, {}))
        objects[key] = {**entry, **loosened(judge, key, judge.strictness(entry), mine, theirs, last)}
    more = [f"{key}: seen in one run only" for key in other["objects"] if key not in recorded["objects"]]
    events, vary = common(judge, recorded, other)
    answered = [at for at, _, _ in judge.compare_steps(recorded, other)]
    found = {"objects": objects, "events": events, "events_vary": vary}
    found |= {"notes": [*recorded.get("notes", ()), *more], "chance": [*recorded.get("chance", ()), *answered]}
    return recorded | found


def loosened(judge, key, strictness, mine, theirs, last):
    """How far an object is held: its list of versions, its state after each step, or that without what varies."""
    stable, varies = strictness
    if stable == "sequence" and not judge.differ(key, stable, varies, mine, theirs, last):
        return {"stable": stable}
    varies = list(varies)
    while found := judge.differ(key, "partly", varies, mine, theirs, last):
        said = re.search(r"after step (\d+)(.*)", found[0][0], re.DOTALL)
        pointers = {pointer(at.split(f"after step {said[1]}", 1)[1]) for at, _, _ in found}
        varies += [f"step {said[1]}"] if "" in pointers or len(varies) > MOST else sorted(pointers)
    return {"stable": "partly", "varies": varies} if varies else {"stable": "settled"}


def pointer(path):
    """The JSON pointer of ``.status.readyReplicas``, of one condition, of a whole list; no deeper: keys have dots."""
    parts = path.split(".")[1:]
    found = ""
    for part in parts[: 3 if parts[1:2] == ["conditions"] else 2]:
        found += f"/{part.split('[')[0]}"
        if "[" in part:
            break
    return found


def common(judge, recorded, other):
    """(Events of both, [those of one, those of the other]); how often is not asked where compare.py does not."""
    mine, theirs = [[judge.event(e) for e in run["events"]] for run in (recorded, other)]
    counted = [Counter(_said(judge, e) for e in events) for events in (mine, theirs)]
    both, vary, before = counted[0] & counted[1], [[], []], recorded.get("events_vary", [[], []])
    kept = []
    for events, left, only in zip((mine, theirs), (both.copy(), both.copy()), vary, strict=True):
        for event in events:
            said = _said(judge, event)
            (kept if events is mine else []).append(event) if left[said] > 0 else only.append(event)
            left[said] -= 1
    return kept, [a + b for a, b in zip(before, vary, strict=True)]


def _said(judge, event):
    event = judge.event(event)
    return json.dumps({k: v for k, v in event.items() if k != "count" or event["reason"] not in judge.PERIODIC})
