"""The kinds that this API server serves, a file each: names, defaults, rules, status, what the trace says.

To add a kind: one file here, or in a folder of its group. It says `serve(ServedKind(...))`; its names come from
published discovery (``api/schema/resources.txt``), its fields from the published OpenAPI; those of a custom resource
from its CRD (``api/schema/customresources.json``). The files are read when first asked for.
"""

import importlib
import pkgutil

for _found in sorted(pkgutil.walk_packages(__path__, f"{__name__}."), key=lambda module: module.name):
    importlib.import_module(_found.name)
