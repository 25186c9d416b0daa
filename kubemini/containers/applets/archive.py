"""tar: what ``kubectl cp`` runs in a container, in both directions.

    tar cf - PATH               an archive of files on standard output
    tar xmf - -C FOLDER         files from an archive on standard input

POSIX, pax: the ustar format. busybox archival/tar.c.
Simplified: archives go through a stream, not a file; names have at most 100 letters, or 155 more before a slash.
"""

import io
import tarfile
from typing import Any

from kubemini.containers.applets.common import contents
from kubemini.containers.files import File, Folder, Link, Trouble
from kubemini.containers.process import Life, Process


def main(process: Process) -> Life:
    """Make or unpack an archive."""
    words, folder, letters = list(process.argv[1:]), process.cwd, ""
    names: list[str] = []
    archive = "-"
    while words:
        word = words.pop(0)
        if word == "-C" and words:
            folder = process.path(words.pop(0))
        elif word.startswith("--"):
            continue
        elif not letters or word.startswith("-"):
            letters += word.lstrip("-")
            if word.endswith("f") and words:
                archive = words.pop(0)
        else:
            names.append(word)
    if "c" in letters:
        return _make(process, folder, archive, names)
    data = yield from contents(process, archive)
    if data is None:
        return 1
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as opened:
            members = [(member, opened.extractfile(member)) for member in opened.getmembers()]
            return _unpack(process, folder, [(one, file.read() if file else b"") for one, file in members], letters)
    except tarfile.TarError:
        return process.complain("tar: invalid tar magic")


def _make(process: Process, folder: str, archive: str, names: list[str]) -> int:
    made, status = io.BytesIO(), 0
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as opened:
        for name in names:
            path = name if name.startswith("/") else f"{folder.rstrip('/')}/{name}"
            if not process.files.exists(path, follow=False):
                status = process.complain(f"tar: {name}: No such file or directory")
                continue
            for below, node in process.files.walk(path):
                info = tarfile.TarInfo((name + below[len(path) :]).lstrip("/") or ".")
                info.mode, info.uname, info.gname = node.mode, "root", "root"
                data = node.data + bytes(node.zeros) if isinstance(node, File) else b""
                info.size = len(data)
                if isinstance(node, Folder):
                    info.type = tarfile.DIRTYPE
                elif isinstance(node, Link):
                    info.type, info.linkname = tarfile.SYMTYPE, node.to
                opened.addfile(info, io.BytesIO(data))
    if archive == "-":
        process.out(made.getvalue())
    else:
        process.files.write(process.path(archive), made.getvalue())
    return status


def _unpack(process: Process, folder: str, members: list[tuple[Any, bytes]], letters: str) -> int:
    process.steady = False
    for member, data in members:
        path = f"{folder.rstrip('/')}/{member.name}"
        if "t" in letters:
            process.out(member.name + "\n")
            continue
        try:
            if member.isdir():
                if not process.files.is_folder(path):
                    process.files.make_folder(path)
            elif member.issym():
                process.files.make_link(path, member.linkname)
            elif member.isfile():
                process.files.write(path, data, member.mode)
        except Trouble as error:
            return process.complain(f"tar: can't open '{member.name}': {error}")
    return 0
