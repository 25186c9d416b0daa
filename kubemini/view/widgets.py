"""The widgets in Jupyter: one anywidget class, two pictures; the same JavaScript as on the book's pages.

`show` runs a scenario and shows its recording. In a live notebook a reader's deed is answered by the kernel; the
stored output carries the recording and a text, so that a page without a kernel, a printer and a diff can read it.
"""

import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from kubemini import session
from kubemini.run import run
from kubemini.scenarios import Scenario
from kubemini.sim import Trace
from kubemini.view.scene import present, text_summary

STATIC = Path(__file__).parent / "static"
WIDGETS = ("cluster-map", "etcd-desk")


def source(widget: str) -> str:
    """The ES module of one widget: what both share, then its own."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in ("common.js", f"{widget}.js"))


class Recording(anywidget.AnyWidget):
    """A recording on screen; use `show`, or one of the subclasses below."""

    _css = STATIC / "widget.css"
    picture = ""
    run = traitlets.Dict().tag(sync=True)
    kernel = traitlets.Unicode("jupyter").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    options = traitlets.Dict().tag(sync=True)

    def __init__(self, trace: Trace, caption: str = "", options: dict[str, Any] | None = None):
        super().__init__(run=present(trace), caption=caption, options=options or {})
        self.text = text_summary(trace)
        self.on_msg(self._answer)

    def _answer(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        """The front end asks for another run."""
        if message.get("op") != "simulate":
            return  # golive and link are for pages without a kernel
        answer = session.handle(message)
        if "run" in answer:
            self.run = answer.pop("run")
        self.send(answer)

    def static_html(self) -> str:
        """The recording for a page without a kernel; the same bytes every time."""
        state = {"widget": self.picture, "run": self.run, "caption": self.caption, "options": self.options}
        data = json.dumps(state, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
        return (
            f'<div class="km-host" data-kubemini="{self.picture}"><script type="application/json">{data}</script>'
            f'<pre class="km-fallback" tabindex="0">{html.escape(self.text)}</pre></div>'
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data = {**(data or {}), "text/html": self.static_html(), "text/plain": self.text}
        return data, metadata


class ClusterMap(Recording):
    """Hosts, programs, pods, and the requests between them."""

    picture = "cluster-map"
    _esm = source(picture)


class EtcdDesk(Recording):
    """The members in a ring, with their logs."""

    picture = "etcd-desk"
    _esm = source(picture)


CLASSES = {kind.picture: kind for kind in (ClusterMap, EtcdDesk)}


def show(
    scenario: str | Path | Scenario | Trace,
    seed: int | None = None,
    commands: Iterable[Sequence[Any]] = (),
    until: str | float | None = None,
    widget: str | None = None,
    caption: str = "",
    predict: dict[str, Any] | None = None,
    **options: Any,
) -> Recording:
    """Run *scenario* and show it; a `Trace` is shown as it is.

    *widget* is "cluster-map" or "etcd-desk" (the default where there is nothing but etcd). *predict* is a question
    asked before the recording plays: {"question", "choices": [...], "answer": index, "explain"}. Further *options*:
    *t0* (seconds at which it opens), *speed*, *id* (for links). Raises ValueError naming the widgets.
    """
    trace = scenario if isinstance(scenario, Trace) else run(scenario, seed, commands, until)
    widget = widget or ("etcd-desk" if trace.header["topology"]["kind"] == "etcd" else "cluster-map")
    if widget not in CLASSES:
        raise ValueError(f"there is no widget {widget!r}; there are: {', '.join(CLASSES)}")
    if predict:
        options["predict"] = checked(predict)
    return CLASSES[widget](trace, caption, options)


def checked(predict: dict[str, Any]) -> dict[str, Any]:
    """*predict* as given, if it can be asked. Raises ValueError that says what is missing."""
    missing = [name for name in ("question", "choices") if not predict.get(name)]
    if missing:
        raise ValueError(f"predict: {' and '.join(missing)} missing; give question, choices, answer, explain")
    answer = predict.get("answer")
    if isinstance(answer, int) and not 0 <= answer < len(predict["choices"]):
        raise ValueError(f"predict: answer {answer} is not an index of the {len(predict['choices'])} choices")
    return dict(predict)
