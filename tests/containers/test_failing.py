"""A program of ours that raises is a process that ends with 1; nobody who called it hears of more."""

import pytest

from kubemini.containers import ERR, Inside, Request, Setting, images
from kubemini.containers.images import Image, Program
from kubemini.containers.process import Server, Sleep
from kubemini.sim.units import SECOND
from tests.containers.parts import Bench
from tests.kubelet.lives.parts import Life, container, pod, until

LINE = b"ZeroDivisionError: division by zero\n"


def of(main, **programs) -> Bench:
    bench = Bench("pause")
    image = Image(programs={f"bin/{name}": main for name, main in programs.items()})
    bench.inside = Inside(Program(image, ("/bin/broken",), main=main), Setting(), bench)
    return bench.start()


def fails(process):
    yield Sleep(SECOND)
    1 / 0  # noqa: B018
    process.out("never")


def fails_at_once(process):
    return 1 / 0


def serves(process):
    def http(request):
        return 1 / 0

    process.on("TERM", lambda: http(None))
    process.listen(80, Server(http, health=http))
    process.listen(53, Server(udp=lambda data, source: http(None)))
    yield Sleep()


@pytest.mark.panics
def test_a_program_that_raises_ends_with_1_and_its_log_has_the_last_line_of_the_traceback():
    bench = of(fails).run()
    assert (bench.output, bench.end) == ([(SECOND, ERR, LINE)], (SECOND, 1, ""))
    assert [(name, type(error)) for name, error in bench.defects] == [("/bin/broken", ZeroDivisionError)]


@pytest.mark.panics
def test_so_does_one_that_raises_before_it_has_begun():
    assert of(fails_at_once).end == (0, 1, "")


@pytest.mark.panics
@pytest.mark.parametrize(
    "deed",
    [
        lambda inside: inside.request(80, Request()),
        lambda inside: inside.health(80, ""),
        lambda inside: inside.datagram(53, b"x", "10.0.0.1") or None,
        lambda inside: inside.signal("TERM"),
    ],
)
def test_so_does_one_that_raises_when_it_is_asked_or_told(deed):
    bench = of(serves)
    assert deed(bench.inside) is None
    assert (bench.output, bench.end) == ([(0, ERR, LINE)], (0, 1, ""))


@pytest.mark.panics
def test_a_command_or_a_child_that_raises_ends_alone(monkeypatch):
    monkeypatch.setitem(images.BUSYBOX, "/bin/broken", fails_at_once)
    bench = Bench("busybox", "-c", "broken; echo $?; sleep 9", command=("sh",)).start()
    assert (bench.said, bench.end) == ("1\n", None)
    assert bench.exec("broken") == ([1], LINE.decode()) and bench.end is None


@pytest.mark.panics
def test_its_kubelet_lives_and_starts_it_again(monkeypatch):
    monkeypatch.setitem(images.KNOWN, "broken", Image(("/bin/broken",), programs={"bin/broken": fails}))
    spec = {"name": "c", "image": "broken", "imagePullPolicy": "Never"}
    life = Life(pod(spec, container("sleep", 60, name="b")), until('rc("c", "p") == 1'))
    assert life.states()[1:] == [["terminated:Error:1", 0, False, False], ["running", 1, True, True]]
    assert life.log() == LINE.decode()
    told = {(one.actor, one.detail["pod"], one.detail["program"]) for one in life.world.sim.trace.of("defect")}
    assert told == {("kubelet@n1", "life/p", "/bin/broken")} and not life.world.sim.trace.of("panic")


def test_anywhere_else_in_our_tests_it_is_a_failure():
    with pytest.raises(ZeroDivisionError):
        of(fails).run()
