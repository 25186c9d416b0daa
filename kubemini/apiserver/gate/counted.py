"""What one incarnation of an API server has counted, and what it holds: the numbers behind /metrics.

Models k/apiserver pkg/endpoints/metrics MonitorRequest RecordLongRunning; k/apiserver pkg/storage/etcd3/metrics.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.apiserver.caching import WatchCache
from kubemini.apiserver.decide import metrics
from kubemini.apiserver.decide.metrics import Labels, Series
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.gate.fairness import Fairness

BUILD = (("git_version", "v1.37.2"), ("major", "1"), ("minor", "37"))


class Counted:
    """Requests that were answered, and those under way."""

    def __init__(self) -> None:
        self.requests: Counter[Labels] = Counter()
        self.under_way: Counter[Labels] = Counter()

    def begun(self, info: RequestInfo) -> None:
        """A request has come."""
        self.under_way[_kind(info)] += 1

    def ended(self, info: RequestInfo, answer: Any, created: bool) -> None:
        """It is answered, or nobody waits for the answer any more."""
        self.under_way[_kind(info)] -= 1
        if answer is None and info.verb != "watch":
            return
        code = answer.code if isinstance(answer, ApiError) else 201 if created or info.verb == "create" else 200
        scope = (
            "" if not info.is_resource else "resource" if info.name else "namespace" if info.namespace else "cluster"
        )
        sub = info.subresource if info.is_resource else info.path
        what = info.group, info.version, info.resource, sub, scope
        self.requests[metrics.request(info.verb.upper(), *what, code)] += 1

    def page(self, caches: Iterable[WatchCache], fairness: Fairness) -> metrics.Plain:
        """/metrics as of now."""
        objects, watches = dict[Labels, float](), dict[Labels, float]()
        for cache in caches:
            kind = cache.kind
            objects[("group", kind.group), ("resource", kind.plural)] = len(cache.objects)
            if cache.audience:
                watches[("group", kind.group), ("resource", kind.plural), ("verb", "WATCH")] = len(cache.audience)
        return metrics.page(
            [
                Series(
                    "apiserver_request_total", "counter", "Requests answered, by verb, kind and code.", self.requests
                ),
                Series("apiserver_current_inflight_requests", "gauge", "Requests under way.", self.under_way),
                Series("apiserver_resource_objects", "gauge", "Objects that are stored, by kind.", objects),
                Series("apiserver_longrunning_requests", "gauge", "Watches that are open, by kind.", watches),
                Series("kubernetes_build_info", "gauge", "Which version this is.", {BUILD: 1}),
                *fairness.series(),
            ]
        )


def _kind(info: RequestInfo) -> Labels:
    reads = info.verb in ("get", "list", "watch")
    return (("request_kind", "readOnly" if reads else "mutating"),)
