"""How fast it is, beside the bars in bars.toml: counts of events, which are exact, and times, which are a report."""

import platform

from kubemini.bench import counts, measures, rules, scale
from kubemini.bench.table import Result, bars, held

MEASURES = (
    counts.per_message,
    counts.events_saved,
    measures.engine,
    measures.beside_pysyncobj,
    measures.time_saved,
    measures.time_lost,
    measures.policies,
    measures.scheduling,
    scale.wired,
    scale.watchers,
    scale.store,
    scale.idle,
    measures.rollouts,
    measures.connections,
    measures.clicks,
    rules.whole,
    rules.changes,
    measures.import_cpu,
    measures.page_weight,
    measures.book_build,
)


def main(check: bool = False, pyodide: bool = False) -> int:
    """Measure, print the table, and with *check* return 1 if a bar is not held."""
    print(f"Python {platform.python_version()}, {measures.ROUNDS} interleaved rounds, CPU time, medians (clicks: p95)")
    missed = 0
    for measure in (*MEASURES, *((measures.in_pyodide,) if pyodide else ())):
        missed += sum(not _shown(result) for result in measure())
    return 1 if check and missed else 0


def _shown(result: Result) -> bool:
    """Print a line; whether the bar is held."""
    bar = bars()[result.bar]
    fine = held(result, bar)
    case, spread = (f" [{result.case}]" if result.case else ""), (f"  {result.spread}" if result.spread else "")
    figures = f"{result.value:9.3f}  hold {bar['hold']:<7g} aim {bar['aim']:<7g}"
    print(f"{'ok  ' if fine else 'MISS'} {figures} {bar['what']}{case}{spread}", flush=True)
    return fine
