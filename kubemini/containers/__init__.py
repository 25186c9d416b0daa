"""What runs in containers: programs, with files, an environment, ports, memory and signals; it knows no Kubernetes."""

from kubemini.containers.context import (
    ERR,
    OOM_KILLED,
    OUT,
    Answer,
    CannotStart,
    Fetch,
    Health,
    Lookup,
    NoCommand,
    Packet,
    Request,
    Runtime,
    Setting,
)
from kubemini.containers.files import Device, File, Files, Folder, Link, Mount, Node
from kubemini.containers.images import Image, Program, image_of, name_of, program_for
from kubemini.containers.inside import Inside
from kubemini.containers.process import Process
from kubemini.containers.streams import Buffered, Terminal

__all__ = [
    "ERR",
    "OOM_KILLED",
    "OUT",
    "Answer",
    "Buffered",
    "CannotStart",
    "Device",
    "Fetch",
    "File",
    "Files",
    "Folder",
    "Health",
    "Image",
    "Inside",
    "Link",
    "Lookup",
    "Mount",
    "NoCommand",
    "Node",
    "Packet",
    "Process",
    "Program",
    "Request",
    "Runtime",
    "Setting",
    "Terminal",
    "image_of",
    "name_of",
    "program_for",
]
