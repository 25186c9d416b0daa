"""Loading scenarios: a name, a file, or what such a file holds → a checked `Scenario`.

A file is read (`text`), held against schema.json (`schema`), and then its parts against each other: what the topology
has not, nobody may ask for. What does not come with kubemini is carried along (`Scenario.source`): a widget can ask for
it again without the file.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kubemini.cluster import Topology, TopologyError, WorkloadError, build, read_workload, refuse_without_api_server
from kubemini.params import ParamError, Params, changed
from kubemini.ranges import shown
from kubemini.scenarios.schema import check
from kubemini.scenarios.text import MANIFESTS, ScenarioError, read
from kubemini.sim.units import SECOND, duration

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that makes a run, but the seed and the reader's commands."""

    name: str
    title: str
    topology: Topology
    about: str = ""
    params: Params = field(default_factory=Params)
    manifests: str = ""
    workload: dict[str, Any] = field(default_factory=dict)
    faults: tuple[tuple[Any, ...], ...] = ()
    seed: int = 1
    until: int = 60 * SECOND
    source: dict[str, Any] | None = None


def names() -> list[str]:
    """The scenarios that come with kubemini, sorted."""
    return sorted({f.stem for f in FOLDER.iterdir() if f.suffix in (".yaml", ".json")} - {"schema"})


def load(source: "str | Path | dict[str, Any] | Scenario") -> Scenario:
    """The scenario called *source*, in the file *source*, or made of these data.

    Raises ScenarioError that says what to do next.
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, Mapping):
        return _carrying(dict(source), from_data(source, "scenario"))
    if not isinstance(source, str | Path):
        raise ScenarioError(f"expected a scenario's name, file or data, got {shown(source)}")
    if Path(source).suffix in (".yaml", ".yml", ".json") or _is_file(source):
        data = read(Path(source))
        return _carrying(data, from_data(data, Path(source).stem, Path(source).name))
    return _of_ours(str(source))


def _is_file(source: str | Path) -> bool:
    """Whether *source* is none of our names, and there is a file, or something else, called so."""
    try:
        return bool(str(source)) and str(source) not in names() and Path(source).exists()
    except (OSError, ValueError):  # no file can be called so
        return False


def _of_ours(name: str) -> Scenario:
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ScenarioError(f"there is no scenario {shown(name)}.{hint} There are: {', '.join(names())}")
    path = next(p for p in (FOLDER / f"{name}.yaml", FOLDER / f"{name}.json") if p.exists())
    return from_data(read(path), name, path.name)


def _carrying(data: dict[str, Any], scenario: Scenario) -> Scenario:
    """*scenario*, with what it was made from."""
    return replace(scenario, source={"name": scenario.name, **data})


def from_data(data: Any, name: str, file: str = "") -> Scenario:
    """A scenario from parsed YAML or JSON. Raises ScenarioError naming *file* and the field."""
    file = file or name
    if isinstance(data, Mapping) and {"apiVersion", "kind"} <= data.keys():
        raise ScenarioError(f"{file}: {MANIFESTS}")
    check(data, json.loads((FOLDER / "schema.json").read_text(encoding="utf-8")), file)
    try:
        return _made_of(data, data.get("name", name))
    except ParamError as error:
        raise ScenarioError(f"{file}.params.{error}") from None
    except (TopologyError, WorkloadError) as error:
        raise ScenarioError(f"{file}.{error}") from None


def _made_of(data: Mapping[str, Any], name: str) -> Scenario:
    topology = build(**data["topology"])
    workload = data.get("workload", {})
    read_workload(topology, workload)
    if data.get("manifests"):
        refuse_without_api_server(topology, "manifests")
    return Scenario(
        name=name,
        title=data["title"],
        topology=topology,
        about=data.get("about", ""),
        params=changed(Params(), data.get("params", {})),
        manifests=data.get("manifests", ""),
        workload=workload,
        faults=tuple(tuple(entry) for entry in data.get("faults", ())),
        seed=data.get("seed", 1),
        until=duration(data.get("until", "60s")),
    )


def with_params(scenario: Scenario, values: Any) -> Scenario:
    """*scenario* with other parameters, written as in its file. Raises ScenarioError that says what to do next."""
    try:
        return replace(scenario, params=changed(scenario.params, values))
    except ParamError as error:
        raise ScenarioError(f"{scenario.name}.params.{error}") from None
