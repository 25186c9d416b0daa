"""Files that a volume makes of keys, and of what is known of the pod.

Models k/k pkg/apis/core/validation validateKeyToPath, validateDownwardAPIVolumeFile.
"""

from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, invalid, required
from kubemini.apiserver.rules.pods.environment import OF_A_FILE, container_amount, pod_field
from kubemini.apiserver.rules.volumes.sources import unreserved

MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def mode(source: Obj, field: str, path: str) -> Wrong:
    """Who may read and write, in three digits."""
    mode = source.get(field)
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(f"{path}.{field}", mode, MODE)


def key_as_file(item: Obj, path: str) -> Wrong:
    """A key as a file."""
    for field in ("key", "path"):
        if not item.get(field):
            yield required(f"{path}.{field}")
    yield from unreserved(item.get("path", ""), f"{path}.path")
    yield from mode(item, "mode", path)


def pod_file(file: Obj, path: str) -> Wrong:
    """A field of the pod, or an amount of a container of it, as a file."""
    if not file.get("path"):
        yield required(f"{path}.path")
    yield from unreserved(file.get("path", ""), f"{path}.path")
    if file.get("fieldRef") is not None:
        yield from pod_field(file["fieldRef"], f"{path}.fieldRef", OF_A_FILE)
        if file.get("resourceFieldRef") is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield invalid(path, "resource", text)
    elif file.get("resourceFieldRef") is not None:
        yield from container_amount(file["resourceFieldRef"], f"{path}.resourceFieldRef", in_a_file=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from mode(file, "mode", path)
