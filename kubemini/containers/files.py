"""The files of a container: a tree of its own, with volumes mounted in it that others may share.

Invariant: a path leads to the same node whoever asks; a volume is one `Folder`, in however many containers it is
mounted, and what one writes the others read. What has been written is told to `Files.changed`.
Texts of errors: errno(3) as musl and glibc both say it.
Simplified: no mode stops anybody; no times of files; a file is as large as the memory of the simulation,
but for its zeros at the end, which are only counted.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MISSING, IS_FOLDER, NO_FOLDER = "No such file or directory", "Is a directory", "Not a directory"
EXISTS, NOT_EMPTY, READ_ONLY, LOOP = "File exists", "Directory not empty", "Read-only file system", "Symbolic link loop"
BUSY = "Resource busy"
MOST_LINKS = 40
Where = tuple[str, ...]


class Trouble(Exception):
    """A file cannot be had; the text is that of its errno."""


@dataclass(slots=True, eq=False)
class File:
    """A file: *data*, and *zeros* more bytes of zero; *main*: the program that it is."""

    data: bytes = b""
    mode: int = 0o644
    zeros: int = 0
    main: Any = None

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data) + self.zeros


@dataclass(slots=True, eq=False)
class Link:
    """A symbolic link."""

    to: str
    mode: int = 0o777


@dataclass(slots=True, eq=False)
class Device:
    """What lies in /dev: null, zero, stdin, stdout, stderr, or out: what process 1 writes on."""

    name: str
    mode: int = 0o666


@dataclass(slots=True, eq=False)
class Folder:
    """A folder; *kind* is that of its file system, of one that is mounted."""

    inside: "dict[str, Node]" = field(default_factory=dict)
    mode: int = 0o755
    kind: str = "overlayfs"

    def size(self) -> int:
        """Bytes of all files in it."""
        found = (node.size() if isinstance(node, Folder) else getattr(node, "size", 0) for node in self.inside.values())
        return sum(found)

    def count(self) -> int:
        """Of all that is in it."""
        return sum(1 + (node.count() if isinstance(node, Folder) else 0) for node in self.inside.values())


Node = File | Link | Device | Folder


class Mount(NamedTuple):
    """*node* appears at *path*; nobody writes to what is *read_only*."""

    path: str
    node: Node
    read_only: bool = False


class Files:
    """The tree that a container sees."""

    def __init__(
        self,
        root: Folder,
        mounts: "tuple[Mount, ...] | list[Mount]" = (),
        changed: Callable = lambda: None,
        fixed: bool = False,
    ):
        self.root, self.changed, self.fixed = root, changed, fixed
        self._mounts: dict[Where, Mount] = {}
        for mount in sorted(mounts, key=lambda one: len(_parts(one.path))):
            self._make_way(mount)
            self._mounts[self.place(mount.path)] = mount

    def _make_way(self, mount: Mount) -> None:
        """A runtime makes what is to be covered by a mount, if it is not there."""
        *above, last = _parts(mount.path) or [""]
        at = ""
        for name in above:
            at += f"/{name}"
            if not self.exists(at):
                self._put(at, Folder(), forced=True)
        if last and not self.exists(mount.path):
            self._put(mount.path, Folder() if isinstance(mount.node, Folder) else File(), forced=True)

    # -- finding -----------------------------------------------------------------------------------------------------
    def _walk(self, path: str, follow: bool = True) -> tuple[Where, Node]:
        at: Where = ()
        node: Node = self._covered((), self.root)
        ahead, links = deque(_parts(path)), 0
        while ahead:
            name = ahead.popleft()
            if not isinstance(node, Folder):
                raise Trouble(NO_FOLDER)
            if name == "..":
                at = at[:-1]
                node = self._at(at)
                continue
            found = node.inside.get(name)
            if found is None:
                raise Trouble(MISSING)
            found = self._covered((*at, name), found)
            if isinstance(found, Link) and (ahead or follow):
                links += 1
                if links > MOST_LINKS:
                    raise Trouble(LOOP)
                ahead.extendleft(reversed(_parts(found.to)))
                if found.to.startswith("/"):
                    at, node = (), self._covered((), self.root)
                continue
            at, node = (*at, name), found
        if path.endswith("/") and not isinstance(node, Folder):
            raise Trouble(NO_FOLDER)
        return at, node

    def _covered(self, at: Where, node: Node) -> Node:
        mount = self._mounts.get(at)
        return node if mount is None else mount.node

    def _at(self, at: Where) -> Node:
        node = self._covered((), self.root)
        for number, name in enumerate(at):
            assert isinstance(node, Folder), "a place leads through folders"
            node = self._covered(at[: number + 1], node.inside[name])
        return node

    def find(self, path: str, follow: bool = True) -> Node:
        """What is at *path*, of a link in the end what it leads to, or itself. Trouble: nothing is."""
        return self._walk(path, follow)[1]

    def place(self, path: str) -> Where:
        """Where *path* leads, without links."""
        return self._walk(path)[0]

    def exists(self, path: str, follow: bool = True) -> bool:
        """Whether there is something at *path*."""
        try:
            self._walk(path, follow)
        except Trouble:
            return False
        return True

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at *path*."""
        return self.exists(path) and isinstance(self.find(path), Folder)

    def names(self, path: str) -> list[str]:
        """The names in a folder, in order."""
        node = self.find(path)
        if not isinstance(node, Folder):
            raise Trouble(NO_FOLDER)
        return sorted(node.inside)

    def kind(self, path: str) -> str:
        """The kind of the file system that *path* is in."""
        at = self.place(path)
        mounted = [where for where in self._mounts if at[: len(where)] == where]
        node = self._mounts[max(mounted, key=len)].node if mounted else self.root
        return node.kind if isinstance(node, Folder) else self.root.kind

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        node = self.find(path)
        if isinstance(node, Folder):
            raise Trouble(IS_FOLDER)
        return node.data + bytes(node.zeros) if isinstance(node, File) else b""

    def walk(self, path: str) -> Iterator[tuple[str, Node]]:
        """*path* and all below it, each folder before what is in it; links are not followed."""
        node = self.find(path, follow=False)
        yield path, node
        if isinstance(node, Folder):
            for name in sorted(node.inside):
                yield from self.walk(f"{path.rstrip('/')}/{name}")

    # -- changing ----------------------------------------------------------------------------------------------------
    def _target(self, path: str, forced: bool = False) -> tuple[Where, Folder, str]:
        """Where a new or changed entry of a folder is: the folder's place, the folder, the name."""
        parts = _parts(path)
        if not parts or parts[-1] == "..":
            raise Trouble(EXISTS)
        at, folder = self._walk("/" + "/".join(parts[:-1]))
        if not isinstance(folder, Folder):
            raise Trouble(NO_FOLDER)
        name = parts[-1]
        link = folder.inside.get(name)
        if isinstance(link, Link) and self._covered((*at, name), link) is link and not forced:
            base = "" if link.to.startswith("/") else "/" + "/".join(at) + "/"
            return self._target(base + link.to)
        return at, folder, name

    def writable(self, at: Where) -> bool:
        """Whether one may write at that place."""
        mounted = [where for where in self._mounts if at[: len(where)] == where]
        return not self._mounts[max(mounted, key=len)].read_only if mounted else not self.fixed

    def _put(self, path: str, node: Node, forced: bool = False, itself: bool = False) -> None:
        at, folder, name = self._target(path, forced or itself)
        if not forced and not self.writable((*at, name)):
            raise Trouble(READ_ONLY)
        folder.inside[name] = node
        self.changed()

    def open(self, path: str, empty: bool) -> File | Device:
        """The file at *path*, made if it is not there, to write to; *empty*: without what was in it."""
        at, folder, name = self._target(path)
        node = folder.inside.get(name)
        node = None if node is None else self._covered((*at, name), node)
        if isinstance(node, Device):
            return node
        if isinstance(node, Folder) or path.endswith("/"):
            raise Trouble(IS_FOLDER)
        if not self.writable((*at, name)):
            raise Trouble(READ_ONLY)
        assert not isinstance(node, Link), "links have been followed"
        if node is None:
            node = folder.inside[name] = File()
            self.changed()
        if empty and node.size:
            node.data, node.zeros = b"", 0
            self.changed()
        return node

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        """All of a file."""
        node = self.open(path, empty=True)
        if isinstance(node, File):
            node.data = data
            node.mode = node.mode if mode is None else mode
            self.changed()

    def make_folder(self, path: str) -> None:
        """A new folder."""
        if self.exists(path, follow=False):
            raise Trouble(EXISTS)
        self._put(path, Folder())

    def make_folders(self, path: str) -> None:
        """A folder, and those above it that are not there."""
        at = ""
        for part in _parts(path):
            at += f"/{part}"
            if not self.is_folder(at):
                self.make_folder(at)

    def make_link(self, path: str, to: str) -> None:
        """A new symbolic link."""
        if self.exists(path, follow=False):
            raise Trouble(EXISTS)
        self._put(path, Link(to), itself=True)

    def remove(self, path: str) -> None:
        """One file, link, or empty folder goes."""
        node = self.find(path, follow=False)
        at, folder, name = self._target(path, forced=True)
        place = (*at, name)
        if any(where[: len(place)] == place for where in self._mounts):
            raise Trouble(BUSY)
        if isinstance(node, Folder) and node.inside:
            raise Trouble(NOT_EMPTY)
        if not self.writable(place):
            raise Trouble(READ_ONLY)
        del folder.inside[name]
        self.changed()

    def move(self, path: str, to: str) -> None:
        """It is called *to* from now on, in place of what was called so."""
        node = self.find(path, follow=False)
        old = self.find(to, follow=False) if self.exists(to, follow=False) else None
        if old is node:
            return
        if isinstance(old, Folder) and not isinstance(node, Folder):
            raise Trouble(IS_FOLDER)
        if old is not None:
            self.remove(to)
        self._put(to, node, itself=True)
        self.remove_entry(path)

    def remove_entry(self, path: str) -> None:
        """The name goes, whatever is behind it."""
        at, folder, name = self._target(path, forced=True)
        if not self.writable((*at, name)):
            raise Trouble(READ_ONLY)
        del folder.inside[name]
        self.changed()


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
