"""What can be applied: the name of a file, a text, one object, or several → checked objects."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kubemini.api.manifests import ManifestError, as_json, load
from kubemini.api.objects import Obj
from kubemini.ranges import shown

FILES = (".yaml", ".yml", ".json")
Source = str | Path | Mapping[str, Any] | Iterable[Obj]


def read(source: Source) -> tuple[list[Obj], str]:
    """The objects behind *source*, and what to call it. Raises ManifestError."""
    if isinstance(source, Path) or (isinstance(source, str) and "\n" not in source and source.endswith(FILES)):
        return load(_text_of(Path(source)), str(source)), str(source)
    if isinstance(source, str):
        return load(source, "manifest"), "manifest"
    if isinstance(source, bytes) or not isinstance(source, Iterable):
        expected = "expected the name of a file, a text, or objects"
        raise ManifestError("apply", 0, "", "", f"{expected}; got {shown(source)}")
    return _objects([source] if isinstance(source, Mapping) else list(source)), "objects"


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ManifestError(str(path), 0, "", "", f"cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, ValueError):
        raise ManifestError(str(path), 0, "", "", "is not text in UTF-8; save it as UTF-8") from None


def _objects(objects: list[Any]) -> list[Obj]:
    try:
        return load(as_json(objects), "objects")
    except (TypeError, RecursionError) as error:
        raise ManifestError("objects", 0, "", "", f"holds what no manifest can hold: {error}") from None
