"""How what comes round lay to the steps when a history was recorded: the minute, the rounds of 5 s, renewals of Leases.

All of these are chance: a recorder began at some second of the minute, and at some moment between two rounds. What
follows from that is no matter of the controllers, so ours are brought to lie as the recorded ones did, as far as the
recorded times tell.
"""

import re

from kubemini.sim.units import MINUTE, MS, SECOND

RENEWED = 10 * SECOND  # how often a kubelet renews its Lease
ROUND = 5 * SECOND  # between two looks at the nodes
GRACE = 52_500 * MS  # from the last renewal to the round that finds it old: 50 to 56 s
WORK = 150 * MS  # that a round took longer than its 5 s on the recorder's busy machine: rounds came after 5.1 to 5.25 s
FRACTION = 750 * MS  # of a second that had passed when a history began, where nothing tells: times are cut to seconds
MOMENT = 50 * MS
SHORTEST = 35 * SECOND  # of that, from the step in which a kubelet fell silent


def second_of(recorded, begins):
    """(instant of the history in µs, second of the minute that it then was in µs), by a step that waited for it."""
    for step in recorded["steps"]:
        found = re.search(r"clock\.second >= (\d+)", str(step.get("until", "")))
        if found:
            begin, end = begins[step["n"] - 1], begins[step["n"]]
            return end, round((int(found[1]) + (0.4 if end - begin > 1.5 * SECOND else 5)) * SECOND)
    return None


def noticed(recorded, begins, row):
    """(when kubelets fell silent, when that was noticed), in µs of the history; None: they did not, or it was not."""
    silent = next((step["n"] for step in recorded["steps"] if "silent" in step), None)
    if silent is None:
        return None
    since, times = begins[silent - 1], []
    for key, entry in recorded["objects"].items():
        told = recorded["times"]["objects"].get(key, {row: []})[row]
        for version, at in zip(entry["versions"], told):
            conditions = ((version.get("change") or {}).get("status") or {}).get("conditions") or {}
            lost = conditions.get("Ready", {}).get("status") in ("Unknown", "False")
            if lost and round(at * SECOND) > since + SHORTEST:
                times.append(round(at * SECOND))
    return (since, min(times)) if times else None


def met(recorded, begins):
    """When a round was (µs of the history) that met a node which was there for less than a round; None: none tells."""
    told = {event["on"] for event in recorded.get("events", ()) if event["reason"] == "RegisteredNode"}
    came = {step["node"]["name"]: begins[step["n"] - 1] for step in recorded["steps"] if "node" in step}
    for step in recorded["steps"]:
        request = step.get("request", {})
        name = request.get("path", "").removeprefix("/api/v1/nodes/")
        if request.get("method") == "DELETE" and name in came and f"Node/{name}" in told:
            gone = begins[step["n"] - 1]
            if gone - came[name] < ROUND:
                return (came[name] + gone) // 2
    return None


def renewal(silent_since, noticed_at):
    """The instant of the last renewal, from which the others follow."""
    last = min(noticed_at - GRACE, silent_since - MOMENT)
    return last if silent_since - last < RENEWED else silent_since - RENEWED + MOMENT


def until_minute(now, found):
    """How long to wait for the beginning (µs), if it is *now*."""
    instant, second = found
    return (second - instant - now) % MINUTE


def until_round(now, round_at, period, noticed_at):
    """How long to wait for the beginning, if a round was at *round_at* and one is to be at *noticed_at* of it."""
    return (round_at - now - noticed_at) % period
