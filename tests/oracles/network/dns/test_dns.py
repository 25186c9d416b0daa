"""What CoreDNS answered and how glibc and musl walked: ours says the same, case by case."""

import json
from pathlib import Path

import pytest

from tests.oracles.network import parts

HERE = Path(__file__).parent
FILES = [HERE / "answers.json", HERE / "resolver.json", HERE.parent / "dns.json"]
COUNTS = {"answers": 146, "resolver": 52, "dns": 175}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ours_answers_as_the_recorded_servers_and_libraries_did(path):
    cases = dict(parts.cases(path, json.loads(path.read_text(encoding="utf-8"))))
    assert len(cases) == COUNTS[path.stem]
    assert {name: found for name, run in cases.items() if (found := run())} == {}
