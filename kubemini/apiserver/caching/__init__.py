"""What an API server keeps of each kind, and who watches it: one watch of etcd serves them all (watchcache.py).

`audience` knows who may hear a change. Nothing else is offered to the server but `WatchCache` and the words of events.
"""

from kubemini.apiserver.caching.changes import ADDED, DELETED, ERROR, MODIFIED
from kubemini.apiserver.caching.selection import Selection
from kubemini.apiserver.caching.watchcache import WatchCache

__all__ = ["ADDED", "DELETED", "ERROR", "MODIFIED", "Selection", "WatchCache"]
