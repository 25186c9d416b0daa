"""Why a pod goes where it goes: each plugin's verdict and score for each node; and a small cluster to ask it of.

explain(cluster, "pod/web-1")      the scheduler's table, as text: what ``kubemini explain`` prints
plug_in(cluster, plugin)           an opinion of one's own that counts
cases.answer(asked)                what the widget shows: a story, and what a reader did to it since
"""

from kubemini.explaining.asking import explain, plug_in

__all__ = ["explain", "plug_in"]
