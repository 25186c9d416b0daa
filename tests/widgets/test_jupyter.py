"""A widget in a notebook: what it stores is a text with the recording's digest; for a page, the recording itself."""

import re
import shutil

from kubemini.simulate import run
from kubemini.widgets import modules
from kubemini.widgets.jupyter import CLASSES, FOR_PAGES, recording_class, show, show_elections, stamp

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
        assert stored["text/plain"].splitlines()[-1] == stamp(widget.run)


def test_the_book_computes_the_recording_when_it_is_built(monkeypatch):
    monkeypatch.setenv(FOR_PAGES, "1")
    widget = show("etcd-3", until=2)
    page = bundle(widget)["text/html"]
    assert 'data-kubemini="etcd-desk"' in page and '"records":{' in page and stamp(widget.run) in page


def test_a_digest_is_the_same_for_the_same_run_and_another_for_a_delay_that_is_a_little_longer():
    plain, again = stamp(show("etcd-3", until=2).run), stamp(show("etcd-3", until=2).run)
    slower = stamp(show("etcd-3", until=2, commands=[(0.5, "slow_disk", "etcd-host-1", "1ms")]).run)
    assert plain == again != slower
    assert re.fullmatch(r"recording [0-9a-f]{12}, [\d,]+ records", plain)
    assert stamp(show_elections(CURVES).run).endswith(", 3 elections")


def test_a_widget_is_added_by_one_module(tmp_path, monkeypatch):
    shutil.copytree(modules.STATIC, tmp_path / "static")
    drawn = 'import { h } from "../kit.js";\nconst render = ({ el }) => el.append(h("p", {}, "toy"));\n'
    (tmp_path / "static" / "widgets" / "toy.js").write_text(drawn + modules.DEFAULT)
    monkeypatch.setattr(modules, "STATIC", tmp_path / "static")
    toy = recording_class("toy")(run("etcd-3", until=1))
    assert 'data-kubemini="toy"' in toy.static_html() and "export default km_toy;" in str(toy._esm)
    assert set(CLASSES) | {"election-curves"} == set(modules.WIDGETS)
