"""Named scenarios: YAML files beside this one (topology, manifests, workload, faults, horizon), loaded by name.

`schema.json` says what a scenario may hold; `load` checks a file against it and names file and field of the first
thing that does not fit. In the browser, where there is no YAML parser, the build ships the same files as JSON.
"""

from kubemini.scenarios.loader import Scenario, load, names, with_params
from kubemini.scenarios.text import ScenarioError

__all__ = ["Scenario", "ScenarioError", "load", "names", "with_params"]
