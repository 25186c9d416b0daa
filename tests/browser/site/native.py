"""A stand-in for the worker of a page: what its simulator is asked, this process's Python answers.

Invariant: a page cannot tell it from worker.js, whose messages it speaks, but by its haste: it boots nothing, and
simulates ten times as fast as the browser's Python. That both give the same bytes is held by
tests/house/test_browser_trace.py, and that a page can do without the stand-in by the tests marked `pyodide`.
"""

import json
import traceback

from kubemini.session import handle

WORKER = """(() => {
    const answer = async ({ op, key, json }) =>
        op === "init" ? { op: "ready" } : { key, ...await kubeminiNative(json) };
    window.Worker = class {
        postMessage(message) {
            const told = (data) => this.ended || this.onmessage({ data });
            if (message.op === "init") told({ op: "progress", text: "Starting Python…" });
            answer(message).then(told);
        }
        terminate() {
            this.ended = true;
        }
    };
})()"""


def answer(text: str) -> dict[str, str]:
    """What worker.js posts for the message *text*, without its key."""
    try:
        return {"json": json.dumps(handle(json.loads(text)), separators=(",", ":"))}
    except Exception as error:
        return {"error": f"The simulator has a bug: {traceback.format_exception_only(error)[-1].strip()}"}


def stand_in(page) -> None:
    """From its next address on, *page* has the stand-in."""
    page.expose_function("kubeminiNative", answer)
    page.add_init_script(WORKER)
