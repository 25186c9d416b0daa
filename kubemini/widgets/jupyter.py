"""The widgets in Jupyter: anywidgets; the same JavaScript as on the book's pages.

`show` runs a scenario and shows its recording; what a notebook stores of it is the run told as text and, in one line,
the recording's digest (base.py), so that a delay changed by a millisecond changes a line and not a file.
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kubemini.api.manifests import load as load_manifests
from kubemini.network.decide.dns.resolvconf import LIBCS
from kubemini.params import Params
from kubemini.ranges import shown
from kubemini.requests import TracedRequest
from kubemini.scenarios import Scenario, load, names
from kubemini.sim import Trace
from kubemini.sim.units import MS
from kubemini.simulate import run
from kubemini.study import urls, walks
from kubemini.study.balance import Hands, hands
from kubemini.study.elections import GIVE_UP, percentile
from kubemini.study.names import SEARCH, Walk, twice
from kubemini.study.reach import SHOP, End, drawn, read, table, under_each
from kubemini.view import connections, loop, rollouts
from kubemini.view.scene import present, text_summary
from kubemini.widgets.base import Widget, compact
from kubemini.widgets.figures import Curves
from kubemini.widgets.lanes import SwimLane
from kubemini.widgets.modules import WIDGETS, widget_source
from kubemini.widgets.placement import SchedulerTable
from kubemini.widgets.request import RequestTracer, show_request
from kubemini.widgets.stopwatch import FailureStopwatch

LOOP = "reconcile-loop"
KNOBS = ("etcd_pre_vote", "etcd_election_timeout", "network_latency")  # what a widget may change


def _refuse_unrecorded(trace: Any) -> None:
    """ValueError for what is not the trace of a run."""
    if not isinstance(trace, Trace):
        raise ValueError(f'expected the trace of a run, such as Cluster.single().run("10s"); got {shown(trace)}')
    if not {"topology", "until"} <= trace.header.keys():
        raise ValueError('this trace holds no run yet: let time pass first, as in cluster.run("10s")')


class Recording(Widget):
    """A recording on screen; use `show`."""

    def __init__(self, trace: Trace, caption: str = "", options: dict[str, Any] | None = None):
        _refuse_unrecorded(trace)
        if self.picture == LOOP and not trace.of("informer"):
            raise ValueError(
                "no controller of this run is in close-up: give its scenario"
                ' params: {close_up: replicaset-controller}, or show("controllers")'
            )
        text = f"{text_summary(trace)}{self.more(trace)}"
        super().__init__(present(trace, self.picture), text, caption, {"settings": settings(trace), **(options or {})})

    def more(self, trace: Trace) -> str:
        """What this picture shows and the run told as text does not say."""
        told = {"connections": connections.told, LOOP: loop.told, "rollout-strip": rollouts.told}.get(self.picture)
        return f"\n\n{told(trace)}" if told else ""

    def amount(self) -> str:
        return f"{len(self.run['records']['at']):,} records"


def settings(trace: Trace) -> dict[str, Any]:
    """What the knobs of a run stood at, as scenarios write it."""
    made_of = trace.header.get("source") or trace.header.get("scenario")
    params = load(made_of).params if isinstance(made_of, dict) or made_of in names() else Params()
    return {name: in_ms(getattr(params, name)) for name in KNOBS}


def in_ms(value: Any) -> Any:
    """A parameter as scenarios write it: durations in milliseconds."""
    if isinstance(value, tuple):
        return [in_ms(item) for item in value]
    return value if isinstance(value, bool) else f"{value / MS:g}ms"


class ElectionCurves(Widget):
    """How many of many elections are over after so many milliseconds; use `show_elections`."""

    picture = "election-curves"
    _esm = widget_source(picture)

    def __init__(self, curves: Curves, caption: str = "", options: dict[str, Any] | None = None):
        _refuse_curves(curves)
        samples = [sample(*curve) for curve in curves.items()]
        run = {"header": {"scenario": "elections", "seed": 0}, "curves": samples}
        super().__init__(run, "\n".join(map(told, samples)), caption, options)

    def amount(self) -> str:
        return f"{sum(curve['count'] for curve in self.run['curves']):,} elections"


def _refuse_curves(curves: Any) -> None:
    """ValueError for what are no curves."""
    fits = isinstance(curves, dict) and all(map(_is_curve, curves.keys(), curves.values()))
    if not fits:
        expected = "expected a map such as {(150, 300): [182.5, 240.1]}, from timeouts to sorted milliseconds"
        raise ValueError(f"curves: {expected}; got {shown(curves)}")


def _is_curve(timeout: Any, times: Any) -> bool:
    if not (isinstance(timeout, tuple) and isinstance(times, list | tuple) and len(timeout) == 2 and times):
        return False
    return all(isinstance(number, int | float) for number in (*timeout, *times))


def sample(timeout: tuple[float, float], times: Sequence[float]) -> dict[str, Any]:
    """A curve as it is drawn: *times* (sorted milliseconds) by their quantiles."""
    quantiles = [round(min(percentile(times, n / 100), GIVE_UP / MS), 1) for n in range(100)]
    facts = {"half": quantiles[50], "mean": round(statistics.mean(times), 1), "most": quantiles[99]}
    return {"timeout": list(timeout), "count": len(times), "times": quantiles, **facts}


def told(curve: dict[str, Any]) -> str:
    """A curve in words."""
    low, high = curve["timeout"]
    half = f"{low:g}–{high:g} ms: half of {curve['count']} elections within {curve['half']:.0f} ms"
    return f"{half}, 99 of 100 within {curve['most']:.0f} ms"


def show_elections(curves: Curves, caption: str = "", **options: Any) -> ElectionCurves:
    """Show *curves*, {range of timeouts: sorted milliseconds without a leader}; a reader may ask for a range more."""
    return ElectionCurves(curves, caption, options)


class ConnectionBalance(Widget):
    """How evenly a Service deals connections; use `show_balance`."""

    picture = "connection-balance"
    _esm = widget_source(picture)

    def __init__(self, dealt: Sequence[Hands], caption: str = ""):
        rows = [{"pods": h.pods, "connections": h.connections, "dealt": [list(x) for x in h.dealt]} for h in dealt]
        run = {"header": {"scenario": "balance", "seed": 0}, "hands": rows}
        super().__init__(run, "\n".join(map(told_hands, dealt)), caption)

    def amount(self) -> str:
        return f"{sum(len(found['dealt']) for found in self.run['hands']):,} hands"


def told_hands(dealt: Hands) -> str:
    """Hands of one kind in words."""
    what = f"{dealt.connections} connection{'s' if dealt.connections > 1 else ''} to {dealt.pods} pods"
    return f"{what}: {dealt.idle:.1f} pods idle in {len(dealt.dealt)} hands, in theory {dealt.idle_expected:.2f}"


def show_balance(
    pods: Sequence[int] = (3, 10), connections: Sequence[int] = (1, 2, 3, 6, 10, 20, 50, 100, 1000), caption: str = ""
) -> ConnectionBalance:
    """Show a few hands of connections dealt to pods, for every number of *pods* and of *connections*."""
    return ConnectionBalance([hands(n, m) for n in pods for m in connections], caption)


class PolicyMatrix(Widget):
    """Who may connect to whom under which policies; use `show_policies`."""

    picture = "policy-matrix"
    _esm = widget_source(picture)

    def __init__(self, policies: str, cast: Sequence[End], caption: str = "", options: dict[str, Any] | None = None):
        found = read(policies)
        if not 0 < len(found) <= MOST_SWITCHES:
            raise ValueError(f"policies: expected 1 to {MOST_SWITCHES} of them, to be switched; got {len(found)}")
        words, subsets = under_each(found, cast)
        texts = [part.strip() + "\n" for part in policies.split("---\n") if part.strip()]
        run = {
            "header": {"scenario": "policies", "seed": 0},
            "ends": [{"name": end.name, "port": end.port} for end in cast],
            "policies": [{"name": o["metadata"]["name"], "text": text} for o, text in zip(found, texts, strict=True)],
            "words": [list(word) for word in words],
            "subsets": subsets,
        }
        super().__init__(run, f"{drawn(table(found, cast), cast)}\n\n{MARKS}", caption, options)

    def amount(self) -> str:
        return f"{len(self.run['subsets']):,} sets of policies"


MOST_SWITCHES = 6
MARKS = ". may begin; e: egress denies it, i: ingress does, X: both do"


def show_policies(policies: str, cast: Sequence[End] = SHOP, caption: str = "", **options: Any) -> PolicyMatrix:
    """Show who of *cast* may connect to whom under *policies* (manifests); *on*: names of those switched on at first.

    Raises ManifestError, and ValueError for more policies than there are switches.
    """
    return PolicyMatrix(policies, cast, caption, options)


class PacketWalk(Widget):
    """Where a packet goes, hop by hop, and which rule decides; use `show_walk`."""

    picture = "packet-walk"
    _esm = widget_source(picture)

    def __init__(self, caption: str = ""):
        run = walks.recorded()
        super().__init__(run, walks.told(run), caption)

    def amount(self) -> str:
        return f"{sum(map(len, self.run['walks'].values())):,} walks"


def show_walk(caption: str = "") -> PacketWalk:
    """Show a packet's walk: from whom, to whom, in which mode of kube-proxy, and what broke, a reader chooses."""
    return PacketWalk(caption)


class DnsWalk(Widget):
    """The walks of two C libraries through a search list; use `show_lookups`."""

    picture = "dns-walk"
    _esm = widget_source(picture)

    def __init__(self, names: Sequence[str], ndots: Sequence[int], caption: str = ""):
        walks, text = [], []
        for name in names:
            for dots in ndots:
                for libc in LIBCS:
                    first, again = twice(name, dots, libc)
                    how = {"name": name, "ndots": dots, "libc": libc, "search": " ".join(SEARCH)}
                    walks.append(
                        {**how, "first": asdict(first) | told_walk(first), "again": asdict(again) | told_walk(again)}
                    )
                    told = ", ".join(first.addresses) or first.error
                    text.append(f"{name}, ndots:{dots}, {libc}: {first.queries} questions, {told}")
        super().__init__({"header": {"scenario": "lookups", "seed": 0}, "lookups": walks}, "\n".join(text), caption)

    def amount(self) -> str:
        return f"{len(self.run['lookups']):,} lookups"


def told_walk(walk: Walk) -> dict[str, int]:
    """What the picture counts."""
    return {"outside": walk.outside}


def show_lookups(
    names: Sequence[str] = (
        "api.example.com",
        "web",
        "web.prod",
        "web.prod.svc.cluster.local",
        "web.",
        "db.data",
        "nosuch",
    ),
    ndots: Sequence[int] = (5, 2, 1),
    caption: str = "",
) -> DnsWalk:
    """Show what looking *names* up costs, name after name, for each number of dots and both C libraries."""
    return DnsWalk(names, ndots, caption)


class UrlRules(Widget):
    """Which rule of an Ingress or an HTTPRoute takes a URL; use `show_rules`."""

    picture = "url-rules"
    _esm = widget_source(picture)

    def __init__(self, manifests: str, asked: Sequence[urls.Asked], caption: str = ""):
        objects = load_manifests(manifests, "rules")
        found = {api: rows for api in (urls.INGRESS, urls.HTTP_ROUTE) if (rows := urls.rows(objects, api))}
        if not found or not asked:
            raise ValueError("rules: expected manifests with an Ingress or an HTTPRoute, and a URL to begin with")
        text = [f"{api}\n" + "\n".join(urls.told(rows, api, one) for one in asked) for api, rows in found.items()]
        apis = [{"name": api, "rows": [asdict(row) for row in rows]} for api, rows in found.items()]
        run = {"header": {"scenario": "rules", "seed": 0}, "apis": apis, "urls": [asdict(one) for one in asked]}
        super().__init__(json.loads(compact(run)), "\n\n".join(text), caption)

    def amount(self) -> str:
        return f"{sum(len(api['rows']) for api in self.run['apis']):,} rules"


def show_rules(manifests: str, asked: Sequence[urls.Asked], caption: str = "") -> UrlRules:
    """Let a reader type URLs, and show which rule of *manifests* takes each; *asked* are examples, the first is shown.

    Raises ManifestError, and ValueError if there is nothing to show.
    """
    return UrlRules(manifests, asked, caption)


def recording_class(name: str) -> type[Recording]:
    """The class of a module in static/widgets: to add a widget is to add its module."""
    return type(name, (Recording,), {"picture": name, "_esm": widget_source(name)})


NO_TRACE = (
    ElectionCurves,
    ConnectionBalance,
    PolicyMatrix,
    PacketWalk,
    DnsWalk,
    UrlRules,
    RequestTracer,
    FailureStopwatch,
    SwimLane,
    SchedulerTable,
)
NO_RUN = tuple(widget.picture for widget in NO_TRACE)
CLASSES = {name: recording_class(name) for name in WIDGETS if name not in NO_RUN}


def show(
    scenario: str | Path | Scenario | Trace | TracedRequest,
    seed: int | None = None,
    commands: Iterable[Sequence[Any]] = (),
    until: str | float | None = None,
    widget: str | None = None,
    caption: str = "",
    predict: dict[str, Any] | None = None,
    **options: Any,
) -> Widget:
    """Run *scenario* and show it; a `Trace` is shown as it is, and so is what `trace_request` gives.

    *widget* is "cluster-map", "connections" (who hangs on whom), "reconcile-loop" (of a controller in close-up),
    "rollout-strip" (the pods of a Deployment over time), "raft-stepper" or "etcd-desk" (the default where there is
    nothing but etcd). *predict* is a question asked before the recording plays: {"question", "choices": [...],
    "answer": index, "explain"}. Further *options*: *t0* (seconds at which it opens), *speed*, *id* (for links),
    *elections* (milliseconds, for the stepper's histogram). Raises ValueError naming the widgets.
    """
    if isinstance(scenario, TracedRequest):
        return show_request(scenario, caption=caption)
    trace = scenario if isinstance(scenario, Trace) else run(scenario, seed, commands, until)
    _refuse_unrecorded(trace)
    widget = widget or ("etcd-desk" if trace.header["topology"]["kind"] == "etcd" else "cluster-map")
    if not isinstance(widget, str) or widget not in CLASSES:
        raise ValueError(f"there is no widget {shown(widget)}; there are: {', '.join(CLASSES)}")
    if predict:
        options["predict"] = checked(predict)
    return CLASSES[widget](trace, caption, options)


def checked(predict: dict[str, Any]) -> dict[str, Any]:
    """*predict* as given, if it can be asked. Raises ValueError that says what is missing."""
    if not isinstance(predict, dict):
        raise ValueError(f'predict: expected what prediction("quorum.partition") gives, got {shown(predict)}')
    missing = [name for name in ("question", "choices") if not predict.get(name)]
    if missing:
        raise ValueError(f"predict: {' and '.join(missing)} missing; give question, choices, answer, explain")
    if not isinstance(predict["choices"], list | tuple):
        raise ValueError(f"predict: choices: expected a list of texts, got {shown(predict['choices'])}")
    answer = predict.get("answer")
    if isinstance(answer, int) and not 0 <= answer < len(predict["choices"]):
        raise ValueError(f"predict: answer {answer} is not an index of the {len(predict['choices'])} choices")
    return dict(predict)
