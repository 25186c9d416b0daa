"""A judge that runs beside us: one JSON value a line there, one back."""

import json
import subprocess
from types import TracebackType
from typing import Any

from tests.oracles.build import program


class Asked:
    """The program called *name*, for as long as the `with` block lasts. Raises build.Missing."""

    def __init__(self, name: str):
        self.name = name
        self.process = subprocess.Popen([program(name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Asked":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def ask(self, question: Any) -> Any:
        """The answer to *question*; both are JSON."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(question, separators=(",", ":")) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the judge {self.name} ended with {self.process.wait()}; what it said stands above"
        return json.loads(line)
