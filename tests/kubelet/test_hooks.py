"""preStop hooks: sleep(1) by its own manual, shells as far as they are understood, and what is said of the rest."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.kubelet.decide import hooks
from kubemini.sim.units import SECOND
from tests.kubelet.parts import pod


def time(*command):
    """Seconds that a command holds SIGTERM back, and what of it is strange."""
    reading = hooks.read({"exec": {"command": list(command)}})
    return reading.time / SECOND, reading.strange


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        (["5"], 5),
        (["15s"], 15),
        (["0.5"], 0.5),
        ([".5"], 0.5),
        (["5."], 5),
        (["2m"], 120),
        (["0.1h"], 360),
        (["1d"], 86_400),
        (["1e1"], 10),
        (["1e-1s"], 0.1),
        (["0x10"], 16),
        (["0x1d"], 29),
        (["+5"], 5),
        ([" 5"], 5),
        (["1", "2s", "1m"], 63),
        (["--", "5"], 5),
        (["0"], 0),
    ],
)
def test_sleep_reads_numbers_as_c_does_and_adds_them_up(arguments, seconds):
    assert time("sleep", *arguments) == (seconds, [])


@pytest.mark.parametrize("text", ["infinity", "inf", "INF", "infd", "1e999", "0x1p2000", "99999999999999999999d"])
def test_sleep_may_last_for_ever(text):
    assert hooks.sleep_time([text]) == hooks.FOREVER


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["s"],
        ["5 "],
        ["5ss"],
        ["5S"],
        ["five"],
        ["nan"],
        ["-5"],
        ["5", "x"],
        ["1_0"],
        ["٣"],
        ["5,5"],
        ["--help"],
    ],
)
def test_what_sleep_refuses_ends_at_once(arguments):
    assert hooks.sleep_time(arguments) is None and time("sleep", *arguments) == (0, [])


@pytest.mark.skipif(shutil.which("sleep") is None, reason="there is no sleep(1) here")
@pytest.mark.parametrize("arguments", [[], ["s"], ["5 "], ["0S"], ["nan"], ["0", "x"], ["0,0"], ["٠"], ["0_0"], ["-0"]])
def test_the_sleep_of_this_machine_refuses_the_same(arguments):
    done = subprocess.run(["sleep", *arguments], capture_output=True, check=False)
    assert (done.returncode == 0) == (hooks.sleep_time(arguments) is not None)


@pytest.mark.skipif(shutil.which("sleep") is None, reason="there is no sleep(1) here")
@pytest.mark.parametrize(
    "arguments", [["0"], ["0s", "0m"], ["0.0"], ["0e5"], ["0x0"], [" 0"], ["+0"], ["--", "0"], ["0."]]
)
def test_the_sleep_of_this_machine_takes_the_same(arguments):
    done = subprocess.run(["sleep", *arguments], capture_output=True, check=False)
    assert done.returncode == 0 and hooks.sleep_time(arguments) == 0


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        (["/bin/sleep", "5"], 5),
        (["/usr/bin/sleep", "5"], 5),
        (["busybox", "sleep", "5"], 5),
        (["/bin/sh", "-c", "sleep 5"], 5),
        (["sh", "-ec", "exec sleep 5"], 5),
        (["bash", "-c", "sleep '5'; sleep \"1\""], 6),
        (["/bin/sh", "-c", "sleep 5 && nginx -s quit"], 5),
        (["/bin/sh", "-c", "sleep 5; /usr/sbin/nginx -s quit; sleep 10"], 5),
        (["sh", "-c", "echo bye > /dev/null 2>&1\nsleep 5\nkill -TERM 1"], 5),
        (["sh", "-c", "sleep 5 || true"], 5),
        (["sh", "-c", "sleep five || sleep 3"], 3),
        (["sh", "-c", "sleep five && sleep 3"], 0),
        (["sh", "-c", "true || sleep 3"], 0),
        (["sh", "-c", "false || sleep 3"], 3),
        (["sh", "-c", "exit 0; sleep 3"], 0),
        (["sh", "-c", "nginx -s quit; while killall -0 nginx; do sleep 1; done"], 0),
        (["sh", "-c", "sleep", "5"], 0),
        (["sh", "-c", ""], 0),
        (["true"], 0),
    ],
)
def test_a_shell_is_understood_as_far_as_people_use_it(command, seconds):
    assert time(*command) == (seconds, [])


@pytest.mark.parametrize(
    ("command", "seconds", "strange"),
    [
        (["/drain.sh"], 0, "/drain.sh"),
        (["sleep 5"], 0, "sleep 5"),
        (["sh", "-c", "sleep ${WAIT:-5}"], 0, "sleep ${WAIT:-5}"),
        (["sh", "-c", "sleep 5 & wait"], 0, "sleep 5 & wait"),
        (["sh", "-c", "sleep '5"], 0, "sleep '5"),
        (["sh", "-c", "/drain.sh && sleep 5"], 5, "/drain.sh"),
        (["sh", "-c", "sleep 2; for i in 1 2; do sleep 1; done"], 2, "for i in 1 2; do sleep 1; done"),
        (["sh", "-c", "kill -HUP 1"], 0, "kill -HUP 1"),
        (["sh", "/drain.sh"], 0, "sh /drain.sh"),
    ],
)
def test_what_is_not_understood_takes_no_time_and_is_named(command, seconds, strange):
    assert time(*command) == (seconds, [strange])


def test_the_slowest_hook_of_a_pod_counts_and_sleep_has_a_handler_of_its_own():
    assert hooks.pre_stop(pod()) == 0
    assert hooks.pre_stop(pod(container={"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}})) == 5 * SECOND
    lazy = {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "7"]}}}}
    assert hooks.pre_stop(pod(containers=[{"name": "a"}, lazy, lazy])) == 7 * SECOND
    asked = pod(container={"lifecycle": {"preStop": {"httpGet": {"port": 80}}}})
    assert (hooks.pre_stop(asked), hooks.strange(asked)) == (0, ['httpGet {"port": 80}'])


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_no_command_is_a_fault(words):
    assert 0 <= hooks.read({"exec": {"command": words}}).time <= hooks.FOREVER
    assert 0 <= hooks.read({"exec": {"command": ["sh", "-c", " ".join(words)]}}).time <= hooks.FOREVER
