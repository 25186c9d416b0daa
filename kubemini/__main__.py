"""The command line.

    python -m kubemini run quorum                       a scenario by name
    python -m kubemini run my.yaml --seed 7 --until 60s --trace out.jsonl
    python -m kubemini scenarios                        what there is
    python -m kubemini check history.jsonl              is it linearizable?
    python -m kubemini bench --check                    how fast it is, against the bars
Exit status: 0 done, 1 a check failed, 2 the input cannot be used (one sentence says why).
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from kubemini.commands import read_line
from kubemini.run import Runaway, run
from kubemini.scenarios import load, names
from kubemini.sim import Trace
from kubemini.sim.kernel import FIDELITIES, FULL
from kubemini.sim.units import clock


def _progress(share: float) -> None:
    """A bar on standard error, only where somebody watches."""
    width = 40
    done = round(share * width)
    end = "\n" if share >= 1 else ""
    print(f"\r[{'#' * done}{'.' * (width - done)}] {share:4.0%}", end=end, file=sys.stderr, flush=True)


def summary(trace: Trace) -> str:
    """What a run was and how its clients fared."""
    from kubemini.view.scene import text_summary

    return text_summary(trace)


def _run(options: argparse.Namespace) -> int:
    watched = sys.stderr.isatty() and not options.quiet
    commands = [read_line(c) for c in options.command]
    progress = _progress if watched else None
    trace = run(options.scenario, options.seed, commands, options.until, progress, fidelity=options.fidelity)
    if options.trace:
        Path(options.trace).write_text(trace.to_jsonl(), encoding="utf-8")
    print(summary(trace))
    words = Counter(record.what for record in trace)
    print(f"{len(trace)} records: " + ", ".join(f"{n} {what}" for what, n in sorted(words.items())))
    if options.trace:
        print(f"written to {options.trace}")
    return 0


def _scenarios(_: argparse.Namespace) -> int:
    for name in names():
        scenario = load(name)
        print(f"{name:10} {clock(scenario.until):>9}  {scenario.title}")
    return 0


def _bench(options: argparse.Namespace) -> int:
    from kubemini import bench

    return bench.main(check=options.check, pyodide=options.pyodide)


def _check(options: argparse.Namespace) -> int:
    from kubemini.check import check, draw, parse

    try:
        text = Path(options.history).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ValueError(f"cannot read {options.history}: {why}; give a file of JSON lines") from None
    operations = parse(text)
    violation = check(operations)
    if violation:
        print(draw(violation))
        return 1
    print(f"linearizable: {len(operations)} operation{'' if len(operations) == 1 else 's'} with a known or open fate")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(prog="kubemini", description="A small Kubernetes cluster that you can break.")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")
    go = verbs.add_parser("run", help="simulate a scenario and print what happened")
    go.add_argument("scenario", help="a name (see `kubemini scenarios`) or a YAML file")
    go.add_argument("--seed", type=int, help="another seed: other luck")
    go.add_argument("--until", help="the horizon, such as 60s")
    go.add_argument(
        "--fidelity", choices=FIDELITIES, default=FULL, help="quiescent: leave out the heartbeats that change nothing"
    )
    go.add_argument("--trace", metavar="FILE", help="write every record as JSON lines")
    go.add_argument(
        "--command",
        action="append",
        default=[],
        metavar="TIME,ACTION,TARGET",
        help="do something, such as 12s,crash,etcd-1",
    )
    go.add_argument("--quiet", action="store_true", help="no progress bar")
    go.set_defaults(act=_run)
    listing = verbs.add_parser("scenarios", help="list the scenarios that come with kubemini")
    listing.set_defaults(act=_scenarios)
    judge = verbs.add_parser("check", help="judge whether a history of reads and writes is linearizable")
    judge.add_argument("history", help="JSON lines in Jepsen's shape: process, type, f, key, value")
    judge.set_defaults(act=_check)
    measure = verbs.add_parser("bench", help="measure speed in interleaved rounds")
    measure.add_argument("--check", action="store_true", help="exit 1 where a bar is not held")
    measure.add_argument(
        "--pyodide", action="store_true", help="also measure in Pyodide (needs node and npm's pyodide)"
    )
    measure.set_defaults(act=_bench)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        return options.act(options)
    except (ValueError, Runaway, OSError) as error:
        print(f"kubemini: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
