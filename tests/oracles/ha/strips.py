"""What the page shows of the recordings, derived from them: ``python -m tests.oracles.ha.strips`` (`make record`).

Reads recorded/*.json.gz, one trial on a real cluster each, and writes kubemini/view/beneath/recordings.json: of each
trial what the strips of a page need, by second. Invariant: equal recordings give equal bytes.
"""

import gzip
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubemini.view.beneath import recordings
from kubemini.view.beneath.recordings import FATES, Changes, Recording, folded

RECORDED = Path(__file__).parent / "recorded"
DERIVED = recordings.HERE / "recordings.json"
SERIES = {"fresh-write": "API writes", "fresh-read": "API reads"}  # a connection a request, as kubectl's
NAMES = {"kubernetes": "Kubernetes", "etcd": "etcd", "haproxy": "HAProxy", "keepalived": "keepalived"}
UNKNOWN = "?"  # nobody could be asked


def derived(folder: Path = RECORDED) -> str:
    """The text of recordings.json, from all that was recorded."""
    trials = [read(path) for path in sorted(folder.glob("*.json.gz"))]
    kept = [json.dumps(folded(recording(trial)), separators=(",", ":")) for trial in trials if "strips" in trial]
    return "[\n" + ",\n".join(kept) + "\n]\n" if kept else "[]\n"


def read(path: Path) -> dict[str, Any]:
    """A recording as it was written."""
    return json.loads(gzip.decompress(path.read_bytes()))


def recording(trial: dict[str, Any]) -> Recording:
    """A trial, as far as the page shows it."""
    strips = trial["strips"]
    begins, rows = strips["from_s"], strips["requests"]
    fates = {
        name: {fate: [second[place] for second in rows[kind]] for place, fate in enumerate(FATES)}
        for kind, name in SERIES.items()
    }
    servers = sorted(strips["ready"])
    balancers = sorted(strips["balancer"])
    ran = {"kubernetes", "etcd", "haproxy", *(["keepalived"] if len(balancers) > 1 else [])}
    members = servers if trial["topology"] == "stacked" else sorted(strips.get("members", ("e1", "e2", "e3")))
    return Recording(
        topology=trial["topology"],
        trial=trial["trial"],
        hit=sorted({what.rpartition("@")[2] for what in trial["target"]["hit"]}),
        begins=begins,
        undone=round(trial.get("undone_s") or trial["hold_s"], 1),
        ends=begins + len(strips["leader"]),
        date=trial["date"],
        versions=", ".join(f"{NAMES[what]} {trial['versions'][what]}" for what in NAMES if what in ran),
        load=trial["loadavg_1m"],
        nodes={"etcd": members, "servers": servers, "balancers": balancers},
        fates=fates,
        errors={name: errors(trial["client"].get(kind, {})) for kind, name in SERIES.items()},
        leads={"etcd": changes(begins, strips["leader"])}
        | {lease: changes(begins, told) for lease, told in sorted(strips["holders"].items())},
        uses={host: changes(begins, [word == "UP" for word in in_front(strips, host)]) for host in servers},
    )


def errors(client: dict[str, Any]) -> list[list[Any]]:
    """The errors of one kind of request: [text, second in which the first began, the last, how many]."""
    return [[error["text"], *error["begun_s"], error["count"]] for error in client.get("errors", ())]


def in_front(strips: dict[str, Any], host: str) -> list[str]:
    """What the balancer that has the address says of the server of *host*, second by second; "" if none has it."""
    told = strips["balancer"]
    holders = [names.partition(" ")[0] for names in strips.get("address", ["lb1"] * len(strips["leader"]))]
    return [told[holder][host][second] if holder else "" for second, holder in enumerate(holders)]


def changes(begins: int, told: Iterable[str | bool]) -> Changes:
    """What was so in each second from *begins* on, as changes: [second, what is so from then on]."""
    found: Changes = []
    for second, word in enumerate(told, begins):
        if word != UNKNOWN and (not found or found[-1][1] != word):
            found.append([second, word])
    return found


def main() -> int:
    """Write what is derived."""
    text = derived()
    if DERIVED.read_text(encoding="utf-8") != text:
        DERIVED.write_text(text, encoding="utf-8")
        print(f"{DERIVED.name} is new: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
