"""A trial of three bare members, run by the simulator as its record says, in the form of that record.

A put every tenth of a second goes through the members of ``members_in_turn``, one after the other; beside every third
put a linearizable and a serializable get go through the same member. A fault begins at 0 s and is undone at ``hold_s``.
Names are those of the record: its leader is ours, whoever that is.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kubemini.sim.units import MS, SECOND
from tests.oracles import judges
from tests.real.twin import SimulatedCluster, told

OWN_JUDGE = Path(__file__).parent / "compare.py"
PUT_EVERY = 100 * MS
PHASE = 37 * MS  # no request begins in the instant of the fault
PATIENCE = 20 * SECOND  # of the client
LOOK_EVERY = 10 * MS
BEFORE = 5 * SECOND  # a quiet beginning
HTTP = {"UNAVAILABLE": 503, "UNKNOWN": 504, "DEADLINE_EXCEEDED": 504}  # the JSON gateway of etcd 3.7
READ = {"key": "k-probe"}
SEEDS = range(1, 11)  # a recorded run is one draw, and so is each of these: one must fit


def cases(path, data):
    """(name, how to run it) of each trial of bare members in a file."""
    runs = [run for run in data.get("trials", ()) if "fates" in run] if isinstance(data, dict) else []
    judge = judge_beside(path) if runs else None
    for run in runs:
        same = judge.recorded([str(path.parent)])[judge.key(run)]
        yield f"{path.stem}/{run['trial']}", partial(differences, judge, same, run)


def differences(judge, runs, run):
    """What *judge* finds between the simulator's trial and the recorded *runs*; nothing if one seed fits."""
    first = []
    for seed in SEEDS:
        found = judge.compare(runs, replay(run, seed))
        if not found:
            return []
        first = first or [f"{path}: wanted {wanted}, got {got}" for path, wanted, got in found]
    return first


def judge_beside(path):
    """The compare.py that lies beside a recording, or our own copy of it."""
    return judges.beside(path.parent, OWN_JUDGE)


@dataclass
class Trial:
    """One run: the record it follows, the cluster, and what was seen."""

    record: dict
    cluster: SimulatedCluster
    names: dict  # of the record → of the cluster
    fates: dict = field(default_factory=lambda: defaultdict(list))
    views: list = field(default_factory=list)
    begun: int = 0

    def since(self):
        """Seconds since the fault."""
        return (self.cluster.sim.now - self.begun) / SECOND


def replay(record, seed=1):
    """The record that the simulator writes of the same trial."""
    cluster = SimulatedCluster(3, seed=seed)
    theirs, ours = record["leader"], cluster.leader()
    others = zip(sorted({"x1", "x2", "x3"} - {theirs}), [n for n in cluster.names if n != ours], strict=True)
    trial = Trial(record, cluster, {theirs: ours, **dict(others)})
    cluster.rest(BEFORE / SECOND)
    start, end = record["window_s"]["client"]
    trial.begun = cluster.sim.now + round(-start * SECOND)
    term = term_of(trial)
    _ask(trial, start, end)
    _look(trial, until=end + 25)
    cluster.sim.run_until(trial.begun)
    _strike(trial)
    cluster.sim.run_until(trial.begun + round(record["hold_s"] * SECOND))
    _undo(trial)
    cluster.sim.run_until(trial.begun + round((end + 25) * SECOND))
    return _told(trial, term)


def term_of(trial):
    """The highest term that a member knows."""
    return max(member.raft.term for member in trial.cluster.members)


# -- the fault ---------------------------------------------------------------------------------------------------------
def _hit(trial):
    return [trial.names[name] for name in trial.record["target"]["hit"]]


def _strike(trial):
    case, cluster = trial.record["case"], trial.cluster
    hosts = {member.name: member.host.name for member in cluster.members}
    hit = [hosts[name] for name in _hit(trial)]
    others = [host for host in hosts.values() if host not in hit]
    net = cluster.client.net
    if case.endswith("_kill"):
        for name in _hit(trial):
            cluster.strike(name, "crash")
    elif case.endswith("_hang"):
        cluster.strike(*_hit(trial), "pause")
    elif case.endswith("_term"):
        cluster.strike(*_hit(trial), "terminate")
    elif case == "bridge":
        net.cut(hit[:1], hit[1:])
    elif case == "one_way_leader_in":
        net.cut(others, hit, one_way=True)
    elif case == "one_way_leader_out":
        net.cut(hit, others, one_way=True)
    else:
        net.cut(hit, others)


def _undo(trial):
    cluster = trial.cluster
    if trial.record["case"] == "quorum_kill":
        leader, (other,) = trial.names[trial.record["leader"]], set(_hit(trial)) - {trial.names[trial.record["leader"]]}
        cluster.mend(leader)
        last = trial.record["window_s"]["client"][1] - trial.record["hold_s"]
        cluster.client.after(round(last * SECOND), cluster.mend, other)
    elif trial.record["case"].endswith(("_kill", "_hang", "_term")):
        for name in _hit(trial):
            cluster.mend(name)
    else:
        cluster.heal()


# -- the client --------------------------------------------------------------------------------------------------------
def _ask(trial, start, end):
    """Requests at their steady pace from *start* to *end*, seconds after the fault."""
    turn, sim = trial.record["rate_per_s"]["members_in_turn"], trial.cluster.sim
    for number in range(round((end - start) * SECOND) // PUT_EVERY):
        through = turn[number % len(turn)]
        delay = trial.begun + round(start * SECOND) + number * PUT_EVERY + PHASE - sim.now
        operations = [("put", "put", {"key": f"k-{number}", "value": "x"})]
        if number % 3 == 0:
            operations += [("get", "range", READ), ("serial", "range", READ | {"serializable": True})]
        for op in operations:
            trial.cluster.client.after(delay, _send, trial, through, *op)


def _send(trial, through, op, method, request):
    cluster, since = trial.cluster, trial.since()
    first, last = trial.record["window_s"]["counted"]
    event = cluster.client.call(trial.names[through], method, request, timeout=PATIENCE)
    if first <= since <= last:
        event.callbacks.append(lambda e: _end(trial, (op, through), since, told(e.value)))


def _end(trial, what, since, answer):
    ok, value = answer
    error = None if ok else value["message"]
    code = 200 if ok else HTTP.get(value["code"], 0)
    trial.fates[*what, error, code].append((since, trial.since() - since))


# -- what was seen -----------------------------------------------------------------------------------------------------
def _look(trial, until):
    """What each member says of leader and term, whenever it says something new."""
    says = {}
    back = {ours: theirs for theirs, ours in trial.names.items()}

    def look():
        for name, member in zip(trial.cluster.names, trial.cluster.members, strict=True):
            answers = member.up and not member.paused
            leader = back.get(member.leader or "", "none") if answers else ""
            said = f"{leader} term {member.raft.term}" if answers else "no answer"
            if says.get(name) != said:
                says[name] = said
                trial.views.append((trial.since(), back[name], said))
        if trial.since() < until:
            trial.cluster.client.after(LOOK_EVERY, look)

    look()


def _told(trial, term):
    record, views = trial.record, trial.views
    before = record["leader"]
    new = [at for at, _, said in views if at > 0 and said.split()[0] not in (before, "none", "no")]
    if record["case"] == "quorum_kill":
        new = []
    fates = [_fate(*what, seen) for what, seen in sorted(trial.fates.items(), key=str)]
    good = [s for (op, _, error, _), seen in trial.fates.items() if op == "put" and not error for s, _ in seen if s > 0]
    keep = ("case", "trial", "version", "leader", "target", "hold_s", "rate_per_s", "window_s")
    return {
        **{key: record[key] for key in keep},
        "loadavg_1m": 0,
        "first_new_leader_seen_s": min(new, default=None),
        "no_leader_seen_s": [],
        "first_ok_put_begun_s": min(good, default=None),
        "terms_used": term_of(trial) - term,
        "leader_after": _agreed(views, len(views))[1],
        "agree_again_after_undo_s": _again(views, record["hold_s"]),
        "views": [list(view) for view in views],
        "fates": fates,
        "stable": _agreed(views, len(views))[0],
    }


def _fate(op, through, error, code, seen):
    starts, took = zip(*seen, strict=True)
    return {
        **{"op": op, "through": through, "error": error, "code": code, "count": len(seen)},
        "begun_s": [min(starts), max(starts)],
        "took_s": [min(took), max(took)],
    }


def _agreed(views, count):
    """Whether all three say the same after the first *count* views, and who leads then."""
    last = {name: said for _, name, said in views[:count]}
    agreed = len(last) == 3 and len(set(last.values())) == 1 and "none" not in next(iter(last.values()))
    return agreed, next(iter(last.values())).split()[0]


def _again(views, undone):
    """Seconds from the end of the fault until all agree."""
    ends = (max(0.0, at - undone) for n, (at, *_) in enumerate(views, 1) if at > 0 and _agreed(views, n)[0])
    late = [end for end in ends if end > 0]
    return late[0] if late else 0.0
