"""What the classes of storage share: who makes volumes, and what a class tells it.

Models k/k pkg/apis/storage/validation validateProvisioner, validateParameters.
"""

from collections.abc import Mapping

from kubemini.api import names
from kubemini.apiserver.rules.causes import Wrong, each, invalid, required, too_long

MOST_PARAMETERS = 512
LARGEST_PARAMETERS = 256 * 1024  # bytes, keys and values together


def provisioner(name: str, path: str) -> Wrong:
    """The name of who makes volumes: a qualified name, if there is one."""
    if name:
        yield from each(names.qualified_name(name.lower()), path, name.lower())


def parameters(said: Mapping[str, str] | None, path: str, may_be_empty: bool) -> Wrong:
    """What a class tells its driver."""
    said = said or {}
    if len(said) > MOST_PARAMETERS:
        yield too_long(path, MOST_PARAMETERS)
        return
    if "" in said:
        yield invalid(path, "", "field can not be empty.")
    if sum(len(key.encode()) + len(value.encode()) for key, value in said.items()) > LARGEST_PARAMETERS:
        yield too_long(path, LARGEST_PARAMETERS)
    if not may_be_empty and not said:
        yield required(path, "must contain at least one key/value pair")
