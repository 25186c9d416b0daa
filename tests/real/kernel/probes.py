"""Real sockets of every namespace, all of this process: servers that sign, and clients that ask.

An answer says who gave it, which source address it saw, and the TTL that was left (UDP). What ought to
be answered and is not is asked again, for the machine may be busy; silence is believed after a while
only if silence was expected.
"""

import contextlib
import errno
import selectors
import socket
import struct
import threading
import time

KIND = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
RECVTTL, PKTINFO = 12, 8  # IP_RECVTTL, IP_PKTINFO of Linux
WORDS = {errno.ECONNREFUSED: "refused", errno.EPERM: "forbidden", errno.EMSGSIZE: "too big"}
WORDS |= {errno.EHOSTUNREACH: "unreachable", errno.ENETUNREACH: "unreachable"}
SILENT = "silence"
PATIENCE = 0.7  # seconds until silence is silence


class Servers:
    """Every server of a mirror, answered by one thread, while the `with` lasts."""

    def __init__(self, mirror):
        self.mirror, self.selector, self.ended = mirror, selectors.DefaultSelector(), False
        self.kept = []

    def __enter__(self):
        for name, here in self.mirror.net.items():
            for protocol, address, port in here.listening:
                self.listen(name, protocol, address, port, here.listening[protocol, address, port])
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def listen(self, name, protocol, address, port, signs):
        """One server in namespace *name* that signs its answers so."""
        with self.mirror.inside(name):
            made = socket.socket(socket.AF_INET, KIND[protocol])
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address or "0.0.0.0", port))
        if protocol == "TCP":
            made.listen(512)
        else:
            made.setsockopt(socket.IPPROTO_IP, PKTINFO, 1)
            made.setsockopt(socket.IPPROTO_IP, RECVTTL, 1)
        made.setblocking(False)
        self.selector.register(made, selectors.EVENT_READ, (protocol, signs))

    def _serve(self):
        while not self.ended:
            for key, _ in self.selector.select(0.1):
                with contextlib.suppress(OSError):
                    self._answer(key.fileobj, *key.data)

    def _answer(self, here, protocol, signs):
        if protocol == "TCP":
            there, (source, _) = here.accept()
            there.setblocking(False)
            there.send(f"{signs} {source} 0\n".encode())
            self.selector.register(there, selectors.EVENT_READ, ("open", f"{signs} {source} 0\n"))
        elif protocol == "open":
            if here.recv(512):
                here.send(signs.encode())
            else:
                self.selector.unregister(here)
                here.close()
        else:
            _, told, _, sender = here.recvmsg(65536, 256)
            ttl = next((struct.unpack("i", d[:4])[0] for _, k, d in told if k == 2), 0)
            back = [(level, kind, data) for level, kind, data in told if kind == PKTINFO]
            here.sendmsg([f"{signs} {sender[0]} {ttl}\n".encode()], back, 0, sender)


def client(mirror, name, protocol, source="", ttl=0):
    """A socket in a namespace that blocks for nothing."""
    with mirror.inside(name):
        made = socket.socket(socket.AF_INET, KIND[protocol])
    made.setblocking(False)
    if source:
        made.bind((source, 0))
    if ttl:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    return made


class Asking:
    """One question on its way: its socket, and what became of it: (word, by, source, ttl)."""

    def __init__(self, mirror, name, protocol, source, to, port):
        self.protocol, self.result = protocol, None
        self.socket = client(mirror, name, protocol, source)
        try:
            failed = self.socket.connect_ex((to, port))
            if failed not in (0, errno.EINPROGRESS):
                self.end(WORDS.get(failed, errno.errorcode[failed]))
            elif protocol == "UDP":
                self.socket.send(b"?")
        except OSError as error:
            self.end(WORDS.get(error.errno, str(error)))

    def end(self, word, by="", source="", ttl=0):
        self.result = (word, by, source, ttl)
        self.socket.close()

    def wake(self):
        """The socket has something to say."""
        failed = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            return self.end(WORDS.get(failed, errno.errorcode[failed]))
        try:
            said = self.socket.recv(512).decode()
        except BlockingIOError:
            return None
        except OSError as error:
            return self.end(WORDS.get(error.errno, str(error)))
        by, source, ttl = said.split("\n")[0].split() if said else ("?", "?", "0")
        return self.end("connected", by, source, int(ttl))


def ask(mirror, questions, patience=PATIENCE, at_once=200):
    """Ask (name, protocol, source, to, port) all; [(word, by, source, ttl)] in their order."""
    results = []
    for start in range(0, len(questions), at_once):
        asked = [Asking(mirror, *question) for question in questions[start : start + at_once]]
        _wait(asked, patience)
        results += [one.result for one in asked]
    return results


def _wait(asked, patience):
    selector = selectors.DefaultSelector()
    for one in asked:
        if one.result is None:
            selector.register(one.socket, selectors.EVENT_READ, one)
    end = time.monotonic() + patience
    while selector.get_map() and time.monotonic() < end:
        for key, _ in selector.select(0.05):
            key.data.wake()
            if key.data.result is not None:
                selector.unregister(key.fileobj)
    for key in list(selector.get_map().values()):
        key.data.end(SILENT)
    selector.close()
