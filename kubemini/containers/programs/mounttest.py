"""agnhost mounttest: says what is in files, in the words that Kubernetes' tests look for.

Models k/k test/images/agnhost/mounttest main readFileContent testFileContent fileMode filePerm
Simplified: all files are root's.
"""

from kubemini.containers.files import Folder, Trouble
from kubemini.containers.process import Life, Process, Sleep
from kubemini.sim.units import SECOND

NEW = "mount-tester new file\n"
STEP = 2 * SECOND


def main(process: Process) -> Life:
    """Each flag in the order of the original, whatever the order of the flags."""
    told = dict(word.lstrip("-").partition("=")[::2] for word in process.argv[2:])
    wrong = False
    if told.get("fs_type"):
        path = told["fs_type"]
        process.out(f'mount type of "{path}": {process.files.kind(path)}\n')
    for name, mode in (("0644", 0o644), ("0666", 0o666), ("0660", 0o660), ("0777", 0o777)):
        path = told.get(f"new_file_{name}", "")
        if path:
            wrong |= not _new(process, path, mode)
    for name in ("file_mode", "file_perm", "file_owner"):
        if told.get(name):
            wrong |= not _described(process, name, told[name])
    if told.get("file_content"):
        wrong |= not _content(process, told["file_content"])
    if told.get("file_content_in_loop"):
        breaks = told.get("break_on_expected_content", "true") == "true"
        end = process.now + int(told.get("retry_time", 180)) * SECOND
        wrong |= not (yield from _loop(process, told["file_content_in_loop"], end, breaks))
    return int(wrong)


def _new(process: Process, path: str, mode: int) -> bool:
    try:
        process.files.write(path, NEW.encode(), mode)
    except Trouble as error:
        process.out(f'error writing new file "{path}": open {path}: {_go(error)}\n')
        return False
    return _content(process, path)


def _content(process: Process, path: str) -> bool:
    try:
        text = process.files.read(path).decode("utf-8", "replace")
    except Trouble as error:
        process.out(f'error reading file content for "{path}": open {path}: {_go(error)}\n')
        return False
    process.out(f'content of file "{path}": {text}\n')
    return True


def _loop(process: Process, path: str, end: int, breaks: bool) -> Life:
    while process.now < end:
        try:
            text = process.files.read(path).decode("utf-8", "replace")
            process.out(f'content of file "{path}": {text}\n')
            if breaks and text == NEW:
                return 1
            if breaks:
                process.out(f"Unexpected content. Expected: {NEW}. Retrying\n")
        except Trouble as error:
            process.out(f"Error reading file {path}: open {path}: {_go(error)}, retrying\n")
        yield Sleep(STEP)
    return 1


def _described(process: Process, name: str, path: str) -> bool:
    try:
        node = process.files.find(path)
    except Trouble as error:
        call = "stat" if name == "file_owner" else "Stat"
        process.out(f'error from {call}("{path}"): {"" if call == "stat" else f"stat {path}: "}{_go(error)}\n')
        return False
    bits = "".join("rwx"[at % 3] if node.mode >> (8 - at) & 1 else "-" for at in range(9))
    kinds = ("d" if isinstance(node, Folder) else "") + ("t" if node.mode & 0o1000 else "")
    if name == "file_mode":
        process.out(f'mode of file "{path}": {kinds or "-"}{bits}\n')
    elif name == "file_perm":
        process.out(f'perms of file "{path}": -{bits}\n')
    else:
        process.out(f'owner UID of "{path}": 0\nowner GID of "{path}": 0\n')
    return True


def _go(error: Trouble) -> str:
    """The error as Go says it."""
    text = str(error)
    return text[:1].lower() + text[1:]
