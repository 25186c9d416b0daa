"""What porcupine says of a history: main.go, asked from here."""

from collections.abc import Iterable

from kubemini.judge.history import Operation
from tests.oracles.asked import Asked


class Porcupine(Asked):
    """The judge, for as long as the `with` block lasts. Raises build.Missing."""

    def __init__(self) -> None:
        super().__init__("porcupine")

    def linearizable(self, operations: Iterable[Operation]) -> bool:
        """Whether one order of *operations* explains every answer."""
        fields = ("f", "key", "value", "invoked", "returned")
        return self.ask([{field: getattr(operation, field) for field in fields} for operation in operations])
