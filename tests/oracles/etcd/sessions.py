"""The sessions that members of every version have had, and that ours have too: each returns what was answered.

A cluster is real (`tests.real.realetcd.RealCluster`) or ours (`tests.real.twin.SimulatedCluster`): both have the same
face. What no two clusters share (ids, terms, names, addresses) is left out of the answers.
"""

import json
import re
from pathlib import Path

from tests.real.twin import requests
from tests.worlds.etcd import bare

HERE = Path(__file__).parent
METHODS = {
    "Range": "range",
    "Put": "put",
    "DeleteRange": "delete_range",
    "Txn": "txn",
    "Compact": "compact",
    "LeaseGrant": "lease_grant",
    "LeaseRevoke": "lease_revoke",
    "LeaseKeepAlive": "lease_keepalive",
    "LeaseTimeToLive": "lease_time_to_live",
    "LeaseLeases": "lease_leases",
}
W = [("put", {"key": "w", "value": "1"}), ("put", {"key": "w", "value": "2"}), ("delete_range", {"key": "w"})]
# The notes of the Watch rows tell in words what was done while the watch was open; this says it in code.
WATCH_ACTIONS = {
    122: W,
    124: W,
    125: W,
    126: W,
    128: [("txn", {"success": [{"request_put": {"key": f"x{n}", "value": str(n)}} for n in (1, 2, 3)]})],
    129: [("delete_range", {"key": "x-not-there"})],
    149: [("put", {"key": "a", "value": "after"})],
}
# A write whose doing the rows do not show, only that the revision went on by one: done as a write of any other key.
WRITES_BEFORE = {131: 1}
LAST = 152  # from here on the revision says when exactly a lease ran out
SEEDS, LENGTH = (1, 2, 3, 4), 400
UNKNOWN = 0xDEADBEEF
SETTLED = 8  # seconds, until connections count as healthy
LATE = 5  # seconds: the limit of a request is 7, of a list of members twice that


def transcript_rows(to=LAST + 1):
    """The requests of the session recorded from 3.5.1, and its answers."""
    return json.loads((HERE / "transcript_3.5.1.json").read_text(encoding="utf-8"))["rows"][:to]


def expand(value):
    """The recording abbreviates long values: ``<1572865 bytes>``."""
    if isinstance(value, dict):
        return {name: expand(item) for name, item in value.items()}
    if isinstance(value, str) and value.startswith("<") and value.endswith(" bytes>"):
        return "x" * int(value[1:-7])
    return value


def asked_then(row):
    """(what was done before the row, its own request or None): a watch is not asked, but what was done meanwhile is."""
    before = [("put", {"key": f"~{row['i']}/{n}", "value": "x"}) for n in range(WRITES_BEFORE.get(row["i"], 0))]
    if row["rpc"] == "Watch":
        return before + WATCH_ACTIONS.get(row["i"], []), None
    return before, (METHODS[row["rpc"]], expand(row["request"]))


def tell(answer):
    """Leases in any order; code and message of what was refused, the answer of what was not."""
    ok, value = answer
    if not ok:
        return [value["code"], value["message"]]
    value = bare(value)
    if "leases" in value:
        value["leases"] = sorted(lease["ID"] for lease in value["leases"])
    if "keys" in value:
        value["keys"].sort()
    return value


def transcript(cluster):
    """{row: answer} of the requests that were put to 3.5.1."""
    leader = cluster.leader()
    follower = next(name for name in cluster.names if name != leader)
    found = {}
    for row in transcript_rows():
        before, request = asked_then(row)
        for method, payload in before:
            cluster.ask(leader, method, payload)
        if request is not None:
            target = follower if "follower" in row["note"] else leader
            found[str(row["i"])] = tell(cluster.ask(target, *request))
    return found


def random_session(cluster, seed):
    """The answers to as many random requests."""
    leader = cluster.leader()
    return [tell(cluster.ask(leader, method, request)) for method, request in requests(seed, LENGTH, odd=True)]


def changes(cluster):
    """{deed: answer}: members are listed, added, promoted and removed; what is allowed, and what is refused how."""
    leader = cluster.leader()
    cluster.rest(SETTLED)
    found, added = {}, {}

    def do(deed, method, request, keep=""):
        ok, value = cluster.ask(leader, method, request)
        found[deed] = described(ok, value)
        if ok and keep:
            added[keep] = value["member"]["ID"]
        return value

    def add(deed, last, learner=False, keep=""):
        return do(deed, "member_add", {"peerURLs": [f"http://127.0.0.{last}:9"], "isLearner": learner}, keep)

    listed = do("list", "member_list", {})["members"]
    do("add at a URL that is taken", "member_add", {"peerURLs": listed[0]["peerURLs"]})
    do("remove nobody", "member_remove", {"ID": UNKNOWN})
    do("promote nobody", "member_promote", {"ID": UNKNOWN})
    do("promote a voter", "member_promote", {"ID": listed[0]["ID"]})
    add("add a learner", 9, learner=True, keep="learner")
    add("add a second learner", 7, learner=True)
    do("promote a learner that never came", "member_promote", {"ID": added["learner"]})
    do("remove the learner", "member_remove", {"ID": added["learner"]})
    do("remove it again", "member_remove", {"ID": added["learner"]})
    add("add a fourth voter that never comes", 11, keep="fourth")
    add("add a fifth while three of four are there", 13, keep="fifth")
    if "fifth" in added:
        do("remove the fifth", "member_remove", {"ID": added["fifth"]})
    do("remove the fourth", "member_remove", {"ID": added["fourth"]})
    dead = next(name for name in cluster.names if name != leader)
    cluster.strike(dead, "crash")
    cluster.rest(1)
    add("add a fourth while two of three are there", 15)
    gone = next(m["ID"] for m in listed if m["name"] == dead)
    do("remove the dead", "member_remove", {"ID": gone})
    return found


def described(ok, value):
    """Who has started and who only listens, without ids, names and URLs; or the refusal."""
    if not ok:
        return [value["code"], value["message"]]
    return sorted([bool(m.get("name")), bool(m.get("isLearner"))] for m in value.get("members", ()))


def lost_disk(cluster):
    """{deed: last words, a refusal, or what went well}: the disk of a follower is lost, and every way back is tried."""
    leader = cluster.leader()
    cluster.rest(SETTLED)
    hurt = next(name for name in cluster.names if name != leader)
    [before] = [m for m in cluster.ask(leader, "member_list", {})[1]["members"] if m["name"] == hurt]
    found = {}

    def begin(deed, state):
        cluster.lose_disk(hurt)
        cluster.rest(1)
        found[deed] = general(cluster.begin(hurt, state) or "joins")

    def change(deed, method, request):
        ok, value = cluster.ask(leader, method, request)
        found[deed] = "ok" if ok else value["message"]
        return value

    cluster.ask(leader, "put", {"key": "k", "value": "v"})
    cluster.rest(1)
    begin("start again as before, state new", "new")
    begin("start, state existing", "existing")
    cluster.lose_disk(hurt)
    cluster.rest(1)
    change("add first, under another URL", "member_add", {"peerURLs": ["http://127.0.0.9:9"]})
    change("remove", "member_remove", {"ID": before["ID"]})
    begin("start after the removal, state existing", "existing")
    begin("start after the removal, state new", "new")
    typo = change("add with a typo", "member_add", {"peerURLs": ["http://127.0.0.9:9"]})["member"]
    begin("start after the typo, state existing", "existing")
    cluster.rest(SETTLED)
    change("remove what the typo made", "member_remove", {"ID": typo["ID"]})
    change("add", "member_add", {"peerURLs": before["peerURLs"]})
    change("put, while it has not come", "put", {"key": "k", "value": "v"})
    begin("start after the addition, state new", "new")
    begin("start after the addition, state existing", "existing")
    return found


def general(words):
    """Last words without ids, indexes and URLs."""
    words = re.sub(r"\{ClusterID.*\}", "{…}", words)
    words = re.sub(r"(?<=member )\(?[0-9a-f]+(, \[\S+\]\))?(?= has|,)", "ID", words)
    return re.sub(r"(?<=tocommit\()\d+", "N", re.sub(r"(?<=resolved urls: ).*(?=\)$)", "…", words))


def alone(cluster):
    """{question: [answer, when]}: two of three were killed ten seconds ago, and the third is asked."""
    leader = cluster.leader()
    survivor, *dead = sorted(cluster.names, key=lambda name: name == leader)
    for name in dead:
        cluster.strike(name, "crash")
    cluster.rest(10)
    questions = {
        "put": ("put", {"key": "k", "value": "v"}),
        "get": ("range", {"key": "k"}),
        "get, serializable": ("range", {"key": "k", "serializable": True}),
        "list the members": ("member_list", {}),
        "list the members, linearizable": ("member_list", {"linearizable": True}),
        "status": ("status", {}),
    }
    asked = [(0, survivor, *question) for question in questions.values()]
    return {
        name: ["ok" if ok else [value["code"], value["message"]], "late" if seconds > LATE else "at once"]
        for name, (ok, value, seconds) in zip(questions, cluster.together(asked), strict=True)
    }
