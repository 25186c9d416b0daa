"""A real control plane for many stories at once: one watch a kind, and whether its controllers rest.

Nothing here knows how fast the machine is. Whether the controllers have come to rest is asked of themselves: a *pulse*
changes an object of a kind in a namespace of its own (`pulse.py`), and has been answered when its controller has said
so. A controller takes its work in turn, so what had been in its queue before the pulse is done then.
"""

import http.client
import json
import threading

from kubemini.api.kinds import by_name
from tests.real.workloads import pulse
from tests.real.workloads.asking import ANY_CERTIFICATE, PATIENCE
from tests.real.workloads.realplane import RealPlane


class Plane(RealPlane):
    """The real API server with its controllers; ``watch`` hears of objects, ``rest`` waits."""

    def __init__(self, binary, folder):
        super().__init__(binary, folder)
        self.listeners = {}  # namespace → what hears of changes in it and of its nodes
        self.closing = threading.Event()
        self.pulses = {}  # kind → its Pulse

    def __enter__(self):
        super().__enter__()
        try:
            self.pulses = pulse.begin(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.closing.set()
        super().__exit__()

    # -- who watches ---------------------------------------------------------------------------------------------------
    def watch(self, kinds):
        """Watch all objects of these kinds from here on."""
        for watch in [Watch(self, by_name(kind).path("")) for kind in sorted(kinds)]:
            watch.begun.wait(PATIENCE)

    def hear(self, said):
        """Give what a watch *said* to the story whose it is."""
        meta, about = said["object"]["metadata"], said["object"].get("involvedObject", {})
        listener = self.listeners.get(meta.get("namespace")) or next(
            (hears for name, hears in list(self.listeners.items()) if _is_of(name, meta["name"], about)), None
        )
        if listener:
            listener(said)

    # -- whether they have come to rest --------------------------------------------------------------------------------
    def rest(self, kinds):
        """Wait until each controller of these *kinds* has done what was in its queue."""
        for kind, beat in [(kind, self.pulses[kind].wanted()) for kind in kinds]:
            self.pulses[kind].await_beat(beat)


def _is_of(namespace, name, about):
    """Whether an object without a namespace belongs to a story: its nodes are called after it."""
    return name.startswith(f"{namespace}-n") or about.get("name", "").startswith(f"{namespace}-n")


class Watch:
    """One kind, in a thread, until the plane closes."""

    def __init__(self, plane, path):
        self.plane, self.path, self.begun = plane, path, threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.plane.port, context=ANY_CERTIFICATE)
        headers = {"Authorization": "Bearer admintoken", "Accept": "application/json"}
        try:
            connection.request("GET", f"{self.path}?watch=true&timeoutSeconds=86400", headers=headers)
            reply = connection.getresponse()
            self.begun.set()
            while line := reply.readline():
                self.plane.hear(json.loads(line))
        except (OSError, http.client.HTTPException):
            if not self.plane.closing.is_set():
                raise
