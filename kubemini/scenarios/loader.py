"""Loading scenarios: a name, a file, or what such a file holds → a checked `Scenario`.

`check` understands the few words of JSON Schema that schema.json uses (type, required, properties,
additionalProperties, items, enum), so that the same schema serves editors, tests and the browser.
What does not come with kubemini is carried along (`Scenario.source`): a widget can ask for it again without the file.
"""

import difflib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kubemini.cluster.topology import Topology, TopologyError, build
from kubemini.params import ParamError, Params, changed
from kubemini.ranges import shown
from kubemini.sim.units import SECOND, duration

FOLDER = Path(__file__).parent
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}


class ScenarioError(ValueError):
    """A scenario that cannot be run; the message names the file, the field and what was expected."""


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
    if isinstance(source, dict):
        return _carrying(source, from_data(source, "scenario"))
    path = Path(source)
    ours = path.suffix not in (".yaml", ".yml", ".json")
    if ours:
        if str(source) not in names():
            close = difflib.get_close_matches(str(source), names(), 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ScenarioError(f"there is no scenario {shown(str(source))}.{hint} There are: {', '.join(names())}")
        path = next(p for p in (FOLDER / f"{source}.yaml", FOLDER / f"{source}.json") if p.exists())
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is not UTF-8 text; write a scenario as YAML") from None
    data = _parse(text, path)
    scenario = from_data(data, path.stem, str(path.name))
    return scenario if ours else _carrying(data, scenario)


def _carrying(data: dict[str, Any], scenario: Scenario) -> Scenario:
    """*scenario*, with what it was made from."""
    return replace(scenario, source={"name": scenario.name, **data})


def _parse(text: str, path: Path) -> Any:
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise ScenarioError(f"{path.name}: not JSON: {error}") from None
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise ScenarioError(f"{path.name}:{where} not YAML: {getattr(error, 'problem', None) or error}") from None


def check(value: Any, schema: dict[str, Any], where: str) -> None:
    """Raise ScenarioError if *value* does not fit *schema*; *where* names it."""
    kind: Any = TYPES[schema["type"]] if "type" in schema else object
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise ScenarioError(f"{where}: expected {_article(schema['type'])}, got {json.dumps(value, default=str)}")
    if "enum" in schema and value not in schema["enum"]:
        raise ScenarioError(f"{where}: expected one of {', '.join(schema['enum'])}, got {value!r}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                raise ScenarioError(f"{where}: {name} is missing; it is {_article(known[name]['type'])}")
        for name, item in value.items():
            if name in known:
                check(item, known[name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                raise ScenarioError(f"{where}: {name!r} is not known here; there are: {', '.join(known)}")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            check(item, schema["items"], f"{where}[{number}]")


def _article(kind: str) -> str:
    word = "mapping" if kind == "object" else kind
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def from_data(data: Any, name: str, file: str = "") -> Scenario:
    """A scenario from parsed YAML or JSON. Raises ScenarioError naming *file* and the field."""
    file = file or name
    schema = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    check(data, schema, file)
    name = data.get("name", name)
    try:
        topology = build(**data["topology"])
        scenario = Scenario(
            name=name,
            title=data["title"],
            topology=topology,
            about=data.get("about", ""),
            params=changed(Params(), data.get("params", {})),
            manifests=data.get("manifests", ""),
            workload=data.get("workload", {}),
            faults=tuple(tuple(entry) for entry in data.get("faults", ())),
            seed=data.get("seed", 1),
            until=duration(data.get("until", "60s")),
        )
        for load_kind, options in scenario.workload.items():
            if "every" in options and duration(options["every"]) < 1000:
                raise ScenarioError(f"{file}.workload.{load_kind}.every: the shortest interval is 1ms")
    except TopologyError as error:
        raise ScenarioError(f"{file}.{error}") from None
    except ParamError as error:
        raise ScenarioError(f"{file}.params.{error}") from None
    except ScenarioError:
        raise
    except ValueError as error:
        raise ScenarioError(f"{file}: {error}") from None
    return scenario


def with_params(scenario: Scenario, values: Any) -> Scenario:
    """*scenario* with other parameters, written as in its file. Raises ScenarioError that says what to do next."""
    try:
        return replace(scenario, params=changed(scenario.params, values))
    except ParamError as error:
        raise ScenarioError(f"{scenario.name}.params.{error}") from None
