"""@kubernetes/client-node, unmodified, at the door: it writes, and its informer hears of it, through crashes too."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.serve.doors import LONG, Served

pytestmark = pytest.mark.needs("node", "client-node")
PROGRAM = Path(__file__).with_name("client_node.mjs")


def test_an_informer_hears_what_is_written(tmp_path):
    with Served(tmp_path, "--topology", "stacked", "--workers", "0") as served:
        done = subprocess.run(
            ["node", str(PROGRAM), "lb"],
            env={**os.environ, "KUBECONFIG": str(served.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=LONG,
        )
        assert done.stdout.splitlines() == [
            "add by-node v",
            "update by-node w",
            "delete by-node w",
            "version v1.37.2",
            "refused 404",
        ], done.stderr


def test_an_informer_outlives_each_server_s_crash_in_turn(tmp_path):
    with Served(tmp_path, "--topology", "stacked", "--workers", "0") as served:
        node = subprocess.Popen(
            ["node", str(PROGRAM), "lb", "ask"],
            env={**os.environ, "KUBECONFIG": str(served.kubeconfig)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with node:
            for number in (1, 2, 3):
                door = f"apiserver-{number}"
                assert served.type(f"crash {door}") == f"kubemini: crash {door}\n"
                node.stdin.write(f"without-{number}\n")
                node.stdin.flush()
                assert node.stdout.readline() == f"add without-{number}\n"
                assert served.type(f"restart {door}") == f"kubemini: restart {door}\n"
            node.stdin.close()
