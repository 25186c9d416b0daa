"""What an expression is before it is run: every name must be known, every call must fit. Pure.

    check(tree, {"self": list_of(STRING)})  ->  BOOL, or raises Problem

All that is wrong is collected, each with its place, as cel-go does. What is dyn is looked at when the expression runs.
Models cel-go checker Check, checker.resolveOverload.
"""

from collections.abc import Iterator, Mapping

from kubemini.api.cel import literals
from kubemini.api.cel.functions.catalogue import TABLE
from kubemini.api.cel.functions.overloads import Overload
from kubemini.api.cel.nodes import Call, ListOf, Literal, Loop, MapOf, Name, Node, Problem, Select, Struct, together
from kubemini.api.cel.types import (
    BOOL,
    DURATION,
    DYN,
    ERROR,
    INT,
    OPEN,
    TIMESTAMP,
    Bound,
    Type,
    fits,
    has_variables,
    joined,
    known,
    list_of,
    map_of,
    optional,
    said,
    same,
    settled,
    type_of,
)
from kubemini.api.cel.values import type_of as type_of_value

Scope = Mapping[str, Type]
NAMED_TYPES = {
    **{name: Type(name) for name in ("bool", "int", "uint", "double", "string", "bytes", "null_type", "type")},
    "list": list_of(DYN),
    "map": map_of(DYN, DYN),
    "duration": DURATION,
    "timestamp": TIMESTAMP,
    DURATION.name: DURATION,
    TIMESTAMP.name: TIMESTAMP,
}
OBJECT = "Object"  # in a scope: patches may be made
LOGIC = {"_&&_", "_||_"}


def check(tree: Node, scope: Scope) -> Type:
    """The type of *tree* where the names of *scope* are known. Raises Problem, with all others in `more`."""
    checker = _Checker()
    found = checker.type(tree, scope)
    if not checker.problems:
        literals.check(tree, checker.types, checker.problems)
    if checker.problems:
        raise together(list(dict.fromkeys(checker.problems)))
    return known(found)


class _Checker:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.types: dict[int, Type] = {}  # id of a node → its type
        self.mixed = False  # whether items of one list may differ: what is formatted may

    def _wrong(self, at: int, text: str) -> Type:
        self.problems.append(Problem(at, text))
        return ERROR

    def type(self, node: Node, scope: Scope) -> Type:
        """The type of *node*; ERROR, if something is wrong."""
        found = self._type(node, scope)
        self.types[id(node)] = found
        return found

    def _type(self, node: Node, scope: Scope) -> Type:
        match node:
            case Literal():
                return type_of_value(node.value)
            case Name():
                return self._name(node, scope)
            case Select():
                return self._select(node, scope)
            case Call():
                return self._call(node, scope)
            case ListOf():
                return self._list(node, scope)
            case MapOf():
                return self._map(node, scope)
            case Struct():
                return self._struct(node, scope)
            case Loop():
                return self._loop(node, scope)

    def _name(self, node: Name, scope: Scope) -> Type:
        if node.name in scope:
            return scope[node.name]
        if node.name in NAMED_TYPES:
            return type_of(NAMED_TYPES[node.name])
        return self._wrong(node.at, f"undeclared reference to '{node.name}' (in container '')")

    def _select(self, node: Select, scope: Scope) -> Type:
        named = dotted(node)
        if named in NAMED_TYPES and named.partition(".")[0] not in scope:
            return type_of(NAMED_TYPES[named])
        whole = self.type(node.operand, scope)
        missing = whole.name == "optional_type"
        field = self._field(node, whole.of[0] if missing else whole)
        if node.test:
            return BOOL
        return optional(field) if missing or node.maybe else field

    def _field(self, node: Select, whole: Type) -> Type:
        if whole in (DYN, OPEN, ERROR):
            return whole if whole == ERROR else DYN
        if whole.name == "map":
            return whole.of[1]
        if whole.fields is not None:
            found = whole.fields.get(node.field)
            return found if found is not None else self._wrong(node.at, f"undefined field '{node.field}'")
        return self._wrong(node.at, f"type '{said(whole)}' does not support field selection")

    # -- calls ---------------------------------------------------------------------------------------------------
    def _call(self, node: Call, scope: Scope) -> Type:
        if node.function in LOGIC:
            for part in node.args:
                self._is_bool(part, self.type(part, scope))
            return BOOL
        if node.function == "_?_:_":
            return self._choice(node, scope)
        spaced = qualified(node, scope)
        if spaced:
            return self._resolve(node, spaced, None, [self.type(arg, scope) for arg in node.args])
        target = None if node.target is None else self.type(node.target, scope)
        before, self.mixed = self.mixed, self.mixed or node.function == "format"
        args = [self.type(arg, scope) for arg in node.args]
        self.mixed = before
        return self._resolve(node, node.function, target, args)

    def _choice(self, node: Call, scope: Scope) -> Type:
        test, yes, no = (self.type(arg, scope) for arg in node.args)
        both = joined(yes, no)
        if both is None or not fits(BOOL, test, {}):
            return self._no_overload(node.at, "_?_:_", None, [test, yes, no])
        return both

    def _resolve(self, node: Call, name: str, target: Type | None, args: list[Type]) -> Type:
        overloads = TABLE.get(name)
        if overloads is None:
            return self._wrong(node.at, f"undeclared reference to '{name}' (in container '')")
        values = args if target is None else [target, *args]
        fitting = [
            (one, given)
            for one in overloads
            if one.method == (target is not None) and (given := _given(one, values)) is not None
        ]
        if not fitting:
            return self._no_overload(node.at, name, target, args)
        given = fitting[0][1]
        plain = all(found == given and not has_variables(one.gives) for one, found in fitting)
        return given if plain or len(fitting) == 1 else DYN

    def _no_overload(self, at: int, name: str, target: Type | None, args: list[Type]) -> Type:
        listed = f"({', '.join(said(one) for one in args)})"
        applied = listed if target is None else f"{said(target)}.{listed}"
        return self._wrong(at, f"found no matching overload for '{name}' applied to '{applied}'")

    # -- what is made --------------------------------------------------------------------------------------------
    def _list(self, node: ListOf, scope: Scope) -> Type:
        return list_of(self._common([(part, place in node.maybe) for place, part in enumerate(node.items)], scope))

    def _common(self, parts: list[tuple[Node, bool]], scope: Scope) -> Type:
        """The type of all *parts*, which must have one in common; (node, whether it may be missing)."""
        found = OPEN
        for part, maybe in parts:
            type = self.type(part, scope)
            if maybe and type.name != "optional_type" and type not in (DYN, ERROR):
                self._wrong(part.at, f"expected type 'optional_type({said(type)})' but found '{said(type)}'")
            elif maybe:
                type = type.of[0] if type.of else DYN
            both = same(found, type)
            if both is None and self.mixed:
                found = DYN
            elif both is None:
                self._wrong(part.at, f"expected type '{said(found)}' but found '{said(type)}'")
            else:
                found = both
        return found

    def _map(self, node: MapOf, scope: Scope) -> Type:
        keys = self._common([(key, False) for key, _, _ in node.entries], scope)
        return map_of(keys, self._common([(value, maybe) for _, value, maybe in node.entries], scope))

    def _struct(self, node: Struct, scope: Scope) -> Type:
        if OBJECT in scope and (node.type.partition(".")[0] == "Object" or node.type == "JSONPatch"):
            for _, value, _ in node.fields:
                self.type(value, scope)
            return Type(node.type, fields=_Anything())
        return self._wrong(node.at + len(node.type), f"undeclared reference to '{node.type}' (in container '')")

    def _loop(self, node: Loop, scope: Scope) -> Type:
        over = self.type(node.over, scope)
        if node.macro in ("optMap", "optFlatMap"):
            inner = {**scope, node.names[0]: over.of[0] if over.of else DYN}
            made = self.type(node.body, inner)
            return optional(made) if node.macro == "optMap" else made
        if over.name not in ("list", "map") and over not in (DYN, OPEN, ERROR):
            why = "cannot be range of a comprehension (must be list, map, or dynamic)"
            return self._wrong(node.over.at, f"expression of type '{said(over)}' {why}")
        inner = {**scope, **dict(zip(node.names, _variables(over, len(node.names)), strict=True))}
        when = None if node.when is None else self.type(node.when, inner)
        return self._made(node, over, when, self.type(node.body, inner))

    def _is_bool(self, node: Node, found: Type) -> None:
        if not fits(BOOL, found, {}):
            self._wrong(node.at, f"expected type 'bool' but found '{said(found)}'")

    def _made(self, node: Loop, over: Type, when: Type | None, body: Type) -> Type:
        item = _variables(over, 1)[0]
        gives: dict[str, Type] = {
            "all": BOOL,
            "exists": BOOL,
            "existsOne": BOOL,
            "filter": list_of(item),
            "map": list_of(body),
            "transformList": list_of(body),
            "transformMap": map_of(INT if over.name == "list" else (over.of[0] if over.of else DYN), body),
            "transformMapEntry": body,
            "sortBy": list_of(item),
        }
        found = gives[node.macro]
        if node.macro in ("all", "exists"):
            self._is_bool(node.body, body)
            return BOOL
        test = body if node.macro in ("existsOne", "filter") else when
        if test is not None and not fits(BOOL, test, {}):
            made = INT if node.macro == "existsOne" else found
            return self._no_overload(node.at, "_?_:_", None, [test, made, made])
        return found


class _Anything(Mapping[str, Type]):
    """The fields of an object that may have any."""

    def __getitem__(self, key: str) -> Type:
        return DYN

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def dotted(node: Node) -> str:
    """``a.b.C`` as a name, or nothing."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select) and not node.test and not node.maybe:
        before = dotted(node.operand)
        return f"{before}.{node.field}" if before else ""
    return ""


def qualified(node: Call, scope: Scope) -> str:
    """The name of a function in a name space, such as ``sets.contains``; empty if its target is a value."""
    target = node.target
    if isinstance(target, Name) and target.name not in scope:
        name = f"{target.name}.{node.function}"
        return name if name in TABLE else ""
    return ""


def _given(one: Overload, args: list[Type]) -> Type | None:
    """What *one* gives for *args*, or None if it does not fit."""
    if len(one.args) != len(args):
        return None
    bound: Bound = {}
    if not all(fits(wanted, found, bound) for wanted, found in zip(one.args, args, strict=True)):
        return None
    return settled(one.gives, bound)


def _variables(over: Type, count: int) -> tuple[Type, ...]:
    """The types of the variables of a loop over *over*."""
    if over.name == "list":
        return (INT, over.of[0]) if count == 2 else (over.of[0],)
    if over.name == "map":
        return (over.of[0], over.of[1]) if count == 2 else (over.of[0],)
    return (DYN,) * count
