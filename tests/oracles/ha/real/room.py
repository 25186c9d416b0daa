"""A room of its own for a whole cluster: network, processes, mounts and a disk in memory that end with it.

The program starts itself again as process 1 of new namespaces (`unshare`). When that process ends, however it ends,
the kernel kills everything in them, and hosts, disks and files in `DISK` are gone. Two rooms on one machine have
nothing in common but the processor. Needs root, iproute2 and util-linux.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, SBIN

INSIDE = "KUBEMINI_ROOM"
DISK = Path("/run/netns-disk")
WITH_US = ("setpriv", "--pdeathsig", "KILL")  # whoever starts a room and dies ends it
SPACES = ("--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc")
NEEDED = {
    "ip": "iproute2",
    "unshare": "util-linux",
    "openssl": "openssl",
    "haproxy": "haproxy",
    "keepalived": "keepalived",
    "iptables": "iptables",
    "curl": "curl",
}


class Unfit(Exception):
    """A room cannot be had here; the message says what is missing and how to get it."""


def fit(needed=NEEDED):
    """Raises Unfit if no room with the programs *needed* can be had on this machine."""
    if os.geteuid() != 0:
        raise Unfit("network namespaces need root: run this as root")
    for program, package in needed.items():
        if not shutil.which(program, path=SBIN):
            raise Unfit(f"{program} is not installed: apt-get install {package}")


def inside():
    """Whether this process is in a room."""
    return INSIDE in os.environ


def enter(module, *arguments, needed=NEEDED):
    """Run ``python -m MODULE ARGUMENTS`` in a new room; its exit status. Raises Unfit."""
    fit(needed)
    command = [*WITH_US, "unshare", *SPACES, sys.executable, "-m", module, *map(str, arguments)]
    environment = {**os.environ, INSIDE: "1", "PATH": SBIN, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def furnish():
    """What a room needs inside: places for names of hosts and for disks, seen by nobody else."""
    for place in (Path("/run/netns"), DISK):
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", str(place)], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
