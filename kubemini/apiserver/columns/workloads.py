"""What the Tables of workloads have in common: the containers of the template, and whom the selector picks.

Models k/k pkg/printers/internalversion layoutContainerCells, printReplicaSet, printDeployment;
k/apimachinery pkg/apis/meta/v1 FormatLabelSelector.
"""

from collections.abc import Sequence

from kubemini.api import labels
from kubemini.api.labels import SelectorError
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import NONE, WIDE, Cell, Column, at

TEMPLATE = ("spec", "template")


def containers(field: str, *template: str) -> Cell:
    """The *field* of every container of the *template*, with commas."""
    path = (*(template or TEMPLATE), "spec", "containers")
    return lambda obj, now: ",".join(container.get(field, "") for container in get(obj, *path) or ())


def picked_by(*path: str, none: str = NONE, broken: str = "<error>") -> Cell:
    """The label selector at *path* in one line; *none* if it picks nobody, or all."""

    def cell(obj: Obj, now: int) -> str:
        try:
            found = labels.from_object(get(obj, *path))
        except SelectorError:
            return broken
        return ",".join(str(one) for one in sorted(found.requirements, key=lambda one: one.key)) or none

    return cell


def wide(*template: str, selector: Sequence[str] = ("spec", "selector")) -> tuple[Column, ...]:
    """Containers, Images and, unless *selector* is empty, Selector: what only `-o wide` shows."""
    shown = (
        Column("Containers", containers("name", *template), priority=WIDE),
        Column("Images", containers("image", *template), priority=WIDE),
    )
    return (*shown, Column("Selector", picked_by(*selector), priority=WIDE)) if selector else shown


def count(name: str, *path: str) -> Column:
    """A number at *path*, 0 where there is none."""
    return Column(name, at(*path, default=0), type="integer")


def ratio(done: Sequence[str], wanted: Sequence[str]) -> Cell:
    """``2/3``: the numbers at two paths."""
    return lambda obj, now: f"{get(obj, *done) or 0}/{get(obj, *wanted) or 0}"
