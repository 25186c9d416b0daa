"""memory.nospace: the lines of etcdctl that make a full cluster writable.

Tried in twenty clusters of three and five members.
"""

from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.study.etcdctl import MIB, Etcd, Unknown

QUOTA = 16 * MIB
ALLOWED = ("compact", "defrag", "alarm", "endpoint")
WRITES_AFTER, SIZE = 12, 500_000  # the test of a repair: so many writes of so many bytes


class Full:
    """A cluster whose quota is used up, differently with every seed."""

    def __init__(self, seed: int):
        dice = Random(seed)
        self.seed, self.etcd = seed, Etcd(dice.choice((3, 5)), seed, etcd_quota_backend_bytes=QUOTA)
        self.names = list(self.etcd.members)
        self.values = {f"key-{number}": "" for number in range(1, 4)}
        while True:
            key, value = dice.choice(list(self.values)), dice.choice("xyz") * dice.randint(200_000, 500_000)
            if not self.put(key, value, dice.choice(self.names)):
                break
            self.values[key] = value

    def put(self, key: str, value: str, member: str) -> bool:
        """Write through *member*; whether that went well."""
        return self.etcd.ask("put", {"key": key, "value": value}, member).ok

    def status(self, member: str = "") -> dict[str, Any]:
        """What a member says of itself."""
        return self.etcd.ask("status", {}, member).value


@exercise("memory.nospace")
def check_nospace(answer: Any) -> Report:
    """*answer*: a function of the store's revision and the members' names: lines for etcdctl."""
    seeds = range(20)
    shrunk = [_repaired(Full(seed), answer) for seed in seeds]
    return Report(
        "pass",
        (
            f"{len(shrunk)} of {len(shrunk)} clusters take {WRITES_AFTER} writes more, through every member",
            f"files of {min(before for before, _ in shrunk):.1f} to {max(before for before, _ in shrunk):.1f} MiB "
            f"are {min(after for _, after in shrunk):.1f} to {max(after for _, after in shrunk):.1f} MiB now",
            "no key lost its value",
        ),
        "History was compacted, its room given back on every member, and then the alarm disarmed.",
        "What filled the store? Until you know, it will be full again.",
    )


def _repaired(full: Full, answer: Any) -> tuple[float, float]:
    """The size of the largest file before and after, in MiB. Raises NotYet with what is wrong."""
    before = max(full.status(name)["dbSize"] for name in full.names)
    lines = _lines(ask(answer, full.status()["header"]["revision"], list(full.names)))
    for line in lines:
        _type(full.etcd, line)
    _still_closed(full, lines)
    after = max(full.status(name)["dbSize"] for name in full.names)
    for number in range(WRITES_AFTER):
        if not full.put("probe", "p" * SIZE, member := full.names[number % len(full.names)]):
            raise NotYet(
                f"After {number} more writes {member} raised the alarm again: there is no room.",
                _cluster(full, lines),
                full.etcd("endpoint status"),
                next="Which members gave room back, and how much?",
            )
    for key, value in full.values.items():
        kvs = full.etcd.ask("range", {"key": key}).value["kvs"]
        assert [kv["value"] for kv in kvs] == ([value] if value else []), "no allowed line can change a key"
    return before / MIB, after / MIB


def _lines(found: Any) -> list[str]:
    if isinstance(found, str):
        found = found.strip().splitlines()
    if not isinstance(found, list | tuple) or not all(isinstance(line, str) for line in found):
        raise NotYet(f'Return a list of lines such as ["alarm list"]; yours is {found!r}.')
    if len(found) > 20:
        raise NotYet(f"{len(found)} lines are more than this needs: ten are enough.")
    return [line.strip().removeprefix("etcdctl ") for line in found]


def _type(etcd: Etcd, line: str) -> None:
    if line.split()[:1] == ["del"]:
        raise NotYet("Nothing may be deleted: the keys are somebody's. What fills the store is their history.")
    if not line.startswith(ALLOWED):
        raise NotYet(f"{line!r} is not for you here: use compact, defrag and alarm.")
    try:
        said = etcd(line)
    except Unknown as error:
        raise NotYet(f"etcdctl does not understand you: {error}.") from None
    if said.startswith("Error"):
        raise NotYet(f"etcd refused {line!r}: {said.removeprefix('Error: ')}.")


def _still_closed(full: Full, lines: list[str]) -> None:
    """Say what stands in the way of the first write, if anything does."""
    states = [full.status(name) for name in full.names]
    facts = (_cluster(full, lines), full.etcd("endpoint status"))
    crammed = [name for name, state in zip(full.names, states, strict=True) if state["dbSize"] > QUOTA * 3 // 4]
    if any(state["dbSizeInUse"] > QUOTA * 3 // 4 for state in states):
        raise NotYet("Every old revision is still kept: no file can shrink.", *facts, next="Forget history first.")
    if crammed:
        hint = "There is room inside the files, but they are as long as before: the quota counts the file (M18)."
        if len(crammed) < len(full.names):
            hint = f"defrag works on one member at a time: the files of {', '.join(crammed)} are as long as before."
        raise NotYet(hint, *facts, next="Defragment every member, after the compaction.")
    if any(state["errors"] for state in states):
        raise NotYet("There is room, and still no write: the alarm is raised until somebody disarms it (M18).", *facts)


def _cluster(full: Full, lines: list[str]) -> str:
    return f"cluster {full.seed}, {len(full.names)} members; you: {'; '.join(lines) or 'nothing'}"
