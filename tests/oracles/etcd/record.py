"""Has real members of etcd 3.4, 3.6 and 3.7 answer anew: ``python -m tests.oracles.etcd.record`` (`make record`).

3.4 is the one that is installed, the others are built (`make oracles`). What the newest one answered to the sessions
lies in versions.json, the long random ones packed; of the others only that which differs (null: it was not asked).
`test_versions.py` holds ours to the newest, without any of these programs.
"""

import base64
import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from tests.oracles.build import Missing, program
from tests.oracles.etcd import sessions
from tests.real import realetcd

NEWEST, SESSIONS = "3.7", ("transcript", "changes", "lost_disk", "alone", "random")
FILE = Path(__file__).parent / "versions.json"
# Nobody loses its leader for being kept waiting a second or two by what else the machine does.
CALM = ("--heartbeat-interval=250", "--election-timeout=2500")
FLAGS = ("heartbeat-interval", "election-timeout", "snapshot-count", "pre-vote", "max-request-bytes", "max-txn-ops")
FLAGS += ("quota-backend-bytes", "max-learners", "snapshot-catchup-entries", "watch-progress-notify-interval")


def commands():
    """{"3.4": the command that is that etcd}. Raises Missing."""
    installed = shutil.which("etcd")
    if not installed:
        raise Missing("etcd is not installed: apt-get install etcd-server")
    return {"3.4": [installed], "3.6": [str(program("etcd36"))], "3.7": [str(program("kubernetes")), "etcd"]}


@contextlib.contextmanager
def asked(command):
    """Whoever asks for an etcd meanwhile gets this one."""
    before = os.environ.get("KUBEMINI_ETCD")
    os.environ["KUBEMINI_ETCD"] = shlex.join(command)
    try:
        yield
    finally:
        os.environ.pop("KUBEMINI_ETCD") if before is None else os.environ.update(KUBEMINI_ETCD=before)


@contextlib.contextmanager
def cluster(flags=()):
    """Three real members that have elected a leader."""
    with tempfile.TemporaryDirectory() as folder, realetcd.RealCluster(Path(folder), flags=flags) as real:
        yield real


def flags(command):
    """{flag: its default} as ``--help`` says, under every name that it has, with experimental- before it or without."""
    told = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    name = rf"(?:experimental-)?(?:{'|'.join(FLAGS)})"
    found = re.findall(rf"^\s+--({name})\b *'?([^'\n]*)'?$", told.stdout + told.stderr, re.MULTILINE)
    return dict(sorted(found))


def recorded(command):
    """Everything that one version was asked."""
    with asked(command):
        answers = {"etcd": realetcd.version(), "flags": flags(command)}
        for name in SESSIONS[:-1]:
            with cluster() as real:
                answers[name] = getattr(sessions, name)(real)
        answers["random"] = {}
        for seed in sessions.SEEDS:
            with cluster(CALM) as real:
                told = sessions.random_session(real, seed)
            answers["random"] |= {f"{seed}/{number}": answer for number, answer in enumerate(told)}
    return answers


def keep(found):
    """Write what was *found* of each version."""
    newest = found[NEWEST]
    for kind, answers in found.items():
        if kind != NEWEST:
            answers |= {name: differing(answers[name], newest[name]) for name in SESSIONS}
    newest["random"] = packed(newest["random"])
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def differing(answers, newest):
    """What of *answers* is not as the *newest* version has it."""
    return {name: answers.get(name) for name in newest if answers.get(name) != newest[name]}


def packed(value):
    """*value* as a short text."""
    return base64.b85encode(zlib.compress(json.dumps(value, sort_keys=True).encode(), 9)).decode()


def unpacked(text):
    """What was `packed`."""
    return json.loads(zlib.decompress(base64.b85decode(text)))


def main():
    """Ask them all, and keep what they say; 1 if one is missing."""
    try:
        found = {kind: recorded(command) for kind, command in commands().items()}
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    keep(found)
    print(f"{FILE.name}: {', '.join(answers['etcd'] for answers in found.values())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
