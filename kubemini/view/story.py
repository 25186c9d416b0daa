"""What is true now, in two sentences: one about who can write, one about those who are served.

`view/state.py` folds the trace, `view/requests.py` finds what users see; the sentences here say what the two mean.
Invariant: a sentence about users is never better than what they see in that moment. Where etcd and the API servers
could take writes and the writes still fail, as behind a balancer that has not noticed, the sentence says that they do.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import MS
from kubemini.view.requests import FAILS, LATE, SILENT, WAITS, WELL, Requests, is_write
from kubemini.view.state import State

MATTERS = {"start", "crash", "exit", "pause", "resume", "power_off", "power_on", "cut", "heal", "role", "ready", "pod"}
MATTERS |= {"membership", "restore", "alarm", "backend"}
BLINK = 1 * MS  # an address that moves is on both hosts, or on none, for less than that
GRID = 500 * MS  # how often the sentences are looked at between changes
GRAVITY = ("ok", "warn", "bad")
SHARE = re.compile(r"\d+ %")
NONE = "no write succeeds"
WORSE = {  # what those see of whom none succeeds
    "every write waits": "all wait",
    "every write fails": "all fail",
    "writes fail or wait": "some wait, some fail",
    "writes get no answer": "none is answered",
}
SERVED = (WELL, LATE)
ALWAYS = ("nobody can change the cluster", "nobody reaches the API servers", "no write that needs room succeeds")

Bar = tuple[str, str, str]  # level, what bars writes, what becomes of them
Said = tuple[str, str]  # level, words
Seen = Sequence[tuple[Record, str]]


# -- the first sentence: who can write ---------------------------------------------------------------------------------
def who_writes(state: State, seen: Seen) -> Said:
    """Level and first sentence."""
    if two := two_clusters(state):
        return two
    bar = barred(state)
    return behind(bar, state, writes_of(seen)) if bar else accepted(state, writes_of(seen))


def writes_of(seen: Seen) -> list[str]:
    """What those who write see."""
    return [what for record, what in seen if is_write(record)]


def behind(bar: Bar, state: State, writes: Sequence[str]) -> Said:
    """A bar, and what becomes of writes meanwhile: an API server lets them wait where etcd itself refuses."""
    level, where, fate = bar
    writes = [what for what in writes if fate != NONE or what not in SERVED]
    if fate in ALWAYS or not programs(state, "apiserver-") or not writes:
        return level, f"{where}: {fate}"
    seen, told = writers_see(writes)
    return worst(level, seen), f"{where}: {fate}, {WORSE[told]}" if fate == NONE else f"{where}: {told}"


def two_clusters(state: State) -> Said | None:
    """After a backup was restored while members with the old data live on."""
    alive = [[name for name in state.voters(c) if state.alive(name)] for c in state.clusters]
    if sum(map(bool, alive)) < 2:
        return None
    *old, new = (listed(names) for names in alive if names)
    return "bad", f"Two clusters run: {new} with the backup's data, {listed(old)} with the old data"


def barred(state: State) -> Bar | None:
    """Why nobody can write, if so; where requests do not say what becomes of them, what the bar lets one expect."""
    apis = programs(state, "apiserver-")
    members, lead = members_up(state), state.leader(state.cluster)
    if apis and not any(map(state.alive, apis)):
        only = "The only API server is" if len(apis) == 1 else "All API servers are"
        return "bad", f"{only} down", "nobody can change the cluster"
    if state.together(state.cluster) < state.quorum(state.cluster):
        return "bad", members, NONE
    if not lead:
        return "warn", f"{members}, no leader yet", "writes wait"
    if state.alarms:
        return "bad", f"{members}, but the alarm NOSPACE is raised", "no write that needs room succeeds"
    if unreached := no_door(state):
        return "bad", unreached, "nobody reaches the API servers"
    if apis and not any(is_ready(state, api) for api in apis):
        if len(apis) == len(state.cluster["voters"]) == 1:
            return "warn", "The only API server is not ready yet", "writes wait"
        some = any(map(state.alive, (api for api in apis if state.ready.get(api, {}).get("ready"))))
        none = "the load balancer uses no API server yet" if some else "no API server is ready yet"
        return "warn", f"{members}, {none}", "writes wait"
    return None


def no_door(state: State) -> str:
    """Why no balancer can be reached, if so."""
    balancers = programs(state, "haproxy-")
    if len(balancers) < 2:
        return "The load balancer is down" if balancers and not state.alive(balancers[0]) else ""
    holders = having_address(state)
    if not holders:
        return "No load balancer has the address"
    if not any(state.alive(name) for name in balancers if state.host_of(name) in holders):
        whose = "whose load balancer is" if len(holders) == 1 else "whose load balancers are"
        return f"The address is on {listed(holders)}, {whose} down"
    return ""


def having_address(state: State) -> list[str]:
    """The hosts that have the address which two balancers share."""
    return [state.host_of(name) for keepers in state.addresses.values() for name in keepers]


def accepted(state: State, writes: Sequence[str]) -> Said:
    """etcd and the API servers take writes: do the writers see that?"""
    apis, members = programs(state, "apiserver-"), members_up(state)
    ready = sum(is_ready(state, api) for api in apis)
    calm = all(map(state.alive, state.cluster["voters"])) and not state.cuts and ready == len(apis)
    where = members if ready == len(apis) else f"{members}, {ready} of {len(apis)} API servers ready"
    if len(apis) == len(state.cluster["voters"]) == 1:
        where = "The only API server is ready"
    if len(holders := having_address(state)) > 1:
        where, calm = f"{where}, {listed(holders)} both have the address", False
    level, fate = writers_see(writes)
    if level == "ok" and "can talk" in members:
        fate += " on that side"
    return worst(level, "ok" if calm else "warn"), f"{where}: {fate}"


def writers_see(seen: Sequence[str]) -> Said:
    """What becomes of the writes that are asked now."""
    well, fail, wait = (any(what in seen for what in some) for some in (SERVED, (FAILS,), (WAITS, SILENT)))
    if not fail and not wait:
        return ("warn", "writes accepted, some late") if LATE in seen else ("ok", "writes accepted")
    if well:
        return "warn", "some writes fail" if fail else "some writes wait"
    if fail:
        return "bad", "writes fail or wait" if wait else "every write fails"
    return "bad", "writes get no answer" if SILENT in seen else "every write waits"


def members_up(state: State) -> str:
    """``2 of 3 members up, quorum is 2``."""
    cluster = state.cluster
    alive = [name for name in state.voters(cluster) if state.alive(name)]
    if len(cluster["voters"]) == 1:
        return "the only etcd member is up" if alive else "the only etcd member is down"
    together = state.together(cluster)
    apart = f", {together} can talk to each other" if together < len(alive) else ""
    return f"{len(alive)} of {len(cluster['voters'])} members up{apart}, quorum is {state.quorum(cluster)}"


def programs(state: State, prefix: str) -> list[str]:
    """The programs of one kind, in the order of their hosts."""
    return [name for name in state.programs if name.startswith(prefix)]


def is_ready(state: State, api: str) -> bool:
    """Whether an API server is ready, and its load balancers know that."""
    known = [found[api]["up"] for name, found in state.backends.items() if api in found and state.alive(name)]
    return state.alive(api) and state.ready.get(api, {}).get("ready", False) and all(known)


# -- the second sentence: who is served --------------------------------------------------------------------------------
def who_is_served(state: State, seen: Seen) -> Said:
    """Level and second sentence."""
    if any(host["role"] == "worker" for host in state.topology["hosts"]):
        return pods_and_visits(state, [(r, what) for r, what in seen if r.detail["kind"] == "service"])
    parts = []
    for verb, name in (("put", "writes"), ("get", "reads"), ("get serializable", "serializable reads")):
        if asked := [what for record, what in seen if record.detail["verb"] == verb]:
            if verb == "put" and barred(state):  # an answer of a moment ago tells of another time
                asked = [what for what in asked if what not in SERVED] or asked
            parts.append(f"{name}: {fate(asked)}")
    return "ok", ". ".join(capital(part) for part in parts)


def fate(seen: Sequence[str]) -> str:
    """How requests of one kind fare: all answered, all refused, none answered, or a share."""
    well = sum(map(seen.count, SERVED))
    if 0 < well < len(seen):
        return f"{share(well, len(seen))} answered"
    return "all answered" if well else "all refused" if set(seen) == {FAILS} else "no answer"


def share(part: int, whole: int) -> str:
    """Roughly, as people say it: a rate over two seconds is no more exact than that."""
    return f"{min(90, max(10, round(10 * part / whole) * 10))} %"


def pods_and_visits(state: State, visits: Seen) -> Said:
    """``3 pods run; web answers every visitor``."""
    running = sum(
        pod["state"] == "running" and pod["ready"]
        for host, pods in state.pods.items()
        if state.powered(host)
        for pod in pods.values()
    )
    pods = f"{running or 'no'} pod{'s' if running != 1 else ''} run{'s' if running == 1 else ''}"
    if not visits:
        return "ok", capital(pods)
    well = sum(what in SERVED for _, what in visits)
    level = "ok" if well == len(visits) else "warn" if well else "bad"
    if any("caller" in record.detail for record, _ in visits):
        return level, f"{capital(pods)}; of their calls to each other {fate([what for _, what in visits])}"
    return level, f"{capital(pods)}; {visits[0][0].detail['path']} answers {whom(state, visits)}"


def whom(state: State, visits: Seen) -> str:
    """``every visitor``, or by host where hosts differ: ``every visitor of worker-2, 40 % of those of worker-1``."""
    by_host: dict[str, list[str]] = {}
    for record, what in visits:
        by_host.setdefault(state.host_of(record.actor), []).append(what)
    by_share: dict[str, list[str]] = {}
    for host in sorted(by_host):
        well, asked = sum(map(by_host[host].count, SERVED)), len(by_host[host])
        some = "every visitor" if well == asked else share(well, asked) if well else "no visitor"
        by_share.setdefault(some, []).append(host)
    if len(by_share) == 1:
        (some,) = by_share
        return f"{some} of its visitors" if some.endswith("%") else some
    told = sorted(by_share.items(), key=lambda found: ("%" in found[0], found[0].startswith("no"), found[0]))
    return ", ".join(f"{some} of {'those of ' if '%' in some else ''}{listed(hosts)}" for some, hosts in told)


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def capital(text: str) -> str:
    """*text* as a sentence begins."""
    return text[:1].upper() + text[1:]


def worst(*levels: str) -> str:
    """The gravest of *levels*."""
    return max(levels, key=GRAVITY.index)


# -- the story -------------------------------------------------------------------------------------------------------
def story(trace: Trace) -> list[tuple[int, str, str, str]]:
    """Every instant at which what is true changes: (at, level, first sentence, second sentence)."""
    state, requests = State(trace.header["topology"]), Requests(trace)
    told: list[tuple[int, str, str, str]] = []
    bar, since = None, 0
    for at, records in instants(trace, requests):
        for record in records:
            state.fold(record)
        before, bar = bar, barred(state)
        since = since if bar == before else at
        line = (at, *look(state, requests.now(at), since if bar else 0))
        if not told or (told[-1][1:] != line[1:] and (at % GRID == 0 or kind(told[-1]) != kind(line))):
            told.append(line)
    return told


def kind(line: tuple[int, str, str, str]) -> list[str]:
    """A line without its shares: they are told anew at each step of the grid, not with every answer."""
    return [SHARE.sub("%", text) for text in line[1:]]


def look(state: State, seen: Seen, since: int) -> tuple[str, str, str]:
    """(level, first sentence, second sentence) of a state and what users see then; barred *since*: a write that was
    served before tells of another time."""
    now = [(r, what) for r, what in seen if what not in SERVED or r.at > since or not is_write(r)]
    (level, first), (served, second) = who_writes(state, now), who_is_served(state, seen)
    return worst(level, served), capital(first), second


def instants(trace: Trace, requests: Requests) -> Iterator[tuple[int, list[Record]]]:
    """Every instant that is looked at, with what has happened since the one before."""
    until = trace.header["until"]
    looked = {*range(0, until + 1, GRID), *requests.turns(), *(r.at for r in trace if r.what in MATTERS)}
    looked |= {r.at + BLINK for r in trace.of("address")}
    records: list[Any] = list(trace)
    done = 0
    for at in sorted(at for at in looked if at <= until):
        first = done
        while done < len(records) and records[done].at <= at:
            done += 1
        yield at, records[first:done]
