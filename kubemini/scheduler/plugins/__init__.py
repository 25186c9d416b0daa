"""The scheduler's plugins, one a file: filters say why a node cannot take a pod, scores say how well it could. Pure.

Filters compare what pods *request* with what a node offers; what they really use plays no part. Words and weights are
the real ones. To add a plugin, add a file here that says ``PLUGIN = Plugin(…)``; nothing else knows their names.
Models k/k pkg/scheduler/apis/config/v1 getDefaultPlugins
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from kubemini.scheduler.decide.plugin import Plugin


def profile() -> tuple[Plugin, ...]:
    """Every plugin of this folder and of those in it, in the order of the default profile."""
    return tuple(sorted(_found(__name__, __path__), key=lambda plugin: plugin.place))


def _found(package: str, path: Iterable[str]) -> Iterator[Plugin]:
    for entry in iter_modules(path):
        module = import_module(f"{package}.{entry.name}")
        if entry.ispkg:
            yield from _found(module.__name__, module.__path__)
        else:
            yield module.PLUGIN
