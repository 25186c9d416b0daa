"""Ask a real API server, once a policy, and keep the lines of its audit log: `python -m tests.oracles.audit.record`."""

import gzip
import json
import tempfile
import time
from pathlib import Path

import yaml

from tests.oracles.audit import asked
from tests.oracles.audit.comparing import MARK
from tests.oracles.build import program
from tests.oracles.sessions import replaying
from tests.real.api.realserver import RealServer

RECORDED = Path(__file__).parent / "recorded.json.gz"
TOKENS = {"admin": "admintoken", "dev": "devtoken"}


def lines(binary, policy):
    """The events that a real server writes while it is asked `asked.STEPS`."""
    judge = replaying.judge_of(replaying.OWN_JUDGE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.yaml").write_text(yaml.safe_dump(policy))
        log = folder / "audit.log"
        flags = f"--audit-policy-file={folder / 'policy.yaml'}", f"--audit-log-path={log}"
        with RealServer(binary, folder, flags) as real:
            server = judge.Server(real.url, judge.ssl._create_unverified_context(), TOKENS)
            while server.ask({"path": "/readyz", "headers": {"User-Agent": "waiting"}})[0] != 200:
                time.sleep(0.1)
            for step in asked.STEPS:
                time.sleep(step["sleep"]) if "sleep" in step else server.ask(step)
            time.sleep(0.5)  # a line may come after its answer
            return [event for event in map(json.loads, log.read_text().splitlines()) if event.get("userAgent") == MARK]


def main(binary):
    """Write what is recorded."""
    found = [
        {"name": name, "policy": policy, "steps": asked.STEPS, "lines": lines(binary, policy)}
        for name, policy in asked.POLICIES.items()
    ]
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    RECORDED.write_bytes(gzip.compress(text.encode(), mtime=0))
    print({one["name"]: len(one["lines"]) for one in found})


if __name__ == "__main__":
    main(program("kubernetes"))
