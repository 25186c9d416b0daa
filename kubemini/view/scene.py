"""What is on screen: a trace → the recording that widgets play, and a run told as text.

`present` gives the widgets (static/common.js) all they draw: header, records, story, table, strip. Pure, and the same
bytes in CPython and in the browser.
"""

from collections.abc import Callable
from typing import Any

from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import SECOND, clock
from kubemini.view import loop, rollouts
from kubemini.view.beneath import windows
from kubemini.view.columns import pack
from kubemini.view.requests import FATES, asked, fate, series_of
from kubemini.view.story import story
from kubemini.view.words import rows

BUCKETS = (SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND)
MOST_BUCKETS = 60
MARKS = {"ok": "●", "warn": "▲", "bad": "✕"}
LONGEST_TABLE = 60

KEPT = {  # of these words the widgets draw only these fields
    "request": ("kind", "verb", "path", "via", "outcome", "started", "why", "answer"),
    "message": ("to", "type", "arrives"),
    "object": ("verb", "kind", "namespace", "name", "summary"),
}
ETCD_ONLY = ("kv", "timer", "room")  # a cluster's store holds objects, which are told as such; its map has no dials
ANSWERS = ("MsgAppResp", "MsgReadIndex", "MsgReadIndexResp")  # a whole cluster's map shows what is told, not these
SUMMARIZED = ("Service", "Node")
BESIDES: dict[str, dict[str, Callable[[Trace], Any]]] = {
    "rollout-strip": {"rollouts": lambda trace: [strip.data() for strip in rollouts.strips(trace)]},
}


def present(trace: Trace, picture: str = "") -> dict[str, Any]:
    """The recording of a run, as JSON values, with what a *picture* (the name of a widget) needs besides."""
    kind = trace.header["topology"]["kind"]
    in_close_up = loop.recorded(trace)
    return {
        "header": trace.header,
        "records": pack(without_redundant([row for record in trace if (row := row_of(record, kind))])),
        "story": [list(line) for line in story(trace)],
        "table": [list(row) for row in rows(trace)],
        "strip": request_strip(trace),
        "beneath": windows.beneath(trace),
        **({"loop": in_close_up} if in_close_up else {}),
        **({name: make(trace) for name, make in BESIDES.get(picture, {}).items()}),
    }


def row_of(record: Record, kind: str) -> list[Any] | None:
    """The record as far as it is drawn; None if it is not."""
    what, detail = record.what, record.detail
    if what in loop.WORDS:  # told as a whole, see `present`
        return None
    if kind != "etcd" and (what in ETCD_ONLY or (what == "message" and detail["type"] in ANSWERS)):
        return None
    if what in KEPT:
        detail = {name: detail[name] for name in KEPT[what] if detail.get(name) not in ("", None) or name == "arrives"}
    if what == "message" and "Vote" in detail["type"]:
        detail["term"] = record.detail["term"]
    if what == "object" and detail["kind"] not in SUMMARIZED:
        detail.pop("summary", None)
    return [record.at, record.actor, what, detail]


def without_redundant(records: list[list[Any]]) -> list[list[Any]]:
    """*records* without the commits that a member applies at the same instant: to have applied says as much."""
    applied = {(at, who) for at, who, what, _ in records if what == "apply"}
    return [row for row in records if row[2] != "commit" or (row[0], row[1]) not in applied]


def request_strip(trace: Trace) -> dict[str, Any]:
    """The fate of all requests, by the bucket of time in which each began."""
    until = trace.header["until"]
    bucket = next((b for b in BUCKETS if until <= MOST_BUCKETS * b), BUCKETS[-1])
    count = max(1, -(-until // bucket))
    series: dict[str, dict[str, Any]] = {}
    for record in asked(trace):
        name = series_of(record.detail)
        row = series.setdefault(name, {"name": name} | {what: [0] * count for what in FATES})
        row[fate(record)][min(count - 1, record.detail["started"] // bucket)] += 1
    return {"bucket": bucket, "series": [series[name] for name in sorted(series)]}


def totals(trace: Trace) -> list[str]:
    """One line a kind of request: how many were asked, and their fate; what never happened is told of three."""
    lines = []
    for row in request_strip(trace)["series"]:
        many = {what: sum(row[what]) for what in FATES}
        told = [f"{many[what]} {what}" for what in FATES if many[what] or what in ("ok", "failed", "unknown")]
        lines.append(f"{row['name']}: {sum(many.values())} asked, {', '.join(told)}")
    return lines


def text_summary(trace: Trace) -> str:
    """A run told as text: what was true when, what happened, how the clients fared."""
    header, table = trace.header, rows(trace)
    told = [(at, level, first) for at, level, first, _ in story(trace)]
    changes = [line for before, line in zip([None, *told], told) if before is None or before[1:] != line[1:]]
    lines = [
        f"{header.get('title') or header.get('scenario', 'a run')}",
        f"scenario {header.get('scenario', '-')}, seed {header['seed']}, {clock(header['until'])}",
        "",
        *(f"{clock(at):>9}  {MARKS[level]} {first}." for at, level, first in changes),
        "",
        *(f"{time:>8}s  {who}: {words}" for time, who, words in table[:LONGEST_TABLE]),
    ]
    if len(table) > LONGEST_TABLE:
        lines.append(f"           … and {len(table) - LONGEST_TABLE} more")
    return "\n".join([*lines, "", *totals(trace), *windows.told(trace)])
