"""Which upstream symbol each decider follows: ``python -m tests.house.models`` lists them, to see a release drift.

A docstring says it in one form: ``Models k/k pkg/controller/deployment/util NewRSNewReplicas``, the repository (k/k is
kubernetes/kubernetes, k/apimachinery and the like are its staging repositories, etcd, raft, nginx), a path in it, and
symbols. Several follow after a comma or semicolon, each from where it differs: a repository, a path or only a symbol.
``--against k/k=FOLDER …`` lists those that the source in a folder does not have: of etcd 3.7, server, api, client and
the like are modules of their own, so ``etcd/server=FOLDER``. 1 if there are any.
"""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

from tests.house.sources import FUNCTIONS, code, name, tree

PURE = {"decide", "raft", "store", "kinds", "plugins", "admission"}  # folders of deciders
SENTENCE = re.compile(r"(?<=\S)\.(?=\s|$)")  # where one ends; a path of "." stands alone
SYMBOL = re.compile(r"(?!and$)[A-Za-z_][\w.]*")
REPOSITORY = re.compile(
    r"k/[a-z-]+|etcd|raft|haproxy|keepalived|go|[a-z]+/plugins|containernetworking/cni|clientv3|(?:ingress-)?nginx|traefik|kubernetes-sigs/[a-z-]+"
    r"|torvalds/linux|flannel-io/flannel|metallb|coredns|glibc|musl|spf13/[a-z]+"
)


class Model(NamedTuple):
    """*symbols* in *path* of *repository* are what the module or function at *where* follows."""

    where: str
    repository: str
    path: str
    symbols: tuple[str, ...]


def said(docstring, where=""):
    """The models that *docstring* names; one without a repository or a symbol is a mistake, and missing here."""
    found = []
    for clause in _clauses((docstring or "").splitlines()):
        repository = path = ""
        for part in _parts(clause):
            words = part.split()
            if words and REPOSITORY.fullmatch(words[0]):
                repository, path, *words = [*words, ""] if len(words) == 1 else words
            elif words and "/" in words[0]:
                path, *words = words
            symbols = tuple(filter(SYMBOL.fullmatch, words))
            if repository and path and symbols:
                found.append(Model(where, repository, path, symbols))
    return found


def _clauses(lines):
    """What follows ``Models`` up to the end of the sentence, or of the line if that is complete."""
    for number, line in enumerate(lines):
        if "Models " in line:
            clause = line.partition("Models ")[2].strip()
            for more in lines[number + 1 :]:
                if SENTENCE.search(clause) or not (_unfinished(clause) or more.strip().startswith("(")):
                    break
                clause += " " + more.strip()
            yield SENTENCE.split(clause)[0]


def _unfinished(clause):
    """Whether the line ends before the symbol that it announces."""
    last = _parts(clause)[-1].split() if _parts(clause) else []
    return clause.endswith((",", ";", ":")) or not last or "/" in last[-1] or bool(REPOSITORY.fullmatch(last[-1]))


def _parts(clause):
    return re.split(r"[,;]\s+", re.sub(r"\([^)]*\)|\b\w+: ", "", clause))


def models(path):
    """What the module at *path* and everything in it say."""
    module = tree(path)
    nodes = [node for node in ast.walk(module) if isinstance(node, FUNCTIONS | ast.ClassDef)]
    places = [(name(path), module), *((f"{name(path)}:{node.lineno}", node) for node in nodes)]
    return [model for where, node in places for model in said(ast.get_docstring(node), where)]


def deciders():
    """The modules of every folder of deciders."""
    return [
        path
        for path in code("kubemini")
        if path.suffix == ".py" and path.stem != "__init__" and PURE & set(name(path).split("/"))
    ]


def found(model, symbol, folder):
    """Whether the Go (or C) source at *folder*, the root of the model's repository, has *symbol*."""
    place = folder / model.path
    files = [place] if place.is_file() else [file for file in place.glob("*.go") if not file.stem.endswith("_test")]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    owner, _, member = symbol.rpartition(".")
    if symbol == "strategy":  # the name of a file in every registry
        return bool(source)
    if owner:
        has = rf"func \((\w+ )?\*?{owner}(\[\w+\])?\) {member}\b"
        return bool(re.search(has, source) or (re.search(rf"type {owner} (struct|interface)", source)))
    return bool(re.search(rf"\b(func|type|const|var)\s+{member}\b|\) {member}\(|^\s*{member}\b", source, re.MULTILINE))


def drifted(rows, folders):
    """The rows whose symbol is not where they say, of the repositories in *folders*, {name: root}."""
    for model, symbol in rows:
        whole = f"{model.repository}/{model.path}"
        for root, folder in folders.items():
            if whole == root or whole.startswith(f"{root}/"):
                inside = model._replace(path=whole[len(root) + 1 :] or ".")
                if not found(inside, symbol, Path(folder)):
                    yield model, symbol
                break


def main(arguments=()):
    """One line a symbol: repository, path, symbol, where it is modelled."""
    sources = [path for path in code("kubemini") if path.suffix == ".py"]
    rows = [(model, symbol) for path in sources for model in models(path) for symbol in model.symbols]
    against = dict(argument.split("=", 1) for argument in arguments if argument != "--against")
    shown = list(drifted(rows, against)) if against else rows
    for model, symbol in sorted(shown, key=lambda row: (row[0].repository, row[0].path, row[1], row[0].where)):
        print(model.repository, model.path, symbol, model.where, sep="\t")
    return 1 if against and shown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
