"""The request tracer: a request walks the API server's chain; five broken ones are predicted first.

    from kubemini import show, trace_request
    from kubemini.widgets.request import show_request

    show_request(caption="Which stage says no, and with which code?")     a good request, and five broken ones
    show(trace_request(cluster, "GET", "/api/v1/nodes", user="dev"))      your own, and those beside it
    print(trace_request(cluster, "GET", "/api/v1/nodes", user="dev"))     the same as text, stage by stage

Chapter 2 shows the first where it asks for predictions, and uses the others wherever it sends a request of its own.
"""

from kubemini.ranges import shown
from kubemini.requests import TracedRequest, broken
from kubemini.widgets.base import Widget
from kubemini.widgets.modules import widget_source


class RequestTracer(Widget):
    """Requests and their way down the chain; use `show_request`."""

    picture = "request-tracer"
    _esm = widget_source(picture)

    def __init__(self, first: TracedRequest | None = None, caption: str = ""):
        if first is not None and not isinstance(first, TracedRequest):
            raise ValueError(f"expected what trace_request gives, or nothing; got {shown(first)}")
        run = broken.recorded(first)
        text = broken.told(run) if first is None else f"{first}\n\n{broken.told(run)}"
        super().__init__(run, text, caption)

    def amount(self) -> str:
        return f"{len(self.run['cases']):,} requests"


def show_request(first: TracedRequest | None = None, caption: str = "") -> RequestTracer:
    """Show *first*, or the good request, and the five broken ones; a reader may change what is asked.

    Raises ValueError for what is no traced request.
    """
    return RequestTracer(first, caption)
