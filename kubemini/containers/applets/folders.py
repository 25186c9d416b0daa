"""touch, rm, mkdir, rmdir, cp, mv, ln, chmod, mktemp, dd: what is changed.

busybox coreutils (options, texts of refusals, exit codes).
Simplified: all files are root's, and of no age; of the options only those that scripts use.
"""

import re
from typing import Any

from kubemini.containers.applets.common import KIB, drained, said_by, split
from kubemini.containers.files import Folder, Link, Trouble
from kubemini.containers.process import Life, Process
from kubemini.containers.streams import Opened, Zeros

UNITS = {
    "": 1,
    "c": 1,
    "w": 2,
    "b": 512,
    "k": KIB,
    "K": KIB,
    "kB": 1000,
    "M": KIB**2,
    "MB": 10**6,
    "G": KIB**3,
    "GB": 10**9,
}


def _each(process: Process, operands: list[str], act: Any, words: str) -> int:
    """*act* on each path; *words* say what cannot be done."""
    status = 0
    for name in operands:
        process.steady = False
        try:
            act(process.path(name))
        except Trouble as error:
            status = process.complain(said_by(process, f"{words.format(name)}: {error}"))
    return status


def touch(process: Process) -> Life:
    """Make files that are not there."""
    operands = split(process.argv)[1]
    return _each(process, operands, lambda path: process.files.open(path, empty=False), "{}")
    yield process.read()


def rm(process: Process) -> Life:
    """Remove files; -r folders and all in them; -f never complains."""
    options, operands = split(process.argv)

    def act(path: str) -> None:
        if not process.files.exists(path, follow=False) and "f" in options:
            return
        node = process.files.find(path, follow=False)
        if isinstance(node, Folder) and not options & {"r", "R"}:
            raise Trouble("Is a directory")
        for below, _ in reversed(list(process.files.walk(path))):
            process.files.remove(below)

    return _each(process, operands, act, "can't remove '{}'")
    yield process.read()


def mkdir(process: Process) -> Life:
    """Make folders; -p those above as well, and nothing if they are there."""
    options, operands = split(process.argv)

    def act(path: str) -> None:
        (process.files.make_folders if "p" in options else process.files.make_folder)(path)

    return _each(process, operands, act, "can't create directory '{}'")
    yield process.read()


def rmdir(process: Process) -> Life:
    """Remove empty folders."""

    def act(path: str) -> None:
        if not isinstance(process.files.find(path, follow=False), Folder):
            raise Trouble("Not a directory")
        process.files.remove(path)

    return _each(process, split(process.argv)[1], act, "'{}'")
    yield process.read()


def _into(process: Process, operands: list[str]) -> list[tuple[str, str]] | None:
    """(from, to) of cp, mv and ln; None: there are too few."""
    if len(operands) < 2:
        process.complain(said_by(process, "missing file operand"))
        return None
    *names, last = operands
    to = process.path(last)
    inside = process.files.is_folder(to)
    return [(name, f"{to}/{name.rstrip('/').rpartition('/')[2]}" if inside else to) for name in names]


def cp(process: Process) -> Life:
    """Copy files; -r folders and all in them."""
    options, operands = split(process.argv)
    pairs, status, files = _into(process, operands), 0, process.files
    for name, to in pairs or ():
        process.steady = False
        try:
            source = files.find(process.path(name))
            if isinstance(source, Folder) and not options & {"r", "R", "a"}:
                status = process.complain(f"cp: omitting directory '{name}'")
                continue
            for path, node in list(files.walk("/" + "/".join(files.place(process.path(name))))):
                below = to + path[len("/" + "/".join(files.place(process.path(name)))) :]
                if isinstance(node, Folder):
                    if not files.is_folder(below):
                        files.make_folder(below)
                elif isinstance(node, Link):
                    files.make_link(below, node.to)
                else:
                    files.write(below, files.read(path), node.mode)
        except Trouble as error:
            status = process.complain(f"cp: can't stat '{name}': {error}")
    return status if pairs is not None else 1
    yield process.read()


def mv(process: Process) -> Life:
    """Give files another name."""
    pairs, status = _into(process, split(process.argv)[1]), 0
    for name, to in pairs or ():
        process.steady = False
        try:
            process.files.move(process.path(name), to)
        except Trouble as error:
            status = process.complain(f"mv: can't rename '{name}': {error}")
    return status if pairs is not None else 1
    yield process.read()


def ln(process: Process) -> Life:
    """Make a symbolic link (-s), in place of what is there with -f."""
    options, operands = split(process.argv)
    if len(operands) == 1:
        operands.append(operands[0].rpartition("/")[2])
    pairs, status = _into(process, operands), 0
    for name, to in pairs or ():
        process.steady = False
        try:
            if "f" in options and process.files.exists(to, follow=False):
                process.files.remove(to)
            if "s" in options:
                process.files.make_link(to, name)
            else:
                process.files.write(to, process.files.read(process.path(name)))
        except Trouble as error:
            status = process.complain(f"ln: {to}: {error}")
    return status if pairs is not None else 1
    yield process.read()


def chmod(process: Process) -> Life:
    """Set rights: in octal, or as +x, -w, a=r."""
    operands = [word for word in process.argv[1:] if word not in ("-R", "--")]
    mode, names = (operands[0] if operands else ""), operands[1:]
    change = re.fullmatch(r"([ugoa]*)([-+=])([rwx]*)", mode)

    def act(path: str) -> None:
        node = process.files.find(path)
        if re.fullmatch(r"[0-7]{3,4}", mode):
            node.mode = int(mode, 8)
        elif change:
            who = sum({"u": 0o700, "g": 0o070, "o": 0o007, "a": 0o777}[one] for one in set(change[1] or "a"))
            bits = sum({"r": 0o444, "w": 0o222, "x": 0o111}[one] for one in set(change[3])) & who
            node.mode = node.mode | bits if change[2] == "+" else node.mode & ~(bits if change[2] == "-" else who)
            node.mode |= bits if change[2] == "=" else 0
        else:
            raise Trouble("Invalid argument")

    return _each(process, names, act, "{}")
    yield process.read()


def mktemp(process: Process) -> Life:
    """A new file (-d: a folder) in /tmp, whose name says how many there were."""
    options, operands = split(process.argv)
    form = operands[0] if operands else "/tmp/tmp.XXXXXX"
    number, width = 0, len(form) - len(form.rstrip("X"))
    while process.files.exists(process.path(path := form.rstrip("X") + str(number).zfill(width))):
        number += 1
    process.steady = False
    (process.files.make_folder if "d" in options else lambda name: process.files.write(name, b""))(process.path(path))
    process.out(path + "\n")
    return 0
    yield process.read()


def dd(process: Process) -> Life:
    """Copy blocks: if= of= bs= count=; zeros are counted, not kept."""
    told = dict(word.partition("=")[::2] for word in process.argv[1:])
    size = _size(told.get("bs", "512"))
    count = _size(told["count"]) if "count" in told else None
    if size is None or (count is None and "count" in told):
        return process.complain(f"dd: invalid number '{told['bs'] if size is None else told['count']}'")
    try:
        source = process.open(told["if"]) if "if" in told else process.streams[0]
        target = process.open(told["of"], "w") if "of" in told else process.streams[1]
    except Trouble as error:
        return process.complain(f"dd: can't open '{told.get('if', told.get('of'))}': {error}")
    if isinstance(source, Zeros):
        blocks = count or 0
        if isinstance(target, Opened):
            target.write_zeros(blocks * size)
        else:
            target.write(bytes(blocks * size))
    else:
        data = yield from drained(process, source)
        data = data if count is None else data[: size * count]
        target.write(data)
        blocks = -(-len(data) // size)
    return process.complain(f"{blocks}+0 records in\n{blocks}+0 records out", 0)


def _size(text: str) -> int | None:
    found = re.fullmatch(r"(\d+)(\w*)", text)
    return int(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else None
