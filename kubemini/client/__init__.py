"""client-go: how programs talk to an API server, keep a cache, queue work, elect one of several to act, and tell."""

from kubemini.client.client import ApiClient
from kubemini.client.discovery import Discovery, discover
from kubemini.client.election import Elector
from kubemini.client.events import Recorder, SeriesRecorder
from kubemini.client.informer import Index, Informer, Informers
from kubemini.client.workqueue import WorkQueue

__all__ = [
    "ApiClient",
    "Discovery",
    "Elector",
    "Index",
    "Informer",
    "Informers",
    "Recorder",
    "SeriesRecorder",
    "WorkQueue",
    "discover",
]
