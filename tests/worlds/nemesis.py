"""Trouble for a whole etcd, as scenarios: ``python -m tests.worlds.nemesis COUNT [FIRST SEED]`` runs and judges them.

With ``--clusters`` for whole clusters (`clusters.py`, `duties.py`).
Of a plot (`plots.py`) that breaks a rule of `verdicts.py` all is left out that is not needed for it (`shrinking.py`),
and what is left becomes a scenario file in ``_build/nemesis``, to be run and opened in the widget like any other; given
a FILE, it is judged.
"""

import os
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubemini.scenarios import load
from kubemini.simulate import EVENT_BUDGET
from tests import panics
from tests.worlds.clusters import ClusterAuthor, ClusterShrinker
from tests.worlds.plots import Author, Plot, instant
from tests.worlds.shrinking import Shrinker, breach_of, breaches
from tests.worlds.verdicts import Breach

FOLDER = Path(__file__).resolve().parents[2] / "_build" / "nemesis"

# -- a file to read --------------------------------------------------------------------------------------------------

TITLES = {
    "election safety": "Two leaders in one term",
    "leader completeness": "A leader without what was committed",
    "state machine safety": "Members that do not agree on what is committed",
    "no acknowledged write lost": "An acknowledged write is lost",
    "linearizable reads": "A read that is not linearizable",
    "serializable reads": "A read of what was never committed",
    "agreement": "Members that do not agree in the end",
    "progress after healing": "No progress after healing",
    "members that can go on": "A member that cannot go on",
    "one acting holder": "Two who hold one Lease",
    "everything recovers": "What does not recover by itself",
}


def written(plot: Plot, breach: Breach, name: str) -> Path:
    """The scenario file of *plot*, which shows *breach*."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.yaml"
    path.write_text(text(plot, breach), encoding="utf-8")
    return path


def text(plot: Plot, breach: Breach) -> str:
    """*plot* as a file that is pleasant to read."""
    data = plot.data()
    about = textwrap.wrap(str(breach), 116)
    lines = [
        f"# Seed {plot.seed} of the nemesis, without what was not needed.",
        f"title: {TITLES[breach.rule]}",
        "about: >",
        *(f"  {line}" for line in about),
        f"topology: {_flow(data['topology'])}",
    ]
    lines += [f"params: {_flow(plot.params)}"] if plot.params else []
    lines += ["manifests: |", *textwrap.indent(data["manifests"], "  ").splitlines()] if "manifests" in data else []
    lines += ["workload:"] if plot.workload else []
    lines += [f"  {kind}: {_flow(options)}" for kind, options in plot.workload.items()]
    lines += ["faults:"] if plot.entries else []
    lines += [f"  - {_flow(entry)}" for entry in data["faults"]] if plot.entries else []
    return "\n".join([*lines, f"seed: {plot.seed}", f"until: {instant(plot.until)}", ""])


def _flow(value: Any) -> str:
    """*value* as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if "," in str(value) else str(value)


# -- hunting ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Catch:
    """A breach, in the plot as it was drawn and as it became."""

    drawn: Plot
    plot: Plot
    breach: Breach


def hunt(
    seeds: Iterable[int], tell: Callable[[int], None] = lambda count: None, clusters: bool = False
) -> Catch | None:
    """Run the plots of *seeds*; the first that breaks a rule, shrunk."""
    author, shrinker = (ClusterAuthor, ClusterShrinker) if clusters else (Author, Shrinker)
    for count, seed in enumerate(seeds, start=1):
        drawn = author(seed).plot()
        found = breaches(drawn.scenario())
        if found:
            plot = shrinker(drawn, found[0].rule).run()
            return Catch(drawn, plot, breach_of(plot, found[0].rule) or found[0])
        tell(count)
    return None


def verdict(file: str) -> int:
    """Judge the scenario in *file*, or called so."""
    try:
        found = breaches(load(file), EVENT_BUDGET)
    except ValueError as error:
        print(f"nemesis: {error}", file=sys.stderr)
        return 2
    print("\n".join(map(str, found)) or "every rule held")
    return 1 if found else 0


def main(arguments: list[str], name: str = "") -> int:
    """``[--clusters] COUNT [FIRST SEED]``, or a FILE to judge; a catch goes to the file *name*, or after its seed."""
    clusters, arguments = "--clusters" in arguments, [word for word in arguments if word != "--clusters"]
    if arguments and not arguments[0].isdigit():
        return verdict(arguments[0])
    count, first = ([int(a) for a in arguments] + [2000, 0][len(arguments) :])[:2]
    catch = hunt(range(first, first + count), lambda n: n % 500 or print(f"{n} scenarios", flush=True), clusters)
    if catch is None:
        print(f"{count} scenarios: every rule held")
        return 0
    path = written(catch.plot, catch.breach, name or f"seed-{catch.plot.seed}")
    path = Path(os.path.relpath(path))
    tried = catch.plot.seed - first + 1
    print(f"{catch.breach}")
    print(
        f"(scenario {tried} of {count}, {len(catch.drawn.entries)} lines of trouble, {len(catch.plot.entries)} needed)"
    )
    print(f"The file: {path}")
    print(f"  {Path(sys.executable).name} -m kubemini run {path}")
    print(f'  kubemini.show("{path}")')
    return 1


if __name__ == "__main__":
    panics.are_failures()
    sys.exit(main(sys.argv[1:]))
