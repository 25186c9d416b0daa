"""Which upstream symbol each decider follows: ``python -m tests.house.models`` lists them, to see a release drift.

A docstring says it in one form: ``Models k/k pkg/controller/deployment/util NewRSNewReplicas``, the repository (k/k is
kubernetes/kubernetes, k/apimachinery and the like are its staging repositories, etcd, raft, haproxy), a path in it, and
symbols. Several follow after a comma or semicolon, each from where it differs: a repository, a path or only a symbol.
"""

import ast
import re
import sys
from typing import NamedTuple

from tests.house.sources import FUNCTIONS, code, name, tree

PURE = {"decide", "raft", "store", "kinds", "plugins", "admission"}  # folders of deciders
SAYS = re.compile(r"\bModels ((?:\s\.\s|[^.\n]|\.(?=\S)|\. (?=[A-Z]\w+\.\w)|\n(?!\s*\n))*)")
REPOSITORY = re.compile(r"k/[a-z-]+|etcd|raft|haproxy|keepalived|go|[a-z]+/plugins|clientv3|kubernetes-sigs/[a-z-]+")


class Model(NamedTuple):
    """*symbols* in *path* of *repository* are what the module or function at *where* follows."""

    where: str
    repository: str
    path: str
    symbols: tuple[str, ...]


def said(docstring, where=""):
    """The models that *docstring* names; one without a repository or a symbol is a mistake, and missing here."""
    found = []
    for clause in SAYS.findall(docstring or ""):
        repository = path = ""
        for part in re.split(r"[,;]\s+", re.sub(r"\([^)]*\)|\w+: ", "", " ".join(clause.split()))):
            words = part.rstrip(".").split()
            if words and REPOSITORY.fullmatch(words[0]):
                repository, path, *words = [*words, ""] if len(words) == 1 else words
            elif words and "/" in words[0]:
                path, *words = words
            if repository and path and any(words):
                found.append(Model(where, repository, path, tuple(filter(None, words))))
    return found


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


def main():
    """One line a symbol: repository, path, symbol, where it is modelled."""
    rows = sorted(
        (model.repository, model.path, symbol, model.where)
        for path in code("kubemini")
        if path.suffix == ".py"
        for model in models(path)
        for symbol in model.symbols
    )
    for row in rows:
        print(*row, sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
