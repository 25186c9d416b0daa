"""A fault: one snippet of one module, changed while that module is imported."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutant:
    """In *module* of kubemini, *new* stands where *old* stood; *fault* is what that means."""

    name: str
    fault: str
    module: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        return (ROOT / "kubemini").joinpath(*self.module.split(".")).with_suffix(".py")

    def source(self) -> str:
        """The module with the fault in it."""
        source = self.path.read_text(encoding="utf-8")
        assert source.count(self.old) == 1, (
            f"{self.name}: {self.path.name} has {self.old!r} {source.count(self.old)} times"
        )
        return source.replace(self.old, self.new)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with the fault in it."""

    def __init__(self, mutant: Mutant):
        self.mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name == f"kubemini.{self.mutant.module}":
            return importlib.util.spec_from_loader(name, self, origin=str(self.mutant.path))
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.source(), str(self.mutant.path), "exec"), module.__dict__)


def plant(mutant: Mutant) -> None:
    """From now on *mutant* is what is imported; to be called in a process that has not imported kubemini yet."""
    sys.meta_path.insert(0, _Finder(mutant))
