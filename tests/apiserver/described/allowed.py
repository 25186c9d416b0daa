"""Requests that our OpenAPI allows, made by schemathesis: none gets a 5xx that the real server does not give too.

    python -m tests.apiserver.described.allowed [--seed N] [--operations 150] [--examples 4]

Ours is asked in this process; what it answers with a 5xx, the real one is asked too. Pure but for that: the same seed
asks the same.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
from pathlib import Path

from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.oracles.kubernetes.answers import Real
from tests.real.api.realserver import RealServer

NOT_SERVED = b"404 page not found\n"  # here kinds of the Gateway API are served without their CRDs


def cases(operation, seed, examples):
    """(method, path and query, headers, body) of requests that the schema allows for one operation."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    made = []

    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def make(case):
        made.append(case)

    make()
    return [_sent(case) for case in made]


def _sent(case):
    import requests

    wanted = ("method", "url", "headers", "params", "json", "data")
    said = case.as_transport_kwargs(base_url="http://server")
    ready = requests.Request(**{key: said[key] for key in wanted if key in said}).prepare()
    body = ready.body or b""
    headers = {
        name: value if isinstance(value, str) else value.decode("latin-1")
        for name, value in ready.headers.items()
        if name.lower() not in ("authorization", "content-length", "cookie", "user-agent")
    }
    return ready.method, ready.path_url, headers, body.encode() if isinstance(body, str) else body


def failing(ours, operations, seed, examples):
    """How many were asked, and (request, status, body) of all that ours answers with a 5xx."""
    asked, found = 0, []
    for operation in operations:
        for request in cases(operation, seed, examples):
            method, target, headers, body = request
            status, _, text = ours.parts(method, target, body, **headers)
            asked += 1
            if status >= 500:
                found.append((request, status, text))
    return asked, found


def does_better(judge, request):
    """Whether the real server serves that path, and has no 5xx for the request."""
    method, target, headers, body = request
    status, _, text = judge.ask(method, target, body, **headers)
    return status < 500 and text != NOT_SERVED


def main(arguments=None):
    """Ask them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.apiserver.described.allowed")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--operations", type=int, default=150)
    parser.add_argument("--examples", type=int, default=4)
    said = parser.parse_args(arguments)
    import schemathesis

    from tests.apiserver.outside.asking import Outside

    print(f"seed {said.seed}", flush=True)
    ours = Outside()
    schema = schemathesis.openapi.from_dict(json.loads(ours.ask("GET", "/openapi/v2").body))
    everything = [found.ok() for found in schema.get_all_operations()]
    some = random.Random(said.seed).sample(everything, min(said.operations, len(everything)))
    asked, found = failing(ours, some, said.seed, said.examples)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        real = stack.enter_context(RealServer(program("kubernetes"), folder))
        judge = Real(real.url, "admintoken")
        alone = [one for one in found if does_better(judge, one[0])]
    for (method, target, _, body), status, text in alone:
        print(f"{method} {target} {body[:200]!r}: {status} {text[:300]!r}")
    print(f"{asked} requests of {len(some)} operations: {len(found)} got a 5xx, {len(alone)} only here")
    return 1 if alone else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Missing, Failed) as error:
        sys.exit(str(error))
