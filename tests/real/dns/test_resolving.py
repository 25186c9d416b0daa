"""The real getaddrinfo of glibc and of musl beside ours: the same questions in the same order, the same end.

One name server plays a script to both. How long it took is held nowhere: a retry is seen in the questions. So is an
answer that a busy machine gives after the resolver's second: who differs is asked again.
"""

import pytest

from kubemini.network.decide.dns.message import Answer, Record
from kubemini.network.decide.dns.resolvconf import GLIBC, MUSL, read_resolv_conf, settings
from kubemini.network.decide.dns.resolver import look_up
from tests.real.dns import resolving

pytestmark = pytest.mark.needs("namespaces")
TRIES = 5
CONF = "nameserver 127.0.0.1\nsearch one.test two.test\noptions ndots:5 timeout:1"
LOST_A, LOST_AAAA = (
    [["one", "A", 0, "lost"], ["one", "", None, "ok"]],
    [["one", "AAAA", 0, "lost"], ["", "", None, "ok"]],
)
SCRIPTS = {
    "found at once": [["one", "", None, "ok"]],
    "found behind the second domain": [["two", "", None, "ok"]],
    "no such name": [],
    "every server fails": [["", "", None, "SERVFAIL"]],
    "one domain fails, the next has it": [["one", "", None, "SERVFAIL"], ["two", "", None, "ok"]],
    "A fails, AAAA is there": [["one", "A", None, "SERVFAIL"], ["one", "AAAA", None, "ok"]],
    "A is there, AAAA is not": [["one", "A", None, "ok"]],
    "A fails once": [["one", "A", 0, "SERVFAIL"], ["one", "", None, "ok"]],
    "A is refused, AAAA is there": [["one", "A", None, "REFUSED"], ["one", "AAAA", None, "ok"]],
    "A is empty, AAAA does not exist": [["", "A", None, "nodata"]],
    "A is there, AAAA fails": [["one", "A", None, "ok"], ["one", "AAAA", None, "SERVFAIL"]],
    "refused": [["", "", None, "REFUSED"]],
    "nothing of either type": [["", "", None, "nodata"]],
    "nothing, then no such name": [["one", "", None, "nodata"]],
    "A does not exist, AAAA is empty": [["", "AAAA", None, "nodata"]],
    "an alias to nowhere": [["one", "", None, "alias"]],
    "the first A is lost": LOST_A,
    "the first AAAA is lost": LOST_AAAA,
    "both are lost once": [["one", "", 0, "lost"], ["one", "", None, "ok"]],
    "AAAA is always lost": [["", "AAAA", None, "lost"], ["one", "A", None, "ok"]],
    "all is lost": [["", "", None, "lost"]],
}


def ours(name, conf, script, libc=GLIBC):
    """The same with ours."""
    steps, asked, heard = look_up(name, settings(read_resolv_conf(conf), libc), libc), [], None
    while True:
        try:
            send = steps.send(heard)
        except StopIteration as done:
            outcome = done.value
            return sorted(outcome.addresses) or {"error": outcome.error}, asked
        got = {}
        for question in send.questions:
            what = resolving.decide(script, question.name, question.type, asked.count([question.name, question.type]))
            asked.append([question.name, question.type])
            if what != "lost":
                got[question.type] = said(question, what)
        heard = got, 0 if len(got) == len(send.questions) > 0 else send.wait


def said(question, what):
    """An answer of the script."""
    data = {"ok": resolving.ADDRESS[question.type], "alias": "x."}.get(what)
    kind = "CNAME" if what == "alias" else question.type
    records = (Record(question.name, 30, kind, data),) if data else ()
    return Answer("NOERROR" if what in ("ok", "alias", "nodata") else what, records)


def real(wanted, *what, order=list):
    """(How the real one ends, what it asks, as *order* puts it); again, a few times, until that is *wanted*."""
    for _ in range(TRIES):
        end, asked = resolving.look_up(*what)
        if (end, order(asked)) == wanted:
            break
    return end, order(asked)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_glibc_asks_and_ends_as_ours_does(script):
    wanted = ours("web", CONF, script)
    assert real(wanted, "web", CONF, script) == wanted


@pytest.mark.parametrize("option", ["no-aaaa", "single-request", "single-request-reopen", "attempts:3"])
@pytest.mark.parametrize("script", [LOST_A, [], [["", "", None, "lost"]]], ids=["a loss", "no name", "silence"])
def test_an_option_changes_what_glibc_asks_as_it_does_in_ours(option, script):
    conf = f"{CONF} {option}"
    wanted = ours("web", conf, script)
    assert real(wanted, "web", conf, script) == wanted


@pytest.mark.parametrize(
    "name", ["web", "web.", "web.prod", "a.b.c.d.e.f", "a.b.c.d.e.", "10.1", "0x7f.1", "1.2.3.4.5"]
)
@pytest.mark.parametrize("ndots", [0, 1, 2, 5])
def test_dots_decide_in_glibc_which_names_are_tried_as_they_do_in_ours(name, ndots):
    conf = CONF.replace("ndots:5", f"ndots:{ndots}")
    wanted = ours(name, conf, [])
    assert real(wanted, name, conf, []) == wanted


@pytest.fixture(scope="module")
def musl(tmp_path_factory):
    return resolving.with_musl(tmp_path_factory.mktemp("musl"))


@pytest.mark.needs("musl-gcc")
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_musl_asks_and_ends_as_ours_does(script, musl):
    end, questions = ours("web", CONF, script, MUSL)
    wanted = end, sorted(questions)
    assert real(wanted, "web", CONF, script, musl, order=sorted) == wanted


@pytest.mark.needs("musl-gcc")
@pytest.mark.parametrize("name", ["web", "web.", "web.prod", "a.b.c.d.e.f", "10.1"])
@pytest.mark.parametrize("ndots", [0, 1, 2, 5])
def test_dots_decide_in_musl_which_names_are_tried_as_they_do_in_ours(name, ndots, musl):
    conf = CONF.replace("ndots:5", f"ndots:{ndots}")
    wanted = ours(name, conf, [], MUSL)
    assert real(wanted, name, conf, [], musl) == wanted
