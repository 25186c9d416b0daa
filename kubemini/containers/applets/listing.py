"""cat, ls, readlink, stat, du, find: what is there.

busybox coreutils, findutils/find.c (options, texts of refusals, exit codes).
Simplified: all files are root's, and of no age; of the options only those that scripts use.
"""

import re

from kubemini.containers.applets.common import KIB, contents, split
from kubemini.containers.files import File, Folder, Link, Node, Trouble
from kubemini.containers.patterns import matches
from kubemini.containers.process import Life, Process


def cat(process: Process) -> Life:
    """Files one after the other, as they come."""
    status = 0
    for name in split(process.argv)[1] or ["-"]:
        if name == "-":
            while (data := (yield process.read())) is not None:
                process.out(data)
        else:
            data = yield from contents(process, name)
            if data is None:
                status = 1
            else:
                process.out(data)
    return status


def ls(process: Process) -> Life:
    """Names of files; -l with what they are, -a and -A those with a dot, -d folders themselves, -R all below."""
    options, operands = split(process.argv)
    status, shown = 0, list[str]()
    folders = list[str]()
    for name in operands or ["."]:
        path = process.path(name)
        follow = "l" not in options or name.endswith("/")
        if not process.files.exists(path, follow):
            status = process.complain(f"ls: {name}: No such file or directory")
        elif process.files.is_folder(path) and "d" not in options:
            folders.append(name)
        else:
            shown.append(_listed(process, path, name, options))
    process.out("".join(shown))
    for number, name in enumerate(folders):
        if len(folders) + len(shown) > 1 or "R" in options:
            process.out(("\n" if number or shown else "") + f"{name}:\n")
        _list_folder(process, name, options)
    return status
    yield process.read()


def _list_folder(process: Process, name: str, options: set[str]) -> None:
    path = process.path(name)
    names = process.files.names(path)
    if not options & {"a", "A"}:
        names = [one for one in names if not one.startswith(".")]
    if "a" in options:
        names = [".", "..", *names]
    if "l" in options:
        process.out("total 0\n")
    for one in reversed(names) if "r" in options else names:
        process.out(_listed(process, f"{path}/{one}", one, options))
    if "R" in options:
        for one in names:
            below = process.files.find(f"{path}/{one}", follow=False)
            if isinstance(below, Folder) and one not in (".", ".."):
                process.out(f"\n{name.rstrip('/')}/{one}:\n")
                _list_folder(process, f"{name.rstrip('/')}/{one}", options)


def _listed(process: Process, path: str, name: str, options: set[str]) -> str:
    if "l" not in options:
        return name + "\n"
    node = process.files.find(path, follow=False)
    arrow = f" -> {node.to}" if isinstance(node, Link) else ""
    size = len(node.to) if isinstance(node, Link) else getattr(node, "size", 0) if isinstance(node, File) else 0
    return f"{kind(node)}{rights(node)}    1 root     root     {size:9} Jan  1 00:00 {name}{arrow}\n"


def kind(node: Node) -> str:
    """The letter of a kind of file."""
    return (
        "d" if isinstance(node, Folder) else "l" if isinstance(node, Link) else "-" if isinstance(node, File) else "c"
    )


def rights(node: Node) -> str:
    """Who may do what, in letters."""
    return "".join("rwx"[at % 3] if node.mode >> (8 - at) & 1 else "-" for at in range(9))


def readlink(process: Process) -> Life:
    """Where a link leads; -f: where a path does in the end."""
    options, operands = split(process.argv)
    for name in operands:
        path = process.path(name)
        try:
            node = process.files.find(path, follow=False)
        except Trouble:
            return 1
        if "f" in options:
            process.out("/" + "/".join(process.files.place(path)) + "\n")
        elif isinstance(node, Link):
            process.out(node.to + "\n")
        else:
            return 1
    return 0
    yield process.read()


def stat(process: Process) -> Life:
    """What a file is; -c FORMAT with %n %s %a %A %F %N, -f of its file system (%T), -L of what a link leads to."""
    words, form = list(process.argv), ""
    if "-c" in words:
        at = words.index("-c")
        form = words[at + 1] if at + 1 < len(words) else ""
        del words[at : at + 2]
    options, operands = split(words)
    status = 0
    for name in operands:
        path = process.path(name)
        try:
            node = process.files.find(path, follow="L" in options or "f" in options)
        except Trouble as error:
            status = process.complain(f"stat: can't stat '{name}': {error}")
            continue
        size = node.size if isinstance(node, File) else 0
        names = {Folder: "directory", Link: "symbolic link", File: "regular file"}
        facts = {"n": name, "s": str(size), "a": f"{node.mode:o}", "A": kind(node) + rights(node), "N": name}
        facts["F"] = names.get(type(node), "character special file")
        if "f" in options:
            facts["T"] = process.files.kind(path)
        found = form or "  File: %n\n  Size: %s\t%F\nAccess: (%a/%A)"
        process.out(_filled(found, facts) + "\n")
    return status
    yield process.read()


def _filled(form: str, facts: dict[str, str]) -> str:
    return re.sub(r"%(.)", lambda match: facts.get(match[1], "?"), form)


def du(process: Process) -> Life:
    """How much is in files, in KiB."""
    operands = split(process.argv)[1]
    for name in operands or ["."]:
        node = process.files.find(process.path(name)) if process.files.exists(process.path(name)) else None
        if node is None:
            return process.complain(f"du: {name}: No such file or directory")
        size = node.size() if isinstance(node, Folder) else node.size if isinstance(node, File) else 0
        process.out(f"{-(-size // KIB)}\t{name}\n")
    return 0
    yield process.read()


def find(process: Process) -> Life:
    """All paths below some; -name PATTERN, -type f|d|l."""
    words, wanted, only = list(process.argv[1:]), "", ""
    for switch in ("-name", "-type"):
        if switch in words:
            at = words.index(switch)
            value = (words[at + 1 : at + 2] or [""])[0]
            wanted, only = (value, only) if switch == "-name" else (wanted, value)
            del words[at : at + 2]
    status = 0
    for name in [word for word in words if not word.startswith("-")] or ["."]:
        if not process.files.exists(process.path(name)):
            status = process.complain(f"find: {name}: No such file or directory")
            continue
        for path, node in process.files.walk(process.path(name)):
            shown = name + path[len(process.path(name)) :]
            letter = {"-": "f"}.get(kind(node), kind(node))
            if (not wanted or matches(wanted, shown.rpartition("/")[2])) and only in ("", letter):
                process.out(shown + "\n")
    return status
    yield process.read()
