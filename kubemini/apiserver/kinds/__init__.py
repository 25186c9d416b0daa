"""The kinds that this API server serves, a file each: names, defaults, rules, status, what the trace says.

To add a kind: one file here. It says `serve(ServedKind(...))`; its names come from published discovery
(``api/schema/resources.txt``), its fields from the published OpenAPI. The files are read when first asked for.
"""

import importlib
import pkgutil

for _found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
    importlib.import_module(f"{__name__}.{_found.name}")
