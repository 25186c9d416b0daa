"""Which program an image runs: a small table, and what stands in for all others.

    program_for("nginx:1.29", (), ())                 the image's own command
    program_for("busybox", ("sh", "-c"), ("exit 3",))  what a container says instead
    program_for("shop/web:1.0", (), ())               unknown: it is started and does nothing; `Program.note` says so

An image is known by the last word of its name, without registry and tag: ``registry.k8s.io/pause:3.10`` is pause.
Invariant: which program runs depends on image, command and arguments alone, and on what somebody has registered.
Models opencontainers/image-spec specs-go/v1 ImageConfig (Entrypoint, Cmd, Env, WorkingDir, User).
Simplified: of an image only its configuration and its programs; all tags of a name are one image; an image that is not
known has the programs of a busybox, as most have a shell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.containers.applets import names, net
from kubemini.containers.busybox import BUSYBOX
from kubemini.containers.context import NoCommand
from kubemini.containers.files import Device, File, Folder
from kubemini.containers.process import Main
from kubemini.containers.programs import agnhost, apache, echo, function, nginx, pause, tool, unknown

FOLDERS = ("bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "usr", "usr/bin", "var", "var/run")
DEVICES = ("null", "zero", "stdin", "stdout", "stderr")
NO_COMMAND = "no command specified"


@dataclass(frozen=True, slots=True)
class Image:
    """What is in an image."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    programs: Mapping[str, Main] = field(default_factory=dict)  # by path
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""  # "": root
    files: Mapping[str, bytes] = field(default_factory=dict)  # by path

    def root(self) -> Folder:
        """The tree of files that a container of it begins with, new each time."""
        root = Folder()
        for path in FOLDERS:
            folder_at(root, path)
        for name in DEVICES:
            folder_at(root, "dev").inside[name] = Device(name)
        for path, data in self.files.items():
            above, _, name = path.rpartition("/")
            folder_at(root, above).inside[name] = File(data)
        for path, main in self.programs.items():
            above, _, name = path.rpartition("/")
            folder_at(root, above).inside[name] = File(mode=0o755, main=main)
        return root


def folder_at(root: Folder, path: str) -> Folder:
    """The folder at *path*, made if it is not there."""
    for name in filter(None, path.split("/")):
        found = root.inside.setdefault(name, Folder())
        assert isinstance(found, Folder), f"{name} in an image is a folder and no file"
        root = found
    return root


@dataclass(frozen=True, slots=True)
class Program:
    """What runs in a container: *argv* is found among the files of *image*, or *main* runs whatever they say.

    *note*: what somebody should know of it, in a sentence; "" if nothing.
    """

    image: Image
    argv: tuple[str, ...]
    main: Main | None = None
    note: str = ""


def name_of(image: str) -> str:
    """The last word of an image's name: ``registry.example/shop/web:1.0@sha256:…`` is web."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def image_of(image: str) -> Image | None:
    """What is known of an image; None: nothing."""
    return KNOWN.get(name_of(image))


def program_for(
    image: str, command: Sequence[str], args: Sequence[str], own: Mapping[str, Callable[..., Any]] | None = None
) -> Program:
    """What runs in a container of *image* that gives *command* and *args* in the place of the image's.

    *own*: functions that somebody has registered, by `name_of` the image they stand for. Raises NoCommand.
    """
    if own and name_of(image) in own and not command:
        return Program(UNKNOWN, (name_of(image), *args), function.main_of(own[name_of(image)]))
    known = image_of(image)
    entrypoint = tuple(command) or (known.entrypoint if known else ())
    argv = (*entrypoint, *(args or (() if command or known is None else known.cmd)))
    if known is not None:
        if not argv:
            raise NoCommand(NO_COMMAND)
        return Program(known, argv)
    if not argv or unknown.stands_for(argv[0], UNKNOWN.programs):
        note = f"what {image or 'an image without a name'} does is not known here: it is started, and does nothing"
        return Program(UNKNOWN, argv or (name_of(image),), unknown.main, note)
    return Program(UNKNOWN, argv)


SHELL = {**BUSYBOX, "/bin/bash": BUSYBOX["/bin/sh"]}
ASKING = {**SHELL, "/usr/bin/dig": names.dig, "/usr/bin/getent": names.getent}
ALPINE = {"/etc/os-release": b'NAME="Alpine Linux"\nID=alpine\n'}
TOOL = Image(
    ("/bin/tool",), ("sleep", "100000"), {**BUSYBOX, "/bin/tool": tool.main}, files={"/data/README": b"of the tool\n"}
)
AGNHOST = Image(
    ("/agnhost",),
    ("pause",),
    {**ASKING, "/agnhost": agnhost.main, "/agnhost-2": agnhost.main, "/usr/bin/curl": net.curl},
    files={f"/localhost.{end}": f"(the {end} of porter)\n".encode() for end in ("crt", "key")} | ALPINE,
)
FISH = replace(AGNHOST, cmd=("test-webserver",))
NGINX = Image(
    ("/docker-entrypoint.sh",),
    ("nginx", "-g", "daemon off;"),
    {**SHELL, "/docker-entrypoint.sh": nginx.entrypoint, "/usr/sbin/nginx": nginx.main},
    files=nginx.FILES,
)
APACHE = Image(
    (),
    ("httpd-foreground",),
    {**SHELL, "/usr/local/bin/httpd-foreground": apache.main},
    workdir="/usr/local/apache2",
    files=apache.FILES,
)
UNKNOWN = Image(programs=BUSYBOX)
OTHER_TOOLS = ("limited", "private", "pullone", "pullthree", "pulltwo", "slowa", "slowb")  # in the recordings' registry
KNOWN: dict[str, Image] = {
    **dict.fromkeys(OTHER_TOOLS, TOOL),
    "agnhost": AGNHOST,
    "alpine": Image((), ("/bin/sh",), BUSYBOX, files=ALPINE),
    "busybox": Image((), ("sh",), BUSYBOX),
    "debian": Image((), ("bash",), SHELL),
    "echoserver": Image(("/echoserver",), (), {**SHELL, "/echoserver": echo.echoserver}),
    "glibc-dns-testing": Image((), ("/bin/sh",), ASKING),
    "http-echo": Image(("/http-echo",), (), {"/http-echo": echo.http_echo}),
    "httpd": APACHE,
    "kitten": replace(FISH, files={"/data.json": b'{\n  "image": "kitten.jpg"\n}\n', **ALPINE}),
    "nautilus": replace(FISH, files={"/data.json": b'{\n  "image": "nautilus.jpg"\n}\n', **ALPINE}),
    "nginx": NGINX,
    "nocmd": Image((), (), TOOL.programs),
    "nonewprivs": Image(("/nnp",), (), {"/nnp": agnhost.nonewprivs}),
    "pause": Image(("/pause",), (), {"/pause": pause.main}),
    "tool": TOOL,
    "toolroot": Image(("/bin/tool",), ("sleep", "100000"), TOOL.programs, user="app"),
    "ubuntu": Image((), ("/bin/bash",), SHELL),
    "whoami": Image(("/whoami",), (), {"/whoami": echo.whoami}),
}
