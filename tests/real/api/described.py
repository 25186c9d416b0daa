"""What a real API server says of its API: the data behind our OpenAPI are derived from it, and held against it.

    python -m tests.real.api.described            what our documents say otherwise than a real server's
    python -m tests.real.api.described --derive   write kubemini/api/schema/openapi.json.gz
    python -m tests.real.api.described --record   write what it publishes of definitions.yaml, for the fast tests

Kept of its OpenAPI 3 are the schemas of all types, with their prose, and the options of each kind of request, by the
Go type that holds them. Paths and operations are not kept: they follow from discovery, by rule.
"""

import argparse
import base64
import gzip
import hashlib
import json
import ssl
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

from kubemini.api.schema import custom, described
from kubemini.apiserver.decide import discovery, openapi
from kubemini.apiserver.decide.customs import living
from tests.apiserver.described import reading
from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.real.api.realserver import RealServer

OUT = Path(described.__file__).with_name("openapi.json.gz")
RECORD = Path(reading.__file__).with_name("recorded.json.gz")
DEFINITIONS = Path(__file__).with_name("definitions.yaml")
DEFINED = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
VERBS = {  # x-kubernetes-action → the Go type of its options
    "list": "ListOptions",
    "post": "CreateOptions",
    "put": "UpdateOptions",
    "patch": "PatchOptions",
    "delete": "DeleteOptions",
}
BESIDE = ("pretty",)  # of every request
PATIENCE = 30  # seconds until a definition is published
TOLERATED = {  # path of a difference → why
    "/.well-known/openid-configuration/": "kubemini tells nobody who issues its tokens",
    "/openid/v1/jwks/": "kubemini tells nobody the keys of its tokens",
}


class Asking:
    """A client of *server*, who may do everything."""

    def __init__(self, server):
        self.server, self.context = server, ssl._create_unverified_context()

    def __call__(self, path, body=None, accept="application/json"):
        """What stands at *path*, as bytes; with *body*, what became of it."""
        data = None if body is None else json.dumps(body, default=str).encode()
        headers = {"Authorization": "Bearer admintoken", "Accept": accept, "Content-Type": "application/json"}
        asked = urllib.request.Request(self.server.url + path, data, headers)
        with urllib.request.urlopen(asked, timeout=60, context=self.context) as answer:
            return answer.read()

    def value(self, path):
        """What stands at *path*."""
        return json.loads(self(path))

    def documents(self):
        """Path below the root → its document of OpenAPI 3."""
        return {where: self.value(f"{openapi.ROOT}/{where}") for where in sorted(self.value(openapi.ROOT)["paths"])}

    def define(self):
        """Create the definitions of the file; what became of them, once all are published."""
        wanted = list(yaml.safe_load_all(DEFINITIONS.read_text(encoding="utf-8")))
        for crd in wanted:
            self(DEFINED, crd)
        versions = {
            f"apis/{crd['spec']['group']}/{version['name']}"
            for crd in wanted
            for version in crd["spec"]["versions"]
            if version["served"]
        }
        end = time.monotonic() + PATIENCE
        while not versions <= set(self.value(openapi.ROOT)["paths"]) or not self._has_all(wanted):
            if time.monotonic() > end:
                raise Failed("the real API server does not publish what is defined")
            time.sleep(0.5)
        return self.value(DEFINED)["items"]

    def _has_all(self, wanted):
        paths = " ".join(self.value(openapi.WHOLE)["paths"])
        return all(f"/{crd['spec']['names']['plural']}" in paths for crd in wanted)


def derived(documents, whole):
    """What is kept of *documents*, and of what OpenAPI 2 says besides: all groups of a type that each has."""
    schemas, options = {}, {}
    for document in documents.values():
        schemas |= document.get("components", {}).get("schemas", {})
        for path, told in document["paths"].items():
            for method, one in told.items():
                if method != "parameters":
                    given = [*told.get("parameters", ()), *one.get("parameters", ())]
                    _add_options(options, path, one, given)
    for name in described.BY_GROUP:
        schemas[name] = {**schemas[name], described.GVK: whole["definitions"][name][described.GVK]}
    return {"schemas": dict(sorted(schemas.items())), "options": dict(sorted(options.items()))}


def _add_options(options, path, one, given):
    kind = one.get(described.GVK, {}).get("kind", "")
    action = one.get("x-kubernetes-action")
    of = kind if action == "connect" else "PodLogOptions" if path.endswith("/log") else VERBS.get(action)
    for option in given:
        whose = option["name"] if option["in"] == "path" or option["name"] in BESIDE else of
        if whose is not None and option["name"] != "name":
            known = options.setdefault(whose, [])
            known += [] if option in known else [option]
            known.sort(key=lambda one: one["name"])


def packed(data):
    """*data* as a file holds it: the same bytes every time."""
    return gzip.compress(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(), 9, mtime=0)


def own_of(crds):
    """(the lines of discovery, what OpenAPI tells) of all *crds*, as our server has them."""
    kinds = sorted((kind for crd in crds for kind in living.kinds_of(crd)), key=lambda kind: (kind.group, kind.version))
    return living.lines_of(crds), tuple(living.described(kind) for kind in kinds)


def digests(part):
    """Name of an entry → a digest of what it says, in whatever order."""
    texts = {name: json.dumps(said, sort_keys=True).encode() for name, said in part.items()}
    return {name: hashlib.sha256(text).hexdigest()[:12] for name, text in sorted(texts.items())}


def recorded(crds, documents, whole, protobuf):
    """What is published of *crds*: schemas and paths of OpenAPI 2 and 3, and those of 2 as protobuf has them; of all
    else in OpenAPI 2 a digest.
    """
    groups = tuple(sorted({f"apis/{crd['spec']['group']}/" for crd in crds}))
    third = {where: told for where, told in documents.items() if where.startswith(groups)}
    names = sorted({name for told in third.values() for name in told["components"]["schemas"] if _is_own(name)})
    entries = dict(reading.entries(protobuf, 8, 2)) | dict(reading.entries(protobuf, 9, 1))
    paths = {path: told for path, told in whole["paths"].items() if path.removeprefix("/").startswith(groups)}
    for told in third.values():
        schemas = told["components"]["schemas"]
        told["components"] = {name: schemas[name] for name in names if name in schemas}
    return {
        "whole": {part: digests(whole[part]) for part in ("paths", "definitions", "parameters")},
        "crds": crds,
        "third": third,
        "paths": paths,
        "definitions": {name: whole["definitions"][name] for name in names},
        "protobuf": {key: base64.b64encode(entries[key]).decode() for key in [*paths, *names]},
    }


def _is_own(name):
    return described.schema(name) is None


def differences(wanted, got, path=""):
    """(path, wanted, got) of each leaf that differs."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted({*wanted, *got}):
            yield from differences(wanted.get(key), got.get(key), f"{path}/{key}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from differences(one, other, f"{path}/{number}")
    elif wanted != got:
        yield path, wanted, got


def compared(ask):
    """(document, path, wanted, got) of all that ours say otherwise than the real ones."""
    whole = ask.value(openapi.WHOLE)
    yield from (("the derived data", *row) for row in differences(derived(ask.documents(), whole), described._all()))
    own_lines, own = own_of(ask.define())
    extra = {(words[0], words[1]) for words in custom.resources()}
    lines = (*(words for words in discovery.lines() if (words[0], words[1]) not in extra), *own_lines)
    for where, document in ask.documents().items():
        if f"/{where}/" not in TOLERATED:
            ours = openapi.page(f"{openapi.ROOT}/{where}", lines, own)
            yield from ((where, *row) for row in differences(document, ours))
    whole, ours = ask.value(openapi.WHOLE), openapi.page(openapi.WHOLE, lines, own)
    for path in TOLERATED:
        del whole["paths"][path]
    yield from (("OpenAPI 2", *row) for row in differences(whole, ours))
    real = reading.document(ask(openapi.WHOLE, accept=openapi.OLD_PROTOBUF))
    for path in TOLERATED:
        del real["paths"][path]
    mine = reading.document(openapi.answer(openapi.WHOLE, {}, {"accept": openapi.PROTOBUF}, lines, own).body)
    yield from (("OpenAPI 2 as protobuf", *row) for row in differences(real, mine))


def work(ask, arguments):
    """What *arguments* ask for, with a client of a real server; the exit status."""
    if arguments.derive:
        OUT.write_bytes(packed(derived(ask.documents(), ask.value(openapi.WHOLE))))
        return 0
    if arguments.record:
        crds = ask.define()
        protobuf = ask(openapi.WHOLE, accept=openapi.OLD_PROTOBUF)
        RECORD.write_bytes(packed(recorded(crds, ask.documents(), ask.value(openapi.WHOLE), protobuf)))
        return 0
    found = list(compared(ask))
    for where, path, wanted, got in found[:20]:
        print(f"{where}: {path}\n  real {json.dumps(wanted)[:300]}\n  ours {json.dumps(got)[:300]}")
    for path, why in TOLERATED.items():
        print(f"tolerated: {path}: {why}")
    print(f"OpenAPI: {len(found)} differences from a real API server")
    return 1 if found else 0


def main():
    """Derive, record or compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.api.described")
    parser.add_argument("--derive", action="store_true", help="write the data behind our OpenAPI")
    parser.add_argument("--record", action="store_true", help="write what is published of definitions.yaml")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, RealServer(program("kubernetes"), Path(folder)) as server:
            return work(Asking(server), arguments)
    except (Missing, Failed) as error:
        print(error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
