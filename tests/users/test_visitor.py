"""Visitors of a Service: who has nobody to visit says so."""

from kubemini import run


def visits(service, until="40s"):
    story = {
        "title": "t",
        "topology": {"kind": "single"},
        "workload": {"visitors": {"service": service}},
        "until": until,
    }
    return run(story)


def test_visitors_of_a_service_that_is_not_there_say_so_once_and_ask_nobody():
    trace = visits("nope")
    (note,) = trace.of("note")
    assert note.detail["text"].startswith("visitors wait: Service nope has no endpoint yet") and note.at >= 30_000_000
    assert not [r for r in trace.of("request") if r.detail["kind"] == "service"]
    assert not visits("nope", until="20s").of("note")


def test_visitors_of_an_open_shop_say_nothing():
    assert not run("healthy").of("note")
