"""The scheduler's plugins, one a file: filters say why a node cannot take a pod, scores say how well it could. Pure.

Filters compare what pods *request* with what a node offers; what they really use plays no part. Words and weights are
the real ones. To add a plugin, add a file here that says ``PLUGIN = Plugin(…)``; nothing else knows their names.
Models k/k pkg/scheduler/apis/config/v1 getDefaultPlugins
"""

from importlib import import_module
from pkgutil import iter_modules

from kubemini.scheduler.decide.plugin import Plugin


def profile() -> tuple[Plugin, ...]:
    """Every plugin of this folder, in the order of the default profile."""
    found = (import_module(f"{__name__}.{module.name}").PLUGIN for module in iter_modules(__path__))
    return tuple(sorted(found, key=lambda plugin: plugin.place))
