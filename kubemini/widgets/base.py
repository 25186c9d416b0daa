"""What all widgets have, whatever they show: something recorded, a text that says the same, and a page without kernel.

In a live notebook a reader's deed is answered by the kernel. What a notebook stores is the text and, in one line, the
recording's digest: the book's build computes the recording itself (it sets `FOR_PAGES`).
"""

import hashlib
import html
import json
import os
from typing import Any

import anywidget
import traitlets

from kubemini import session
from kubemini.ranges import shown
from kubemini.widgets.modules import style

FOR_PAGES = "KUBEMINI_PAGES"  # set in the environment: an output carries its recording, for a page without a kernel


class Widget(anywidget.AnyWidget):
    """What all have: something recorded, a text that says the same, and a simulator to ask for more."""

    _css = style()
    picture = ""
    run = traitlets.Dict().tag(sync=True)
    kernel = traitlets.Unicode("jupyter").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    options = traitlets.Dict().tag(sync=True)

    def __init__(self, run: dict[str, Any], text: str, caption: str = "", options: dict[str, Any] | None = None):
        if not isinstance(caption, str):
            raise ValueError(f"caption: expected a text, got {shown(caption)}")
        super().__init__(run=run, caption=caption, options=options or {})
        self.text = f"{text}\n\n{self.stamp()}"
        self.on_msg(self._answer)

    def amount(self) -> str:
        """How much is recorded, in words: ``734 records``."""
        raise NotImplementedError(f"{type(self).__name__} has to say how much it has recorded")

    def stamp(self) -> str:
        """``recording 0123456789ab, 734 records``: two recordings are the same exactly if their stamps are."""
        return f"recording {hashlib.sha256(compact(self.run).encode()).hexdigest()[:12]}, {self.amount()}"

    def _answer(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        """The front end asks for another run."""
        if message.get("op") not in session.OPERATIONS:
            return  # golive and link are for pages without a kernel
        answer = session.handle(message)
        if "run" in answer:
            self.run = answer.pop("run")
        self.send(answer)

    def static_html(self) -> str:
        """The recording for a page without a kernel; the same bytes every time."""
        state = {"widget": self.picture, "run": self.run, "caption": self.caption, "options": self.options}
        data = compact(state).replace("</", "<\\/")
        return (
            f'<div class="km-host" data-kubemini="{self.picture}"><script type="application/json">{data}</script>'
            f'<pre class="km-fallback" tabindex="0">{html.escape(self.text)}</pre></div>'
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        page = {"text/html": self.static_html()} if os.environ.get(FOR_PAGES) else {}
        return {**(data or {}), **page, "text/plain": self.text}, metadata


def compact(data: Any) -> str:
    """*data* as JSON, the same bytes every time."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
