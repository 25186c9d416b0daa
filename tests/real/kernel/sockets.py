"""One socket that goes on asking, ours and the kernel's: a story is told to both, word for word."""

import contextlib
import errno
import time
from dataclasses import replace

from kubemini.host.linux.exchange import FIRST_PORT, connect
from kubemini.host.linux.packet import Packet
from tests.real.kernel.probes import SILENT, WORDS, client

ATTEMPTS = 40  # an answer that is wanted comes for certain, and may be late
WAIT = 0.5  # seconds for one answer


class Ours:
    """A client of our network."""

    def __init__(self, net, choose):
        self.net, self.choose, self.port = net, choose, FIRST_PORT
        self.kept = {}

    def open(self, name, sender, protocol, to, port):
        """A socket with a port of its own; its first words are a SYN."""
        self.port += 1
        self.kept[name] = [sender, Packet(protocol, "", to, self.port, port)]

    def say(self, name):
        """Who answers, or what comes instead."""
        sender, packet = self.kept[name]
        verdict = connect(self.net, sender, packet, self.choose).verdict
        if verdict.fate == "connected":
            self.kept[name][1] = replace(packet, flags="A" if packet.protocol == "TCP" else "")
            return verdict.by
        return {"refused": "refused", "closed": "refused"}.get(verdict.fate, SILENT)

    def forget(self, name, protocol, to, endpoint):
        """``conntrack -D`` on a node."""
        self.net[name].conntrack.delete(protocol, to, endpoint=endpoint)


class Theirs:
    """A client of the kernel's network."""

    def __init__(self, mirror):
        self.mirror, self.kept = mirror, {}

    def open(self, name, sender, protocol, to, port):
        if name in self.kept:
            self.kept[name].close()
        made = client(self.mirror, sender, protocol)
        failed = made.connect_ex((to, port))
        assert failed in (0, errno.EINPROGRESS)
        self.kept[name] = made

    def say(self, name, wanted=None):
        """Who answers; asked again as long as nobody does, or it is not what is *wanted*."""
        made = self.kept[name]
        said = SILENT
        for _ in range(ATTEMPTS if wanted != SILENT else 1):
            said = self._say(made)
            if said == wanted or (wanted is None and said != SILENT):
                break
        return said

    def _say(self, made):
        made.settimeout(WAIT)
        try:
            self._drain(made)
            made.send(b"?")
            return made.recv(512).decode().split()[0]
        except TimeoutError:
            return SILENT
        except OSError as error:
            return WORDS.get(error.errno, str(error))

    def _drain(self, made):
        """What came before, and is no answer to what is asked now."""
        made.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            time.sleep(0.05)
            while made.recv(512):
                pass
        made.settimeout(WAIT)

    def close(self):
        for made in self.kept.values():
            made.close()
