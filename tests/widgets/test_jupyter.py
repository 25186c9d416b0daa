"""A widget in a notebook: what it stores is a text with the recording's digest; for a page, the recording itself."""

import re
import shutil

import pytest

from kubemini import trace_request
from kubemini.cluster import Cluster
from kubemini.sim import Trace
from kubemini.simulate import run
from kubemini.widgets import modules
from kubemini.widgets.base import FOR_PAGES
from kubemini.widgets.jupyter import CLASSES, NO_RUN, recording_class, show, show_elections
from kubemini.widgets.request import show_request

CURVES = {(150, 300): [10.0, 20.0, 400.0]}


def bundle(widget):
    """What an output holds, without what lives in the front end only."""
    data, _ = widget._repr_mimebundle_()
    return {mime: value for mime, value in data.items() if "widget-view" not in mime}


def test_a_notebook_stores_the_run_as_text_and_the_digest_of_its_recording(monkeypatch):
    monkeypatch.delenv(FOR_PAGES, raising=False)
    for widget in (show("etcd-3", until=2), show_elections(CURVES)):
        stored = bundle(widget)
        assert set(stored) == {"text/plain"}
        assert stored["text/plain"].splitlines()[-1] == widget.stamp()


def test_the_book_computes_the_recording_when_it_is_built(monkeypatch):
    monkeypatch.setenv(FOR_PAGES, "1")
    widget = show("etcd-3", until=2)
    page = bundle(widget)["text/html"]
    assert 'data-kubemini="etcd-desk"' in page and '"records":{' in page and widget.stamp() in page


def test_a_digest_is_the_same_for_the_same_run_and_another_for_a_delay_that_is_a_little_longer():
    plain, again = show("etcd-3", until=2).stamp(), show("etcd-3", until=2).stamp()
    slower = show("etcd-3", until=2, commands=[(0.5, "slow_disk", "etcd-host-1", "1ms")]).stamp()
    assert plain == again != slower
    assert re.fullmatch(r"recording [0-9a-f]{12}, [\d,]+ records", plain)
    assert show_elections(CURVES).stamp().endswith(", 3 elections")


def test_a_widget_is_added_by_one_module(tmp_path, monkeypatch):
    shutil.copytree(modules.STATIC, tmp_path / "static")
    drawn = 'import { h } from "../kit.js";\nconst render = ({ el }) => el.append(h("p", {}, "toy"));\n'
    (tmp_path / "static" / "widgets" / "toy.js").write_text(drawn + modules.DEFAULT)
    monkeypatch.setattr(modules, "STATIC", tmp_path / "static")
    toy = recording_class("toy")(run("etcd-3", until=1))
    assert 'data-kubemini="toy"' in toy.static_html() and "export default km_toy;" in str(toy._esm)
    assert {*CLASSES, *NO_RUN} == set(modules.WIDGETS)


def test_a_traced_request_is_shown_as_it_is_before_the_good_one_and_the_broken_five(monkeypatch):
    monkeypatch.delenv(FOR_PAGES, raising=False)
    widget = show(trace_request(method="GET", path="/api/v1/nodes", user="dev"), caption="Mine.")
    assert [case["name"] for case in widget.run["cases"]] == [
        *("yours", "good", "token", "right", "invalid", "conflict", "webhook")
    ]
    text = bundle(widget)["text/plain"]
    assert text.startswith("GET /api/v1/nodes, by dev") and "✕ Authorization" in text
    assert widget.stamp().endswith(", 7 requests") and widget.caption == "Mine."


ASKED = {"question": "Who wins?", "choices": ["etcd-1", "etcd-2"], "answer": 0}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda trace: show(Cluster.single().trace), "this trace holds no run yet: let time pass first"),
        (lambda trace: show(Trace()), "this trace holds no run yet"),
        (lambda trace: show(trace, widget=["x"]), "there is no widget ['x']; there are: cluster-map"),
        (lambda trace: show(trace, caption=None), "caption: expected a text, got None"),
        (lambda trace: show(trace, predict="quorum.partition"), "predict: expected what prediction("),
        (lambda trace: show(trace, predict=ASKED | {"choices": 5}), "predict: choices: expected a list of texts"),
        (lambda trace: recording_class("raft-stepper")("etcd-3"), "expected the trace of a run, such as"),
        (lambda trace: recording_class("etcd-desk")(None), "expected the trace of a run, such as"),
        (lambda trace: show_request("quorum"), "expected what trace_request gives, or nothing; got 'quorum'"),
        (lambda trace: show_elections(None), "curves: expected a map such as"),
        (lambda trace: show_elections({(150, 300): []}), "curves: expected a map such as"),
        (lambda trace: show_elections({150: [1.0]}), "curves: expected a map such as"),
        (lambda trace: show_elections({(150, 300): [None]}), "curves: expected a map such as"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(wrong, sentence):
    trace = run("etcd-3", until=1)
    with pytest.raises(ValueError, match="^" + re.escape(sentence)) as refused:
        wrong(trace)
    assert "\n" not in str(refused.value)
