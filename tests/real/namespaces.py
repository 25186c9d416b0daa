"""Real members in network namespaces, so that they can be cut off from each other while clients reach them all.

Each has one cable to the client and one to the others. The latter end in two switches, in a namespace of their own:
all in the first one, or, while there is a partition, those of the smaller side in the second. What is sent across is
lost without a word. Everything is named after this process and goes with the namespaces; if this process is killed,
the next one cleans up. Needs root and iproute2.
"""

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.conftest import SBIN
from tests.real.realetcd import RealCluster

PEER, CLIENT = 2380, 2379
PROGRAM = shutil.which("ip", path=SBIN) or "ip"


def ip(*lines, inside=None):
    """Run commands of `ip`, in the namespace *inside*: all of them, or an error."""
    where = ("-n", inside) if inside else ()
    subprocess.run([PROGRAM, *where, "-batch", "-"], input="\n".join(lines), text=True, check=True, capture_output=True)


def told(*command):
    return subprocess.run([PROGRAM, *command], text=True, check=True, capture_output=True).stdout.splitlines()


def sweep():
    """Remove what a test run that was killed has left: namespaces named after a process that is gone."""
    for space in [line.split()[0] for line in told("netns", "list")]:
        owner = re.fullmatch(r"km(\d+)\.\w+\.[\w-]+", space)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            with contextlib.suppress(subprocess.CalledProcessError, ProcessLookupError):
                for pid in told("netns", "pids", space):
                    os.kill(int(pid), signal.SIGKILL)
                ip(f"netns del {space}")


class NamespacedCluster(RealCluster):
    """A `RealCluster` that can be `cut` in two and healed."""

    numbers = itertools.count()

    def __init__(self, folder, size=3, pre_vote=True, flags=()):
        number = next(self.numbers)
        self.prefix, self.block = f"km{os.getpid()}.{number}", os.getpid() % 256 * 16 + number % 16
        super().__init__(folder, size, pre_vote, flags)

    def places(self):
        return [
            (f"{self.address(n, 2)}:{CLIENT}", f"10.0.0.{n}:{PEER}", (PROGRAM, "netns", "exec", self.space(n)))
            for n in range(1, self.size + 1)
        ]

    def space(self, n):
        """The namespace of member *n*, and the name of the client's end of its cable."""
        return f"{self.prefix}.{n}"

    def address(self, n, end):
        """Of the cable between the client (*end* 1) and member *n* (*end* 2): four of 198.18.0.0/15 for each."""
        number = self.block * 32 + (n - 1) * 4 + end
        return f"198.{18 + number // 2**16}.{number // 256 % 256}.{number % 256}"

    def __enter__(self):
        sweep()
        with contextlib.ExitStack() as undo:
            undo.callback(self.__exit__)
            self.plug()
            super().__enter__()
            undo.pop_all()
        return self

    def __exit__(self, *_):
        super().__exit__()
        spaces = (self.switches, *(self.space(n) for n in range(1, self.size + 1)))
        for line in (*(f"link del {space}" for space in spaces[1:]), *(f"netns del {space}" for space in spaces)):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip(line)

    @property
    def switches(self):
        """The namespace of the two switches."""
        return f"{self.prefix}.s"

    def plug(self):
        """Namespaces, switches, cables."""
        ip(f"netns add {self.switches}", *(f"netns add {self.space(n)}" for n in range(1, self.size + 1)))
        self.switch(*(f"link add {name} type bridge" for name in ("first", "second")))
        self.switch("link set first up", "link set second up")
        for n in range(1, self.size + 1):
            here, end = self.space(n), f"10.0.0.{n}/24"
            ip(
                f"link add p{n} netns {self.switches} type veth peer name peers netns {here}",
                f"link add {here} type veth peer name client netns {here}",
                f"address add {self.address(n, 1)}/30 dev {here}",
                f"link set {here} up",
            )
            self.switch(f"link set p{n} master first", f"link set p{n} up")
            ip(
                f"address add {end} dev peers",
                f"address add {self.address(n, 2)}/30 dev client",
                *(f"link set {name} up" for name in ("lo", "peers", "client")),
                inside=here,
            )

    def switch(self, *lines):
        ip(*lines, inside=self.switches)

    # -- partitions --------------------------------------------------------------------------------------------------
    def cut(self, names):
        """*names* reach each other, and nobody else does."""
        self.switch(*(f"link set p{self.names.index(name) + 1} master second" for name in names))

    def heal(self):
        self.switch(*(f"link set p{n} master first" for n in range(1, self.size + 1)))
