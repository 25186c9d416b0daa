"""Server-side apply: sequences of applies and writes, by the tables of structured-merge-diff."""

import ast
import json
import textwrap

import yaml

from kubemini.api.patch import apply, typed
from kubemini.api.patch.apply import APPLY, UPDATE, Manager, Versions
from kubemini.api.patch.typed import KEYED, MAP, SET, Shape
from tests.oracles.kubernetes.vectors import differs

LEAF, TEXTS, TEXT_MAP = Shape(), Shape(SET), Shape(MAP)


def struct(**fields):
    return Shape(MAP, child=lambda key: fields.get(key, LEAF), named=lambda key: key in fields)


def keyed(item, *keys, **defaults):
    return Shape(KEYED, keys, child=lambda key: item, defaults=defaults)


def map_of(item):
    return Shape(MAP, child=lambda key: item)


RECURSIVE = Shape(MAP, child=lambda key: RECURSIVE)
NESTED = struct(
    listOfLists=keyed(struct(name=LEAF, value=TEXTS), "name"),
    listOfMaps=keyed(struct(name=LEAF, value=TEXT_MAP), "name"),
    mapOfLists=map_of(TEXTS),
    mapOfMaps=map_of(TEXT_MAP),
    mapOfMapsRecursive=RECURSIVE,
    struct=struct(name=LEAF, value=LEAF),
)
NAMED = struct(list=keyed(struct(name=LEAF, value=LEAF, bool=LEAF), "name"))
PORTS = struct(containerPorts=keyed(struct(port=LEAF, protocol=LEAF, name=LEAF), "port", "protocol", protocol="TCP"))
SENTENCES = keyed(struct(page=LEAF, line=LEAF, text=LEAF), "page", "line", page=2, line=3)
BOOK = keyed(struct(chapter=LEAF, section=LEAF, sentences=SENTENCES), "chapter", "section", chapter=1, section="A")
TWICE = struct(list=keyed(struct(name=LEAF, value1=LEAF, value2=LEAF), "name"), unrelated=LEAF, set=TEXTS)
SHAPES = {
    "TestUpdateSet": struct(list=TEXTS),
    "TestUpdateLeaf": struct(numeric=LEAF, string=LEAF, bool=LEAF),
    "TestUpdateAssociativeLists": NAMED,
    "TestMultipleAppliersSet": NAMED,
    "TestMultipleAppliersDeducedType": RECURSIVE,
    "TestMultipleApplierAtomicMaps": struct(atomicMap=LEAF),
    "TestDefaultKeysFlat": PORTS,
    "TestDefaultKeysFlatErrors": PORTS,
    "TestDefaultKeysNested": struct(book=BOOK),
    "TestDuplicates": TWICE,
}


# -- versions: what upstream's tests turn into one another -------------------------------------------------------------


def _repeated(value, version, top=True):
    """The names below the first level, as often as the version's number says: a, aa, aaa."""
    if not isinstance(value, dict):
        return value
    return {key if top else key[0] * int(version[1:]): _repeated(item, version, False) for key, item in value.items()}


def _renamed(value, version):
    """Names that end in a version end in another."""
    if not isinstance(value, dict):
        return value
    named = {(key[:-2] + version if key[-2:-1] == "v" else key): item for key, item in value.items()}
    return {key: _renamed(item, version) for key, item in named.items()}


def _in_version(version):
    parts = {f"scalarField_{version}": LEAF, f"complexField_{version}": struct(name=LEAF)}
    return struct(struct=struct(name=LEAF, **parts), version=LEAF)


def _versions(function):
    if function in ("testMultipleAppliersFieldUnsetting", "testMultipleAppliersFieldRenameConversions"):
        return Versions(_in_version, _renamed)
    if function == "TestMultipleAppliersRealConversion":
        return Versions(lambda version: NESTED, _repeated)
    return apply.one_version(SHAPES.get(function, NESTED))


# -- the table ---------------------------------------------------------------------------------------------------------


def _object(said):
    """An object of the table; some are still calls of Go."""
    if not isinstance(said, str):
        return said
    call = ast.literal_eval(said)
    if call is None:
        return None
    (text,) = call["args"]
    text = text if isinstance(text, str) else text["args"][0].replace("%s", text["args"][1])
    return yaml.safe_load(textwrap.dedent(text))


def _steps(path):
    """A path as the table spells it, in our words."""
    found = []
    for step in path:
        if "go" in step:
            step = {"f": step["args"][0]["f"].replace("%s", step["args"][1]["f"])}
        ((kind, value),) = step.items()
        value = dict(sorted(value.items())) if kind == "k" else value
        found.append(f"{kind}:{value if kind == 'f' else json.dumps(value, separators=(',', ':'))}")
    return tuple(found)


class _State:
    """The object and its owners, between two operations."""

    def __init__(self, versions):
        self.versions, self.live, self.owners, self.wrong = versions, None, {}, []

    def carry_out(self, operation):
        """One operation of the table."""
        version, body = operation["apiVersion"], _object(operation["obj"])
        applies = "Apply" in operation["op"]
        me = Manager(operation["manager"], APPLY if applies else UPDATE, version)
        self.live = self.versions.convert(self.live, version)
        if not applies:
            self.owners = apply.updated(self.live, body, self.owners, me, self.versions)
            self.live = body
            return
        typed.check(body, self.versions.shape(version))
        force = operation["op"] == "ForceApply"
        done = apply.applied(self.live, body, self.owners, me, self.versions, force)
        wanted = {(c["manager"], _steps(c["path"])) for c in operation.get("conflicts") or ()}
        refused = isinstance(done, list)
        self.wrong += differs(wanted, {(c.manager.name, c.path) for c in done} if refused else set(), "conflicts")
        if not refused:
            self.live, self.owners = done


def sequence(row):
    """The object and its owners after all operations of a row, or the refusal of one."""
    state = _State(_versions(row["function"]))
    refused = ""
    try:
        for operation in row["ops"]:
            state.carry_out(operation)
    except typed.TypedError as error:
        refused = str(error)
    if refused or "Errors" in row["function"]:
        return [] if refused and "Errors" in row["function"] else [f"refused: {refused!r}"]
    wanted = _object(row["object"])
    if wanted is not None:
        state.wrong += differs(wanted, state.versions.convert(state.live, row["apiVersion"]), "object")
    if row.get("managed") is None:
        return state.wrong
    owners = {name: ({_steps(p) for p in m["fields"]}, m["apiVersion"]) for name, m in row["managed"].items()}
    found = {manager.name: (set(paths), manager.version) for manager, paths in state.owners.items()}
    return state.wrong + differs(owners, found, "owners")


JUDGES = {"server_side_apply": sequence}
