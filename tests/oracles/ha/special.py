"""Trials with forms of their own, run by the simulator: a lost disk, a full database, a restore. What is compared.

compare.py does not read these records. Of record and run the same facts are taken, {what: what was seen}, and each must
be equal. Left out is what two runs of the real cluster do not share: times below a limit, sizes, counts of log lines,
who of three it was, and in a restore without a bump whether controllers act: that is a race between new revisions and
old caches, and both were seen.
"""

import json
from functools import partial

from kubemini.api.kinds import DEPLOYMENT, POD
from kubemini.etcd.raft.messages import LEADER
from kubemini.sim.units import SECOND
from tests.oracles.etcd.sessions import general
from tests.oracles.ha.console import CONFIG_MAPS, HOSTS, rest, staged
from tests.oracles.ha.stage import program

MANAGERS = [f"{kind}@{name}" for kind in ("kcm", "sched") for name in HOSTS]
BIG = 700_000  # bytes
FULL = [500, "etcdserver: mvcc: database space exceeded"]


def cases(path, data):
    """(name, how to run it) of a record of one of these trials."""
    experiment = data.get("experiment") if isinstance(data, dict) else None
    if experiment in EXPERIMENTS:
        yield path.stem, partial(differences, *EXPERIMENTS[experiment], data)


def differences(recorded, replayed, record):
    """What is not as the record has it."""
    wanted, got = recorded(record), replayed(record)
    return [f"{what}: wanted {wanted[what]}, got {got.get(what)}" for what in wanted if got.get(what) != wanted[what]]


# -- a lost disk -------------------------------------------------------------------------------------------------------
def recorded_disk(record):
    """The facts of a record."""
    return {f"{number} {step['what']}": _of_a_step(step["answer"]) for number, step in enumerate(record["steps"])}


def _of_a_step(answer):
    if not isinstance(answer, dict):
        return answer
    if "log" in answer:
        told = [json.loads(line) for line in answer["log"] if line.startswith("{")]
        removed = [t["error"] for t in told if t["msg"] == "server error"]
        panics = [f"panic: {t['msg']}" for t in told if t["msg"].startswith("tocommit")]
        return general((removed or panics or [t["error"] for t in told if "error" in t])[0])
    if "command" not in answer:
        return sorted(state in (True, 200) for state in answer.values())
    if answer["exit"]:
        return answer["err"].strip().splitlines()[-1].removeprefix("Error: ")
    if "member list" in answer["command"]:
        return sorted(line.split(", ")[1] for line in answer["out"].splitlines())
    return len(answer["out"].splitlines()) if "endpoint status" in answer["command"] else "ok"


def replayed_disk(record):
    """The same of a run."""
    stage, operator = staged()
    ranked = sorted((f"etcd@{name}" for name in HOSTS), key=lambda full: stage.of(full).role == LEADER)
    hurt = ranked[-1] if record["lost"] == "the leader" else ranked[0]
    member, asked = stage.of(hurt), ranked[1]
    steps = Disk(stage, operator, member, asked)
    member.crash()
    member.host.disk.files.pop(member.name)
    rest(stage, 1)
    return {f"{number} {step['what']}": steps.do(step["what"]) for number, step in enumerate(record["steps"])}


class Disk:
    """The steps of the trial, by the record's names for them."""

    def __init__(self, stage, operator, member, asked):
        self.stage, self.operator, self.member, self.asked = stage, operator, member, asked
        self.urls = {"peerURLs": [f"http://{member.name}:2380"]}

    def do(self, what):
        """What came of it."""
        if "readyz 200" in what:
            return self.becomes_ready()
        if "readyz" in what:
            rest(self.stage, 3)
            return sorted(self.operator.api("GET", "/readyz", server=f"api@{name}")[0] == 200 for name in HOSTS)
        if "start" in what or "empty directory, --initial" in what or "same command" in what:
            return self.start("existing" if "existing" in what else "new")
        if what == "endpoint status":
            return sum(self.operator.etcd("status", {}, f"etcd@{name}")[0] for name in HOSTS)
        return self.change(what)

    def start(self, state):
        """Its last words, if it ends within some seconds."""
        self.member.crash()
        self.member.host.disk.files.pop(self.member.name, None)
        self.member.begin([program(f"etcd@{name}") for name in HOSTS], exists=state == "existing")
        since = self.stage.sim.now
        while self.member.up and self.stage.sim.now < since + 4 * SECOND:
            rest(self.stage, 0.1)
        if self.member.up:
            return [True]
        return general(self.stage.sim.trace.of("exit", self.member.name)[-1].detail["why"])

    def becomes_ready(self):
        """Whether its API server is ready again within some time: the pauses between its tries have grown."""
        for _ in range(30):
            if self.operator.api("GET", "/readyz", server=f"api@h{self.member.name[-1]}")[0] == 200:
                return True
            rest(self.stage, 1)
        return False

    def change(self, what):
        """A change of the members, or their list."""
        ok, listed = self.operator.etcd("member_list", {"linearizable": True}, self.asked)
        if what == "member list":
            return sorted("started" if m["name"] else "unstarted" for m in listed["members"])
        if "member add" in what:
            ok, answer = self.operator.etcd("member_add", self.urls, self.asked)
        else:
            [id] = [m["ID"] for m in listed["members"] if m["peerURLs"] == self.urls["peerURLs"]]
            ok, answer = self.operator.etcd("member_remove", {"ID": id}, self.asked)
        return "ok" if ok else answer["message"]


# -- a full database ---------------------------------------------------------------------------------------------------
def recorded_quota(record):
    """The facts of a record."""
    found, states, number = {}, [], 0
    for _, what, answer in record["steps"]:
        if what == "state":
            states.append(_state(answer))
        elif "small create" in what or "refused" in what:
            number += 1
            body = json.loads(answer[1]) if isinstance(answer, list) else {}
            refused = [answer[0], body["message"]] if body else ([201, ""] if answer == 201 else FULL)
            found[f"write {number}"] = refused
        elif what in ("get", "list"):
            found[what] = answer
        elif what == "readyz":
            found[what] = {name: code for name, (code, _) in answer.items()}
        elif what == "kubectl delete one":
            found[what] = answer["exit"] == 0
        elif what == "etcd alarm list":
            found[what] = "NOSPACE" in answer["out"]
    fit = int(next(what for _, what, _ in record["steps"] if "refused" in what).split()[1])
    found["so many of 0.7 MB fit"] = fitting(fit, record)
    found["while it is full"] = states[1:4]
    found["in the end"] = states[-1]
    return found


def fitting(number, record):
    """Whether so many fill the quota: a real file has pages that are not full, two fifths more at most (quota.py)."""
    return record["quota_bytes"] / 1.4 <= number * BIG <= record["quota_bytes"]


def _state(answer):
    """Nodes, pods, and how many managers of each kind have ended with which code."""
    ended = [[name[:3], code] for name, code in answer["managers"].items() if code is not None]
    return {"ready": sorted(answer["nodes"].values()), "pods": answer["pods"], "ended": sorted(ended)}


def replayed_quota(record):
    """The same of a run."""
    stage, operator = staged(params={"etcd_quota_backend_bytes": record["quota_bytes"]})
    big = 0
    while (refused := operator.make(f"big-{big}", BIG))[0] == 201:
        big += 1
    since = stage.sim.now
    found = {"write 1": refused, "etcd alarm list": bool(operator.etcd("alarm", {"action": "GET"})[1]["alarms"])}
    found["readyz"] = {name: operator.api("GET", "/readyz", server=f"api@{name}")[0] for name in HOSTS}
    found["get"] = operator.api("GET", f"{CONFIG_MAPS}/big-0")[0]
    found["list"] = operator.api("GET", CONFIG_MAPS)[0]
    found["write 2"] = operator.make("small")
    found["kubectl delete one"] = operator.api("DELETE", f"{CONFIG_MAPS}/big-0")[0] == 200
    states = []
    for seconds in (20, 35, 51):
        stage.sim.run_until(since + seconds * SECOND)
        states.append(state(stage, operator))
    found["so many of 0.7 MB fit"] = fitting(big, record)
    found["while it is full"] = states
    for number in range(1, big):
        operator.api("DELETE", f"{CONFIG_MAPS}/big-{number}")
    found["write 3"] = operator.make("small")
    newest = operator.etcd("range", {"key": "k"})[1]["header"]["revision"]
    operator.etcd("compact", {"revision": newest})
    found["write 4"] = operator.make("small")
    for name in HOSTS:
        operator.etcd("defragment", {}, f"etcd@{name}")
    found["write 5"] = operator.make("small")
    for alarm in operator.etcd("alarm", {"action": "GET"})[1]["alarms"]:
        operator.etcd("alarm", {"action": "DEACTIVATE", **alarm})
    found["write 6"] = operator.make("small")
    for full in MANAGERS:
        stage.of(full).start()  # as whoever ran the trial did
    rest(stage, 30)
    return found | {"in the end": state(stage, operator)}


def state(stage, operator):
    """As `_state` has it."""
    ended = sorted([full[:3], 1] for full in MANAGERS if not stage.of(full).up)
    nodes = operator.api("GET", "/api/v1/nodes")[1]["items"]
    ready = sorted(c["status"] for node in nodes for c in node["status"]["conditions"] if c["type"] == "Ready")
    pods = operator.api("GET", POD.path("default"))[1]["items"]
    phases = [pod["status"]["phase"] for pod in pods]
    return {"ready": ready, "pods": {phase: phases.count(phase) for phase in phases}, "ended": ended}


# -- a restore ---------------------------------------------------------------------------------------------------------
LOST = [f"after-{n}" for n in range(5)]


def recorded_restore(record):
    """The facts of a record."""
    steps = {what: answer for _, what, answer in record["steps"]}
    took = {what: at for at, what, _ in record["steps"]}
    states = [answer for _, what, answer in record["steps"] if what == "state"]
    before, after = steps["revision before the disaster"], steps["revision after"]
    lists = [entry for entry in record["informer"] if entry[1] == "watch-replace"]
    listed = _answer(steps["list at the old resourceVersion"])
    heard = steps["watch from the old resourceVersion + 40"][1]
    done = states[-1]["deployment"] == [3, 3, 3]
    return facts(
        bump=bool(record["bump_revision"]),
        lower=after < before,
        lists=len(lists),
        keeps=len(lists) == 1,
        present=[name for name in steps["configmaps"] if name in LOST],
        listed=listed,
        waited=took["list at the old resourceVersion"] - took["configmaps"] >= 3,
        heard=[json.loads(heard)] if heard else [],
        done=done,
        replicas=states[-1]["deployment"],
        ready=sorted(states[-1]["nodes ready"].values()),
    )


def _answer(text):
    """A refusal, or a list, which the record cuts short."""
    return json.loads(text) if '"kind":"Status"' in text else {}


def facts(*, bump, lower, lists, keeps, present, listed, waited, heard, done, replicas, ready):
    """What a record and a run must share; whether a plain restore is acted on is a race."""
    late = listed.get("code") == 504
    told = [*listed.get("message", "").split(": ")[:2], waited] if late else []
    expected = ["Timeout", "Too large resource version", True] if lower else []
    return {
        "the informer has to list again": lists > 1,
        "it keeps objects that are lost": keeps,
        "lost objects that the API shows": present,
        "a list at the old number": "as the numbers say" if told == expected else told,
        "a watch from an old number": [(e["type"], e["object"]["code"], e["object"]["reason"]) for e in heard],
        "it is acted on": done if bump else "a race",
        "all is done or nothing": done or replicas[1:] == [6, 6],
        "ready": ready,
    }


def replayed_restore(record):
    """The same of a run."""
    stage, operator = staged()
    bump = record["bump_revision"]
    stage.cluster.user.save("etcd-1")
    rest(stage, 0.1)
    made = [operator.make(name) for name in LOST]
    assert all(code == 201 for code, _ in made)
    scaled(operator, 9)
    rest(stage, 3)
    before = revision(operator)
    for full in (f"{kind}@{name}" for kind in ("api", "etcd") for name in HOSTS):
        stage.of(full).crash()
    rest(stage, 8)
    image, number = stage.cluster.user.backup()
    names = [program(f"etcd@{name}") for name in HOSTS]
    for name in names:
        stage.cluster.member(name).restore(image, names, number, bump)
    for name in HOSTS:
        stage.of(f"api@{name}").start()
    began = stage.sim.now
    fill_caches(stage, operator)
    stage.sim.run_until(began + 4 * SECOND)
    after = revision(operator)
    code, listed, seconds = operator.api("GET", CONFIG_MAPS, resourceVersion=str(before))
    listed = {"code": code, "message": listed} if code != 200 else {}
    present = [name for name in LOST if operator.api("GET", f"{CONFIG_MAPS}/{name}")[0] == 200]
    heard = operator.watch(before)
    rest(stage, 10)
    scaled(operator, 3)
    rest(stage, 60)
    found = operator.api("GET", f"{DEPLOYMENT.path('default')}/d")[1]
    replicas = [found["spec"]["replicas"], *[found["status"].get("replicas", 0)] * 2]
    return facts(
        bump=bool(bump),
        lower=after < before,
        lists=operator.informer.lists,
        keeps=any(name in operator.informer.names() for name in LOST),
        present=present,
        listed=listed,
        waited=seconds >= 3,
        heard=heard,
        done=replicas == [3, 3, 3],
        replicas=replicas,
        ready=state(stage, operator)["ready"],
    )


def fill_caches(stage, operator):
    """As soon as they listen: a real API server lists every kind at its start, ours when asked (caching)."""
    for name in HOSTS:
        while operator.api("GET", CONFIG_MAPS, server=f"api@{name}", resourceVersion="0")[0] != 200:
            rest(stage, 0.01)


def revision(operator):
    return operator.etcd("range", {"key": "k"})[1]["header"]["revision"]


def scaled(operator, replicas):
    """``kubectl scale``."""
    body = {"spec": {"replicas": replicas}}
    code, answer, _ = operator.api("PATCH", f"{DEPLOYMENT.path('default')}/d", body, type="merge")
    assert code == 200, answer


EXPERIMENTS = {
    "lost_disk": (recorded_disk, replayed_disk),
    "nospace": (recorded_quota, replayed_quota),
    "snapshot_restore": (recorded_restore, replayed_restore),
}
