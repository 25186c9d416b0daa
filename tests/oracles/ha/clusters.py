"""A trial of a whole cluster, run by the simulator as its record says, in the form of that record.

The cluster stands on its `stage`, the client starts 4 s before the `strike`, the poller looks until the client's last
request has ended. A recorded run is one draw, and so is each of ours: of several seeds one must fit.
"""

from functools import partial

from kubemini.sim.units import MS, SECOND
from tests.oracles.ha import strikes, tolerated
from tests.oracles.ha.asking import SEED, Client, as_written_there
from tests.oracles.ha.looking import Poller
from tests.oracles.ha.members import judge_beside
from tests.oracles.ha.stage import Stage

SEEDS = range(1, 61)
LAST_LOOK, BUSY = (300 * MS, 2 * SECOND), 20  # on a calm and a busy machine: objects are counted, the poller ends
CLIENTS = ("fresh", "sticky0", "sticky1", "sticky2")
FORMS = ("topology", "trial", "target", "hold_s", "rate_per_s", "window_s", "client", "events")
COPIED = ("topology", "trial", "target", "hold_s", "rate_per_s", "window_s", "balancer_check", "managers_through")


def cases(path, data):
    """(name, how to run it) of the trial of a whole cluster in a file, if its fault can be done here."""
    if not isinstance(data, dict) or any(not data.get(key) for key in FORMS) or not strikes.knows(data):
        return
    judge = judge_beside(path)
    same = judge.recorded([str(path.parent)])[judge.key(data)]
    yield path.stem, partial(differences, judge, same, data, path.stem)


def differences(judge, runs, record, case):
    """What *judge* finds between the simulator's trial and the recorded *runs*; nothing if one seed fits."""
    best: list[list[str]] = []
    for seed in SEEDS:
        found = judge.compare(runs, replay(record, seed, runs))
        told = [f"{path}: wanted {wanted}, got {got}" for path, wanted, got in found]
        grave = [one for one in told if not tolerated.reason(case, one)]
        if not best or len(grave) < len(best[0]):
            best = [grave, told]
        if not grave:
            break
    return best[1]


def replay(record, seed=1, runs=()):
    """The record that the simulator writes of the same trial, in the words of the recorded *runs*."""
    stage = Stage(record, seed)
    clients = [Client(stage, kind) for kind in (*CLIENTS, "informer")]
    stage.set()
    stage.cluster.apply(SEED)
    start, end = record["window_s"]["client"]
    phase = stage.sim.draws("trial/phase").between(0, 0, 9_999) * MS
    begun = stage.sim.now + 2 * SECOND + phase + round(-start * SECOND)
    strike = strikes.Strike(stage)
    poller = Poller(stage, strike, begun)
    for component in (*clients, poller):
        component.start()
    for client in clients:
        for kind, rate in record["rate_per_s"].items():
            who, _, operation = kind.partition("-")
            if who == client.kind:
                client.work(operation, round(SECOND / rate), begun, (start, end))
    stage.sim.run_until(begun + round(strike.begun * SECOND))
    strike.begin()
    stage.sim.run_until(begun + round(record["hold_s"] * SECOND))
    strike.end()
    stage.sim.run_until(begun + round(end * SECOND))
    while not strike.done or any(client.waits for client in clients):
        stage.sim.run_until(stage.sim.now + SECOND)
    stage.sim.run_until(stage.sim.now + LAST_LOOK[max(record["loadavg_1m"]) > BUSY])
    return _written(record, stage, clients, poller, runs or [record])


def _written(record, stage, clients, poller, runs):
    there = existing(stage)
    told = {}
    first, last = record["window_s"]["counted"]
    good = set()
    for client in clients:
        for operation, fates in sorted(client.fates.items()):
            kept = sorted((fate for fate in fates.values() if first <= fate.begun <= last), key=lambda f: f.begun)
            told[f"{client.kind}-{operation}"] = summary(kept, there if operation == "write" else None, runs)
            good |= {fate.name for fate in fates.values() if fate.name and not fate.error}
    told["acknowledged_writes"] = len(good)
    if there is not None:
        told["acknowledged_and_missing"] = len(good - there)
    copied = {key: record[key] for key in COPIED if key in record}
    events = [event for event in poller.events if event[0] >= -3]
    more = {"more": {"virtual_address_held_by": poller.held}} if poller.held else {}
    return {**copied, "loadavg_1m": 0, "client": told, "events": events, **more}


def existing(stage):
    """The names of all objects that are there in the end, or None if nobody can say."""
    found = [m for name in stage.members if (m := stage.of(f"etcd@{name}")).up and m.leader == m.name]
    if not found:
        return None
    answer = found[0].data.store.apply("range", {"key": "/registry/configmaps/", "range_end": "/registry/configmaps0"})
    return {kv["key"].rpartition("/")[2] for kv in answer["kvs"]}


def summary(fates, there, runs):
    """What became of the requests of one kind."""
    bad = [fate for fate in fates if fate.error or fate.took > 1]
    good = [fate.begun for fate in fates if not fate.error and fate.took <= 1]
    ends = [0.0, *good], [*good, max(fate.begun for fate in fates)]
    told = {
        "requests": len(fates),
        "failed": sum(1 for fate in fates if fate.error),
        "ok_but_over_1s": sum(1 for fate in bad if not fate.error),
        "longest_without_success_s": round(max(b - a for a, b in zip(*ends, strict=True)), 2),
    }
    if bad:
        inside = [fate for fate in fates if bad[0].begun <= fate.begun <= bad[-1].begun]
        slowest = max((fate.took for fate in fates if not fate.error), default=0)
        told |= {"first_bad_s": round(bad[0].begun, 2), "last_bad_s": round(bad[-1].begun, 2)}
        told |= {"share_bad_between": round(len(bad) / len(inside), 2), "slowest_ok_s": round(slowest, 2)}
    errors = [fate for fate in bad if fate.error]
    if errors:
        kinds = sorted({(fate.error, fate.code, fate.reason) for fate in errors})
        told["errors"] = [_error(kind, errors, there, runs) for kind in kinds]
    return told


def _error(kind, errors, there, runs):
    mine = [fate for fate in errors if (fate.error, fate.code, fate.reason) == kind]
    took = [fate.took for fate in mine]
    told = {
        **{"text": as_written_there(kind[0], runs), "code": kind[1], "reason": kind[2], "count": len(mine)},
        "begun_s": [round(mine[0].begun, 2), round(mine[-1].begun, 2)],
        "took_s": [round(min(took), 2), round(max(took), 2)],
    }
    if there is not None:
        told["found_later"] = sum(1 for fate in mine if fate.name in there)
    return told
