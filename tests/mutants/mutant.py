"""A fault: one snippet of one module, changed while that module is imported."""

import importlib.abc
import importlib.machinery
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
UNTRIED = ("ImportError", "ModuleNotFoundError", "SyntaxError")


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


def try_all(
    here: str, mutants: Sequence[Mutant], arguments: Sequence[str], first_difference: Callable[[Mutant], str]
) -> int:
    """Say what notices each of *mutants*, or of those that *arguments* name; 1 if one goes unnoticed.

    ``--one NAME`` is for the process of its own that each is tried in: it prints what *first_difference* finds.
    """
    names = [argument for argument in arguments if argument != "--one"]
    chosen = [mutant for mutant in mutants if not names or mutant.name in names]
    if "--one" in arguments:
        plant(chosen[0])
        print(first_difference(chosen[0]))
        return 0
    unnoticed = 0
    for mutant in chosen:
        told = noticed(here, mutant)
        unnoticed += not told
        print(f"{mutant.name:30} {mutant.fault:70} {told[:60] or 'NOT NOTICED'}", flush=True)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} noticed")
    return 1 if unnoticed else 0


def noticed(here: str, mutant: Mutant) -> str:
    """The first difference that *mutant* of the module *here* makes, "" if none; tried in a process of its own.

    It may fail there, which is a difference; but what cannot even be imported has not been tried.
    """
    command = [sys.executable, "-m", here, "--one", mutant.name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1]
        assert not last.startswith(UNTRIED), f"{mutant.name} could not be tried: {last}"
        return last
    return done.stdout.strip()
