"""What became of the client's requests: `client` of a record, and the rows of its strips by the second.

A row of the client: t (begun, seconds since 1970), ms, k (kind), ok, code, reason, err, n (the name that a write made).
"""

import json
import re
from collections import Counter, defaultdict

GENERAL = (
    (r"127\.0\.0\.1:\d+->", "CLIENT->"),
    (r"192\.0\.2\.5:\d+", "CLIENT"),
    (r"192\.0\.2\.(8|9|10):6443", "BALANCER"),
    (r"192\.0\.2\.1(\d):6443", r"API-\1"),
    (r"/namespaces/[\w-]+/", "/namespaces/NS/"),
    (r'"w-\w+-\d+"', '"NAME"'),
)
LATE = 1000  # ms


def general(text):
    """*text* without what differs from run to run."""
    for pattern, by in GENERAL:
        text = re.sub(pattern, by, text)
    return text


def read(path):
    """(requests by kind in the order of their beginning, what the informer heard)."""
    requests, heard = defaultdict(list), []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        (heard if row["k"].startswith("watch") else requests[row["k"]]).append(row)
    return {kind: sorted(rows, key=lambda r: r["t"]) for kind, rows in sorted(requests.items())}, heard


def told(requests, struck, counted, existing):
    """`client` of a record: *struck* is the instant of the fault, *existing* the names that are there in the end."""
    first, last = counted
    client = {}
    for kind, rows in requests.items():
        inside = [row for row in rows if first <= row["t"] - struck <= last]
        client[kind] = _summary(inside, struck, existing if kind.endswith("write") else None)
    good = {row["n"] for rows in requests.values() for row in rows if row.get("n") and row["ok"]}
    return {**client, "acknowledged_writes": len(good), "acknowledged_and_missing": len(good - existing)}


def _summary(rows, struck, existing):
    bad = [row for row in rows if not row["ok"] or row["ms"] > LATE]
    good = [row["t"] for row in rows if row["ok"] and row["ms"] <= LATE]
    steps = zip([struck, *good], [*good, max(row["t"] for row in rows)], strict=True)
    told = {
        "requests": len(rows),
        "failed": sum(1 for row in rows if not row["ok"]),
        "ok_but_over_1s": sum(1 for row in bad if row["ok"]),
        "longest_without_success_s": round(max(b - a for a, b in steps), 2),
    }
    if bad:
        inside = [row for row in rows if bad[0]["t"] <= row["t"] <= bad[-1]["t"]]
        told["first_bad_s"] = round(bad[0]["t"] - struck, 2)
        told["last_bad_s"] = round(bad[-1]["t"] - struck, 2)
        told["share_bad_between"] = round(len(bad) / len(inside), 2)
        told["slowest_ok_s"] = round(max((r["ms"] for r in rows if r["ok"]), default=0) / 1000, 2)
    failed = [row for row in rows if not row["ok"]]
    kinds = Counter(_kind(row) for row in failed)
    if kinds:
        told["errors"] = [
            _error(kind, [row for row in failed if _kind(row) == kind], struck, existing)
            for kind, _ in kinds.most_common()
        ]
    return told


def _kind(row):
    return general(row.get("err", "")), row.get("code", 0), row.get("reason", "")


def _error(kind, rows, struck, existing):
    took = [row["ms"] / 1000 for row in rows]
    told = {
        **{"text": kind[0], "code": kind[1], "reason": kind[2], "count": len(rows)},
        "begun_s": [round(rows[0]["t"] - struck, 2), round(rows[-1]["t"] - struck, 2)],
        "took_s": [round(min(took), 2), round(max(took), 2)],
    }
    if existing is not None:
        told["found_later"] = sum(1 for row in rows if row["n"] in existing)
    return told


def by_second(requests, struck, seconds):
    """Kind → [ok, slow, failed] of each of *seconds*, by the second in which a request was begun."""
    rows = {}
    for kind, asked in requests.items():
        counts = {second: [0, 0, 0] for second in seconds}
        for row in asked:
            if (second := int((row["t"] - struck) // 1)) in counts:
                counts[second][(0 if row["ms"] <= LATE else 1) if row["ok"] else 2] += 1
        rows[kind] = list(counts.values())
    return rows
